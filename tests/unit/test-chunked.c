/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include <string.h>

#include "codec/eb-chunked.h"

typedef struct
{
  const char *text;
  EbChunkedStatus status;
  guint64 size; /* if it is done */
  gsize used;   /* if it is done; 0 for all */
} Case;

static const Case cases[] = {
  { "0\r\n\r\n", EB_CHUNKED_DONE, 0 },
  { "3\r\nabc\r\n0\r\n\r\n", EB_CHUNKED_DONE, 3 },
  { "A\r\n0123456789\r\n1\r\nx\r\n0\r\n\r\n", EB_CHUNKED_DONE, 11 },
  { "0003\r\nabc\r\n000\r\n\r\n", EB_CHUNKED_DONE, 3 },
  { "1;a=\"b\"\r\nx\r\n0;c\r\n\r\n", EB_CHUNKED_DONE, 1 },
  { "0\r\nTrailer: x\r\nOther: y\r\n\r\n", EB_CHUNKED_DONE, 0 },
  { "0\r\n\r\nrest", EB_CHUNKED_DONE, 0, 5 },
  { "", EB_CHUNKED_MORE },
  { "3\r\nab", EB_CHUNKED_MORE },
  { "0\r\n", EB_CHUNKED_MORE },
  { "0\r\nTrailer", EB_CHUNKED_MORE },
  { "\r\n", EB_CHUNKED_BAD },
  { "-1\r\n", EB_CHUNKED_BAD },
  { "+1\r\n", EB_CHUNKED_BAD },
  { " 1\r\n", EB_CHUNKED_BAD },
  { "1 \r\n", EB_CHUNKED_BAD },
  { "0x1\r\n", EB_CHUNKED_BAD },
  { "g\r\n", EB_CHUNKED_BAD },
  { "1\nx\n0\n\n", EB_CHUNKED_BAD },
  { "1\r\nxy\r\n", EB_CHUNKED_BAD },
  { "1\r\nx\n0\r\n\r\n", EB_CHUNKED_BAD },
  { "00000000000000001\r\n", EB_CHUNKED_BAD },
  { "1;\x01\r\n", EB_CHUNKED_BAD },
  { "0\r\nbad\nline\r\n\r\n", EB_CHUNKED_BAD },
};

static void
check (const Case *test, gsize step)
{
  gsize length = strlen (test->text), position = 0, used = 0;
  EbChunked chunked = { 0 };
  EbChunkedStatus status = EB_CHUNKED_MORE;

  while (position < length && status == EB_CHUNKED_MORE)
    {
      status = eb_chunked_feed (&chunked, (const guint8 *) test->text + position,
                                MIN (step, length - position), &used);
      position += used;
    }
  g_assert_cmpint (status, ==, test->status);
  if (status == EB_CHUNKED_DONE)
    {
      g_assert_cmpuint (chunked.size, ==, test->size);
      g_assert_cmpuint (position, ==, test->used > 0 ? test->used : length);
    }
}

static void
test_decode (void)
{
  const char *text = "3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\nT: x\r\n\r\nrest";

  for (gsize step = 1; step <= strlen (text); step++)
    {
      g_autofree char *bytes = g_strdup (text);
      g_autoptr (GString) data = g_string_new (NULL);
      EbChunked chunked = { 0 };
      EbChunkedStatus status = EB_CHUNKED_MORE;
      gsize position = 0, n_used, n_data;

      while (status == EB_CHUNKED_MORE)
        {
          status = eb_chunked_decode (&chunked, (guint8 *) bytes + position,
                                      MIN (step, strlen (text) - position), &n_used, &n_data);
          g_string_append_len (data, bytes + position, (gssize) n_data);
          position += n_used;
        }
      g_assert_cmpint (status, ==, EB_CHUNKED_DONE);
      g_assert_cmpstr (data->str, ==, "abc0123456789");
      g_assert_cmpstr (bytes + position, ==, "rest");
    }
}

static void
test_limit (void)
{
  const char *text = "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";

  for (guint64 limit = 0; limit <= 6; limit++)
    {
      EbChunked chunked = { .limit = limit };
      gsize used;

      g_assert_cmpint (eb_chunked_feed (&chunked, (const guint8 *) text, strlen (text), &used), ==,
                       limit == 0 || limit >= 5 ? EB_CHUNKED_DONE : EB_CHUNKED_TOO_LARGE);
      g_assert_cmpuint (chunked.size, <=, limit > 0 ? limit : 5);
    }
}

static void
test_cases (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    for (gsize step = 1; step <= strlen (cases[i].text) + 1; step++)
      check (&cases[i], step);
}

static void
test_overhead (void)
{
  g_autofree char *extension = g_strnfill (5000, 'x');
  g_autofree char *text = g_strconcat ("1;", extension, NULL);
  EbChunked chunked = { 0 };
  gsize used;

  g_assert_cmpint (eb_chunked_feed (&chunked, (const guint8 *) text, strlen (text), &used), ==,
                   EB_CHUNKED_BAD);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/chunked/cases", test_cases);
  g_test_add_func ("/chunked/decode", test_decode);
  g_test_add_func ("/chunked/limit", test_limit);
  g_test_add_func ("/chunked/overhead", test_overhead);

  return g_test_run ();
}
