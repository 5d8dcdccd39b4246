/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-wire-head.h"

#include <string.h>

#include "delivery/eb-webhook-id.h"

/* Six numbers of up to 20 digits, and the names between them. */
#define LINES_SIZE 224

/* Without headers of its own. */
#define USUAL_PREFIX_SIZE 256

/* The name and the end of a line. */
#define SIGNATURES_LINE_SIZE (32 + EB_SIGNATURES_SIZE)

/* The prefix ends with the first part of webhook-id, which sequences complete. */
#define ID_START_LENGTH (EB_WEBHOOK_ID_PREFIX_LENGTH + 1)

static void
append_line (GString *text, const char *name, const char *value)
{
  g_string_append_printf (text, "%s: %s\r\n", name, value);
}

static void
append_options (GString *text, const EbDeliveryOptions *options, const char *origin)
{
  for (guint i = 0; options->headers != NULL && i < options->headers->len; i++)
    {
      const EbHeader *header = options->headers->pdata[i];

      append_line (text, header->name, header->value);
    }
  if (options->token != NULL)
    g_string_append_printf (text, "Authorization: Bearer %s\r\n", options->token);
  if (options->handshake)
    append_line (text, "WebHook-Request-Origin", origin);
}

/**
 * eb_wire_head_create_prefix:
 * @origin: who the daemon says it is
 *
 * Returns: (transfer full): request line and header lines that are the same for every delivery to
 *   @subscription, for eb_wire_head_set_prefix()
 */
char *
eb_wire_head_create_prefix (EbSubscription *subscription, const char *log_id, const char *origin)
{
  EbSink *sink = eb_subscription_get_sink (subscription);
  GString *text = g_string_sized_new (USUAL_PREFIX_SIZE);
  g_autofree char *authority = eb_sink_dup_authority (sink);
  g_autofree char *id = eb_webhook_id_prefix (log_id, eb_subscription_get_id (subscription));

  g_string_append (text, "POST ");
  g_string_append (text, eb_sink_get_target (sink));
  g_string_append (text, " HTTP/1.1\r\nHost: ");
  g_string_append (text, authority);
  g_string_append (text, "\r\nUser-Agent: EventBus/" PACKAGE_VERSION "\r\n");
  append_options (text, eb_subscription_get_options (subscription), origin);
  g_string_append (text, "webhook-id: ");
  g_string_append (text, id);
  g_string_append_c (text, '-');
  return g_string_free (text, FALSE);
}

/**
 * eb_wire_head_set_prefix:
 * @prefix: from eb_wire_head_create_prefix()
 */
void
eb_wire_head_set_prefix (EbWireHead *self, const char *prefix)
{
  self->prefix_length = strlen (prefix);
  g_free (self->text);
  self->text = g_malloc (self->prefix_length + LINES_SIZE + SIGNATURES_LINE_SIZE);
  memcpy (self->text, prefix, self->prefix_length);
}

/* printf() would be a tenth of what a delivery costs outside the kernel. */
static char *
put_number (char *end, guint64 number)
{
  char digits[20];
  guint n = 0;

  do
    digits[n++] = (char) ('0' + number % 10);
  while ((number /= 10) > 0);
  while (n > 0)
    *end++ = digits[--n];
  return end;
}

/* As eb_delivery_write_id() has it. */
static char *
put_id_end (char *end, const EbDelivery *delivery)
{
  guint64 sequence = eb_delivery_get_sequence (delivery);
  EbEvent *event = eb_parcel_get_event (delivery->parcel);
  gboolean is_batch = eb_delivery_get_size (delivery) > 1;

  if (sequence == 0 || is_batch)
    {
      end = put_number (end, sequence == 0 ? (guint64) eb_event_get_accepted (event)
                                           : eb_delivery_get_first (delivery));
      *end++ = '-';
    }
  end = put_number (end, sequence);
  if (!is_batch)
    return end;
  *end++ = '-';
  return put_number (end, eb_delivery_hash (delivery));
}

static char *
put_signatures (
    char *end, EbSigner *signer, const struct iovec *id, const struct iovec *body, gint64 now_us)
{
  end = stpcpy (end, "webhook-signature: ");
  end += eb_signer_sign (signer, id, body, now_us, end);
  return stpcpy (end, "\r\n");
}

/**
 * eb_wire_head_write:
 * @body: of the request, which is signed
 * @signer: (nullable)
 * @now_us: real time
 *
 * Writes the lines of one attempt.
 */
void
eb_wire_head_write (EbWireHead *self,
                    const EbDelivery *delivery,
                    const struct iovec *body,
                    EbSigner *signer,
                    gint64 now_us)
{
  char *id = self->text + self->prefix_length - ID_START_LENGTH;
  char *end = put_id_end (self->text + self->prefix_length, delivery);
  struct iovec id_part = { id, (gsize) (end - id) };

  end = stpcpy (end, "\r\nwebhook-timestamp: ");
  end = put_number (end, (guint64) (now_us / G_USEC_PER_SEC));
  end = stpcpy (end, "\r\neventbus-attempt: ");
  end = put_number (end, delivery->attempt);
  end = stpcpy (end, "\r\neventbus-previous: ");
  end = put_number (end, delivery->previous);
  end = stpcpy (end, "\r\n");
  if (signer != NULL)
    end = put_signatures (end, signer, &id_part, body, now_us);
  self->length = (gsize) (end - self->text);
}

void
eb_wire_head_clear (EbWireHead *self)
{
  g_clear_pointer (&self->text, g_free);
}
