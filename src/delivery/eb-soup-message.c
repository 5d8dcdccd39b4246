/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-soup-message.h"

#include <string.h>

#include "codec/eb-event-headers.h"
#include "delivery/eb-webhook-id.h"

/* A delivery as libsoup sends it, and libsoup's errors as people read them. */

/**
 * eb_soup_uri_new:
 * @sink: of kind %EB_SINK_HTTP or %EB_SINK_HTTPS
 *
 * Built and not parsed: parsing would normalise the path, and the sink's is sent as it is.
 *
 * Returns: (transfer full): the sink's URL
 */
GUri *
eb_soup_uri_new (const EbSink *sink)
{
  const char *target = eb_sink_get_target (sink);
  const char *query = strchr (target, '?');
  g_autofree char *path = g_strndup (target, strcspn (target, "?"));

  return g_uri_build (SOUP_HTTP_URI_FLAGS,
                      eb_sink_get_kind (sink) == EB_SINK_HTTPS ? "https" : "http", NULL,
                      eb_sink_get_host (sink), eb_sink_get_port (sink), path,
                      query != NULL ? query + 1 : NULL, NULL);
}

static void
append_header (const char *name, const char *value, gpointer user_data)
{
  soup_message_headers_append (user_data, name, value);
}

static void
append_number (SoupMessageHeaders *headers, const char *name, guint64 number)
{
  char value[21];

  g_snprintf (value, sizeof value, "%" G_GUINT64_FORMAT, number);
  soup_message_headers_append (headers, name, value);
}

/* To libsoup an answer without a length lasts as long as its connection, even one that can have no
 * body, and it would close a connection that is as good as new. */
static void
got_headers_cb (SoupMessage *message, gpointer user_data)
{
  SoupMessageHeaders *headers = soup_message_get_response_headers (message);

  if (soup_message_get_status (message) == SOUP_STATUS_NO_CONTENT
      && soup_message_headers_get_encoding (headers) == SOUP_ENCODING_EOF)
    soup_message_headers_set_content_length (headers, 0);
}

static void
append_options (SoupMessageHeaders *headers, const EbDeliveryOptions *options, const char *origin)
{
  for (guint i = 0; options->headers != NULL && i < options->headers->len; i++)
    {
      const EbHeader *header = options->headers->pdata[i];

      soup_message_headers_append (headers, header->name, header->value);
    }
  if (options->token != NULL)
    {
      g_autofree char *value = g_strconcat ("Bearer ", options->token, NULL);

      soup_message_headers_append (headers, "Authorization", value);
    }
  if (options->handshake)
    soup_message_headers_append (headers, "WebHook-Request-Origin", origin);
}

static void
append_signature (SoupMessageHeaders *headers,
                  const EbSoupRequest *request,
                  const char *webhook_id,
                  const EbContent *content)
{
  struct iovec id = { (gpointer) webhook_id, strlen (webhook_id) };
  char signatures[EB_SIGNATURES_SIZE];

  eb_signer_sign (request->signer, &id, eb_content_get_body (content), request->now_us, signatures);
  soup_message_headers_append (headers, "webhook-signature", signatures);
}

static void
append_attempt (SoupMessageHeaders *headers, const EbSoupRequest *request, const EbContent *content)
{
  const EbDelivery *delivery = request->delivery;
  char webhook_id[EB_WEBHOOK_ID_SIZE];

  eb_delivery_write_id (delivery, request->webhook_id_prefix, webhook_id);
  soup_message_headers_append (headers, "webhook-id", webhook_id);
  append_number (headers, "webhook-timestamp", (guint64) (request->now_us / G_USEC_PER_SEC));
  append_number (headers, "eventbus-attempt", delivery->attempt);
  append_number (headers, "eventbus-previous", delivery->previous);
  if (request->signer != NULL)
    append_signature (headers, request, webhook_id, content);
}

/**
 * eb_soup_message_new:
 *
 * Returns: (transfer full): an attempt's request
 */
SoupMessage *
eb_soup_message_new (GUri *uri, const EbSoupRequest *request)
{
  SoupMessage *message = soup_message_new_from_uri (SOUP_METHOD_POST, uri);
  SoupMessageHeaders *headers = soup_message_get_request_headers (message);
  EbEvent *event = eb_parcel_get_event (request->delivery->parcel);
  EbMode mode = request->options->mode;
  g_autoptr (EbContent) content = eb_delivery_get_content (request->delivery, mode);
  g_autoptr (GBytes) body = eb_content_dup_body (content);

  /* A POST counts as idempotent to libsoup only if it is told so, and it uses no idle connection
   * for others. Sinks tell repeats by webhook-id. */
  soup_message_set_flags (message, SOUP_MESSAGE_IDEMPOTENT | SOUP_MESSAGE_NO_REDIRECT);
  g_signal_connect (message, "got-headers", G_CALLBACK (got_headers_cb), NULL);
  /* The type is among the event's headers, or is left out. */
  soup_message_set_request_body_from_bytes (message, NULL, body);
  eb_event_foreach_header (event, mode, append_header, headers);
  append_options (headers, request->options, request->origin);
  append_attempt (headers, request, content);
  return message;
}

/**
 * eb_soup_message_new_question:
 * @origin: who wants to deliver
 * @rate: how many deliveries a second; 0 for as many as there are
 *
 * Returns: (transfer full): the validation request of HTTP 1.1 Web Hooks for Event Delivery 1.0
 */
SoupMessage *
eb_soup_message_new_question (GUri *uri, const char *origin, guint rate)
{
  SoupMessage *message = soup_message_new_from_uri (SOUP_METHOD_OPTIONS, uri);
  SoupMessageHeaders *headers = soup_message_get_request_headers (message);

  soup_message_set_flags (message, SOUP_MESSAGE_NO_REDIRECT);
  g_signal_connect (message, "got-headers", G_CALLBACK (got_headers_cb), NULL);
  soup_message_headers_append (headers, "WebHook-Request-Origin", origin);
  if (rate > 0)
    append_number (headers, "WebHook-Request-Rate", (guint64) rate * 60);
  return message;
}

static const char *
describe_certificate (GTlsCertificateFlags flaws)
{
  static const struct
  {
    GTlsCertificateFlags flaw;
    const char *description;
  } table[] = {
    { G_TLS_CERTIFICATE_UNKNOWN_CA, "TLS: the certificate's authority is not known here" },
    { G_TLS_CERTIFICATE_BAD_IDENTITY, "TLS: the certificate is for another name" },
    { G_TLS_CERTIFICATE_EXPIRED, "TLS: the certificate has expired" },
    { G_TLS_CERTIFICATE_NOT_ACTIVATED, "TLS: the certificate is not valid yet" },
    { G_TLS_CERTIFICATE_REVOKED, "TLS: the certificate is revoked" },
    { G_TLS_CERTIFICATE_INSECURE, "TLS: the certificate's algorithm is insecure" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++)
    if (flaws & table[i].flaw)
      return table[i].description;
  return NULL;
}

static const char *
describe_error (const GError *error)
{
  static const struct
  {
    GIOErrorEnum code;
    const char *description;
  } table[] = {
    { G_IO_ERROR_CONNECTION_REFUSED, "Connection refused" },
    { G_IO_ERROR_CONNECTION_CLOSED, "Connection closed before the answer was complete" },
    { G_IO_ERROR_PARTIAL_INPUT, "Connection closed before the answer was complete" },
    { G_IO_ERROR_HOST_UNREACHABLE, "Host unreachable" },
    { G_IO_ERROR_NETWORK_UNREACHABLE, "Network unreachable" },
    { G_IO_ERROR_TIMED_OUT, "Connection timed out" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++)
    if (g_error_matches (error, G_IO_ERROR, (int) table[i].code))
      return table[i].description;
  return error->message;
}

/**
 * eb_soup_message_dup_reason:
 * @error: what libsoup says of @message
 *
 * Returns: (transfer full): what went wrong, for people, without the sink's name
 */
char *
eb_soup_message_dup_reason (SoupMessage *message, const GError *error)
{
  GTlsCertificateFlags flaws = soup_message_get_tls_peer_certificate_errors (message);
  const char *certificate = error->domain == G_TLS_ERROR ? describe_certificate (flaws) : NULL;

  return g_strdup (certificate != NULL ? certificate : describe_error (error));
}
