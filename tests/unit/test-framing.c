/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include <string.h>

#include "http/eb-framing.h"

typedef struct
{
  const char *name;
  const char *text;
  EbFramingResult result;
  const char *rest; /* (nullable) if it is complete: what of the text comes after it */
  guint status;     /* if it is bad */
} Case;

#define HOST  "Host: a\r\n"
#define POST  "POST /x HTTP/1.1\r\n" HOST
#define CHUNK POST "Transfer-Encoding: chunked\r\n\r\n"

static const Case cases[] = {
  { "get", "GET / HTTP/1.1\r\n" HOST "\r\n", EB_FRAMING_COMPLETE },
  { "http/1.0", "GET / HTTP/1.0\r\n\r\n", EB_FRAMING_COMPLETE },
  { "length", POST "Content-Length: 3\r\n\r\nabc", EB_FRAMING_COMPLETE },
  { "zero", POST "Content-Length: 0\r\n\r\n", EB_FRAMING_COMPLETE },
  { "short body", POST "Content-Length: 3\r\n\r\nab", EB_FRAMING_MORE },
  { "next one", POST "Content-Length: 1\r\n\r\nabcd", EB_FRAMING_COMPLETE, "bcd" },
  { "chunked", CHUNK "3\r\nabc\r\n0\r\n\r\n", EB_FRAMING_COMPLETE },
  { "chunked, next one", CHUNK "0\r\n\r\nGET", EB_FRAMING_COMPLETE, "GET" },
  { "no end", POST, EB_FRAMING_MORE },
  { "blanks around a value", POST "Content-Length: \t 1 \t\r\n\r\na", EB_FRAMING_COMPLETE },
  { "empty value", POST "X:\r\n\r\n", EB_FRAMING_COMPLETE },
  { "bytes above ASCII in a value", POST "X: \xc3\xa4\r\n\r\n", EB_FRAMING_COMPLETE },
  { "absolute target", "GET http://h:1/x HTTP/1.1\r\n" HOST "\r\n", EB_FRAMING_COMPLETE },
  { "absolute target without path", "GET http://[::1]?x HTTP/1.1\r\n" HOST "\r\n",
    EB_FRAMING_COMPLETE },
  { "one origin", POST "Origin: null\r\n\r\n", EB_FRAMING_COMPLETE },
  { "largest port", "GET / HTTP/1.1\r\nHost: a:65535\r\n\r\n", EB_FRAMING_COMPLETE },
  { "ipv6 host", "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", EB_FRAMING_COMPLETE },

  { "empty method", " / HTTP/1.1\r\n" HOST "\r\n", EB_FRAMING_BAD, NULL, 400 },
  { "two spaces", "GET  / HTTP/1.1\r\n" HOST "\r\n", EB_FRAMING_BAD, NULL, 400 },
  { "tab", "GET\t/ HTTP/1.1\r\n" HOST "\r\n", EB_FRAMING_BAD, NULL, 400 },
  { "relative target", "GET x HTTP/1.1\r\n" HOST "\r\n", EB_FRAMING_BAD, NULL, 400 },
  { "lower-case version", "GET / http/1.1\r\n" HOST "\r\n", EB_FRAMING_BAD, NULL, 400 },
  { "http/1.2", "GET / HTTP/1.2\r\n" HOST "\r\n", EB_FRAMING_BAD, NULL, 505 },
  { "star for get", "GET * HTTP/1.1\r\n" HOST "\r\n", EB_FRAMING_BAD, NULL, 400 },
  { "options of all", "OPTIONS * HTTP/1.1\r\n" HOST "\r\n", EB_FRAMING_BAD, NULL, 400 },
  { "no authority", "GET http:///x HTTP/1.1\r\n" HOST "\r\n", EB_FRAMING_BAD, NULL, 400 },
  { "nothing but a scheme", "GET http:// HTTP/1.1\r\n" HOST "\r\n", EB_FRAMING_BAD, NULL, 400 },
  { "userinfo", "GET http://u:p@h/ HTTP/1.1\r\n" HOST "\r\n", EB_FRAMING_BAD, NULL, 400 },
  { "unfinished authority", "GET http://[::1/ HTTP/1.1\r\n" HOST "\r\n", EB_FRAMING_BAD, NULL,
    400 },
  { "two origins", POST "Origin: a\r\nOrigin: a\r\n\r\n", EB_FRAMING_BAD, NULL, 400 },
  { "absolute target without host", "GET http://h/ HTTP/1.1\r\n\r\n", EB_FRAMING_BAD, NULL, 400 },
  { "connect", "CONNECT a:1 HTTP/1.1\r\n" HOST "\r\n", EB_FRAMING_BAD, NULL, 400 },
  { "nameless field", POST ": x\r\n\r\n", EB_FRAMING_BAD, NULL, 400 },
  { "no colon", POST "X\r\n\r\n", EB_FRAMING_BAD, NULL, 400 },
  { "control character", POST "X: \x01\r\n\r\n", EB_FRAMING_BAD, NULL, 400 },
  { "delete character", POST "X: \x7f\r\n\r\n", EB_FRAMING_BAD, NULL, 400 },
  { "length with a letter", POST "Content-Length: 1a\r\n\r\n", EB_FRAMING_BAD, NULL, 400 },
  { "too long", POST "Content-Length: 8388609\r\n\r\n", EB_FRAMING_BAD, NULL, 413 },
  { "too long a chunk", CHUNK "1\r\nab", EB_FRAMING_BAD, NULL, 400 },
  { "too large a chunk", CHUNK "800001\r\n", EB_FRAMING_BAD, NULL, 413 },
  { "too large together", CHUNK "1\r\na\r\n800000\r\n", EB_FRAMING_BAD, NULL, 413 },
  { "huge chunk", CHUNK "FFFFFFFFFFFFFFFF\r\n", EB_FRAMING_BAD, NULL, 413 },
  { "as large as can be", CHUNK "800000\r\n", EB_FRAMING_MORE },
  { "expectation", POST "Expect: x\r\n\r\n", EB_FRAMING_BAD, NULL, 417 },
  { "gzip", POST "Transfer-Encoding: gzip\r\n\r\n", EB_FRAMING_BAD, NULL, 501 },
  { "host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", EB_FRAMING_BAD, NULL, 400 },
  { "empty host", "GET / HTTP/1.1\r\nHost: \r\n\r\n", EB_FRAMING_BAD, NULL, 400 },
  { "unfinished ipv6 host", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", EB_FRAMING_BAD, NULL, 400 },
  { "impossible ipv6 host", "GET / HTTP/1.1\r\nHost: [::1::]\r\n\r\n", EB_FRAMING_BAD, NULL, 400 },
  { "port too large", "GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n", EB_FRAMING_BAD, NULL, 400 },
  { "port with a letter", "GET / HTTP/1.1\r\nHost: a:8x\r\n\r\n", EB_FRAMING_BAD, NULL, 400 },
};

/* Returns: (transfer full): what the framing leaves of @text, which comes in pieces; @framing says
 * how it ended */
static GByteArray *
frame (EbFraming *framing, EbFramingResult *result, const char *text, gsize first, gsize step)
{
  GByteArray *input = g_byte_array_new ();
  gsize length = strlen (text), n = MIN (first, length), fed = 0;

  do
    {
      gsize n_bytes;

      g_byte_array_append (input, (const guint8 *) text + fed, (guint) (n - fed));
      n_bytes = input->len;
      *result = eb_framing_feed (framing, input->data, &n_bytes);
      g_byte_array_set_size (input, (guint) n_bytes);
      fed = n;
      n = MIN (n + step, length);
    }
  while (*result == EB_FRAMING_MORE && fed < length);
  g_byte_array_append (input, (const guint8 *) text + fed, (guint) (length - fed));
  return input;
}

static void
check (const Case *test, gsize first, gsize step)
{
  EbFraming framing = { 0 };
  EbFramingResult result;
  g_autoptr (GByteArray) left = frame (&framing, &result, test->text, first, step);
  const char *rest = test->rest != NULL ? test->rest : "";

  g_assert_cmpint (result, ==, test->result);
  if (result == EB_FRAMING_COMPLETE)
    g_assert_cmpmem (left->data + framing.length, left->len - framing.length, rest, strlen (rest));
  if (result == EB_FRAMING_BAD)
    {
      g_assert_cmpuint (framing.status, ==, test->status);
      g_assert_nonnull (framing.reason);
    }
}

/* The result must not depend on how the bytes come. */
static void
test_cases (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      gsize length = strlen (cases[i].text);

      g_test_message ("%s", cases[i].name);
      for (gsize step = 1; step <= length; step++)
        check (&cases[i], step, step);
      for (gsize split = 1; split < length; split++)
        check (&cases[i], split, length);
    }
}

/* What remains of chunked coding: nothing. */
static void
test_chunked (void)
{
  const char *text = "POST / HTTP/1.1\r\nTransfer-Encoding:chunked\r\n" HOST
                     "\r\n3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\nT: x\r\n\r\nGET";
  const char *plain =
      "POST / HTTP/1.1\r\nContent-Length:        13\r\n" HOST "\r\nabc0123456789GET";

  for (gsize step = 1; step <= strlen (text); step++)
    {
      EbFraming framing = { 0 };
      EbFramingResult result;
      g_autoptr (GByteArray) left = frame (&framing, &result, text, step, step);

      g_assert_cmpint (result, ==, EB_FRAMING_COMPLETE);
      g_assert_cmpuint (framing.length, ==, strlen (plain) - 3);
      g_assert_cmpmem (left->data, left->len, plain, strlen (plain));
    }
}

static void
test_slices (void)
{
  g_autofree char *text = g_strdup ("POST /a?b HTTP/1.1\r\nHost: h:1\r\norigin:\thttp://x \r\n"
                                    "content-TYPE: t/x\r\nExpect: 100-Continue\r\n\r\n");
  gsize n_bytes = strlen (text);
  EbFraming framing = { 0 };

  g_assert_cmpint (eb_framing_feed (&framing, (guint8 *) text, &n_bytes), ==, EB_FRAMING_COMPLETE);
#define ASSERT_SLICE(slice, expected)                                                              \
  g_assert_cmpmem (text + framing.slice.start, framing.slice.length, expected, strlen (expected))
  ASSERT_SLICE (method, "POST");
  ASSERT_SLICE (target, "/a?b");
  ASSERT_SLICE (host, "h:1");
  ASSERT_SLICE (origin, "http://x");
  ASSERT_SLICE (content_type, "t/x");
  ASSERT_SLICE (expect, "Expect");
  g_assert_true (framing.waits);
#undef ASSERT_SLICE
}

/* RFC 9110, 10.1.1: nothing is expected of HTTP/1.0, whose clients do not know of interim answers.
 */
static void
test_expect_of_http_1_0 (void)
{
  static const char *const values[] = { "100-continue", "x" };

  for (gsize i = 0; i < G_N_ELEMENTS (values); i++)
    {
      g_autofree char *text = g_strdup_printf ("GET / HTTP/1.0\r\nExpect: %s\r\n\r\n", values[i]);
      gsize n_bytes = strlen (text);
      EbFraming framing = { 0 };

      g_assert_cmpint (eb_framing_feed (&framing, (guint8 *) text, &n_bytes), ==,
                       EB_FRAMING_COMPLETE);
      g_assert_false (framing.waits);
    }
}

/* Host must not speak for another host than the target's. */
static void
test_absolute_target (void)
{
  g_autofree char *text = g_strdup ("GET http://evil.example:80/x HTTP/1.1\r\nHost: h:1\r\n\r\n");
  gsize n_bytes = strlen (text);
  EbFraming framing = { 0 };

  g_assert_cmpint (eb_framing_feed (&framing, (guint8 *) text, &n_bytes), ==, EB_FRAMING_COMPLETE);
  g_assert_cmpmem (text + framing.host.start, framing.host.length, "evil.example:80", 15);
}

/* Whatever the bytes are: no crash, and never an end beyond them. */
static void
test_noise (void)
{
  static const char alphabet[] = "GET /:\r\n\r\n01fz \tHTTP/1.1Content-Length:chunked\0\xff";

  for (guint round = 0; round < 20000; round++)
    {
      guint8 bytes[200];
      gsize length = (gsize) g_test_rand_int_range (0, sizeof bytes);
      EbFraming framing = { 0 };

      for (gsize i = 0; i < length; i++)
        bytes[i] = (guint8) alphabet[g_test_rand_int_range (0, sizeof alphabet)];
      if (round % 2 == 0 && length > sizeof CHUNK)
        memcpy (bytes, CHUNK, sizeof CHUNK - 1);
      if (eb_framing_feed (&framing, bytes, &length) == EB_FRAMING_COMPLETE)
        g_assert_cmpuint (framing.length, <=, length);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/framing/cases", test_cases);
  g_test_add_func ("/framing/chunked", test_chunked);
  g_test_add_func ("/framing/slices", test_slices);
  g_test_add_func ("/framing/expect-of-http-1-0", test_expect_of_http_1_0);
  g_test_add_func ("/framing/absolute-target", test_absolute_target);
  g_test_add_func ("/framing/noise", test_noise);

  return g_test_run ();
}
