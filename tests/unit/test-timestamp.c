/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "core/eb-timestamp.h"

/* RFC 3339, 5.6 */

static void
test_right (void)
{
  static const struct
  {
    const char *text;
    gint64 real_us;
  } cases[] = {
    { "1970-01-01T00:00:00Z", 0 },
    { "1970-01-01t01:00:00.000001+01:00", 1 },
    { "1969-12-31T23:59:59.9999999z", -1 },
    { "2024-02-29T12:00:00-23:59", 1709294340000000 },
    { "2000-03-01T00:00:00Z", 951868800000000 },
    { "1900-03-01T00:00:00Z", -2203891200000000 },
    { "2016-12-31T23:59:60Z", 1483228800000000 },
    { "2016-12-31T15:59:60.5-08:00", 1483228800500000 },
    { "0000-02-29T00:00:00Z", -62162121600000000 },
    { "9999-12-31T23:59:59Z", 253402300799000000 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      gint64 real_us;

      g_test_message ("%s", cases[i].text);
      g_assert_true (eb_timestamp_parse (cases[i].text, &real_us));
      g_assert_cmpint (real_us, ==, cases[i].real_us);
    }
}

static void
test_wrong (void)
{
  static const char *const cases[] = {
    "",
    "2024-01-31",
    "2024-01-31T12:00:00",
    "2024-01-31 12:00:00Z",
    "2024-01-31T12:00Z",
    "2024-01-31T12:00:00,5Z",
    "2024-01-31T12:00:00.Z",
    "2024-01-31T12:00:00+01",
    "2024-01-31T12:00:00+0100",
    "2024-01-31T12:00:00+24:00",
    "2024-01-31T12:00:00+01:60",
    "2024-01-31T24:00:00Z",
    "2024-01-31T12:60:00Z",
    "2024-01-31T12:00:60Z",
    "2024-12-31T23:59:61Z",
    "2024-00-31T12:00:00Z",
    "2024-13-31T12:00:00Z",
    "2024-01-00T12:00:00Z",
    "2023-02-29T12:00:00Z",
    "1900-02-29T12:00:00Z",
    "2024-1-31T12:00:00Z",
    "2024-W05-3T12:00:00Z",
    "20240131T120000Z",
    "02024-01-31T12:00:00Z",
    "2024-01-31T12:00:00Z ",
    " 2024-01-31T12:00:00Z",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      gint64 real_us;

      g_test_message ("%s", cases[i]);
      g_assert_false (eb_timestamp_parse (cases[i], &real_us));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/timestamp/right", test_right);
  g_test_add_func ("/timestamp/wrong", test_wrong);

  return g_test_run ();
}
