/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/eb-memory-ledger.h"
#include "support/eb-delivery-fixture.h"
#include "support/eb-test-wait.h"

/* What the ledger knows is enough: after every report, whatever a restart would deliver, and what
 * has ended, are together everything. Sinks fail at random, the daemon is killed at random, and
 * time passes; the seed is printed, and `--seed` repeats it. */

#define N_STEPS               120
#define MAX_SUBSCRIPTIONS     12
#define SECOND                G_TIME_SPAN_SECOND
#define TYPES                 "a.b", "b.a"
#define N_TYPES               2
#define N_REDRIVEN_AT_MOST    20
#define LONGEST_CONVALESCENCE 300 /* turns of a minute: far more than every schedule */

typedef struct
{
  EbSubscription *subscription; /* (owned) */
  char *uri;                    /* (owned) */
  guint64 start;
  GHashTable *dead; /* (owned) (element-type guint64) given up, as was reported */
} Subscriber;

typedef struct
{
  EbDeliveryFixture delivery;
  EbLedger *ledger;
  guint64 epoch;
  GPtrArray *subscribers; /* (owned) (element-type Subscriber) */
  GArray *types;          /* (owned) (element-type guint) of the events; by sequence, from 1 */
} Fixture;

static void
subscriber_free (Subscriber *subscriber)
{
  eb_subscription_unref (subscriber->subscription);
  g_free (subscriber->uri);
  g_hash_table_unref (subscriber->dead);
  g_free (subscriber);
}

/* The ledger */

/* Waits for the ledger alone: a report must not come in between. */
static GAsyncResult *
wait_in (GMainContext *context, GAsyncResult **result)
{
  while (*result == NULL)
    g_main_context_iteration (context, TRUE);
  g_main_context_pop_thread_default (context);
  return *result;
}

static void
apply (Fixture *fixture, GPtrArray *changes)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  g_main_context_push_thread_default (context);
  eb_ledger_apply_async (fixture->ledger, fixture->epoch, changes, NULL, eb_test_result_cb,
                         &result);
  eb_ledger_apply_finish (fixture->ledger, wait_in (context, &result), &error);
  g_assert_no_error (error);
}

static void
apply_one (Fixture *fixture, EbChange *change)
{
  g_autoptr (GPtrArray) changes = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_change_free);

  g_ptr_array_add (changes, change);
  apply (fixture, changes);
}

static GPtrArray *
load (Fixture *fixture)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GAsyncResult) result = NULL;

  g_main_context_push_thread_default (context);
  eb_ledger_load_async (fixture->ledger, NULL, eb_test_result_cb, &result);
  return eb_ledger_load_finish (fixture->ledger, wait_in (context, &result), &fixture->epoch, NULL);
}

static const EbLedgerEntry *
find_entry (GPtrArray *entries, const Subscriber *subscriber)
{
  for (guint i = 0; i < entries->len; i++)
    {
      const EbLedgerEntry *entry = g_ptr_array_index (entries, i);

      if (entry->subscription == subscriber->subscription)
        return entry;
    }
  g_assert_not_reached ();
}

/* The model */

static gboolean
matches (Fixture *fixture, const Subscriber *subscriber, guint64 sequence)
{
  static const char *const names[] = { TYPES };
  const char *const *types = eb_subscription_get_types (subscriber->subscription);

  return sequence > subscriber->start
         && (types == NULL
             || g_strcmp0 (types[0], names[g_array_index (fixture->types, guint, sequence - 1)])
                    == 0);
}

static guint64
find_previous (Fixture *fixture, const Subscriber *subscriber, guint64 sequence)
{
  while (--sequence > 0)
    if (matches (fixture, subscriber, sequence))
      return sequence;
  return 0;
}

static gboolean
is_aside (const EbLedgerEntry *entry, guint64 sequence)
{
  for (guint i = 0; i < entry->aside->len; i++)
    if (((const EbException *) g_ptr_array_index (entry->aside, i))->sequence == sequence)
      return TRUE;
  return FALSE;
}

/* Returns: (transfer full): by sequence, whether the sink has taken it, or is about to */
static gboolean *
find_taken (Fixture *fixture, const Subscriber *subscriber)
{
  gboolean *taken = g_new0 (gboolean, fixture->types->len + 1);
  guint n = eb_fake_sinks_count (fixture->delivery.sinks, subscriber->uri);

  for (guint i = 0; i < n; i++)
    {
      EbFakeArrival arrival = eb_fake_sinks_get (fixture->delivery.sinks, subscriber->uri, i);

      g_assert_true (matches (fixture, subscriber, arrival.sequence));
      g_assert_cmpuint (arrival.previous, ==,
                        find_previous (fixture, subscriber, arrival.sequence));
      if (arrival.behaviour == EB_FAKE_TAKE)
        taken[arrival.sequence] = TRUE;
    }
  return taken;
}

/* Returns: (transfer full): by request, from 1, the events in it, as text */
static GPtrArray *
describe_requests (Fixture *fixture, const Subscriber *subscriber, GArray *attempts)
{
  GPtrArray *requests = g_ptr_array_new_with_free_func (g_free);
  guint n = eb_fake_sinks_count (fixture->delivery.sinks, subscriber->uri);

  for (guint i = 0; i < n; i++)
    {
      EbFakeArrival arrival = eb_fake_sinks_get (fixture->delivery.sinks, subscriber->uri, i);
      char **last, *text;

      if (requests->len < arrival.request)
        {
          g_ptr_array_add (requests, g_strdup (""));
          g_array_append_val (attempts, arrival.attempt);
        }
      last = (char **) &requests->pdata[requests->len - 1];
      text = g_strdup_printf ("%s %" G_GUINT64_FORMAT, *last, arrival.sequence);
      g_free (*last);
      *last = text;
    }
  return requests;
}

static gboolean
has_earlier (GPtrArray *requests, GArray *attempts, guint index)
{
  for (guint i = 0; i < index; i++)
    if (g_array_index (attempts, guint, i) + 1 == g_array_index (attempts, guint, index)
        && g_str_equal (requests->pdata[i], requests->pdata[index]))
      return TRUE;
  return FALSE;
}

/* What was attempted together is attempted together again, restarts included. */
static void
check_batches (Fixture *fixture, const Subscriber *subscriber)
{
  g_autoptr (GArray) attempts = g_array_new (FALSE, FALSE, sizeof (guint));
  g_autoptr (GPtrArray) requests = describe_requests (fixture, subscriber, attempts);

  for (guint i = 0; i < requests->len; i++)
    if (g_array_index (attempts, guint, i) > 1 && !has_earlier (requests, attempts, i))
      g_error ("%s: attempt %u of%s had none before it", subscriber->uri,
               g_array_index (attempts, guint, i), (char *) requests->pdata[i]);
}

static void
check_subscriber (Fixture *fixture, const Subscriber *subscriber, const EbLedgerEntry *entry)
{
  g_autofree gboolean *taken = find_taken (fixture, subscriber);

  for (guint64 sequence = 1; sequence <= fixture->types->len; sequence++)
    if (matches (fixture, subscriber, sequence)
        && (sequence <= entry->cursor || sequence <= entry->previous) && !is_aside (entry, sequence)
        && !taken[sequence] && !g_hash_table_contains (subscriber->dead, &sequence))
      g_error ("%s would never get event %" G_GUINT64_FORMAT ": its cursor is %" G_GUINT64_FORMAT
               "%s",
               subscriber->uri, sequence, entry->cursor,
               entry->has_cursor ? "" : ", which is the floor");
}

static void
check (Fixture *fixture)
{
  g_autoptr (GPtrArray) entries = load (fixture);

  for (guint i = 0; i < fixture->subscribers->len; i++)
    {
      const Subscriber *subscriber = g_ptr_array_index (fixture->subscribers, i);

      check_subscriber (fixture, subscriber, find_entry (entries, subscriber));
    }
}

static Subscriber *
find_subscriber (Fixture *fixture, EbSubscription *subscription)
{
  for (guint i = 0; i < fixture->subscribers->len; i++)
    {
      Subscriber *subscriber = g_ptr_array_index (fixture->subscribers, i);

      if (subscriber->subscription == subscription)
        return subscriber;
    }
  g_assert_not_reached ();
}

static void
report_cb (EbWorkerPool *pool, const EbReport *report, Fixture *fixture)
{
  g_autoptr (GPtrArray) changes = g_ptr_array_new ();
  g_autoptr (EbChange) floor = eb_change_new (EB_CHANGE_FLOOR, NULL, report->floor);

  for (guint i = 0; i < report->steps->len; i++)
    {
      const EbStep *step = g_ptr_array_index (report->steps, i);
      const EbException *exception = &step->change->exception;

      g_ptr_array_add (changes, step->change);
      if (step->change->kind == EB_CHANGE_DEAD)
        g_hash_table_add (find_subscriber (fixture, step->subscription)->dead,
                          g_memdup2 (&exception->sequence, sizeof exception->sequence));
    }
  g_ptr_array_add (changes, floor);
  apply (fixture, changes);
  check (fixture);
}

/* What happens */

static void
configure (Fixture *fixture)
{
  static const GTimeSpan retry[] = { 1 * SECOND, 5 * SECOND, 30 * SECOND };
  g_autoptr (EbAddressPolicy) policy = eb_address_policy_new (NULL, NULL, NULL, NULL);
  g_autoptr (EbDeliverySettings) settings = eb_delivery_settings_new (policy);

  eb_delivery_settings_set_retry (settings, retry, G_N_ELEMENTS (retry));
  eb_worker_pool_configure (fixture->delivery.pool, settings);
  g_signal_connect (fixture->delivery.pool, "report", G_CALLBACK (report_cb), fixture);
}

static void
publish (Fixture *fixture)
{
  static const char *const names[] = { TYPES };
  guint type = (guint) g_test_rand_int_range (0, N_TYPES);
  guint n = (guint) g_test_rand_int_range (1, 30);

  for (guint i = 0; i < n; i++)
    g_array_append_val (fixture->types, type);
  eb_delivery_fixture_publish (&fixture->delivery, names[type], n);
}

static void
make_fail (Fixture *fixture)
{
  static const EbFakeBehaviour behaviours[] = {
    EB_FAKE_TAKE,
    EB_FAKE_TAKE,
    EB_FAKE_TAKE,
    EB_FAKE_UNREACHABLE,
    EB_FAKE_UNREACHABLE,
    EB_FAKE_BREAK,
    EB_FAKE_ANSWER_500,
    EB_FAKE_ANSWER_500,
    EB_FAKE_ANSWER_503,
    EB_FAKE_ANSWER_500,
    EB_FAKE_ANSWER_429_FOR_30_S,
  };
  const Subscriber *subscriber = g_ptr_array_index (
      fixture->subscribers, g_test_rand_int_range (0, (gint32) fixture->subscribers->len));
  guint n = (guint) g_test_rand_int_range (1, 40);

  for (guint i = 0; i < n; i++)
    eb_fake_sinks_script (fixture->delivery.sinks, subscriber->uri,
                          &behaviours[g_test_rand_int_range (0, G_N_ELEMENTS (behaviours))], 1);
}

static void
subscribe (Fixture *fixture)
{
  static const char *const types[] = { "a.b", NULL };
  g_autoptr (EbDeliveryOptions) options = eb_delivery_options_new ();
  guint n = fixture->subscribers->len;
  g_autofree char *address = g_strdup_printf ("s%u:1", n);
  Subscriber *subscriber;
  EbSubscriptionSpec spec = {
    .types = n % 2 == 1 ? types : NULL,
    .order = n % 3 == 2 ? EB_ORDER_STRICT : EB_ORDER_RELAXED,
    .concurrency = n % 3 == 2 ? 1 : 1 + n % 4,
    .options = options,
  };
  EbExtent extent;

  if (n == MAX_SUBSCRIPTIONS)
    return;
  options->mode = n % 4 >= 2 ? EB_MODE_BATCH : EB_MODE_BINARY;
  eb_log_get_extent (fixture->delivery.log, &extent);
  subscriber = g_new0 (Subscriber, 1);
  subscriber->start = g_test_rand_bit ()
                          ? extent.head
                          : (guint64) g_test_rand_int_range (0, (gint32) extent.head + 1);
  subscriber->uri = g_strdup_printf ("http://%s/event", address);
  subscriber->dead = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  subscriber->subscription = eb_delivery_fixture_create (&spec, address);
  g_ptr_array_add (fixture->subscribers, subscriber);
  /* First the ledger, then the worker, as the bus does it. */
  apply_one (fixture, eb_change_new_put (subscriber->subscription, subscriber->start));
  eb_worker_pool_add (fixture->delivery.pool, subscriber->subscription,
                      &(EbStart){ .after = subscriber->start, .has_cursor = TRUE });
}

static guint64
get_previous (const EbLedgerEntry *entry)
{
  if (eb_subscription_takes_all (entry->subscription))
    return entry->cursor > entry->start ? MAX (entry->cursor, entry->previous) : entry->previous;
  return entry->previous;
}

static void
add_all_again (Fixture *fixture)
{
  g_autoptr (GPtrArray) entries = load (fixture);

  for (guint i = 0; i < entries->len; i++)
    {
      const EbLedgerEntry *entry = g_ptr_array_index (entries, i);
      EbStart start = { entry->cursor, get_previous (entry), entry->has_cursor, entry->aside };

      eb_worker_pool_add (fixture->delivery.pool, entry->subscription, &start);
    }
}

/* What was not reported yet is not known to the ledger, if it is a kill. */
static void
restart (Fixture *fixture, gboolean kill)
{
  if (kill)
    g_signal_handlers_disconnect_by_data (fixture->delivery.pool, fixture);
  eb_delivery_fixture_restart (&fixture->delivery);
  configure (fixture);
  add_all_again (fixture);
  check (fixture);
}

static void
redrive (Fixture *fixture)
{
  Subscriber *subscriber = g_ptr_array_index (
      fixture->subscribers, g_test_rand_int_range (0, (gint32) fixture->subscribers->len));
  g_autoptr (GPtrArray) exceptions =
      g_ptr_array_new_with_free_func ((GDestroyNotify) eb_exception_free);
  GHashTableIter iter;
  const guint64 *sequence;

  g_hash_table_iter_init (&iter, subscriber->dead);
  while (g_hash_table_iter_next (&iter, (gpointer *) &sequence, NULL)
         && exceptions->len < N_REDRIVEN_AT_MOST)
    {
      EbException *exception = g_new0 (EbException, 1);
      EbChange *change = eb_change_new (
          EB_CHANGE_ASIDE, eb_subscription_get_id (subscriber->subscription), *sequence);

      exception->sequence = *sequence;
      exception->previous = find_previous (fixture, subscriber, *sequence);
      change->exception = *exception;
      apply_one (fixture, change);
      g_ptr_array_add (exceptions, exception);
      g_hash_table_iter_remove (&iter);
    }
  eb_worker_pool_redrive (fixture->delivery.pool, subscriber->subscription, exceptions);
}

static void
take_step (Fixture *fixture)
{
  int what = g_test_rand_int_range (0, 20);

  if (what < 7)
    publish (fixture);
  else if (what < 12)
    eb_fake_clock_advance (fixture->delivery.clock, g_test_rand_int_range (0, 10 * SECOND));
  else if (what < 14)
    make_fail (fixture);
  else if (what < 16)
    subscribe (fixture);
  else if (what < 17)
    redrive (fixture);
  else if (what < 18)
    restart (fixture, g_test_rand_bit ());
  else
    eb_delivery_fixture_collect (&fixture->delivery);
  while (g_main_context_iteration (NULL, FALSE))
    continue;
}

static gboolean
is_everything_over (Fixture *fixture)
{
  g_autoptr (GPtrArray) entries = load (fixture);

  for (guint i = 0; i < entries->len; i++)
    {
      const EbLedgerEntry *entry = g_ptr_array_index (entries, i);

      if (entry->has_cursor || entry->cursor != fixture->types->len || entry->aside->len > 0)
        return FALSE;
    }
  return TRUE;
}

/* Whatever happened, everything ends at last, and then no subscription needs a cursor. */
static void
test_model (Fixture *fixture, gconstpointer data)
{
  guint n_turns = 0;

  subscribe (fixture);
  for (guint i = 0; i < N_STEPS; i++)
    take_step (fixture);
  publish (fixture);
  while (!is_everything_over (fixture) && n_turns++ < LONGEST_CONVALESCENCE)
    {
      eb_delivery_fixture_advance (&fixture->delivery, 60 * SECOND);
      eb_delivery_fixture_collect (&fixture->delivery);
    }
  g_assert_true (is_everything_over (fixture));
  check (fixture);
  for (guint i = 0; i < fixture->subscribers->len; i++)
    check_batches (fixture, g_ptr_array_index (fixture->subscribers, i));
}

/* An idle bus says nothing. */
static void
test_idle (Fixture *fixture, gconstpointer data)
{
  guint n_reports;

  subscribe (fixture);
  publish (fixture);
  eb_delivery_fixture_collect (&fixture->delivery);
  n_reports = fixture->delivery.n_reports;
  for (guint i = 0; i < 10; i++)
    {
      eb_delivery_fixture_advance (&fixture->delivery, SECOND);
      eb_delivery_fixture_collect (&fixture->delivery);
    }
  g_assert_cmpuint (fixture->delivery.n_reports, ==, n_reports);
}

/* A sink that stands still, and thousands of events: one cursor, written once. */
static void
test_standing_still (Fixture *fixture, gconstpointer data)
{
  const EbFakeBehaviour behaviour = EB_FAKE_UNREACHABLE;

  subscribe (fixture);
  eb_fake_sinks_script (fixture->delivery.sinks, "http://s0:1/event", &behaviour, 1);
  for (guint i = 0; i < 50; i++)
    {
      publish (fixture);
      eb_delivery_fixture_collect (&fixture->delivery);
      eb_fake_clock_advance (fixture->delivery.clock, 1000);
    }
  g_assert_cmpuint (fixture->delivery.report.steps->len, ==, 1);
  g_assert_cmpuint (fixture->delivery.report.floor, ==, fixture->types->len);
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GPtrArray) entries = NULL;

  eb_delivery_fixture_set_up (&fixture->delivery, data);
  fixture->ledger = eb_memory_ledger_new (fixture->delivery.log);
  fixture->subscribers = g_ptr_array_new_with_free_func ((GDestroyNotify) subscriber_free);
  fixture->types = g_array_new (FALSE, FALSE, sizeof (guint));
  entries = load (fixture);
  configure (fixture);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_signal_handlers_disconnect_by_data (fixture->delivery.pool, fixture);
  g_object_unref (fixture->ledger); /* it holds the log */
  eb_delivery_fixture_tear_down (&fixture->delivery, data);
  g_ptr_array_unref (fixture->subscribers);
  g_array_unref (fixture->types);
}

#define ADD(path, func) g_test_add ("/delivery-model/" path, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* Warnings are not fatal: failures of sinks are warnings, and expected. */
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);

  ADD ("idle", test_idle);
  ADD ("standing-still", test_standing_still);
  /* Each time something else happens. */
  ADD ("model/1", test_model);
  ADD ("model/2", test_model);

  return g_test_run ();
}
