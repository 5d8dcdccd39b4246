/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "codec/eb-json.h"
#include "fuzz/eb-fuzz.h"

/* A string that is written and read again says the same. */
static void
check_string (const EbJsonValue *value)
{
  g_autoptr (GString) said = eb_json_value_decode (value);
  g_autoptr (GString) written = g_string_new (NULL);
  g_autoptr (GString) again = NULL;
  g_autoptr (GError) error = NULL;
  EbJsonValue copy;

  eb_json_append_string (written, said->str, said->len);
  eb_json_scan (written->str, written->len, EB_JSON_GRAMMAR, &copy, &error);
  g_assert_no_error (error);
  again = eb_json_value_decode (&copy);
  g_assert_true (g_string_equal (said, again));
}

/* Everything inside stands inside, and no deeper than the limit. */
static void
check_value (const EbJsonValue *value, guint depth)
{
  EbJsonKind kind = eb_json_value_get_kind (value);
  EbJsonValue name, child;
  EbJsonIter iter;

  if (kind == EB_JSON_STRING)
    check_string (value);
  if (kind != EB_JSON_OBJECT && kind != EB_JSON_ARRAY)
    return;
  g_assert_cmpuint (depth, <, EB_JSON_MAX_DEPTH);
  for (eb_json_iter_init (&iter, value); eb_json_iter_next (&iter, &name, &child);)
    {
      g_assert_true (child.text > value->text);
      g_assert_true (child.text + child.length < value->text + value->length);
      if (kind == EB_JSON_OBJECT)
        check_string (&name);
      check_value (&child, depth + 1);
    }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  const char *text = (const char *) data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) strict_error = NULL;
  EbJsonValue value;
  gboolean fine = eb_json_scan (text, size, EB_JSON_GRAMMAR, &value, &error);
  gboolean strictly = eb_json_scan (text, size, EB_JSON_STRICT, NULL, &strict_error);

  eb_fuzz_check_verdict (fine, error);
  eb_fuzz_check_verdict (strictly, strict_error);
  g_assert_true (fine || !strictly);
  if (!fine)
    return 0;
  g_assert_true (value.text >= text && value.text + value.length <= text + size);
  check_value (&value, 0);
  return 0;
}
