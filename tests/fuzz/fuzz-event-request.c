/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include <string.h>

#include "fuzz/eb-fuzz-event.h"
#include "fuzz/eb-fuzz.h"
#include "http/eb-event-request.h"

/* Reads the request's head, as libsoup does.
 *
 * @target: (out) (transfer full) */
static gboolean
read_head (const char *head, gsize size, SoupServerMessage *message, char **target)
{
  SoupMessageHeaders *headers = soup_server_message_get_request_headers (message);
  g_autofree char *method = NULL;

  /* It has gone through EbFraming when it comes here, which refuses these. */
  return memchr (head, '\0', size) == NULL
         && soup_headers_parse_request (head, (int) size, headers, &method, target, NULL)
                == SOUP_STATUS_OK;
}

static void
check_request (SoupServerMessage *message, char *target)
{
  char *mark = strchr (target, '?');
  const char *content_type = soup_message_headers_get_one (
      soup_server_message_get_request_headers (message), "Content-Type");
  EbExchange exchange = { .message = message,
                          .query = mark != NULL ? mark + 1 : NULL,
                          .content_type = (char *) content_type };
  EbEventRequestMode mode = eb_event_request_get_mode (&exchange);
  g_autoptr (GPtrArray) drafts = NULL;
  g_autoptr (GError) error = NULL;

  if (mode == EB_EVENT_REQUEST_UNSUPPORTED || mode == EB_EVENT_REQUEST_ENCODED)
    return;
  drafts = eb_event_request_read (&exchange, mode, &error);
  eb_fuzz_check_verdict (drafts != NULL, error);
  if (drafts == NULL)
    return;
  g_assert_cmpuint (drafts->len, <=, EB_EVENT_REQUEST_MAX);
  g_assert_true (mode == EB_EVENT_REQUEST_BATCH || drafts->len == 1);
  for (guint i = 0; i < drafts->len; i++)
    eb_fuzz_check_event (drafts->pdata[i]);
}

/* A request to publish, from its first line to the end of its body. */
int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static const char blank_line[] = "\r\n\r\n";
  const uint8_t *end = memmem (data, size, blank_line, strlen (blank_line));
  g_autoptr (SoupServerMessage) message = NULL;
  g_autofree char *target = NULL;
  const uint8_t *body;

  if (end == NULL)
    return 0;
  message = g_object_new (SOUP_TYPE_SERVER_MESSAGE, NULL);
  if (!read_head ((const char *) data, (gsize) (end - data) + 2, message, &target))
    return 0;
  body = end + strlen (blank_line);
  soup_message_body_append (soup_server_message_get_request_body (message), SOUP_MEMORY_COPY, body,
                            size - (gsize) (body - data));
  check_request (message, target);
  return 0;
}
