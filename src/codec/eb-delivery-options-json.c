/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "codec/eb-delivery-options-json.h"

#include <string.h>

#include "codec/eb-json-reader.h"
#include "codec/eb-json-writer.h"
#include "core/eb-error.h"

/* How a subscriber wants its deliveries, spread over three members of a subscription's object:
 * `config`, `sinkcredential` and `protocolsettings`. */

static gboolean
read_mode (const EbJsonValue *value, const char *path, gpointer target, GError **error)
{
  EbDeliveryOptions *options = target;
  g_autofree char *name = NULL;

  if (!eb_json_read_string (value, path, &name, error))
    return FALSE;
  return eb_mode_from_string (name, &options->mode)
         || eb_json_refuse (value, path, "“binary”, “structured” or “batch”", error);
}

static gboolean
read_rate (const EbJsonValue *value, const char *path, gpointer target, GError **error)
{
  EbDeliveryOptions *options = target;
  gint64 rate;

  if (!eb_json_read_integer (value, path, 0, EB_MAX_RATE, &rate, error))
    return FALSE;
  options->rate = (guint) rate;
  return TRUE;
}

static gboolean
read_timeout (const EbJsonValue *value, const char *path, gpointer target, GError **error)
{
  EbDeliveryOptions *options = target;
  gint64 seconds;

  if (!eb_json_read_integer (value, path, 1, EB_MAX_DELIVERY_TIMEOUT, &seconds, error))
    return FALSE;
  options->timeout = seconds * G_TIME_SPAN_SECOND;
  return TRUE;
}

static gboolean
read_resume (const EbJsonValue *value, const char *path, gpointer target, GError **error)
{
  EbDeliveryOptions *options = target;

  return eb_json_read_boolean (value, path, &options->resume, error);
}

static gboolean
read_handshake (const EbJsonValue *value, const char *path, gpointer target, GError **error)
{
  EbDeliveryOptions *options = target;

  return eb_json_read_boolean (value, path, &options->handshake, error);
}

static gboolean
read_delay (const EbJsonValue *value, const char *path, gpointer target, GError **error)
{
  GArray *retry = target;
  gint64 seconds;
  guint delay;

  if (!eb_json_read_integer (value, path, 0, EB_MAX_RETRY_DELAY, &seconds, error))
    return FALSE;
  delay = (guint) seconds;
  g_array_append_val (retry, delay);
  return TRUE;
}

static gboolean
read_retry (const EbJsonValue *value, const char *path, gpointer target, GError **error)
{
  EbDeliveryOptions *options = target;
  g_autoptr (GArray) retry = g_array_new (FALSE, FALSE, sizeof (guint));

  if (!eb_json_read_array (value, path, read_delay, retry, error))
    return FALSE;
  g_clear_pointer (&options->retry, g_array_unref);
  options->retry = g_steal_pointer (&retry);
  return TRUE;
}

/* As eb_json_read_string(), but an error does not show what stands there. */
static gboolean
read_hidden (const EbJsonValue *value, const char *path, char **text, GError **error)
{
  if (eb_json_value_get_kind (value) == EB_JSON_STRING)
    return eb_json_read_string (value, path, text, error);
  g_set_error (error, EB_ERROR, EB_ERROR_INVALID, "“%s” is not a string", path);
  return FALSE;
}

static gboolean
read_secret (const EbJsonValue *value, const char *path, gpointer target, GError **error)
{
  EbDeliveryOptions *options = target;
  g_autofree char *text = NULL;

  if (!read_hidden (value, path, &text, error))
    return FALSE;
  if (!eb_secret_check (text, error))
    {
      g_prefix_error (error, "“%s”: ", path);
      return FALSE;
    }
  eb_delivery_options_set_secret (options, text);
  return TRUE;
}

/* What the store keeps: [{"secret":"whsec_…","until":0},…], the newest first. */

static gboolean
read_kept_text (const EbJsonValue *value, const char *path, gpointer target, GError **error)
{
  EbSecret *secret = target;

  return eb_json_read_string (value, path, &secret->text, error);
}

static gboolean
read_kept_until (const EbJsonValue *value, const char *path, gpointer target, GError **error)
{
  EbSecret *secret = target;

  return eb_json_read_integer (value, path, 0, G_MAXINT64, &secret->until_us, error);
}

static const EbJsonMember kept_secret[] = {
  { "secret", read_kept_text },
  { "until", read_kept_until },
  { NULL, NULL },
};

static gboolean
read_kept_secret (const EbJsonValue *value, const char *path, gpointer target, GError **error)
{
  EbDeliveryOptions *options = target;
  EbSecret *secret = g_new0 (EbSecret, 1);

  if (options->secrets == NULL)
    options->secrets = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_secret_free);
  g_ptr_array_add (options->secrets, secret);
  if (!eb_json_read_object (value, path, kept_secret, secret, error))
    return FALSE;
  return secret->text != NULL || eb_json_refuse (value, path, "a secret", error);
}

static gboolean
read_kept_secrets (const EbJsonValue *value, const char *path, gpointer target, GError **error)
{
  return eb_json_read_array (value, path, read_kept_secret, target, error);
}

static const EbJsonMember config[] = {
  { "mode", read_mode },
  { "rate", read_rate },
  { "timeout", read_timeout },
  { "resume", read_resume },
  { "handshake", read_handshake },
  { "retry", read_retry },
  { "secret", read_secret },
  { "secrets", read_kept_secrets },
  { NULL, NULL },
};

/**
 * eb_delivery_options_read_config:
 * @path: ends with the name of a member of `config` that is about deliveries
 *
 * Returns: FALSE with %EB_ERROR_INVALID, which names @path
 */
gboolean
eb_delivery_options_read_config (const EbJsonValue *value,
                                 const char *path,
                                 EbDeliveryOptions *options,
                                 GError **error)
{
  const char *name = strrchr (path, '.') + 1;
  const EbJsonMember *member = config;

  while (!g_str_equal (member->name, name))
    member++;
  return member->read (value, path, options, error);
}

/* `sinkcredential` */

typedef struct
{
  char *type;       /* (owned) (nullable) */
  char *token_type; /* (owned) (nullable) */
  char *token;      /* (owned) (nullable) */
} Credential;

static void
credential_clear (Credential *self)
{
  g_free (self->type);
  g_free (self->token_type);
  g_free (self->token);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Credential, credential_clear)

static gboolean
read_credential_type (const EbJsonValue *value, const char *path, gpointer target, GError **error)
{
  char **type = &((Credential *) target)->type;

  if (!eb_json_read_string (value, path, type, error))
    return FALSE;
  return g_str_equal (*type, "ACCESSTOKEN") || eb_json_refuse (value, path, "“ACCESSTOKEN”", error);
}

static gboolean
read_token_type (const EbJsonValue *value, const char *path, gpointer target, GError **error)
{
  char **type = &((Credential *) target)->token_type;

  /* Names of schemes have no case (RFC 7235, 2.1). */
  if (!eb_json_read_string (value, path, type, error))
    return FALSE;
  return g_ascii_strcasecmp (*type, "Bearer") == 0
         || eb_json_refuse (value, path, "“Bearer”", error);
}

static gboolean
read_token (const EbJsonValue *value, const char *path, gpointer target, GError **error)
{
  return read_hidden (value, path, &((Credential *) target)->token, error);
}

static const EbJsonMember credential_members[] = {
  { "credentialtype", read_credential_type },
  { "accesstokentype", read_token_type },
  { "accesstoken", read_token },
  { NULL, NULL },
};

/**
 * eb_delivery_options_read_credential:
 * @value: `sinkcredential`
 *
 * One without a token keeps the one that there is, so that an answer, which shows none, can be sent
 * back.
 */
gboolean
eb_delivery_options_read_credential (const EbJsonValue *value,
                                     const char *path,
                                     EbDeliveryOptions *options,
                                     GError **error)
{
  g_auto (Credential) credential = { 0 };

  if (!eb_json_read_object (value, path, credential_members, &credential, error))
    return FALSE;
  if (credential.type == NULL || credential.token_type == NULL)
    {
      g_set_error (error, EB_ERROR, EB_ERROR_INVALID, "“%s.%s” is missing", path,
                   credential.type == NULL ? "credentialtype" : "accesstokentype");
      return FALSE;
    }
  options->keeps_token = credential.token == NULL;
  options->token = g_steal_pointer (&credential.token);
  return TRUE;
}

/* `protocolsettings` */

static gboolean
read_headers (const EbJsonValue *value, const char *path, gpointer target, GError **error)
{
  EbDeliveryOptions *options = target;
  EbJsonIter iter;
  EbJsonValue key, inner;

  if (eb_json_value_get_kind (value) != EB_JSON_OBJECT)
    return eb_json_refuse (value, path, "an object of HTTP fields", error);
  eb_json_iter_init (&iter, value);
  while (eb_json_iter_next (&iter, &key, &inner))
    {
      g_autofree char *name = g_string_free (eb_json_value_decode (&key), FALSE);
      g_autofree char *inner_path = eb_json_path_join (path, name);
      g_autofree char *text = NULL;

      if (!eb_json_read_string (&inner, inner_path, &text, error))
        return FALSE;
      eb_delivery_options_add_header (options, name, text);
    }
  return TRUE;
}

static const EbJsonMember protocol_settings[] = {
  { "headers", read_headers },
  { NULL, NULL },
};

/**
 * eb_delivery_options_read_protocol_settings:
 * @value: `protocolsettings`
 */
gboolean
eb_delivery_options_read_protocol_settings (const EbJsonValue *value,
                                            const char *path,
                                            EbDeliveryOptions *options,
                                            GError **error)
{
  return eb_json_read_object (value, path, protocol_settings, options, error);
}

/* The other way */

static void
write_retry (GArray *retry, JsonBuilder *builder)
{
  json_builder_set_member_name (builder, "retry");
  json_builder_begin_array (builder);
  for (guint i = 0; i < retry->len; i++)
    json_builder_add_int_value (builder, g_array_index (retry, guint, i));
  json_builder_end_array (builder);
}

/**
 * eb_delivery_options_write_config:
 *
 * Adds the members of `config` that are about deliveries, but for secrets, and for what is the
 * daemon's to say.
 */
void
eb_delivery_options_write_config (const EbDeliveryOptions *self, JsonBuilder *builder)
{
  eb_json_writer_add_string (builder, "mode", eb_mode_to_string (self->mode));
  eb_json_writer_add_integer (builder, "rate", self->rate);
  if (self->timeout > 0)
    eb_json_writer_add_integer (builder, "timeout", self->timeout / G_TIME_SPAN_SECOND);
  json_builder_set_member_name (builder, "resume");
  json_builder_add_boolean_value (builder, self->resume);
  json_builder_set_member_name (builder, "handshake");
  json_builder_add_boolean_value (builder, self->handshake);
  if (self->retry != NULL)
    write_retry (self->retry, builder);
}

/**
 * eb_delivery_options_write_secrets:
 *
 * Adds the member `secrets`, for the store alone, if there are any.
 */
void
eb_delivery_options_write_secrets (const EbDeliveryOptions *self, JsonBuilder *builder)
{
  if (self->secrets == NULL)
    return;
  json_builder_set_member_name (builder, "secrets");
  json_builder_begin_array (builder);
  for (guint i = 0; i < self->secrets->len; i++)
    {
      const EbSecret *secret = g_ptr_array_index (self->secrets, i);

      json_builder_begin_object (builder);
      eb_json_writer_add_string (builder, "secret", secret->text);
      eb_json_writer_add_integer (builder, "until", secret->until_us);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
}

/**
 * eb_delivery_options_write_credential:
 * @with_token: for the store; what anybody may see only says that there is one
 *
 * Adds the member `sinkcredential`, if there is a token.
 */
void
eb_delivery_options_write_credential (const EbDeliveryOptions *self,
                                      gboolean with_token,
                                      JsonBuilder *builder)
{
  if (self->token == NULL)
    return;
  json_builder_set_member_name (builder, "sinkcredential");
  json_builder_begin_object (builder);
  eb_json_writer_add_string (builder, "credentialtype", "ACCESSTOKEN");
  eb_json_writer_add_string (builder, "accesstokentype", "Bearer");
  if (with_token)
    eb_json_writer_add_string (builder, "accesstoken", self->token);
  json_builder_end_object (builder);
}

/**
 * eb_delivery_options_write_protocol_settings:
 *
 * Adds the member `protocolsettings`, if there are headers.
 */
void
eb_delivery_options_write_protocol_settings (const EbDeliveryOptions *self, JsonBuilder *builder)
{
  if (self->headers == NULL)
    return;
  json_builder_set_member_name (builder, "protocolsettings");
  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "headers");
  json_builder_begin_object (builder);
  for (guint i = 0; i < self->headers->len; i++)
    {
      const EbHeader *header = g_ptr_array_index (self->headers, i);

      eb_json_writer_add_string (builder, header->name, header->value);
    }
  json_builder_end_object (builder);
  json_builder_end_object (builder);
}
