/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include <string.h>

#include "core/eb-media-type.h"
#include "fuzz/eb-fuzz.h"

/* The grammar of RFC 9110, 8.3.1, as bytes. */
#define TOKEN     "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
#define QUOTED    "\"(?:[\\t !#-\\[\\]-~\\x80-\\xff]|\\\\[\\t -~\\x80-\\xff])*\""
#define PARAMETER TOKEN "=(?:" TOKEN "|" QUOTED ")"
#define TYPE      "^" TOKEN "/" TOKEN "(?:[ \\t]*;[ \\t]*(?:" PARAMETER ")?)*[ \\t]*$"

static gboolean
matches (const char *text)
{
  return g_regex_match_simple (TYPE, text, G_REGEX_RAW | G_REGEX_DOLLAR_ENDONLY, 0);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *text = eb_fuzz_dup_string (data, MIN (size, 256));
  g_autofree char *essence = NULL;
  g_autofree char *longer = NULL;
  gboolean valid, json;

  if (text == NULL)
    return 0;
  valid = eb_media_type_is_valid (text);
  json = eb_media_type_is_json (text);
  g_assert_true (valid == matches (text));
  if (!valid)
    return 0;
  essence = g_ascii_strdown (text, (gssize) strcspn (text, "; \t"));
  g_assert_true (eb_media_type_is (text, essence));
  g_assert_true (json == eb_media_type_is_json (essence));
  g_assert_true (json
                 == (g_str_has_suffix (essence, "/json") || g_str_has_suffix (essence, "+json")));
  g_assert_true (eb_media_type_is_utf8 (essence));
  g_assert_true (eb_media_type_is_utf8_text (text)
                 == (g_str_has_prefix (essence, "text/") && eb_media_type_is_utf8 (text)));
  longer = g_strconcat (text, ";x=\";charset=latin1;\"", NULL);
  g_assert_true (eb_media_type_is_valid (longer));
  g_assert_true (eb_media_type_is_utf8 (longer) == eb_media_type_is_utf8 (text));
  return 0;
}
