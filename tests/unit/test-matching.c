/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "codec/eb-subscription-json.h"
#include "core/eb-error.h"

/* What a subscription says it wants, as a subscriber writes it, and what it gets: every rule of
 * type patterns and filters at least once. */

#define MAX_ATTRIBUTES 5

typedef enum
{
  MISSES,
  MATCHES,
  REFUSED, /* whatever the event */
} Expected;

typedef struct
{
  const char *rule;
  const char *types;
  const char *filters;
  const char *event[2 * MAX_ATTRIBUTES + 1]; /* names and values in turn; without a type it is t */
  Expected expected;
} Row;

static const Row type_rows[] = {
  { "empty types mean all", "[]", "[]", { "type", "a.b" }, MATCHES },
  { "a literal is the whole type", "['a.b']", "[]", { "type", "a.b" }, MATCHES },
  { "case counts", "['a.b']", "[]", { "type", "a.B" }, MISSES },
  { "a literal is not a prefix", "['a.b']", "[]", { "type", "a.b.c" }, MISSES },
  { "one of several is enough", "['x','a.*']", "[]", { "type", "a.b" }, MATCHES },
  { "and none is not", "['x','y.*']", "[]", { "type", "a.b" }, MISSES },
  { "“*” is one token", "['a.*.c']", "[]", { "type", "a.b.c" }, MATCHES },
  { "not two", "['a.*']", "[]", { "type", "a.b.c" }, MISSES },
  { "not none", "['a.*']", "[]", { "type", "a" }, MISSES },
  { "not an empty one", "['a.*.c']", "[]", { "type", "a..c" }, MISSES },
  { "“>” is one token", "['a.>']", "[]", { "type", "a.b" }, MATCHES },
  { "or more", "['a.>']", "[]", { "type", "a.b.c.d" }, MATCHES },
  { "not none", "['a.>']", "[]", { "type", "a" }, MISSES },
  { "“>” alone is all", "['>']", "[]", { "type", "a..b" }, MATCHES },
  { "“>” is last only", "['a.>.b']", "[]", { 0 }, REFUSED },
  { "“*” is a whole token", "['a.b*']", "[]", { 0 }, REFUSED },
  { "“>” is a whole token", "['a.b>']", "[]", { 0 }, REFUSED },
  { "no empty token", "['a..b']", "[]", { 0 }, REFUSED },
  { "no empty pattern", "['']", "[]", { 0 }, REFUSED },
  { "one bad pattern is enough", "['a','b.']", "[]", { 0 }, REFUSED },
  { "a type is a string", "[1]", "[]", { 0 }, REFUSED },
};

static const Row filter_rows[] = {
  { "exact", "[]", "[{'exact':{'subject':'eu/1'}}]", { "subject", "eu/1" }, MATCHES },
  { "is the whole value", "[]", "[{'exact':{'subject':'eu'}}]", { "subject", "eu/1" }, MISSES },
  { "case counts", "[]", "[{'exact':{'subject':'EU/1'}}]", { "subject", "eu/1" }, MISSES },
  { "prefix", "[]", "[{'prefix':{'subject':'eu/'}}]", { "subject", "eu/1" }, MATCHES },
  { "is at the start", "[]", "[{'prefix':{'subject':'/1'}}]", { "subject", "eu/1" }, MISSES },
  { "case counts", "[]", "[{'prefix':{'subject':'EU'}}]", { "subject", "eu/1" }, MISSES },
  { "suffix", "[]", "[{'suffix':{'subject':'/1'}}]", { "subject", "eu/1" }, MATCHES },
  { "is at the end", "[]", "[{'suffix':{'subject':'eu'}}]", { "subject", "eu/1" }, MISSES },
  { "case counts", "[]", "[{'suffix':{'subject':'U/1'}}]", { "subject", "eu/1" }, MISSES },

  { "any attribute: id", "[]", "[{'exact':{'id':'7'}}]", { "id", "7" }, MATCHES },
  { "source", "[]", "[{'prefix':{'source':'/s'}}]", { "source", "/shop" }, MATCHES },
  { "type", "[]", "[{'suffix':{'type':'.b'}}]", { "type", "a.b" }, MATCHES },
  { "specversion", "[]", "[{'exact':{'specversion':'1.0'}}]", { 0 }, MATCHES },
  { "time", "[]", "[{'prefix':{'time':'2024-02-'}}]", { "time", "2024-02-03T04:05:06Z" }, MATCHES },
  { "datacontenttype",
    "[]",
    "[{'suffix':{'datacontenttype':'/xml'}}]",
    { "datacontenttype", "text/xml" },
    MATCHES },
  { "dataschema", "[]", "[{'exact':{'dataschema':'x:y'}}]", { "dataschema", "x:y" }, MATCHES },
  { "an extension", "[]", "[{'exact':{'tenant9':'t'}}]", { "tenant9", "t" }, MATCHES },
  { "sequence: the log's, 20 digits",
    "[]",
    "[{'exact':{'sequence':'00000000000000000001'}}]",
    { 0 },
    MATCHES },
  { "its start", "[]", "[{'prefix':{'sequence':'0000'}}]", { "sequence", "9" }, MATCHES },
  { "its end", "[]", "[{'suffix':{'sequence':'01'}}]", { 0 }, MATCHES },
  { "not of it", "[]", "[{'not':{'prefix':{'sequence':'0'}}}]", { 0 }, MISSES },
  { "not the publisher's", "[]", "[{'exact':{'sequence':'9'}}]", { "sequence", "9" }, MISSES },

  { "several attributes: all of them",
    "[]",
    "[{'exact':{'subject':'s','tenant':'t'}}]",
    { "subject", "s", "tenant", "t" },
    MATCHES },
  { "not one of them",
    "[]",
    "[{'exact':{'subject':'s','tenant':'t'}}]",
    { "subject", "s", "tenant", "u" },
    MISSES },
  { "a missing one matches nothing", "[]", "[{'exact':{'subject':'s'}}]", { 0 }, MISSES },
  { "with prefix", "[]", "[{'prefix':{'subject':'s'}}]", { 0 }, MISSES },
  { "with suffix", "[]", "[{'suffix':{'datacontenttype':'s'}}]", { 0 }, MISSES },
  { "among others", "[]", "[{'exact':{'subject':'s','x':'y'}}]", { "subject", "s" }, MISSES },
  { "so `not` of it matches", "[]", "[{'not':{'exact':{'subject':'s'}}}]", { 0 }, MATCHES },

  { "not", "[]", "[{'not':{'exact':{'subject':'s'}}}]", { "subject", "s" }, MISSES },
  { "not not", "[]", "[{'not':{'not':{'exact':{'id':'7'}}}}]", { "id", "7" }, MATCHES },
  { "all", "[]", "[{'all':[{'exact':{'id':'7'}},{'exact':{'x':'y'}}]}]", { "id", "7" }, MISSES },
  { "all of them",
    "[]",
    "[{'all':[{'exact':{'id':'7'}},{'exact':{'x':'y'}}]}]",
    { "id", "7", "x", "y" },
    MATCHES },
  { "any", "[]", "[{'any':[{'exact':{'id':'7'}},{'exact':{'x':'y'}}]}]", { "x", "y" }, MATCHES },
  { "none", "[]", "[{'any':[{'exact':{'id':'7'}},{'exact':{'x':'y'}}]}]", { "id", "8" }, MISSES },
  { "no filters", "[]", "[]", { 0 }, MATCHES },
  { "several filters: all of them",
    "[]",
    "[{'exact':{'id':'7'}},{'exact':{'x':'y'}}]",
    { "id", "7", "x", "y" },
    MATCHES },
  { "not one", "[]", "[{'exact':{'id':'7'}},{'exact':{'x':'y'}}]", { "id", "7" }, MISSES },
  { "types and filters", "['a.*']", "[{'exact':{'id':'7'}}]", { "id", "7" }, MISSES },
  { "both", "['a.*']", "[{'exact':{'id':'7'}}]", { "id", "7", "type", "a.b" }, MATCHES },
};

static const Row refused_filter_rows[] = {
  { "no attribute", "[]", "[{'exact':{}}]", { 0 }, REFUSED },
  { "an empty value", "[]", "[{'prefix':{'subject':''}}]", { 0 }, REFUSED },
  { "an empty name", "[]", "[{'suffix':{'':'x'}}]", { 0 }, REFUSED },
  { "an impossible name", "[]", "[{'exact':{'Subject':'x'}}]", { 0 }, REFUSED },
  { "the data", "[]", "[{'exact':{'data':'x'}}]", { 0 }, REFUSED },
  { "a value that is no string", "[]", "[{'exact':{'id':7}}]", { 0 }, REFUSED },
  { "all of none", "[]", "[{'all':[]}]", { 0 }, REFUSED },
  { "any of none", "[]", "[{'any':[]}]", { 0 }, REFUSED },
  { "all of an attribute", "[]", "[{'all':{'id':'7'}}]", { 0 }, REFUSED },
  { "not of an attribute", "[]", "[{'not':{'id':'7'}}]", { 0 }, REFUSED },
  { "not of a list", "[]", "[{'not':[{'exact':{'id':'7'}}]}]", { 0 }, REFUSED },
  { "exact of a list", "[]", "[{'exact':[{'exact':{'id':'7'}}]}]", { 0 }, REFUSED },
  { "an unknown dialect", "[]", "[{'sql':'TRUE'}]", { 0 }, REFUSED },
  { "a dialect in other case", "[]", "[{'Exact':{'id':'7'}}]", { 0 }, REFUSED },
  { "two dialects", "[]", "[{'exact':{'id':'7'},'not':{'exact':{'id':'8'}}}]", { 0 }, REFUSED },
  { "no dialect", "[]", "[{}]", { 0 }, REFUSED },
  { "no list", "[]", "{'exact':{'id':'7'}}", { 0 }, REFUSED },
  { "a bad one inside", "[]", "[{'any':[{'exact':{'id':'7'}},{'any':[]}]}]", { 0 }, REFUSED },
};

static EbSubscription *
parse (const Row *row, GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);

  g_string_printf (text,
                   "{'id':'i','sink':'http://h/event','types':%s,'filters':%s,"
                   "'config':{'lease':120,'order':'relaxed','concurrency':1}}",
                   row->types, row->filters);
  g_string_replace (text, "'", "\"", 0);
  return eb_subscription_from_json (text->str, error);
}

static EbEvent *
create_event (const Row *row)
{
  g_autoptr (GBytes) data = g_bytes_new_static ("x", 1);
  g_autoptr (EbDraft) draft = eb_draft_new (data);
  g_autoptr (GError) error = NULL;
  gboolean typed = FALSE;

  for (guint i = 0; row->event[i] != NULL; i += 2)
    {
      eb_draft_set (draft, row->event[i], row->event[i + 1], &error);
      g_assert_no_error (error);
      typed |= g_str_equal (row->event[i], "type");
    }
  if (!typed)
    g_assert_true (eb_draft_set (draft, "type", "t", NULL));
  eb_draft_complete (draft, &error);
  g_assert_no_error (error);
  return eb_event_new (draft, 1, 0);
}

static void
check_row (const Row *row)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (EbSubscription) subscription = parse (row, &error);
  g_autoptr (EbEvent) event = NULL;

  if (row->expected == REFUSED)
    {
      if (subscription != NULL)
        g_error ("“%s”: types %s and filters %s are taken", row->rule, row->types, row->filters);
      g_assert_error (error, EB_ERROR, EB_ERROR_INVALID);
      return;
    }
  g_assert_no_error (error);
  event = create_event (row);
  if (eb_subscription_matches (subscription, event) != (row->expected == MATCHES))
    g_error ("“%s”: types %s and filters %s %s", row->rule, row->types, row->filters,
             row->expected == MATCHES ? "miss" : "match");
}

static void
test_types (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (type_rows); i++)
    check_row (&type_rows[i]);
}

static void
test_filters (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (filter_rows); i++)
    check_row (&filter_rows[i]);
}

static void
test_refused_filters (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (refused_filter_rows); i++)
    check_row (&refused_filter_rows[i]);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/matching/types", test_types);
  g_test_add_func ("/matching/filters", test_filters);
  g_test_add_func ("/matching/refused-filters", test_refused_filters);
  return g_test_run ();
}
