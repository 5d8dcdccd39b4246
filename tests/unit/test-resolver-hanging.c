/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include <string.h>

#include "support/eb-resolver-fixture.h"

/* Name servers that hang: who waits for them, and who need not. */

typedef EbResolverFixture Fixture;

/* Threads that names of which nothing is known may take, and those that hung before. */
#define FOR_NEW  48
#define FOR_SLOW 16

/* A lookup that takes so long hangs. */
#define HANGS_AFTER (3 * G_TIME_SPAN_SECOND)

/* Asks for “held0.test” and on. */
static EbQuestion *
ask_held (Fixture *f, guint n)
{
  EbQuestion *held = g_new0 (EbQuestion, n);

  for (guint i = 0; i < n; i++)
    {
      g_autofree char *name = g_strdup_printf ("held%u.test", i);

      eb_resolver_fixture_ask (f, name, NULL, &held[i]);
    }
  return held;
}

static void
assert_held (EbQuestion *held, guint n)
{
  for (guint i = 0; i < n; i++)
    {
      eb_question_assert_addresses (&held[i], "2001:db8::6 192.0.2.4");
      eb_question_clear (&held[i]);
    }
  g_free (held);
}

static void
assert_refused (Fixture *f, const char *name, const char *why)
{
  g_auto (EbQuestion) question = { 0 };

  eb_resolver_fixture_ask (f, name, NULL, &question);
  eb_question_wait (&question);
  g_assert_error (question.error, G_RESOLVER_ERROR, G_RESOLVER_ERROR_TEMPORARY_FAILURE);
  g_assert_nonnull (strstr (question.error->message, name));
  g_assert_nonnull (strstr (question.error->message, why));
}

/* New names that hang take all threads there are for new names. Others wait; those that nobody
 * waits for any more are not looked up; and names that were found before are found again. */
static void
test_hanging (Fixture *f, gconstpointer data)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_auto (EbQuestion) left = { 0 }, waiting = { 0 };
  EbQuestion *held;

  eb_resolver_fixture_assert_found (f, "four.test", "192.0.2.4");
  eb_fake_clock_advance (f->clock, 30 * G_TIME_SPAN_SECOND);
  held = ask_held (f, FOR_NEW);
  eb_fake_name_servers_wait (&f->servers, FOR_NEW);
  eb_resolver_fixture_ask (f, "left.test", cancellable, &left);
  eb_resolver_fixture_ask (f, "waiting.test", NULL, &waiting);
  g_cancellable_cancel (cancellable);
  eb_question_wait (&left);
  eb_resolver_fixture_assert_found (f, "four.test", "192.0.2.4");
  g_assert_false (waiting.answered);

  eb_fake_name_servers_let_go (&f->servers);
  eb_question_assert_addresses (&waiting, "2001:db8::6 192.0.2.4");
  assert_held (held, FOR_NEW);
  g_assert_cmpuint (eb_fake_name_servers_count (&f->servers), ==, 2 + FOR_NEW + 1);
}

/* Once no thread can be hoped for, nobody is left to wait for one. */
static void
test_all_hang (Fixture *f, gconstpointer data)
{
  EbQuestion *held = ask_held (f, FOR_NEW);

  eb_fake_name_servers_wait (&f->servers, FOR_NEW);
  eb_fake_clock_advance (f->clock, HANGS_AFTER);
  assert_refused (f, "four.test", "48 lookups hang");
  eb_fake_name_servers_let_go (&f->servers);
  assert_held (held, FOR_NEW);
  eb_resolver_fixture_assert_found (f, "four.test", "192.0.2.4");
}

/* Names that hung before take a few threads; one that answers at once is like any other again. */
static void
test_slow (Fixture *f, gconstpointer data)
{
  EbQuestion *held = ask_held (f, FOR_SLOW + 1);

  eb_fake_name_servers_wait (&f->servers, FOR_SLOW + 1);
  eb_fake_clock_advance (f->clock, HANGS_AFTER);
  eb_fake_name_servers_let_go (&f->servers);
  assert_held (held, FOR_SLOW + 1);

  eb_fake_name_servers_hold (&f->servers);
  eb_fake_clock_advance (f->clock, 30 * G_TIME_SPAN_SECOND);
  held = ask_held (f, FOR_SLOW);
  eb_fake_name_servers_wait (&f->servers, FOR_SLOW);
  assert_refused (f, "held16.test", "took more than 3 s the last time");
  eb_resolver_fixture_assert_found (f, "four.test", "192.0.2.4");
  eb_fake_name_servers_let_go (&f->servers);
  assert_held (held, FOR_SLOW);
  eb_resolver_fixture_assert_found (f, "held16.test", "2001:db8::6 192.0.2.4");

  eb_fake_name_servers_hold (&f->servers);
  eb_fake_clock_advance (f->clock, 30 * G_TIME_SPAN_SECOND);
  held = ask_held (f, FOR_SLOW + 1);
  eb_fake_name_servers_wait (&f->servers, FOR_SLOW + 1);
  eb_fake_name_servers_let_go (&f->servers);
  assert_held (held, FOR_SLOW + 1);
}

/* A name that hangs takes one thread, however often those who ask for it give up. */
static void
test_given_up (Fixture *f, gconstpointer data)
{
  g_auto (EbQuestion) late = { 0 };

  for (guint i = 0; i <= FOR_NEW; i++)
    {
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      g_auto (EbQuestion) question = { 0 };

      eb_resolver_fixture_ask (f, "held.test", cancellable, &question);
      g_cancellable_cancel (cancellable);
      eb_question_wait (&question);
      g_assert_error (question.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
    }
  eb_fake_name_servers_wait (&f->servers, 1);
  eb_resolver_fixture_assert_found (f, "four.test", "192.0.2.4");
  eb_resolver_fixture_ask (f, "held.test", NULL, &late);
  eb_fake_name_servers_let_go (&f->servers);
  eb_question_assert_addresses (&late, "2001:db8::6 192.0.2.4");
  g_assert_cmpuint (eb_fake_name_servers_count (&f->servers), ==, 2);
}

static void
test_waiting_bound (Fixture *f, gconstpointer data)
{
  const guint bound = 1000;
  EbQuestion *held = ask_held (f, bound);
  g_auto (EbQuestion) over = { 0 }, same = { 0 };

  eb_resolver_fixture_ask (f, "over.test", NULL, &over);
  eb_question_wait (&over);
  g_assert_error (over.error, G_RESOLVER_ERROR, G_RESOLVER_ERROR_TEMPORARY_FAILURE);
  eb_resolver_fixture_ask (f, "held999.test", NULL, &same);

  eb_fake_name_servers_let_go (&f->servers);
  assert_held (held, bound);
  eb_question_assert_addresses (&same, "2001:db8::6 192.0.2.4");
  eb_resolver_fixture_assert_found (f, "over.test", "2001:db8::6 192.0.2.4");
}

/* tear_down() finds the resolver gone while its threads hang. */
static void
test_left_hanging (Fixture *f, gconstpointer data)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_auto (EbQuestion) question = { 0 };

  eb_resolver_fixture_ask (f, "held.test", cancellable, &question);
  eb_fake_name_servers_wait (&f->servers, 1);
  g_cancellable_cancel (cancellable);
  eb_question_wait (&question);
}

#define ADD(path, func)                                                                            \
  g_test_add ("/resolver-hanging/" path, Fixture, NULL, eb_resolver_fixture_set_up, func,          \
              eb_resolver_fixture_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  ADD ("hanging", test_hanging);
  ADD ("all-hang", test_all_hang);
  ADD ("slow", test_slow);
  ADD ("given-up", test_given_up);
  ADD ("waiting-bound", test_waiting_bound);
  ADD ("left-hanging", test_left_hanging);

  return g_test_run ();
}
