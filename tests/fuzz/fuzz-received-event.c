/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include <string.h>

#include "codec/eb-json.h"
#include "ctl/eb-event-format.h"
#include "fuzz/eb-fuzz.h"

/* Nothing but text that stays where it is: a terminal obeys control characters. */
static void
check_safe (const char *text, gsize size)
{
  const char *end = text + size;

  g_assert_true (g_utf8_validate_len (text, size, NULL));
  for (; text < end; text = g_utf8_next_char (text))
    g_assert_true (*text == '\n' || *text == '\t' || !g_unichar_iscntrl (g_utf8_get_char (text)));
}

/* A line, which is JSON with no member given twice, and says the same numbers. */
static void
check_json (const EbReceivedEvent *event)
{
  g_autoptr (GBytes) line = eb_event_format (EB_EVENT_FORMAT_JSON, event);
  gsize size;
  const char *text = g_bytes_get_data (line, &size);
  g_autofree char *sequence =
      g_strdup_printf ("\"sequence\":%" G_GUINT64_FORMAT, eb_received_event_get_sequence (event));
  g_autofree char *copy = g_strndup (text, size);
  EbJsonValue value, name, member;
  EbJsonIter iter;
  g_autoptr (GError) error = NULL;
  g_autoptr (GHashTable) names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  check_safe (text, size);
  g_assert_true (memchr (text, '\n', size) == text + size - 1);
  g_assert_nonnull (strstr (copy, sequence));
  if (!eb_json_scan (text, size - 1, EB_JSON_GRAMMAR, &value, &error))
    {
      /* Data may be as deep as the scanner goes, and here an object is around it. */
      g_assert_nonnull (strstr (error->message, "nested deeper"));
      return;
    }
  for (eb_json_iter_init (&iter, &value); eb_json_iter_next (&iter, &name, &member);)
    g_assert_true (g_hash_table_add (names, g_string_free (eb_json_value_decode (&name), FALSE)));
}

static void
check_formats (const EbReceivedEvent *event)
{
  g_autoptr (GBytes) human = eb_event_format (EB_EVENT_FORMAT_HUMAN, event);
  g_autoptr (GBytes) raw = eb_event_format (EB_EVENT_FORMAT_RAW, event);
  gsize size;
  const char *text = g_bytes_get_data (human, &size);

  check_safe (text, size);
  g_assert_cmpuint (g_bytes_get_size (raw), ==,
                    g_bytes_get_size (eb_received_event_get_data (event)) + 1);
  check_json (event);
}

/* A delivery, from its first line to the end of its body. */
int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static const char blank_line[] = "\r\n\r\n";
  const uint8_t *end = memmem (data, size, blank_line, strlen (blank_line));
  g_autoptr (SoupMessageHeaders) headers = soup_message_headers_new (SOUP_MESSAGE_HEADERS_REQUEST);
  g_autoptr (EbReceivedEvent) event = NULL;
  g_autoptr (GBytes) body = NULL;
  const uint8_t *start;

  if (end == NULL)
    return 0;
  start = end + strlen (blank_line);
  body = g_bytes_new (start, size - (gsize) (start - data));
  if (memchr (data, '\0', (gsize) (end - data)) != NULL
      || !soup_headers_parse ((const char *) data, (int) (end - data) + 2, headers))
    return 0;
  event = eb_received_event_new (headers, body);
  check_formats (event);
  return 0;
}
