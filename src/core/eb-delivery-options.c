/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "core/eb-delivery-options.h"

#include <string.h>
#include <sys/random.h>

#include "core/eb-error.h"

/* Standard Webhooks 1.0.0, "Signature scheme": 24 to 64 bytes. More are no less safe. */
#define SECRET_PREFIX   "whsec_"
#define MIN_SECRET_SIZE 24
#define MAX_SECRET_SIZE 512

#define MAX_HEADERS      32
#define MAX_HEADERS_SIZE 4096 /* bytes of all names and values together */
#define MAX_TOKEN_SIZE   4096

static const char *const mode_names[] = {
  [EB_MODE_BINARY] = "binary",
  [EB_MODE_STRUCTURED] = "structured",
  [EB_MODE_BATCH] = "batch",
};

/**
 * eb_mode_from_string:
 * @mode: (out)
 *
 * Returns: FALSE if there is no mode of that name
 */
gboolean
eb_mode_from_string (const char *name, EbMode *mode)
{
  for (guint i = 0; i < G_N_ELEMENTS (mode_names); i++)
    if (g_str_equal (name, mode_names[i]))
      {
        *mode = (EbMode) i;
        return TRUE;
      }
  return FALSE;
}

const char *
eb_mode_to_string (EbMode mode)
{
  return mode_names[mode];
}

void
eb_secret_free (EbSecret *self)
{
  g_free (self->text);
  g_free (self);
}

static EbSecret *
new_secret (const char *text, gint64 until_us)
{
  EbSecret *self = g_new (EbSecret, 1);

  self->text = g_strdup (text);
  self->until_us = until_us;
  return self;
}

/**
 * eb_secret_generate:
 *
 * Returns: (transfer full): a new secret of 24 random bytes
 */
char *
eb_secret_generate (void)
{
  guint8 key[MIN_SECRET_SIZE];
  g_autofree char *encoded = NULL;

  while (getrandom (key, sizeof key, 0) != (gssize) sizeof key)
    continue;
  encoded = g_base64_encode (key, sizeof key);
  return g_strconcat (SECRET_PREFIX, encoded, NULL);
}

/**
 * eb_secret_check:
 *
 * Returns: FALSE with %EB_ERROR_INVALID unless @text is `whsec_` and the strict base64 of 24 bytes
 *   or more; the message does not show it
 */
gboolean
eb_secret_check (const char *text, GError **error)
{
  const char *encoded = text + strlen (SECRET_PREFIX);
  g_autofree guchar *key = NULL;
  g_autofree char *again = NULL;
  gsize size = 0;

  if (g_str_has_prefix (text, SECRET_PREFIX) && *encoded != '\0')
    {
      key = g_base64_decode (encoded, &size);
      again = g_base64_encode (key, size);
    }
  if (again != NULL && g_str_equal (again, encoded) && size >= MIN_SECRET_SIZE
      && size <= MAX_SECRET_SIZE)
    return TRUE;
  g_set_error (error, EB_ERROR, EB_ERROR_INVALID,
               "The secret is not “" SECRET_PREFIX "” and the base64 of %d to %d bytes",
               MIN_SECRET_SIZE, MAX_SECRET_SIZE);
  return FALSE;
}

/**
 * eb_secret_get_key:
 *
 * Returns: (transfer full): the bytes to sign with
 */
GBytes *
eb_secret_get_key (const EbSecret *self)
{
  gsize size;
  guchar *key = g_base64_decode (self->text + strlen (SECRET_PREFIX), &size);

  return g_bytes_new_take (key, size);
}

void
eb_header_free (EbHeader *self)
{
  g_free (self->name);
  g_free (self->value);
  g_free (self);
}

/**
 * eb_delivery_options_new:
 *
 * Returns: (transfer full): what most want
 */
EbDeliveryOptions *
eb_delivery_options_new (void)
{
  EbDeliveryOptions *self = g_new0 (EbDeliveryOptions, 1);

  g_atomic_ref_count_init (&self->ref_count);
  return self;
}

static gpointer
copy_header (gconstpointer source, gpointer user_data)
{
  const EbHeader *header = source;
  EbHeader *copy = g_new (EbHeader, 1);

  copy->name = g_strdup (header->name);
  copy->value = g_strdup (header->value);
  return copy;
}

static gpointer
copy_secret (gconstpointer source, gpointer user_data)
{
  const EbSecret *secret = source;

  return new_secret (secret->text, secret->until_us);
}

static GPtrArray *
copy_array (GPtrArray *array, GCopyFunc copy, GDestroyNotify free_element)
{
  GPtrArray *copied;

  if (array == NULL)
    return NULL;
  copied = g_ptr_array_copy (array, copy, NULL);
  g_ptr_array_set_free_func (copied, free_element);
  return copied;
}

/**
 * eb_delivery_options_copy:
 *
 * Returns: (transfer full): one that may be changed
 */
EbDeliveryOptions *
eb_delivery_options_copy (const EbDeliveryOptions *self)
{
  EbDeliveryOptions *copy = g_new (EbDeliveryOptions, 1);

  *copy = *self;
  g_atomic_ref_count_init (&copy->ref_count);
  copy->headers = copy_array (self->headers, copy_header, (GDestroyNotify) eb_header_free);
  copy->token = g_strdup (self->token);
  copy->secrets = copy_array (self->secrets, copy_secret, (GDestroyNotify) eb_secret_free);
  copy->retry = self->retry != NULL ? g_array_copy (self->retry) : NULL;
  return copy;
}

EbDeliveryOptions *
eb_delivery_options_ref (EbDeliveryOptions *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
eb_delivery_options_unref (EbDeliveryOptions *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  g_clear_pointer (&self->headers, g_ptr_array_unref);
  g_clear_pointer (&self->secrets, g_ptr_array_unref);
  g_clear_pointer (&self->retry, g_array_unref);
  g_free (self->token);
  g_free (self);
}

/**
 * eb_delivery_options_add_header:
 *
 * What may not be sent, eb_delivery_options_check() finds.
 */
void
eb_delivery_options_add_header (EbDeliveryOptions *self, const char *name, const char *value)
{
  EbHeader *header = g_new (EbHeader, 1);

  header->name = g_strdup (name);
  header->value = g_strdup (value);
  if (self->headers == NULL)
    self->headers = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_header_free);
  g_ptr_array_add (self->headers, header);
}

/**
 * eb_delivery_options_set_secret:
 * @text: (nullable): the only one from now on; NULL for none
 */
void
eb_delivery_options_set_secret (EbDeliveryOptions *self, const char *text)
{
  g_clear_pointer (&self->secrets, g_ptr_array_unref);
  if (text == NULL)
    return;
  self->secrets = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_secret_free);
  g_ptr_array_add (self->secrets, new_secret (text, 0));
}

static void
remove_secret (GPtrArray *secrets, const char *text)
{
  for (guint i = secrets->len; i > 0; i--)
    if (g_str_equal (((EbSecret *) secrets->pdata[i - 1])->text, text))
      g_ptr_array_remove_index (secrets, i - 1);
}

/**
 * eb_delivery_options_rotate:
 * @text: the secret from now on
 * @now_us: real time
 *
 * The one before still signs for %EB_SECRET_GRACE, besides those that do already; of all of these
 * the newest %EB_MAX_OLD_SECRETS do.
 */
void
eb_delivery_options_rotate (EbDeliveryOptions *self, const char *text, gint64 now_us)
{
  GPtrArray *secrets = self->secrets;

  if (secrets == NULL)
    {
      eb_delivery_options_set_secret (self, text);
      return;
    }
  if (g_str_equal (((EbSecret *) secrets->pdata[0])->text, text))
    return;
  remove_secret (secrets, text);
  ((EbSecret *) secrets->pdata[0])->until_us = now_us + EB_SECRET_GRACE;
  g_ptr_array_insert (secrets, 0, new_secret (text, 0));
  for (guint i = secrets->len - 1; i > 0; i--)
    if (i > EB_MAX_OLD_SECRETS || ((EbSecret *) secrets->pdata[i])->until_us <= now_us)
      g_ptr_array_remove_index (secrets, i);
}

/* What the bus says itself, or what would change how the request is framed. */
static const char *const reserved_headers[] = {
  "authorization",
  "connection",
  "content-encoding",
  "content-length",
  "content-type",
  "expect",
  "host",
  "keep-alive",
  "proxy-authorization",
  "te",
  "trailer",
  "traceparent",
  "tracestate",
  "transfer-encoding",
  "upgrade",
  "user-agent",
  "eventbus-attempt",
  "eventbus-previous",
  "webhook-id",
  "webhook-signature",
  "webhook-timestamp",
  "webhook-request-callback",
  "webhook-request-origin",
  "webhook-request-rate",
  NULL,
};

static gboolean
is_reserved (const char *name)
{
  g_autofree char *lower = g_ascii_strdown (name, -1);

  return g_strv_contains (reserved_headers, lower) || g_str_has_prefix (lower, "ce-");
}

/* RFC 9110, section 5.6.2: a token. */
static gboolean
is_token (const char *text)
{
  if (*text == '\0')
    return FALSE;
  for (; *text != '\0'; text++)
    if (!g_ascii_isalnum (*text) && strchr ("!#$%&'*+-.^_`|~", *text) == NULL)
      return FALSE;
  return TRUE;
}

static gboolean
is_printable (const char *text)
{
  for (; *text != '\0'; text++)
    if (*text < 0x20 || *text == 0x7f)
      return FALSE;
  return TRUE;
}

static gboolean
check_header (const EbHeader *header, GError **error)
{
  const char *value = header->value;

  if (!is_token (header->name))
    g_set_error (error, EB_ERROR, EB_ERROR_INVALID,
                 "“protocolsettings.headers” has a name that is no HTTP field name");
  else if (is_reserved (header->name))
    g_set_error (error, EB_ERROR, EB_ERROR_INVALID,
                 "“protocolsettings.headers” has “%s”, which the bus sends itself", header->name);
  else if (!is_printable (value) || g_ascii_isspace (*value)
           || (*value != '\0' && g_ascii_isspace (value[strlen (value) - 1])))
    g_set_error (error, EB_ERROR, EB_ERROR_INVALID,
                 "The header “%s” has a value that is not printable ASCII, or blanks around it",
                 header->name);
  else
    return TRUE;
  return FALSE;
}

/* Names are the same whatever their case, and a sink would see one field with both values. */
static gboolean
check_single (GPtrArray *headers, guint index, GError **error)
{
  const EbHeader *header = headers->pdata[index];

  for (guint i = 0; i < index; i++)
    if (g_ascii_strcasecmp (((EbHeader *) headers->pdata[i])->name, header->name) == 0)
      {
        g_set_error (error, EB_ERROR, EB_ERROR_INVALID, "“protocolsettings.headers” has “%s” twice",
                     header->name);
        return FALSE;
      }
  return TRUE;
}

static gboolean
check_headers (GPtrArray *headers, GError **error)
{
  gsize size = 0;

  for (guint i = 0; headers != NULL && i < MIN (headers->len, MAX_HEADERS); i++)
    {
      const EbHeader *header = headers->pdata[i];

      if (!check_header (header, error) || !check_single (headers, i, error))
        return FALSE;
      size += strlen (header->name) + strlen (header->value);
    }
  if (headers == NULL || (headers->len <= MAX_HEADERS && size <= MAX_HEADERS_SIZE))
    return TRUE;
  g_set_error (error, EB_ERROR, EB_ERROR_INVALID,
               "“protocolsettings.headers” has more than %d headers, or %d bytes", MAX_HEADERS,
               MAX_HEADERS_SIZE);
  return FALSE;
}

static gboolean
check_token (const char *token, GError **error)
{
  if (token == NULL
      || (*token != '\0' && strlen (token) <= MAX_TOKEN_SIZE && is_printable (token)
          && strchr (token, ' ') == NULL))
    return TRUE;
  g_set_error (error, EB_ERROR, EB_ERROR_INVALID,
               "“sinkcredential.accesstoken” is empty, has more than %d bytes, or a blank or "
               "character outside of ASCII",
               MAX_TOKEN_SIZE);
  return FALSE;
}

static gboolean
check_retry (GArray *retry, GError **error)
{
  if (retry != NULL && retry->len > EB_MAX_RETRIES)
    {
      g_set_error (error, EB_ERROR, EB_ERROR_INVALID, "“config.retry” has more than %d delays",
                   EB_MAX_RETRIES);
      return FALSE;
    }
  for (guint i = 0; retry != NULL && i < retry->len; i++)
    if (g_array_index (retry, guint, i) > EB_MAX_RETRY_DELAY)
      {
        g_set_error (error, EB_ERROR, EB_ERROR_INVALID,
                     "“config.retry” has a delay above %d seconds", EB_MAX_RETRY_DELAY);
        return FALSE;
      }
  return TRUE;
}

static gboolean
check_secrets (GPtrArray *secrets, GError **error)
{
  for (guint i = 0; secrets != NULL && i < secrets->len; i++)
    if (!eb_secret_check (((EbSecret *) secrets->pdata[i])->text, error))
      return FALSE;
  return TRUE;
}

/**
 * eb_delivery_options_are_default:
 *
 * Returns: whether they are what most want, which needs no options
 */
gboolean
eb_delivery_options_are_default (const EbDeliveryOptions *self)
{
  return self->mode == EB_MODE_BINARY && self->rate == 0 && self->timeout == 0 && !self->resume
         && !self->handshake && !self->keeps_token && self->headers == NULL && self->token == NULL
         && self->secrets == NULL && self->retry == NULL;
}

/**
 * eb_delivery_options_check:
 *
 * Returns: FALSE with %EB_ERROR_INVALID, which names the member of a subscription that is wrong
 */
gboolean
eb_delivery_options_check (const EbDeliveryOptions *self, GError **error)
{
  if (self->rate > EB_MAX_RATE)
    g_set_error (error, EB_ERROR, EB_ERROR_INVALID, "“config.rate” is above %d", EB_MAX_RATE);
  else if (self->timeout < 0 || self->timeout > EB_MAX_DELIVERY_TIMEOUT * G_TIME_SPAN_SECOND)
    g_set_error (error, EB_ERROR, EB_ERROR_INVALID, "“config.timeout” is not between 0 and %d",
                 EB_MAX_DELIVERY_TIMEOUT);
  else
    return check_headers (self->headers, error) && check_token (self->token, error)
           && check_retry (self->retry, error) && check_secrets (self->secrets, error);
  return FALSE;
}
