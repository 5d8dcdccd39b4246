/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-resolver.h"

#include <string.h>

#include "support/eb-fake-clock.h"

/* Far more than any wait here takes, even under a sanitizer on a busy machine. */
#define DEADLINE (60 * G_TIME_SPAN_SECOND)

/* Threads that names of which nothing is known may take, and those that hung before. */
#define FOR_NEW  48
#define FOR_SLOW 16

/* A lookup that takes so long hangs. */
#define HANGS_AFTER (3 * G_TIME_SPAN_SECOND)

/* Name servers of our own: every lookup is counted; those of names that begin with “held” wait
 * until they are let go. */
typedef struct
{
  GMutex lock;
  GCond changed;
  guint n_lookups; /* begun */
  guint n_running;
  gboolean hold; /* names that begin with “held” wait */
} Servers;

typedef struct
{
  EbFakeClock *clock;
  GResolver *resolver;
  Servers servers;
} Fixture;

static GList *
look_up (const char *name, gpointer user_data, GError **error)
{
  Servers *servers = user_data;
  gboolean held = g_str_has_prefix (name, "held");

  g_mutex_lock (&servers->lock);
  servers->n_lookups++;
  servers->n_running++;
  g_cond_broadcast (&servers->changed);
  while (held && servers->hold)
    g_cond_wait (&servers->changed, &servers->lock);
  servers->n_running--;
  g_cond_broadcast (&servers->changed);
  g_mutex_unlock (&servers->lock);

  if (g_str_has_prefix (name, "missing"))
    {
      g_set_error (error, G_RESOLVER_ERROR, G_RESOLVER_ERROR_NOT_FOUND, "no %s", name);
      return NULL;
    }
  if (g_str_has_prefix (name, "four"))
    return g_list_prepend (NULL, g_inet_address_new_from_string ("192.0.2.4"));
  return g_list_prepend (g_list_prepend (NULL, g_inet_address_new_from_string ("192.0.2.4")),
                         g_inet_address_new_from_string ("2001:db8::6"));
}

static void
wait_for_running (Servers *servers, guint n)
{
  gint64 end = g_get_monotonic_time () + DEADLINE;

  g_mutex_lock (&servers->lock);
  while (servers->n_running != n)
    if (!g_cond_wait_until (&servers->changed, &servers->lock, end))
      g_error ("%u lookups run, not %u", servers->n_running, n);
  g_mutex_unlock (&servers->lock);
}

static void
let_go (Servers *servers)
{
  g_mutex_lock (&servers->lock);
  servers->hold = FALSE;
  g_cond_broadcast (&servers->changed);
  g_mutex_unlock (&servers->lock);
}

static void
hold (Servers *servers)
{
  g_mutex_lock (&servers->lock);
  servers->hold = TRUE;
  g_mutex_unlock (&servers->lock);
}

static guint
count_lookups (Servers *servers)
{
  guint n;

  g_mutex_lock (&servers->lock);
  n = servers->n_lookups;
  g_mutex_unlock (&servers->lock);
  return n;
}

static void
set_up (Fixture *f, gconstpointer data)
{
  g_mutex_init (&f->servers.lock);
  g_cond_init (&f->servers.changed);
  f->servers.hold = TRUE;
  f->clock = eb_fake_clock_new ();
  f->resolver = eb_resolver_new (EB_CLOCK (f->clock), look_up, &f->servers);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_object_unref (f->resolver);
  let_go (&f->servers);
  wait_for_running (&f->servers, 0);
  g_object_unref (f->clock);
}

/* One question, and its answer once that came. */
typedef struct
{
  gboolean answered;
  GMainContext *context; /* (unowned): whose thread was told */
  char *addresses;       /* (owned) (nullable): joined with spaces */
  GError *error;         /* (owned) (nullable) */
} Question;

static void
question_clear (Question *self)
{
  g_clear_pointer (&self->addresses, g_free);
  g_clear_error (&self->error);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Question, question_clear)

static char *
join (GList *addresses)
{
  GString *joined = g_string_new (NULL);

  for (GList *l = addresses; l != NULL; l = l->next)
    {
      g_autofree char *address = g_inet_address_to_string (l->data);

      g_string_append_printf (joined, "%s%s", joined->len > 0 ? " " : "", address);
    }
  return g_string_free (joined, FALSE);
}

static void
answered_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Question *question = user_data;
  GList *addresses =
      g_resolver_lookup_by_name_finish (G_RESOLVER (source), result, &question->error);

  g_assert_false (question->answered);
  question->answered = TRUE;
  question->context = g_main_context_ref_thread_default ();
  g_main_context_unref (question->context);
  if (addresses != NULL)
    question->addresses = join (addresses);
  g_resolver_free_addresses (addresses);
}

static void
ask (Fixture *f, const char *name, GCancellable *cancellable, Question *question)
{
  g_resolver_lookup_by_name_async (f->resolver, name, cancellable, answered_cb, question);
  g_assert_false (question->answered);
}

static gboolean
late_cb (gpointer user_data)
{
  g_error ("no answer came");
  return G_SOURCE_REMOVE;
}

static void
wait_for_answer (Question *question)
{
  GMainContext *context = g_main_context_get_thread_default ();
  g_autoptr (GSource) late = g_timeout_source_new (DEADLINE / 1000);

  g_source_set_callback (late, late_cb, NULL, NULL);
  g_source_attach (late, context);
  while (!question->answered)
    g_main_context_iteration (context, TRUE);
  g_source_destroy (late);
}

static void
assert_addresses (Question *question, const char *addresses)
{
  wait_for_answer (question);
  g_assert_no_error (question->error);
  g_assert_cmpstr (question->addresses, ==, addresses);
}

static void
assert_found (Fixture *f, const char *name, const char *addresses)
{
  g_auto (Question) question = { 0 };

  ask (f, name, NULL, &question);
  assert_addresses (&question, addresses);
}

static void
assert_missing (Fixture *f, const char *name)
{
  g_auto (Question) question = { 0 };

  ask (f, name, NULL, &question);
  wait_for_answer (&question);
  g_assert_error (question.error, G_RESOLVER_ERROR, G_RESOLVER_ERROR_NOT_FOUND);
}

static void
test_remembers (Fixture *f, gconstpointer data)
{
  assert_found (f, "both.test", "2001:db8::6 192.0.2.4");
  assert_found (f, "both.test", "2001:db8::6 192.0.2.4");
  assert_found (f, "BOTH.Test", "2001:db8::6 192.0.2.4");
  g_assert_cmpuint (count_lookups (&f->servers), ==, 1);
  assert_found (f, "four.test", "192.0.2.4");
  g_assert_cmpuint (count_lookups (&f->servers), ==, 2);

  eb_fake_clock_advance (f->clock, 30 * G_TIME_SPAN_SECOND - 1);
  assert_found (f, "both.test", "2001:db8::6 192.0.2.4");
  g_assert_cmpuint (count_lookups (&f->servers), ==, 2);
  eb_fake_clock_advance (f->clock, 1);
  assert_found (f, "both.test", "2001:db8::6 192.0.2.4");
  g_assert_cmpuint (count_lookups (&f->servers), ==, 3);
}

static void
test_remembers_missing (Fixture *f, gconstpointer data)
{
  assert_missing (f, "missing.test");
  eb_fake_clock_advance (f->clock, 2 * G_TIME_SPAN_SECOND - 1);
  assert_missing (f, "missing.test");
  g_assert_cmpuint (count_lookups (&f->servers), ==, 1);
  eb_fake_clock_advance (f->clock, 1);
  assert_missing (f, "missing.test");
  g_assert_cmpuint (count_lookups (&f->servers), ==, 2);
}

/* GResolver's own doing, which the bus relies on. */
static void
test_localhost (Fixture *f, gconstpointer data)
{
  assert_found (f, "localhost", "::1 127.0.0.1");
  assert_found (f, "LocalHost.", "::1 127.0.0.1");
  assert_found (f, "a.b.localhost", "::1 127.0.0.1");
  g_assert_cmpuint (count_lookups (&f->servers), ==, 0);
  assert_found (f, "notlocalhost", "2001:db8::6 192.0.2.4");
  g_assert_cmpuint (count_lookups (&f->servers), ==, 1);
}

static void
test_one_lookup (Fixture *f, gconstpointer data)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_auto (Question) first = { 0 }, second = { 0 }, other = { 0 };

  ask (f, "held.test", cancellable, &first);
  ask (f, "held.test", NULL, &second);
  wait_for_running (&f->servers, 1);
  ask (f, "four.test", NULL, &other);
  assert_addresses (&other, "192.0.2.4");

  /* One asker leaves; the other does not notice. */
  g_cancellable_cancel (cancellable);
  g_assert_false (first.answered);
  wait_for_answer (&first);
  g_assert_error (first.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_false (second.answered);
  let_go (&f->servers);
  assert_addresses (&second, "2001:db8::6 192.0.2.4");
  g_assert_cmpuint (count_lookups (&f->servers), ==, 2);
}

static void
test_cancelled_before (Fixture *f, gconstpointer data)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_auto (Question) question = { 0 };

  g_cancellable_cancel (cancellable);
  ask (f, "four.test", cancellable, &question);
  wait_for_answer (&question);
  g_assert_error (question.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

/* Asks for “held0.test” and on. */
static Question *
ask_held (Fixture *f, guint n)
{
  Question *held = g_new0 (Question, n);

  for (guint i = 0; i < n; i++)
    {
      g_autofree char *name = g_strdup_printf ("held%u.test", i);

      ask (f, name, NULL, &held[i]);
    }
  return held;
}

static void
assert_held (Question *held, guint n)
{
  for (guint i = 0; i < n; i++)
    {
      assert_addresses (&held[i], "2001:db8::6 192.0.2.4");
      question_clear (&held[i]);
    }
  g_free (held);
}

static void
assert_refused (Fixture *f, const char *name, const char *why)
{
  g_auto (Question) question = { 0 };

  ask (f, name, NULL, &question);
  wait_for_answer (&question);
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
  g_auto (Question) left = { 0 }, waiting = { 0 };
  Question *held;

  assert_found (f, "four.test", "192.0.2.4");
  eb_fake_clock_advance (f->clock, 30 * G_TIME_SPAN_SECOND);
  held = ask_held (f, FOR_NEW);
  wait_for_running (&f->servers, FOR_NEW);
  ask (f, "left.test", cancellable, &left);
  ask (f, "waiting.test", NULL, &waiting);
  g_cancellable_cancel (cancellable);
  wait_for_answer (&left);
  assert_found (f, "four.test", "192.0.2.4");
  g_assert_false (waiting.answered);

  let_go (&f->servers);
  assert_addresses (&waiting, "2001:db8::6 192.0.2.4");
  assert_held (held, FOR_NEW);
  g_assert_cmpuint (count_lookups (&f->servers), ==, 2 + FOR_NEW + 1);
}

/* Once no thread can be hoped for, nobody is left to wait for one. */
static void
test_all_hang (Fixture *f, gconstpointer data)
{
  Question *held = ask_held (f, FOR_NEW);

  wait_for_running (&f->servers, FOR_NEW);
  eb_fake_clock_advance (f->clock, HANGS_AFTER);
  assert_refused (f, "four.test", "48 lookups hang");
  let_go (&f->servers);
  assert_held (held, FOR_NEW);
  assert_found (f, "four.test", "192.0.2.4");
}

/* Names that hung before take a few threads; one that answers at once is like any other again. */
static void
test_slow (Fixture *f, gconstpointer data)
{
  Question *held = ask_held (f, FOR_SLOW + 1);

  wait_for_running (&f->servers, FOR_SLOW + 1);
  eb_fake_clock_advance (f->clock, HANGS_AFTER);
  let_go (&f->servers);
  assert_held (held, FOR_SLOW + 1);

  hold (&f->servers);
  eb_fake_clock_advance (f->clock, 30 * G_TIME_SPAN_SECOND);
  held = ask_held (f, FOR_SLOW);
  wait_for_running (&f->servers, FOR_SLOW);
  assert_refused (f, "held16.test", "took more than 3 s the last time");
  assert_found (f, "four.test", "192.0.2.4");
  let_go (&f->servers);
  assert_held (held, FOR_SLOW);
  assert_found (f, "held16.test", "2001:db8::6 192.0.2.4");

  hold (&f->servers);
  eb_fake_clock_advance (f->clock, 30 * G_TIME_SPAN_SECOND);
  held = ask_held (f, FOR_SLOW + 1);
  wait_for_running (&f->servers, FOR_SLOW + 1);
  let_go (&f->servers);
  assert_held (held, FOR_SLOW + 1);
}

/* A name that hangs takes one thread, however often those who ask for it give up. */
static void
test_given_up (Fixture *f, gconstpointer data)
{
  g_auto (Question) late = { 0 };

  for (guint i = 0; i <= FOR_NEW; i++)
    {
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      g_auto (Question) question = { 0 };

      ask (f, "held.test", cancellable, &question);
      g_cancellable_cancel (cancellable);
      wait_for_answer (&question);
      g_assert_error (question.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
    }
  wait_for_running (&f->servers, 1);
  assert_found (f, "four.test", "192.0.2.4");
  ask (f, "held.test", NULL, &late);
  let_go (&f->servers);
  assert_addresses (&late, "2001:db8::6 192.0.2.4");
  g_assert_cmpuint (count_lookups (&f->servers), ==, 2);
}

static void
test_waiting_bound (Fixture *f, gconstpointer data)
{
  const guint bound = 1000;
  Question *held = ask_held (f, bound);
  g_auto (Question) over = { 0 }, same = { 0 };

  ask (f, "over.test", NULL, &over);
  wait_for_answer (&over);
  g_assert_error (over.error, G_RESOLVER_ERROR, G_RESOLVER_ERROR_TEMPORARY_FAILURE);
  ask (f, "held999.test", NULL, &same);

  let_go (&f->servers);
  assert_held (held, bound);
  assert_addresses (&same, "2001:db8::6 192.0.2.4");
  assert_found (f, "over.test", "2001:db8::6 192.0.2.4");
}

static void
test_cache_bound (Fixture *f, gconstpointer data)
{
  const guint bound = 4096;

  for (guint i = 0; i <= bound; i++)
    {
      g_autofree char *name = g_strdup_printf ("four%u.test", i);

      assert_found (f, name, "192.0.2.4");
    }
  g_assert_cmpuint (count_lookups (&f->servers), ==, bound + 1);
  assert_found (f, "four1.test", "192.0.2.4");
  g_assert_cmpuint (count_lookups (&f->servers), ==, bound + 1);
  assert_found (f, "four0.test", "192.0.2.4");
  g_assert_cmpuint (count_lookups (&f->servers), ==, bound + 2);
}

static void
flagged_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Question *question = user_data;
  GList *addresses =
      g_resolver_lookup_by_name_with_flags_finish (G_RESOLVER (source), result, &question->error);

  question->answered = TRUE;
  if (addresses != NULL)
    question->addresses = join (addresses);
  g_resolver_free_addresses (addresses);
}

static void
test_families (Fixture *f, gconstpointer data)
{
  g_auto (Question) four = { 0 }, six = { 0 }, none = { 0 };

  g_resolver_lookup_by_name_with_flags_async (
      f->resolver, "both.test", G_RESOLVER_NAME_LOOKUP_FLAGS_IPV4_ONLY, NULL, flagged_cb, &four);
  g_resolver_lookup_by_name_with_flags_async (
      f->resolver, "both.test", G_RESOLVER_NAME_LOOKUP_FLAGS_IPV6_ONLY, NULL, flagged_cb, &six);
  g_resolver_lookup_by_name_with_flags_async (
      f->resolver, "four.test", G_RESOLVER_NAME_LOOKUP_FLAGS_IPV6_ONLY, NULL, flagged_cb, &none);
  assert_addresses (&four, "192.0.2.4");
  assert_addresses (&six, "2001:db8::6");
  wait_for_answer (&none);
  g_assert_error (none.error, G_RESOLVER_ERROR, G_RESOLVER_ERROR_NOT_FOUND);
  g_assert_cmpuint (count_lookups (&f->servers), ==, 2);
}

static gpointer
thread_cb (gpointer user_data)
{
  Fixture *f = user_data;
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_auto (Question) question = { 0 };

  g_main_context_push_thread_default (context);
  ask (f, "both.test", NULL, &question);
  assert_addresses (&question, "2001:db8::6 192.0.2.4");
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
  g_assert_cmpuint (count_lookups (&f->servers), ==, 1);
}

static void
test_synchronous (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  GList *addresses = g_resolver_lookup_by_name (f->resolver, "four.test", NULL, &error);
  g_autofree char *joined = join (addresses);

  g_assert_no_error (error);
  g_assert_cmpstr (joined, ==, "192.0.2.4");
  g_resolver_free_addresses (addresses);
}

/* tear_down() finds the resolver gone while its threads hang. */
static void
test_left_hanging (Fixture *f, gconstpointer data)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_auto (Question) question = { 0 };

  ask (f, "held.test", cancellable, &question);
  wait_for_running (&f->servers, 1);
  g_cancellable_cancel (cancellable);
  wait_for_answer (&question);
}

static void
test_real (void)
{
  g_autoptr (EbFakeClock) clock = eb_fake_clock_new ();
  Fixture f = { .clock = clock, .resolver = eb_resolver_new (EB_CLOCK (clock), NULL, NULL) };

  g_auto (Question) literal = { 0 };

  ask (&f, "127.0.0.1", NULL, &literal);
  assert_addresses (&literal, "127.0.0.1");
  g_object_unref (f.resolver);
}

#define ADD(name, func) g_test_add (name, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/resolver/remembers", test_remembers);
  ADD ("/resolver/remembers-missing", test_remembers_missing);
  ADD ("/resolver/localhost", test_localhost);
  ADD ("/resolver/one-lookup", test_one_lookup);
  ADD ("/resolver/cancelled-before", test_cancelled_before);
  ADD ("/resolver/hanging", test_hanging);
  ADD ("/resolver/all-hang", test_all_hang);
  ADD ("/resolver/slow", test_slow);
  ADD ("/resolver/given-up", test_given_up);
  ADD ("/resolver/waiting-bound", test_waiting_bound);
  ADD ("/resolver/cache-bound", test_cache_bound);
  ADD ("/resolver/families", test_families);
  ADD ("/resolver/threads", test_threads);
  ADD ("/resolver/synchronous", test_synchronous);
  ADD ("/resolver/left-hanging", test_left_hanging);
  g_test_add_func ("/resolver/real", test_real);
  return g_test_run ();
}
