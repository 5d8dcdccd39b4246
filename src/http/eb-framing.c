/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "http/eb-framing.h"

#include <arpa/inet.h>
#include <string.h>

/* A pure function of the bytes: no I/O, no memory of its own. The rules are those of RFC 9112,
 * without the liberties that it lets a server take.
 *
 * Chunked coding comes off as the bytes pass, and the head says the body's length instead: whoever
 * reads the request after this meets no chunks, however small the client made them. */

#define MAX_METHOD_LENGTH 32

typedef struct
{
  EbFraming *framing;
  const char *request;
  gboolean http_1_1;
  guint n_fields;
  guint n_hosts;
  guint n_lengths;
  guint n_codings;
  guint n_types;
  guint n_origins;
} Head;

static gboolean
refuse (EbFraming *self, guint status, const char *reason)
{
  self->status = status;
  self->reason = reason;
  return FALSE;
}

static gboolean
is_token_char (char c)
{
  return g_ascii_isalnum (c) || (c != '\0' && strchr ("!#$%&'*+-.^_`|~", c) != NULL);
}

static gsize
count_token (const char *bytes, gsize length)
{
  gsize n = 0;

  while (n < length && is_token_char (bytes[n]))
    n++;
  return n;
}

static gboolean
has_prefix (const char *bytes, gsize length, const char *prefix)
{
  return length >= strlen (prefix) && strncmp (bytes, prefix, strlen (prefix)) == 0;
}

static gboolean
equals_ignoring_case (const char *bytes, gsize length, const char *word)
{
  return length == strlen (word) && g_ascii_strncasecmp (bytes, word, length) == 0;
}

/* Returns: how many bytes are an IPv6 address in brackets; 0 if none */
static gsize
count_ipv6_literal (const char *bytes, gsize length)
{
  char address[INET6_ADDRSTRLEN];
  struct in6_addr parsed;
  const char *end = memchr (bytes, ']', length);
  gsize n = end != NULL ? (gsize) (end - bytes) - 1 : 0;

  if (n == 0 || n >= sizeof address)
    return 0;
  memcpy (address, bytes + 1, n);
  address[n] = '\0';
  return inet_pton (AF_INET6, address, &parsed) == 1 ? n + 2 : 0;
}

static gsize
count_name (const char *bytes, gsize length)
{
  gsize n = 0;

  while (n < length
         && (g_ascii_isalnum (bytes[n]) || (bytes[n] != '\0' && strchr ("-._", bytes[n]) != NULL)))
    n++;
  return n;
}

/* HOST[:PORT], where HOST is a name, an IPv4 address or a bracketed IPv6 address. */
static gboolean
is_authority (const char *bytes, gsize length)
{
  gboolean bracketed = length > 0 && bytes[0] == '[';
  gsize n = bracketed ? count_ipv6_literal (bytes, length) : count_name (bytes, length);
  guint port = 0;

  if (n == 0)
    return FALSE;
  if (n < length && bytes[n] == ':')
    for (n++; n < length && g_ascii_isdigit (bytes[n]) && port <= G_MAXUINT16; n++)
      port = 10 * port + (guint) (bytes[n] - '0');
  return n == length && port <= G_MAXUINT16;
}

/* RFC 9112, 3.2.2: the host that such a target names replaces Host. */
static gboolean
parse_absolute_target (Head *head, const char *target, gsize length)
{
  EbFraming *self = head->framing;
  gsize start = strlen ("http://"), end = start;

  while (end < length && strchr ("/?#", target[end]) == NULL)
    end++;
  if (!is_authority (target + start, end - start))
    return refuse (self, 400, "The request target does not name a host and port");
  self->host = (EbSlice){ self->target.start + start, end - start };
  return TRUE;
}

static gboolean
check_target (Head *head, const char *target, gsize length)
{
  EbFraming *self = head->framing;

  for (gsize i = 0; i < length; i++)
    if (target[i] <= 0x20 || target[i] >= 0x7f)
      return refuse (self, 400, "The request target has a byte that must be percent-encoded");
  if (length > 0 && target[0] == '/')
    return TRUE;
  if (has_prefix (target, length, "http://"))
    return parse_absolute_target (head, target, length);
  return refuse (self, 400, "The request target is not a path or an http:// URL");
}

static gboolean
check_version (Head *head, const char *version, gsize length)
{
  if (length == 8 && strncmp (version, "HTTP/1.1", 8) == 0)
    head->http_1_1 = TRUE;
  else if (length == 8 && has_prefix (version, length, "HTTP/") && version[6] == '.'
           && g_ascii_isdigit (version[5]) && g_ascii_isdigit (version[7]))
    {
      if (strncmp (version, "HTTP/1.0", 8) != 0)
        return refuse (head->framing, 505, "This is an HTTP/1.1 server");
    }
  else
    return refuse (head->framing, 400, "The request line does not end in an HTTP version");
  return TRUE;
}

static gboolean
parse_request_line (Head *head, gsize start, gsize length)
{
  EbFraming *self = head->framing;
  const char *line = head->request + start;
  gsize method = count_token (line, length);
  const char *target = line + method + 1, *end;
  gsize target_length;

  if (method == 0 || method > MAX_METHOD_LENGTH || method == length || line[method] != ' ')
    return refuse (self, 400, "The request line does not begin with a method");
  self->method = (EbSlice){ start, method };

  end = memchr (target, ' ', length - method - 1);
  if (end == NULL)
    return refuse (self, 400, "The request line has no HTTP version");
  target_length = (gsize) (end - target);
  self->target = (EbSlice){ start + method + 1, target_length };
  return check_target (head, target, target_length)
         && check_version (head, end + 1, length - method - 1 - target_length - 1);
}

static gboolean
parse_length (Head *head, const char *value, gsize length)
{
  EbFraming *self = head->framing;
  guint64 number = 0;

  if (++head->n_lengths > 1)
    return refuse (self, 400, "There is more than one Content-Length");
  if (length == 0 || length > 19)
    return refuse (self, 400, "Content-Length is not a number");
  for (gsize i = 0; i < length; i++)
    {
      if (!g_ascii_isdigit (value[i]))
        return refuse (self, 400, "Content-Length is not a number");
      number = 10 * number + (guint64) (value[i] - '0');
    }
  self->body_length = number;
  return TRUE;
}

static gboolean
parse_coding (Head *head, EbSlice name, EbSlice value)
{
  EbFraming *self = head->framing;

  if (++head->n_codings > 1)
    return refuse (self, 400, "There is more than one Transfer-Encoding");
  if (!equals_ignoring_case (head->request + value.start, value.length, "chunked"))
    return refuse (self, 501, "Transfer-Encoding is not “chunked”");
  self->coding = (EbSlice){ name.start, value.start + value.length - name.start };
  self->chunks.limit = EB_MAX_REQUEST_BODY;
  return TRUE;
}

static gboolean
parse_host (Head *head, EbSlice value)
{
  EbFraming *self = head->framing;

  if (++head->n_hosts > 1)
    return refuse (self, 400, "There is more than one Host");
  if (!is_authority (head->request + value.start, value.length))
    return refuse (self, 400, "Host is not a host and port");
  if (self->host.length == 0)
    self->host = value;
  return TRUE;
}

/* RFC 9110, 10.1.1: HTTP/1.0 has no interim answers, so there it means nothing. */
static gboolean
parse_expect (Head *head, EbSlice name, const char *value, gsize length)
{
  EbFraming *self = head->framing;

  self->expect = name;
  self->waits = head->http_1_1;
  if (head->http_1_1 && !equals_ignoring_case (value, length, "100-continue"))
    return refuse (self, 417, "Expect is not “100-continue”");
  return TRUE;
}

static gboolean
parse_type (Head *head, EbSlice value)
{
  if (++head->n_types > 1)
    return refuse (head->framing, 400, "There is more than one Content-Type");
  head->framing->content_type = value;
  return TRUE;
}

static gboolean
parse_origin (Head *head, EbSlice value)
{
  if (++head->n_origins > 1)
    return refuse (head->framing, 400, "There is more than one Origin");
  head->framing->origin = value;
  return TRUE;
}

static gboolean
parse_known_field (Head *head, EbSlice name, EbSlice value)
{
  const char *known = head->request + name.start;
  const char *bytes = head->request + value.start;

  if (equals_ignoring_case (known, name.length, "Content-Length"))
    return parse_length (head, bytes, value.length);
  if (equals_ignoring_case (known, name.length, "Transfer-Encoding"))
    return parse_coding (head, name, value);
  if (equals_ignoring_case (known, name.length, "Host"))
    return parse_host (head, value);
  if (equals_ignoring_case (known, name.length, "Expect"))
    return parse_expect (head, name, bytes, value.length);
  if (equals_ignoring_case (known, name.length, "Content-Type"))
    return parse_type (head, value);
  if (equals_ignoring_case (known, name.length, "Origin"))
    return parse_origin (head, value);
  return TRUE;
}

static gboolean
is_blank (char c)
{
  return c == ' ' || c == '\t';
}

static gboolean
parse_field (Head *head, gsize start, gsize length)
{
  EbFraming *self = head->framing;
  const char *line = head->request + start;
  gsize name = count_token (line, length), from = name + 1, to = length;

  if (++head->n_fields > EB_MAX_REQUEST_FIELDS)
    return refuse (self, 431, "There are too many header fields");
  if (is_blank (line[0]))
    return refuse (self, 400, "A header field is folded over two lines");
  if (name == 0 || name == length || line[name] != ':')
    return refuse (self, 400, "A header line does not begin with a name and a colon");

  while (from < to && is_blank (line[from]))
    from++;
  while (to > from && is_blank (line[to - 1]))
    to--;
  for (gsize i = from; i < to; i++)
    if ((guchar) line[i] < 0x20 ? line[i] != '\t' : line[i] == 0x7f)
      return refuse (self, 400, "A header field has a control character");
  return parse_known_field (head, (EbSlice){ start, name }, (EbSlice){ start + from, to - from });
}

static gboolean
check_head (Head *head)
{
  EbFraming *self = head->framing;

  if (head->http_1_1 && head->n_hosts == 0)
    return refuse (self, 400, "There is no Host");
  if (self->coding.length > 0 && head->n_lengths > 0)
    return refuse (self, 400, "There are both Content-Length and Transfer-Encoding");
  if (self->coding.length > 0 && !head->http_1_1)
    return refuse (self, 400, "HTTP/1.0 has no Transfer-Encoding");
  if (self->body_length > EB_MAX_REQUEST_BODY)
    return refuse (self, 413, "The body is larger than 8 MiB");
  return TRUE;
}

/* The head is complete, and each of its lines ends in CR LF. */
static gboolean
parse_head (EbFraming *self, const guint8 *request)
{
  Head head = { .framing = self, .request = (const char *) request };
  gsize start = 0, end = self->head_length - 2;

  while (start < end)
    {
      const guint8 *cr = memchr (request + start, '\r', end - start);
      gsize length = (gsize) (cr - request) - start;

      if (!(start == 0 ? parse_request_line (&head, start, length)
                       : parse_field (&head, start, length)))
        return FALSE;
      start += length + 2;
    }
  return check_head (&head);
}

/* Returns: FALSE if it is bad; whether the head is complete, its length tells */
static gboolean
find_head_end (EbFraming *self, const guint8 *request, gsize n_bytes)
{
  gsize i;

  for (i = self->position; i < n_bytes && i < EB_MAX_REQUEST_HEAD; i++)
    {
      if (request[i] == '\0')
        return refuse (self, 400, "The header has a NUL byte");
      if (i > 0 && request[i - 1] == '\r' && request[i] != '\n')
        return refuse (self, 400, "The header has a carriage return without a line feed");
      if (request[i] != '\n')
        continue;
      if (i == 0 || request[i - 1] != '\r')
        return refuse (self, 400, "The header has a line feed without a carriage return");
      if (i >= 3 && request[i - 2] == '\n')
        {
          self->head_length = self->position = i + 1;
          return TRUE;
        }
    }
  self->position = i;
  return i < EB_MAX_REQUEST_HEAD || refuse (self, 431, "The header is larger than 32 KiB");
}

/* In place of the field Transfer-Encoding, which is always longer. */
static void
write_length (EbFraming *self, guint8 *request)
{
  static const char name[] = "Content-Length:";
  guint8 *field = request + self->coding.start;
  guint64 rest = self->chunks.size;
  gsize i = self->coding.length;

  memset (field, ' ', self->coding.length);
  memcpy (field, name, strlen (name));
  do
    field[--i] = '0' + (guint8) (rest % 10);
  while ((rest /= 10) > 0);
}

static EbFramingResult
feed_chunks (EbFraming *self, guint8 *request, gsize *n_bytes)
{
  guint8 *chunks = request + self->position;
  gsize n_new = *n_bytes - self->position, n_used, n_data;
  EbChunkedStatus status = eb_chunked_decode (&self->chunks, chunks, n_new, &n_used, &n_data);

  memmove (chunks + n_data, chunks + n_used, n_new - n_used);
  self->position += n_data;
  *n_bytes -= n_used - n_data;
  switch (status)
    {
    case EB_CHUNKED_DONE:
      write_length (self, request);
      self->length = self->position;
      return EB_FRAMING_COMPLETE;
    case EB_CHUNKED_MORE:
      return EB_FRAMING_MORE;
    case EB_CHUNKED_TOO_LARGE:
      refuse (self, 413, "The body is larger than 8 MiB");
      return EB_FRAMING_BAD;
    case EB_CHUNKED_BAD:
    default:
      refuse (self, 400, "The body breaks the rules of chunked coding");
      return EB_FRAMING_BAD;
    }
}

/**
 * eb_framing_feed:
 * @request: all bytes from the beginning of the request on, as earlier calls left them
 * @n_bytes: (inout): how many there are now; less after it where chunked coding was taken off
 *
 * Looks at the bytes that are new. Those after the request's end are the next request's. A body in
 * chunked coding becomes one with a length.
 *
 * Returns: how it stands; after anything but MORE there is nothing more to feed
 */
EbFramingResult
eb_framing_feed (EbFraming *self, guint8 *request, gsize *n_bytes)
{
  if (self->head_length == 0)
    {
      if (!find_head_end (self, request, *n_bytes))
        return EB_FRAMING_BAD;
      if (self->head_length == 0)
        return EB_FRAMING_MORE;
      if (!parse_head (self, request))
        return EB_FRAMING_BAD;
    }
  if (self->coding.length > 0)
    return feed_chunks (self, request, n_bytes);
  if (*n_bytes - self->head_length < self->body_length)
    return EB_FRAMING_MORE;
  self->length = self->head_length + (gsize) self->body_length;
  return EB_FRAMING_COMPLETE;
}
