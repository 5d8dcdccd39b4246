/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include <string.h>

#include "delivery/eb-wire-response.h"

typedef struct
{
  const char *name;
  const char *text;
  EbWireResponseStatus result; /* once all is fed */
  guint status;
  gboolean keep_alive;
} Case;

#define OK     "HTTP/1.1 200 OK\r\n"
#define CHUNKS OK "Transfer-Encoding: chunked\r\n\r\n8000\r\n"
#define FOUR_HINTS                                                                                 \
  "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n"                               \
  "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n"

static const Case cases[] = {
  { "no body", OK "Content-Length: 0\r\n\r\n", EB_WIRE_RESPONSE_DONE, 200, TRUE },
  { "204 without length", "HTTP/1.1 204 No Content\r\n\r\n", EB_WIRE_RESPONSE_DONE, 204, TRUE },
  { "304 with length", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
    EB_WIRE_RESPONSE_DONE, 304, TRUE },
  { "no reason phrase", "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", EB_WIRE_RESPONSE_DONE, 200,
    TRUE },
  { "body", OK "Content-Length: 7\r\n\r\nsuccess", EB_WIRE_RESPONSE_DONE, 200, TRUE },
  { "part of a body", OK "Content-Length: 7\r\n\r\nsucc", EB_WIRE_RESPONSE_MORE, 200, TRUE },
  { "more than was asked for", OK "Content-Length: 2\r\n\r\nokHTTP", EB_WIRE_RESPONSE_DONE, 200,
    FALSE },
  { "two answers to no body", OK "Content-Length: 0\r\n\r\n" OK, EB_WIRE_RESPONSE_DONE, 200,
    FALSE },
  { "chunked", OK "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", EB_WIRE_RESPONSE_DONE,
    200, TRUE },
  { "chunked with trailer",
    OK "Transfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nX: y\r\n\r\n", EB_WIRE_RESPONSE_DONE,
    200, TRUE },
  { "broken chunks", OK "Transfer-Encoding: chunked\r\n\r\nzz\r\n", EB_WIRE_RESPONSE_DONE, 200,
    FALSE },
  { "until it closes", OK "\r\nwhatever", EB_WIRE_RESPONSE_DONE, 200, FALSE },
  { "close", OK "Connection: close\r\nContent-Length: 0\r\n\r\n", EB_WIRE_RESPONSE_DONE, 200,
    FALSE },
  { "close among others", OK "Connection: x, Close\r\nContent-Length: 0\r\n\r\n",
    EB_WIRE_RESPONSE_DONE, 200, FALSE },
  { "HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", EB_WIRE_RESPONSE_DONE, 200, FALSE },
  { "HTTP/1.0 keep-alive", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n",
    EB_WIRE_RESPONSE_DONE, 200, TRUE },
  { "interim ones",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" OK
    "Content-Length: 0\r\n\r\n",
    EB_WIRE_RESPONSE_DONE, 200, TRUE },
  { "as many interim ones as may be", FOUR_HINTS FOUR_HINTS OK "Content-Length: 0\r\n\r\n",
    EB_WIRE_RESPONSE_DONE, 200, TRUE },
  { "one more of them",
    FOUR_HINTS FOUR_HINTS "HTTP/1.1 100 Continue\r\n\r\n" OK "Content-Length: 0\r\n\r\n",
    EB_WIRE_RESPONSE_BAD, 0, FALSE },
  { "bare line feeds", "HTTP/1.1 500 Oops\nContent-Length: 2\n\nno", EB_WIRE_RESPONSE_DONE, 500,
    TRUE },
  { "long body", OK "Content-Length: 1000000\r\n\r\n", EB_WIRE_RESPONSE_DONE, 200, FALSE },
  { "switching protocols", "HTTP/1.1 101 Switching\r\n\r\n", EB_WIRE_RESPONSE_BAD, 0, FALSE },
  { "not HTTP", "220 mail.example.com ESMTP\r\n\r\n", EB_WIRE_RESPONSE_BAD, 0, FALSE },
  { "no end of head", OK "Content-Length: 0\r\n", EB_WIRE_RESPONSE_MORE, 0, FALSE },
};

/* @parser may remember the head from before, which must make no difference. */
static void
check (const Case *test, gsize step, EbWireParser *parser)
{
  EbWireResponse response = { 0 };
  EbWireResponseStatus result = EB_WIRE_RESPONSE_MORE;
  gsize length = strlen (test->text), position;

  if (step == 1)
    g_test_message ("%s", test->name);
  for (position = 0; position < length && result == EB_WIRE_RESPONSE_MORE; position += step)
    result = eb_wire_response_feed (&response, parser, (const guint8 *) test->text + position,
                                    MIN (step, length - position));
  g_assert_cmpint (result, ==, test->result);
  g_assert_cmpuint (response.status, ==, test->status);
  /* Fed in pieces, it is done before it sees what nobody asked for. */
  if (position >= length)
    g_assert_cmpint (response.keep_alive, ==, test->keep_alive);

  eb_wire_response_clear (&response);
}

static void
test_cases (void)
{
  EbWireParser *shared = eb_wire_parser_new ();

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    for (gsize step = 1; step <= strlen (cases[i].text); step++)
      {
        EbWireParser *fresh = eb_wire_parser_new ();

        check (&cases[i], step, fresh);
        check (&cases[i], step, fresh);
        check (&cases[i], step, shared);
        eb_wire_parser_free (fresh);
      }
  eb_wire_parser_free (shared);
}

static void
test_head_limit (void)
{
  EbWireParser *parser = eb_wire_parser_new ();
  g_autofree char *filler = g_strnfill (1024, 'x');
  EbWireResponse response = { 0 };
  EbWireResponseStatus result =
      eb_wire_response_feed (&response, parser, (const guint8 *) OK "X: ", strlen (OK "X: "));

  for (guint i = 0; i < 31; i++)
    {
      g_assert_cmpint (result, ==, EB_WIRE_RESPONSE_MORE);
      result = eb_wire_response_feed (&response, parser, (const guint8 *) filler, 1024);
    }
  result = eb_wire_response_feed (&response, parser, (const guint8 *) filler, 1024);
  g_assert_cmpint (result, ==, EB_WIRE_RESPONSE_BAD);
  eb_wire_response_clear (&response);
  eb_wire_parser_free (parser);
}

static void
test_head_limit_at_once (void)
{
  EbWireParser *parser = eb_wire_parser_new ();
  g_autofree char *filler = g_strnfill (EB_MAX_RESPONSE_HEAD, 'x');
  g_autofree char *text = g_strconcat (OK "Content-Length: 0\r\nX: ", filler, "\r\n\r\n", NULL);
  EbWireResponse response = { 0 };

  g_assert_cmpint (eb_wire_response_feed (&response, parser, (const guint8 *) text, strlen (text)),
                   ==, EB_WIRE_RESPONSE_BAD);
  eb_wire_response_clear (&response);
  eb_wire_parser_free (parser);
}

static void
test_body_limit (void)
{
  EbWireParser *parser = eb_wire_parser_new ();
  g_autofree char *filler = g_strnfill (EB_MAX_RESPONSE_BODY, 'x');
  EbWireResponse response = { 0 };

  eb_wire_response_feed (&response, parser, (const guint8 *) CHUNKS, strlen (CHUNKS));
  g_assert_cmpint (
      eb_wire_response_feed (&response, parser, (const guint8 *) filler, EB_MAX_RESPONSE_BODY), ==,
      EB_WIRE_RESPONSE_MORE);
  g_assert_cmpint (eb_wire_response_feed (&response, parser, (const guint8 *) "x", 1), ==,
                   EB_WIRE_RESPONSE_DONE);
  g_assert_false (response.keep_alive);
  eb_wire_response_clear (&response);
  eb_wire_parser_free (parser);
}

#define LATER "HTTP/1.1 503 Later\r\nRetry-After: 7\r\nContent-Length: 4\r\n\r\nbo"

static void
test_end (void)
{
  EbWireParser *parser = eb_wire_parser_new ();
  EbWireResponse response = { 0 };

  g_assert_cmpint (eb_wire_response_end (&response), ==, EB_WIRE_RESPONSE_BAD);
  eb_wire_response_feed (&response, parser, (const guint8 *) LATER, strlen (LATER));
  g_assert_cmpint (eb_wire_response_end (&response), ==, EB_WIRE_RESPONSE_DONE);
  g_assert_cmpuint (response.status, ==, 503);
  g_assert_cmpstr (response.retry_after, ==, "7");
  g_assert_false (response.keep_alive);
  eb_wire_response_clear (&response);
  eb_wire_parser_free (parser);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/wire-response/cases", test_cases);
  g_test_add_func ("/wire-response/head-limit", test_head_limit);
  g_test_add_func ("/wire-response/head-limit-at-once", test_head_limit_at_once);
  g_test_add_func ("/wire-response/body-limit", test_body_limit);
  g_test_add_func ("/wire-response/end", test_end);

  return g_test_run ();
}
