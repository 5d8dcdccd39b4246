/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "core/eb-uri.h"
#include "fuzz/eb-fuzz.h"

/* The grammar of RFC 3986, appendix A, but for what stands between brackets. */
#define PERCENT   "%[0-9A-Fa-f]{2}"
#define PLAIN     "A-Za-z0-9._~!$&'()*+,;=\\-"
#define PCHAR     "(?:[" PLAIN ":@]|" PERCENT ")"
#define USERINFO  "(?:[" PLAIN ":]|" PERCENT ")*"
#define HOST      "(?:\\[[" PLAIN ":]*\\]|(?:[" PLAIN "]|" PERCENT ")*)"
#define AUTHORITY "(?:" USERINFO "@)?" HOST "(?::[0-9]*)?"
#define SEGMENTS  "(?:/" PCHAR "*)*"
#define ABSOLUTE  "(?:/(?:" PCHAR "+" SEGMENTS ")?)"
#define NOSCHEME  "(?:(?:[" PLAIN "@]|" PERCENT ")+" SEGMENTS ")"
#define ROOTLESS  "(?:" PCHAR "+" SEGMENTS ")"
#define TAIL      "(?:\\?(?:" PCHAR "|[/?])*)?(?:#(?:" PCHAR "|[/?])*)?$"
#define SCHEME    "[A-Za-z][A-Za-z0-9+.-]*:"
#define WITH_HOST "//" AUTHORITY SEGMENTS

#define URI      "^" SCHEME "(?:" WITH_HOST "|" ABSOLUTE "|" ROOTLESS "|)" TAIL
#define RELATIVE "^(?:" WITH_HOST "|" ABSOLUTE "|" NOSCHEME "|)" TAIL

static gboolean
matches (const char *pattern, const char *text)
{
  return g_regex_match_simple (pattern, text, G_REGEX_DOLLAR_ENDONLY, 0);
}

/* Returns: whether there may be what GUri has rules of its own for: a port, which is a number of 16
 * bits, an address in brackets, or a host that is percent-encoded, which it wants to be UTF-8 */
static gboolean
has_more_rules (const char *text)
{
  return strchr (text, '[') != NULL || g_regex_match_simple ("//[^/?#]*[:%]", text, 0, 0);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *text = eb_fuzz_dup_utf8 (data, MIN (size, 256));
  gboolean reference, absolute, by_grammar, absolute_by_grammar;

  if (text == NULL)
    return 0;
  reference = eb_uri_is_reference (text);
  absolute = eb_uri_is_absolute (text);
  absolute_by_grammar = matches (URI, text);
  by_grammar = absolute_by_grammar || matches (RELATIVE, text);
  g_assert_true (reference || !absolute);
  if (has_more_rules (text))
    {
      g_assert_true (by_grammar || !reference);
      g_assert_true (absolute_by_grammar || !absolute);
      return 0;
    }
  g_assert_true (by_grammar == reference);
  g_assert_true (absolute_by_grammar == absolute);
  return 0;
}
