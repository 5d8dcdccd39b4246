/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "core/eb-filter.h"

#include "core/eb-error.h"
#include "core/eb-subscription.h"

static EbEvent *
new_event (const char *type, const char *subject)
{
  g_autoptr (GBytes) data = g_bytes_new_static ("x", 1);
  g_autoptr (EbDraft) draft = eb_draft_new (data);
  g_autoptr (GError) error = NULL;

  g_assert_true (eb_draft_set (draft, "type", type, &error));
  g_assert_true (eb_draft_set (draft, "source", "/s", &error));
  if (subject != NULL)
    g_assert_true (eb_draft_set (draft, "subject", subject, &error));
  g_assert_true (eb_draft_complete (draft, &error));
  return eb_event_new (draft, 1, 0);
}

static EbFilter *
new_term (EbFilterDialect dialect, const char *name, const char *value)
{
  EbFilter *self = eb_filter_new (dialect);
  g_autoptr (GError) error = NULL;

  eb_filter_add_attribute (self, name, value, &error);
  g_assert_no_error (error);
  g_assert_true (eb_filter_check (self, NULL));
  return self;
}

/* Takes the children. */
static EbFilter *
new_node (EbFilterDialect dialect, EbFilter *first, EbFilter *second)
{
  EbFilter *self = eb_filter_new (dialect);
  g_autoptr (GError) error = NULL;

  g_assert_true (eb_filter_add_child (self, first, &error));
  if (second != NULL)
    g_assert_true (eb_filter_add_child (self, second, &error));
  g_assert_true (eb_filter_check (self, NULL));
  eb_filter_unref (first);
  g_clear_pointer (&second, eb_filter_unref);
  return self;
}

static void
assert_match (EbFilter *owned, const char *subject, gboolean expected)
{
  g_autoptr (EbFilter) filter = owned;
  g_autoptr (EbEvent) event = new_event ("com.example.t", subject);

  g_assert_cmpint (eb_filter_match (filter, event), ==, expected);
}

static void
test_dialects (void)
{
  static const struct
  {
    EbFilterDialect dialect;
    const char *name;
    const char *value;
    const char *subject;
    gboolean matches;
  } cases[] = {
    { EB_FILTER_EXACT, "subject", "eu/1", "eu/1", TRUE },
    { EB_FILTER_EXACT, "subject", "eu/1", "eu/12", FALSE },
    { EB_FILTER_EXACT, "subject", "eu/1", "EU/1", FALSE },
    { EB_FILTER_EXACT, "subject", "eu/1", NULL, FALSE },
    { EB_FILTER_EXACT, "type", "com.example.t", NULL, TRUE },
    { EB_FILTER_EXACT, "source", "/s", NULL, TRUE },
    { EB_FILTER_EXACT, "specversion", "1.0", NULL, TRUE },
    { EB_FILTER_PREFIX, "subject", "eu/", "eu/1", TRUE },
    { EB_FILTER_PREFIX, "subject", "eu/1", "eu/1", TRUE },
    { EB_FILTER_PREFIX, "subject", "eu/1", "eu/", FALSE },
    { EB_FILTER_PREFIX, "subject", "u/", "eu/1", FALSE },
    { EB_FILTER_PREFIX, "subject", "eu/", NULL, FALSE },
    { EB_FILTER_SUFFIX, "subject", "/1", "eu/1", TRUE },
    { EB_FILTER_SUFFIX, "subject", "eu/1", "eu/1", TRUE },
    { EB_FILTER_SUFFIX, "subject", "/", "eu/1", FALSE },
    { EB_FILTER_SUFFIX, "subject", "xeu/1", "eu/1", FALSE },
    { EB_FILTER_SUFFIX, "subject", "/1", NULL, FALSE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      EbFilter *filter = new_term (cases[i].dialect, cases[i].name, cases[i].value);
      EbFilter *same = new_term (cases[i].dialect, cases[i].name, cases[i].value);

      assert_match (filter, cases[i].subject, cases[i].matches);
      assert_match (new_node (EB_FILTER_NOT, same, NULL), cases[i].subject, !cases[i].matches);
    }
}

static void
test_attributes_and (void)
{
  EbFilter *both = new_term (EB_FILTER_EXACT, "subject", "a");
  EbFilter *one = new_term (EB_FILTER_EXACT, "subject", "a");

  g_assert_true (eb_filter_add_attribute (both, "type", "com.example.t", NULL));
  g_assert_true (eb_filter_add_attribute (one, "type", "other", NULL));
  assert_match (both, "a", TRUE);
  assert_match (one, "a", FALSE);
}

static void
test_combine (void)
{
  for (guint mask = 0; mask < 4; mask++)
    {
      const char *first = mask & 1 ? "a" : "x", *second = mask & 2 ? "a" : "y";

      assert_match (new_node (EB_FILTER_ALL, new_term (EB_FILTER_EXACT, "subject", first),
                              new_term (EB_FILTER_EXACT, "subject", second)),
                    "a", mask == 3);
      assert_match (new_node (EB_FILTER_ANY, new_term (EB_FILTER_EXACT, "subject", first),
                              new_term (EB_FILTER_EXACT, "subject", second)),
                    "a", mask != 0);
    }
}

static void
test_incomplete (void)
{
  for (EbFilterDialect dialect = EB_FILTER_EXACT; dialect <= EB_FILTER_NOT; dialect++)
    {
      g_autoptr (EbFilter) filter = eb_filter_new (dialect);
      g_autoptr (EbFilter) parent = eb_filter_new (EB_FILTER_ANY);
      g_autoptr (GError) error = NULL;

      g_assert_false (eb_filter_check (filter, &error));
      g_assert_error (error, EB_ERROR, EB_ERROR_INVALID);
      g_assert_false (eb_filter_add_child (parent, filter, NULL));
    }
}

static void
test_refused (void)
{
  g_autoptr (EbFilter) exact = new_term (EB_FILTER_EXACT, "subject", "a");
  g_autoptr (EbFilter) term = new_term (EB_FILTER_EXACT, "subject", "a");
  g_autoptr (EbFilter) not = eb_filter_new (EB_FILTER_NOT);
  const char *const bad_names[] = { "", "Subject", "a-b", "a b", "\xc3\xbc" };

  for (gsize i = 0; i < G_N_ELEMENTS (bad_names); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_false (eb_filter_add_attribute (exact, bad_names[i], "x", &error));
      g_assert_error (error, EB_ERROR, EB_ERROR_INVALID);
    }
  g_assert_false (eb_filter_add_attribute (exact, "type", "", NULL));
  g_assert_false (eb_filter_add_attribute (exact, "subject", "b", NULL));
  g_assert_false (eb_filter_add_child (exact, term, NULL));
  g_assert_false (eb_filter_add_attribute (not, "subject", "b", NULL));
  g_assert_true (eb_filter_add_child (not, term, NULL));
  g_assert_false (eb_filter_add_child (not, exact, NULL));

  /* Still what it was. */
  assert_match (g_steal_pointer (&exact), "a", TRUE);
}

static void
test_bounds (void)
{
  EbFilter *chain = new_term (EB_FILTER_EXACT, "subject", "a");
  g_autoptr (EbFilter) parent = eb_filter_new (EB_FILTER_NOT);
  g_autoptr (EbFilter) wide = eb_filter_new (EB_FILTER_ANY);
  g_autoptr (EbFilter) wider = eb_filter_new (EB_FILTER_ALL);
  g_autoptr (GError) error = NULL;
  guint n_children = 0;

  for (guint depth = 2; depth <= EB_MAX_FILTER_DEPTH; depth++)
    chain = new_node (EB_FILTER_NOT, chain, NULL);
  g_assert_false (eb_filter_add_child (parent, chain, &error));
  g_assert_error (error, EB_ERROR, EB_ERROR_INVALID);
  assert_match (chain, "a", EB_MAX_FILTER_DEPTH % 2 == 1);
  g_clear_error (&error);

  for (gboolean taken = TRUE; taken; n_children++)
    {
      g_autoptr (EbFilter) term = new_term (EB_FILTER_EXACT, "subject", "b");

      taken = eb_filter_add_child (wide, term, &error);
      g_assert_cmpuint (n_children, <, 1000);
    }
  g_assert_error (error, EB_ERROR, EB_ERROR_INVALID);
  g_assert_cmpuint (n_children, >, 100);

  /* Children that are shared count as often as they are asked. */
  g_assert_true (eb_filter_add_child (wider, wide, NULL));
  g_assert_false (eb_filter_add_child (wider, wide, NULL));
}

static void
test_names (void)
{
  const char *const names[] = { "exact", "prefix", "suffix", "all", "any", "not" };
  EbFilterDialect dialect;

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_assert_true (eb_filter_dialect_from_string (names[i], &dialect));
      g_assert_cmpuint (dialect, ==, i);
    }
  g_assert_false (eb_filter_dialect_from_string ("sql", &dialect));
  g_assert_false (eb_filter_dialect_from_string ("Exact", &dialect));
  g_assert_false (eb_filter_dialect_from_string ("", &dialect));
}

static void
test_subscription (void)
{
  g_autoptr (EbSink) sink = eb_sink_new_for_address ("h", NULL);
  g_autoptr (EbFilter) filter = new_term (EB_FILTER_EXACT, "subject", "a");
  const char *const types[] = { "com.example.*", NULL };
  const EbSubscriptionSpec spec = {
    "id", sink, types, filter, G_TIME_SPAN_MINUTE, 3, EB_ORDER_RELAXED, TRUE
  };
  g_autoptr (GError) error = NULL;
  g_autoptr (EbSubscription) subscription = eb_subscription_new (&spec, &error);
  g_autoptr (EbEvent) wanted = new_event ("com.example.t", "a");
  g_autoptr (EbEvent) other_type = new_event ("com.example", "a");
  g_autoptr (EbEvent) other_subject = new_event ("com.example.t", "b");

  g_assert_no_error (error);
  g_assert_cmpstr (eb_subscription_get_id (subscription), ==, "id");
  g_assert_true (eb_subscription_get_sink (subscription) == sink);
  g_assert_cmpint (eb_subscription_get_lease (subscription), ==, G_TIME_SPAN_MINUTE);
  g_assert_cmpuint (eb_subscription_get_concurrency (subscription), ==, 3);
  g_assert_true (eb_subscription_is_ephemeral (subscription));
  g_assert_true (eb_subscription_matches (subscription, wanted));
  g_assert_false (eb_subscription_matches (subscription, other_type));
  g_assert_false (eb_subscription_matches (subscription, other_subject));
}

static void
assert_spec_refused (const EbSubscriptionSpec *spec)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (eb_subscription_new (spec, &error));
  g_assert_error (error, EB_ERROR, EB_ERROR_INVALID);
}

static void
test_subscription_refused (void)
{
  g_autoptr (EbSink) sink = eb_sink_new_for_address ("h", NULL);
  g_autoptr (EbFilter) incomplete = eb_filter_new (EB_FILTER_ALL);
  g_autofree char *longest = g_strnfill (2100, 'i');
  g_autofree char *longer = g_strnfill (2101, 'i');
  const char *const all[] = { ">", NULL }, *const bad[] = { "a..b", NULL };
  const EbSubscriptionSpec good = { longest, sink, all, NULL, 0, 1, EB_ORDER_RELAXED, FALSE };
  g_autoptr (EbSubscription) subscription = eb_subscription_new (&good, NULL);
  g_autoptr (EbEvent) event = new_event ("a..b", NULL);

  g_assert_nonnull (subscription);
  g_assert_true (eb_subscription_matches (subscription, event));
  g_assert_false (eb_subscription_is_ephemeral (subscription));
  assert_spec_refused (&(EbSubscriptionSpec){ "", sink, all, NULL, 0, 1, EB_ORDER_RELAXED, FALSE });
  assert_spec_refused (
      &(EbSubscriptionSpec){ longer, sink, all, NULL, 0, 1, EB_ORDER_RELAXED, FALSE });
  assert_spec_refused (
      &(EbSubscriptionSpec){ "\xff", sink, all, NULL, 0, 1, EB_ORDER_RELAXED, FALSE });
  assert_spec_refused (
      &(EbSubscriptionSpec){ "i", sink, bad, NULL, 0, 1, EB_ORDER_RELAXED, FALSE });
  assert_spec_refused (
      &(EbSubscriptionSpec){ "i", sink, all, incomplete, 0, 1, EB_ORDER_RELAXED, FALSE });
  assert_spec_refused (
      &(EbSubscriptionSpec){ "i", sink, all, NULL, -1, 1, EB_ORDER_RELAXED, FALSE });
  assert_spec_refused (
      &(EbSubscriptionSpec){ "i", sink, all, NULL, 0, 0, EB_ORDER_RELAXED, FALSE });
  assert_spec_refused (&(EbSubscriptionSpec){ "i", sink, all, NULL, 0, 2, EB_ORDER_STRICT, FALSE });
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/filter/dialects", test_dialects);
  g_test_add_func ("/filter/attributes-and", test_attributes_and);
  g_test_add_func ("/filter/combine", test_combine);
  g_test_add_func ("/filter/incomplete", test_incomplete);
  g_test_add_func ("/filter/refused", test_refused);
  g_test_add_func ("/filter/bounds", test_bounds);
  g_test_add_func ("/filter/names", test_names);
  g_test_add_func ("/filter/subscription", test_subscription);
  g_test_add_func ("/filter/subscription-refused", test_subscription_refused);
  return g_test_run ();
}
