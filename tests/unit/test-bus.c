/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "support/eb-bus-fixture.h"
#include "support/eb-test-wait.h"

/* Those who register by address, and what is published to them. */

typedef EbBusFixture Fixture;

static gboolean
publish (Fixture *fixture, const char *text, GError **error)
{
  g_autoptr (GPtrArray) drafts = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_draft_free);
  g_autoptr (GBytes) data = g_bytes_new (text, strlen (text));
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GArray) receipts = NULL;

  g_ptr_array_add (drafts, eb_draft_new (data));
  eb_bus_publish_async (fixture->bus, drafts, eb_test_result_cb, &result);
  receipts = eb_bus_publish_finish (fixture->bus, eb_test_wait_for_result (&result), error);
  return receipts != NULL;
}

static void
test_registration (Fixture *fixture, gconstpointer data)
{
  g_assert_true (eb_bus_fixture_register (fixture, "a:1", NULL));
  g_assert_true (publish (fixture, "x", NULL));
  eb_fake_sinks_wait (fixture->sinks, "http://a:1/event", 1);
  g_assert_true (eb_bus_fixture_register (fixture, "a:1", NULL));
  g_assert_true (eb_bus_fixture_deregister (fixture, "a:1", NULL));
  g_assert_true (eb_bus_fixture_deregister (fixture, "a:1", NULL));
  g_assert_cmpstr (fixture->told->str, ==, "+a:1 -a:1(deregistered) ");
  g_assert_cmpuint (eb_bus_fixture_count_stored (fixture), ==, 0);
}

static void
test_leases (Fixture *fixture, gconstpointer data)
{
  g_assert_true (eb_bus_fixture_register (fixture, "a:1", NULL));
  g_assert_true (eb_bus_fixture_register (fixture, "b:1", NULL));
  eb_fake_clock_advance (fixture->clock, 100 * SECOND);
  g_assert_true (eb_bus_fixture_register (fixture, "b:1", NULL));
  eb_fake_clock_advance (fixture->clock, 20 * SECOND);
  eb_bus_fixture_run ();
  g_assert_cmpstr (fixture->told->str, ==, "+a:1 +b:1 -a:1(expired) ");
}

static void
test_refusals (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) invalid = NULL;
  g_autoptr (GError) forbidden = NULL;
  g_autoptr (GError) limit = NULL;
  g_autoptr (GError) large = NULL;
  g_autoptr (EbAddressPolicy) policy = eb_address_policy_new (NULL, NULL, NULL, NULL);
  const EbBusLimits limits = { 120 * SECOND, 3, 10 };

  eb_bus_configure (fixture->bus, &limits, policy);
  g_assert_false (eb_bus_fixture_register (fixture, "127.1", &invalid));
  g_assert_error (invalid, EB_ERROR, EB_ERROR_INVALID);
  g_assert_false (eb_bus_fixture_register (fixture, "169.254.169.254", &forbidden));
  g_assert_error (forbidden, EB_ERROR, EB_ERROR_FORBIDDEN);
  g_assert_true (eb_bus_fixture_register (fixture, "a:1", NULL));
  g_assert_true (eb_bus_fixture_register (fixture, "b:1", NULL));
  g_assert_true (eb_bus_fixture_register (fixture, "c:1", NULL));
  g_assert_false (eb_bus_fixture_register (fixture, "d:1", &limit));
  g_assert_error (limit, EB_ERROR, EB_ERROR_LIMIT);
  g_assert_true (eb_bus_fixture_register (fixture, "c:1", NULL));
  g_assert_true (publish (fixture, "0123456789", NULL));
  g_assert_false (publish (fixture, "0123456789a", &large));
  g_assert_error (large, EB_ERROR, EB_ERROR_TOO_LARGE);
}

static void
test_drain (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) closed = NULL;
  g_autoptr (GError) closed_too = NULL;

  g_assert_true (eb_bus_fixture_register (fixture, "a:1", NULL));
  eb_fake_sinks_set (fixture->sinks, "http://a:1/event", EB_FAKE_KEEP);
  g_assert_true (publish (fixture, "x", NULL));
  eb_fake_sinks_wait (fixture->sinks, "http://a:1/event", 1);
  eb_bus_drain_async (fixture->bus, EB_DRAIN_DELIVER, 4 * SECOND, eb_test_result_cb, &result);
  g_assert_false (publish (fixture, "y", &closed));
  g_assert_error (closed, EB_ERROR, EB_ERROR_CLOSED);
  g_assert_false (eb_bus_fixture_register (fixture, "b:1", &closed_too));
  g_assert_error (closed_too, EB_ERROR, EB_ERROR_CLOSED);
  g_assert_null (result);
  eb_fake_clock_advance (fixture->clock, 4 * SECOND);
  eb_bus_drain_finish (fixture->bus, eb_test_wait_for_result (&result));
}

static void
test_list (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GPtrArray) list = NULL;
  const EbSubscriber *first;

  g_assert_true (eb_bus_fixture_register (fixture, "b:1/p", NULL));
  g_assert_true (eb_bus_fixture_register (fixture, "a:1", NULL));
  list = eb_bus_list_subscribers (fixture->bus);
  g_assert_cmpuint (list->len, ==, 2);
  first = g_ptr_array_index (list, 0);
  g_assert_cmpstr (first->label, ==, "a:1");
  g_assert_cmpint (first->renewed_us, ==, eb_clock_get_real (EB_CLOCK (fixture->clock)));
}

typedef struct
{
  Fixture *fixture;
  const char *what;
} Told;

static gboolean
has_told (gpointer data)
{
  const Told *told = data;

  return g_str_equal (told->fixture->told->str, told->what);
}

/* A sink answers 410, registers again at once, and is heard the other way round. */
static void
test_registering_again (Fixture *fixture, gconstpointer data)
{
  static const char uri[] = "http://a:1/event";

  g_assert_true (eb_bus_fixture_register (fixture, "a:1", NULL));
  eb_fake_clock_advance (fixture->clock, SECOND);
  eb_fake_sinks_set (fixture->sinks, uri, EB_FAKE_ANSWER_410);
  g_assert_true (publish (fixture, "one", NULL));
  while (eb_fake_sinks_count (fixture->sinks, uri) == 0)
    g_thread_yield (); /* without a turn of the context, which would tell that it is gone */
  eb_fake_clock_advance (fixture->clock, 1);
  g_assert_true (eb_bus_fixture_register (fixture, "a:1", NULL));
  eb_test_wait_for (has_told, &(Told){ fixture, "+a:1 -a:1(answered 410 Gone) +a:1 " });
  g_assert_cmpuint (eb_bus_fixture_count_stored (fixture), ==, 1);

  /* But who has not is gone. */
  g_assert_true (publish (fixture, "two", NULL));
  eb_test_wait_for (has_told, &(Told){ fixture, "+a:1 -a:1(answered 410 Gone) +a:1 "
                                                "-a:1(answered 410 Gone) " });
}

#define ADD(path, func)                                                                            \
  g_test_add ("/bus/" path, Fixture, NULL, eb_bus_fixture_set_up, func, eb_bus_fixture_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* Warnings are not fatal: a sink that refuses is warned of. */
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);

  ADD ("registration", test_registration);
  ADD ("leases", test_leases);
  ADD ("registering-again", test_registering_again);
  ADD ("refusals", test_refusals);
  ADD ("drain", test_drain);
  ADD ("list", test_list);

  return g_test_run ();
}
