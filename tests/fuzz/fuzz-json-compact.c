/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include <string.h>

#include "codec/eb-json.h"
#include "ctl/eb-json-compact.h"
#include "fuzz/eb-fuzz.h"

/* On one line it is the same text: nothing is left to take away, and only blanks were. */
static void
check_compact (const char *text, gsize size, GString *compact)
{
  g_autoptr (GString) again = g_string_new (NULL);
  gsize i = 0;

  g_assert_true (eb_json_compact (compact->str, compact->len, again));
  g_assert_true (g_string_equal (again, compact));
  g_assert_null (strpbrk (compact->str, "\r\n"));
  for (gsize j = 0; j < size; j++)
    if (i < compact->len && text[j] == compact->str[i])
      i++;
    else
      g_assert_nonnull (strchr (" \t\r\n", text[j]));
  g_assert_cmpuint (i, ==, compact->len);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  const char *text = (const char *) data;
  g_autoptr (GString) compact = g_string_new (NULL);
  gboolean fine = eb_json_compact (text, size, compact);
  gboolean is_json = eb_json_scan (text, size, EB_JSON_GRAMMAR, NULL, NULL);

  g_assert_true (fine == is_json);
  g_assert_true (fine || compact->len == 0);
  if (fine)
    check_compact (text, size, compact);
  return 0;
}
