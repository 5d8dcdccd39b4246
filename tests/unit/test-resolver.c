/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "support/eb-resolver-fixture.h"

/* Names that are found, remembered, shared and not found. */

typedef EbResolverFixture Fixture;

static void
test_remembers (Fixture *f, gconstpointer data)
{
  eb_resolver_fixture_assert_found (f, "both.test", "2001:db8::6 192.0.2.4");
  eb_resolver_fixture_assert_found (f, "both.test", "2001:db8::6 192.0.2.4");
  eb_resolver_fixture_assert_found (f, "BOTH.Test", "2001:db8::6 192.0.2.4");
  g_assert_cmpuint (eb_fake_name_servers_count (&f->servers), ==, 1);
  eb_resolver_fixture_assert_found (f, "four.test", "192.0.2.4");
  g_assert_cmpuint (eb_fake_name_servers_count (&f->servers), ==, 2);

  eb_fake_clock_advance (f->clock, 30 * G_TIME_SPAN_SECOND - 1);
  eb_resolver_fixture_assert_found (f, "both.test", "2001:db8::6 192.0.2.4");
  g_assert_cmpuint (eb_fake_name_servers_count (&f->servers), ==, 2);
  eb_fake_clock_advance (f->clock, 1);
  eb_resolver_fixture_assert_found (f, "both.test", "2001:db8::6 192.0.2.4");
  g_assert_cmpuint (eb_fake_name_servers_count (&f->servers), ==, 3);
}

static void
test_remembers_missing (Fixture *f, gconstpointer data)
{
  eb_resolver_fixture_assert_missing (f, "missing.test");
  eb_fake_clock_advance (f->clock, 2 * G_TIME_SPAN_SECOND - 1);
  eb_resolver_fixture_assert_missing (f, "missing.test");
  g_assert_cmpuint (eb_fake_name_servers_count (&f->servers), ==, 1);
  eb_fake_clock_advance (f->clock, 1);
  eb_resolver_fixture_assert_missing (f, "missing.test");
  g_assert_cmpuint (eb_fake_name_servers_count (&f->servers), ==, 2);
}

/* GResolver's own doing, which the bus relies on. */
static void
test_localhost (Fixture *f, gconstpointer data)
{
  eb_resolver_fixture_assert_found (f, "localhost", "::1 127.0.0.1");
  eb_resolver_fixture_assert_found (f, "LocalHost.", "::1 127.0.0.1");
  eb_resolver_fixture_assert_found (f, "a.b.localhost", "::1 127.0.0.1");
  g_assert_cmpuint (eb_fake_name_servers_count (&f->servers), ==, 0);
  eb_resolver_fixture_assert_found (f, "notlocalhost", "2001:db8::6 192.0.2.4");
  g_assert_cmpuint (eb_fake_name_servers_count (&f->servers), ==, 1);
}

static void
test_one_lookup (Fixture *f, gconstpointer data)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_auto (EbQuestion) first = { 0 }, second = { 0 }, other = { 0 };

  eb_resolver_fixture_ask (f, "held.test", cancellable, &first);
  eb_resolver_fixture_ask (f, "held.test", NULL, &second);
  eb_fake_name_servers_wait (&f->servers, 1);
  eb_resolver_fixture_ask (f, "four.test", NULL, &other);
  eb_question_assert_addresses (&other, "192.0.2.4");

  /* One asker leaves; the other does not notice. */
  g_cancellable_cancel (cancellable);
  g_assert_false (first.answered);
  eb_question_wait (&first);
  g_assert_error (first.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_false (second.answered);
  eb_fake_name_servers_let_go (&f->servers);
  eb_question_assert_addresses (&second, "2001:db8::6 192.0.2.4");
  g_assert_cmpuint (eb_fake_name_servers_count (&f->servers), ==, 2);
}

static void
test_cancelled_before (Fixture *f, gconstpointer data)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_auto (EbQuestion) question = { 0 };

  g_cancellable_cancel (cancellable);
  eb_resolver_fixture_ask (f, "four.test", cancellable, &question);
  eb_question_wait (&question);
  g_assert_error (question.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

static void
test_cache_bound (Fixture *f, gconstpointer data)
{
  const guint bound = 4096;

  for (guint i = 0; i <= bound; i++)
    {
      g_autofree char *name = g_strdup_printf ("four%u.test", i);

      eb_resolver_fixture_assert_found (f, name, "192.0.2.4");
    }
  g_assert_cmpuint (eb_fake_name_servers_count (&f->servers), ==, bound + 1);
  eb_resolver_fixture_assert_found (f, "four1.test", "192.0.2.4");
  g_assert_cmpuint (eb_fake_name_servers_count (&f->servers), ==, bound + 1);
  eb_resolver_fixture_assert_found (f, "four0.test", "192.0.2.4");
  g_assert_cmpuint (eb_fake_name_servers_count (&f->servers), ==, bound + 2);
}

static void
flagged_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  EbQuestion *question = user_data;
  GList *addresses =
      g_resolver_lookup_by_name_with_flags_finish (G_RESOLVER (source), result, &question->error);

  eb_question_answer (question, addresses);
}

static void
test_families (Fixture *f, gconstpointer data)
{
  g_auto (EbQuestion) four = { 0 }, six = { 0 }, none = { 0 };

  g_resolver_lookup_by_name_with_flags_async (
      f->resolver, "both.test", G_RESOLVER_NAME_LOOKUP_FLAGS_IPV4_ONLY, NULL, flagged_cb, &four);
  g_resolver_lookup_by_name_with_flags_async (
      f->resolver, "both.test", G_RESOLVER_NAME_LOOKUP_FLAGS_IPV6_ONLY, NULL, flagged_cb, &six);
  g_resolver_lookup_by_name_with_flags_async (
      f->resolver, "four.test", G_RESOLVER_NAME_LOOKUP_FLAGS_IPV6_ONLY, NULL, flagged_cb, &none);
  eb_question_assert_addresses (&four, "192.0.2.4");
  eb_question_assert_addresses (&six, "2001:db8::6");
  eb_question_wait (&none);
  g_assert_error (none.error, G_RESOLVER_ERROR, G_RESOLVER_ERROR_NOT_FOUND);
  g_assert_cmpuint (eb_fake_name_servers_count (&f->servers), ==, 2);
}

static gpointer
thread_cb (gpointer user_data)
{
  Fixture *f = user_data;
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_auto (EbQuestion) question = { 0 };

  g_main_context_push_thread_default (context);
  eb_resolver_fixture_ask (f, "both.test", NULL, &question);
  eb_question_assert_addresses (&question, "2001:db8::6 192.0.2.4");
  g_assert_true (question.context == context);
  g_main_context_pop_thread_default (context);
  return NULL;
}

static void
test_threads (Fixture *f, gconstpointer data)
{
  GThread *threads[8];

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("asker", thread_cb, f);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  g_assert_cmpuint (eb_fake_name_servers_count (&f->servers), ==, 1);
}

static void
test_synchronous (Fixture *f, gconstpointer data)
{
  g_auto (EbQuestion) question = { 0 };

  eb_question_answer (&question,
                      g_resolver_lookup_by_name (f->resolver, "four.test", NULL, &question.error));
  eb_question_assert_addresses (&question, "192.0.2.4");
}

static void
test_real (void)
{
  g_autoptr (EbFakeClock) clock = eb_fake_clock_new ();
  Fixture f = { .clock = clock, .resolver = eb_resolver_new (EB_CLOCK (clock), NULL, NULL) };

  g_auto (EbQuestion) literal = { 0 };

  eb_resolver_fixture_ask (&f, "127.0.0.1", NULL, &literal);
  eb_question_assert_addresses (&literal, "127.0.0.1");
  g_object_unref (f.resolver);
}

#define ADD(path, func)                                                                            \
  g_test_add ("/resolver/" path, Fixture, NULL, eb_resolver_fixture_set_up, func,                  \
              eb_resolver_fixture_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  ADD ("remembers", test_remembers);
  ADD ("remembers-missing", test_remembers_missing);
  ADD ("localhost", test_localhost);
  ADD ("one-lookup", test_one_lookup);
  ADD ("cancelled-before", test_cancelled_before);
  ADD ("cache-bound", test_cache_bound);
  ADD ("families", test_families);
  ADD ("threads", test_threads);
  ADD ("synchronous", test_synchronous);
  g_test_add_func ("/resolver/real", test_real);

  return g_test_run ();
}
