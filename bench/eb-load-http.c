/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bench/eb-load-http.h"

#include <string.h>

/* As much of HTTP/1.1 as a load generator needs, in either direction: where a message ends. Pure
 * functions. Chunked messages are not understood: none of the measured programs sends one here. */

static gboolean
parse_length (const char *value, const char *end, gsize *length)
{
  gsize result = 0;

  while (value < end && *value == ' ')
    value++;
  if (value == end || !g_ascii_isdigit (*value))
    return FALSE;
  while (value < end && g_ascii_isdigit (*value) && result < G_MAXUINT32)
    result = result * 10 + (gsize) (*value++ - '0');

  *length = result;
  return value < end && *value == '\r';
}

/**
 * eb_load_http_frame:
 * @data: (array length=size): what has arrived, from the start of a message
 * @size: how many bytes that is
 * @head: (out): the length of the head with its empty line, 0 if it has not arrived whole
 * @body: (out): the length of the body, as its Content-Length says
 *
 * Returns: %FALSE for a message whose length cannot be known
 */
gboolean
eb_load_http_frame (const char *data, gsize size, gsize *head, gsize *body)
{
  static const char NAME[] = "content-length:";
  const char *end = memmem (data, size, "\r\n\r\n", 4);
  const char *line = data;

  *head = 0;
  *body = 0;
  if (end == NULL)
    return TRUE;

  *head = (gsize) (end - data) + 4;
  while ((line = memchr (line, '\n', (gsize) (end - line))) != NULL)
    {
      line++;
      if ((gsize) (end - line) > sizeof NAME - 1 && (*line == 'C' || *line == 'c')
          && g_ascii_strncasecmp (line, NAME, sizeof NAME - 1) == 0)
        return parse_length (line + sizeof NAME - 1, end + 1, body);
    }

  /* A 204 has no body and says no length. */
  return eb_load_http_status (data, size) == 204;
}

/**
 * eb_load_http_status:
 * @data: (array length=size): an answer
 * @size: how many bytes of it have arrived
 *
 * Returns: its status code; 0 if it does not begin as an answer does
 */
int
eb_load_http_status (const char *data, gsize size)
{
  if (size < 12 || memcmp (data, "HTTP/1.", 7) != 0 || !g_ascii_isdigit (data[9])
      || !g_ascii_isdigit (data[10]) || !g_ascii_isdigit (data[11]))
    return 0;

  return (data[9] - '0') * 100 + (data[10] - '0') * 10 + (data[11] - '0');
}
