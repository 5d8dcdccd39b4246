/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "core/eb-error.h"
#include "support/eb-bus-rig.h"
#include "support/eb-test-wait.h"

/* A whole bus, from its use cases down to the disk: whatever sinks, clocks and power do, and
 * whenever the daemon ends, what was acked holds. The seed is printed; `--seed` repeats it, but for
 * how threads take turns. EB_BUS_SEQUENCES says how many databases live and die. */

#define DEFAULT_SEQUENCES 120
#define N_STEPS           80

#define MAX_IN_FLIGHT 12

/* Calls to the system within which the power goes off. */
#define MAX_CALLS 150

/* Turns of a minute at the end. */
#define LONGEST_CONVALESCENCE 200

#define SECOND G_TIME_SPAN_SECOND

/* One thing that was asked of the bus. */
typedef struct
{
  EbBusRig *rig;
  guint subscriber;
  guint serial; /* of the first event */
  guint n_events;
  gboolean too_large;
  gboolean dropped;  /* else redriven */
  GArray *sequences; /* (owned) (nullable) */
} Request;

static Request *
request_new (EbBusRig *rig, guint subscriber)
{
  Request *request = g_new0 (Request, 1);

  request->rig = rig;
  request->subscriber = subscriber;
  rig->n_in_flight++;
  rig->head = eb_bus_rig_get_head (rig);
  return request;
}

static void
request_free (Request *request)
{
  request->rig->n_in_flight--;
  g_clear_pointer (&request->sequences, g_array_unref);
  g_free (request);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Request, request_free)

static guint
pick (guint n)
{
  return (guint) g_test_rand_int_range (0, (gint32) n);
}

/* Publishing */

/* What is said after the power went off, nobody has heard. */
static void
published_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Request) request = user_data;
  EbBusRig *rig = request->rig;
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) receipts = eb_bus_publish_finish (EB_BUS (source), result, &error);

  if (eb_bus_rig_is_cut (rig))
    return;
  g_assert_true (receipts == NULL || !request->too_large);
  if (receipts == NULL)
    {
      const int code = request->too_large ? EB_ERROR_TOO_LARGE : EB_ERROR_CLOSED;

      g_assert_error (error, EB_ERROR, code);
      eb_log_model_refuse (rig->log_model, request->serial, request->n_events);
    }
  for (guint i = 0; receipts != NULL && i < receipts->len; i++)
    eb_log_model_see (rig->log_model, g_array_index (receipts, EbReceipt, i).sequence,
                      request->serial + i);
}

static EbDraft *
create_draft (guint serial, gsize size)
{
  g_autofree char *text = g_malloc0 (size);
  g_autoptr (GBytes) data = NULL;

  g_snprintf (text, size, "%u", serial);
  data = g_bytes_new (text, size);
  return eb_draft_new (data);
}

static void
publish (EbBusRig *rig)
{
  g_autoptr (GPtrArray) drafts = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_draft_free);
  Request *request = request_new (rig, 0);

  request->n_events = 1 + pick (4);
  request->too_large = pick (20) == 0;
  request->serial = eb_log_model_publish (rig->log_model, request->n_events);
  for (guint i = 0; i < request->n_events; i++)
    g_ptr_array_add (drafts, create_draft (request->serial + i, 12 + pick (200)));
  if (request->too_large)
    {
      g_ptr_array_remove_index (drafts, request->n_events - 1);
      g_ptr_array_add (drafts, create_draft (request->serial + request->n_events - 1,
                                             EB_RIG_MAX_EVENT_SIZE + 1));
    }
  eb_bus_publish_async (rig->bus, drafts, published_cb, request);
}

/* Registering, and its end */

/* Registering and subscribing end in the same way. */
static gboolean
finish_registration (EbBus *bus, GAsyncResult *result, GError **error)
{
  return g_async_result_is_tagged (result, eb_bus_subscribe_async)
             ? eb_bus_subscribe_finish (bus, result, error)
             : eb_bus_register_finish (bus, result, error);
}

static void
registered_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Request) request = user_data;
  EbBusRig *rig = request->rig;
  const char *id = rig->subscribers[request->subscriber].address;
  g_autoptr (GError) error = NULL;
  gboolean registered = finish_registration (EB_BUS (source), result, &error);

  rig->subscribers[request->subscriber].busy = FALSE;
  if (eb_bus_rig_is_cut (rig))
    return;
  if (eb_bus_model_get_history (rig->model, id) == NULL)
    return; /* it has ended meanwhile, so either answer will do */
  g_assert_no_error (error);
  g_assert_true (registered);
  eb_bus_model_acked (rig->model, id, eb_bus_rig_get_head (rig));
}

/* One in three wants strict order, which the tutorial's API has not. */
static void
subscribe_strictly (EbBusRig *rig, const char *address, Request *request)
{
  g_autoptr (EbSink) sink = eb_sink_new_for_address (address, NULL);
  EbSubscriptionSpec spec = {
    .id = address, .sink = sink, .lease = EB_RIG_LEASE, .concurrency = 1, .order = EB_ORDER_STRICT
  };
  g_autoptr (EbSubscription) subscription = eb_subscription_new (&spec, NULL);

  eb_bus_subscribe_async (rig->bus, subscription, EB_START_NOW, registered_cb, request);
}

static void
register_one (EbBusRig *rig, guint subscriber)
{
  const char *address = rig->subscribers[subscriber].address;
  gboolean is_there = eb_bus_model_get_history (rig->model, address) != NULL;
  Request *request;

  if (rig->subscribers[subscriber].busy || eb_bus_model_is_ending (rig->model, address))
    return;
  eb_bus_rig_collect (rig); /* for who had the address before */
  /* Who has just answered 410 would be registered anew, which test-bus looks at. */
  if (is_there && eb_delivery_history_is_gone (eb_bus_model_get_history (rig->model, address)))
    return;
  request = request_new (rig, subscriber);
  rig->subscribers[subscriber].busy = TRUE;
  if (is_there)
    eb_bus_model_renewed (rig->model, address,
                          eb_clock_get_monotonic (EB_CLOCK (rig->store.clock)));
  if (subscriber % 3 == 2 && !is_there)
    subscribe_strictly (rig, address, request);
  else
    eb_bus_register_async (rig->bus, address, registered_cb, request);
}

static void
deregistered_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Request) request = user_data;
  EbBusRig *rig = request->rig;
  gboolean done = eb_bus_deregister_finish (EB_BUS (source), result, NULL);

  rig->subscribers[request->subscriber].busy = FALSE;
  if (eb_bus_rig_is_cut (rig))
    return;
  g_assert_true (done);
  eb_bus_rig_collect (rig);
  eb_bus_model_ended (rig->model, rig->subscribers[request->subscriber].address);
}

static void
deregister (EbBusRig *rig)
{
  guint subscriber = pick (EB_RIG_SUBSCRIBERS);
  const char *address = rig->subscribers[subscriber].address;

  if (rig->subscribers[subscriber].busy || eb_bus_model_get_history (rig->model, address) == NULL)
    return;
  rig->subscribers[subscriber].busy = TRUE;
  eb_bus_model_ask_end (rig->model, address);
  eb_bus_deregister_async (rig->bus, address, deregistered_cb, request_new (rig, subscriber));
}

/* Dead letters */

static gboolean
finish_change (EbBus *bus, GAsyncResult *result, gboolean dropped)
{
  EbRedriven redriven;

  return dropped ? eb_bus_drop_dead_letters_finish (bus, result, NULL)
                 : eb_bus_redrive_finish (bus, result, &redriven, NULL);
}

static void
changed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Request) request = user_data;
  EbBusRig *rig = request->rig;
  gboolean done = finish_change (EB_BUS (source), result, request->dropped);
  EbDeliveryHistory *history;

  rig->subscribers[request->subscriber].busy = FALSE;
  eb_bus_rig_collect (rig);
  history = eb_bus_model_get_history (rig->model, rig->subscribers[request->subscriber].address);
  if (history == NULL)
    return;
  if (eb_bus_rig_is_cut (rig))
    {
      if (request->dropped)
        eb_delivery_history_doubt_change (history, request->sequences);
      return;
    }
  g_assert_true (done);
  eb_delivery_history_change (history, request->sequences, request->dropped);
}

/* Redrives some, or drops them; sinks may have changed since they failed. */
static void
change_dead (EbBusRig *rig)
{
  gboolean drop = pick (3) == 0;
  guint subscriber = pick (EB_RIG_SUBSCRIBERS);
  const char *address = rig->subscribers[subscriber].address;
  EbDeliveryHistory *history = eb_bus_model_get_history (rig->model, address);
  g_autoptr (GArray) dead = NULL;
  Request *request;

  if (rig->subscribers[subscriber].busy || history == NULL)
    return;
  eb_bus_rig_collect (rig);
  dead = eb_delivery_history_get_dead (history);
  if (dead->len == 0)
    return;
  g_array_set_size (dead, 1 + pick (dead->len));
  request = request_new (rig, subscriber);
  request->dropped = drop;
  request->sequences = g_array_ref (dead);
  rig->subscribers[subscriber].busy = TRUE;
  eb_delivery_history_begin_change (history, dead);
  if (drop)
    eb_bus_drop_dead_letters_async (rig->bus, address, dead, changed_cb, request);
  else
    eb_bus_redrive_async (rig->bus, address, dead, 0, changed_cb, request);
}

/* What the world does */

static void
change_sink (EbBusRig *rig)
{
  static const EbFakeBehaviour moods[] = {
    EB_FAKE_TAKE,       EB_FAKE_TAKE,  EB_FAKE_TAKE,       EB_FAKE_ANSWER_500,
    EB_FAKE_ANSWER_500, EB_FAKE_BREAK, EB_FAKE_ANSWER_503, EB_FAKE_UNREACHABLE,
  };
  static const EbFakeBehaviour whims[] = {
    EB_FAKE_TAKE,       EB_FAKE_TAKE,        EB_FAKE_TAKE,
    EB_FAKE_TAKE,       EB_FAKE_TAKE,        EB_FAKE_TAKE,
    EB_FAKE_ANSWER_500, EB_FAKE_ANSWER_500,  EB_FAKE_ANSWER_500,
    EB_FAKE_BREAK,      EB_FAKE_UNREACHABLE, EB_FAKE_UNREACHABLE,
    EB_FAKE_ANSWER_503, EB_FAKE_KEEP,        EB_FAKE_ANSWER_429_FOR_30_S,
  };
  const EbFakeBehaviour gone = EB_FAKE_ANSWER_410;
  const char *uri = rig->subscribers[pick (EB_RIG_SUBSCRIBERS)].uri;
  guint n = pick (8);

  eb_fake_sinks_set (rig->sinks, uri, moods[pick (G_N_ELEMENTS (moods))]);
  for (guint i = 0; i < n; i++)
    eb_fake_sinks_script (rig->sinks, uri, &whims[pick (G_N_ELEMENTS (whims))], 1);
  if (pick (20) == 0)
    eb_fake_sinks_script (rig->sinks, uri, &gone, 1);
}

static void
pass_time (EbBusRig *rig)
{
  static const GTimeSpan spans[] = { 1, 1, 2, 6, 6, 36, 36, 125 };

  eb_fake_clock_advance (rig->store.clock,
                         spans[pick (G_N_ELEMENTS (spans))] * SECOND + pick (1000));
  if (pick (6) == 0)
    eb_fake_clock_step_real (rig->store.clock, g_test_rand_int_range (-86400, 86400) * SECOND);
}

static EbShimLoss
pick_loss (void)
{
  return g_test_rand_bit () ? EB_SHIM_LOSE_NOTHING : EB_SHIM_LOSE_UNSYNCED;
}

/* One that ends takes nothing new. */
static void
end (EbBusRig *rig)
{
  EbRigEnd how = g_test_rand_bit () ? EB_RIG_DRAIN : EB_RIG_BREAK_OFF;

  eb_bus_rig_end (rig, how);
  eb_bus_rig_start (rig);
}

static void
crash (EbBusRig *rig)
{
  eb_bus_rig_crash (rig, pick_loss ());
  if (pick (4) == 0)
    eb_shim_vfs_fail_after (rig->shim, pick (MAX_CALLS), EB_SHIM_CUT);
  eb_bus_rig_start (rig);
}

static void
take_step (EbBusRig *rig)
{
  guint what = pick (100);

  if (what < 30)
    publish (rig);
  else if (what < 44)
    register_one (rig, pick (EB_RIG_SUBSCRIBERS));
  else if (what < 48)
    deregister (rig);
  else if (what < 58)
    change_sink (rig);
  else if (what < 74)
    pass_time (rig);
  else if (what < 80)
    change_dead (rig);
  else if (what < 90)
    eb_bus_rig_settle (rig);
  else if (what < 93)
    end (rig);
  else if (what < 96)
    crash (rig);
  else
    eb_shim_vfs_fail_after (rig->shim, pick (MAX_CALLS), EB_SHIM_CUT);
}

static gboolean
has_room_in_flight (gpointer data)
{
  return ((EbBusRig *) data)->n_in_flight < MAX_IN_FLIGHT || eb_bus_rig_is_cut (data);
}

/* Until nothing more happens, or only until there is room for more. */
static void
step (EbBusRig *rig)
{
  take_step (rig);
  eb_test_wait_for (has_room_in_flight, rig);
  if (g_test_rand_bit ())
    while (g_main_context_iteration (NULL, FALSE))
      continue;
  if (eb_bus_rig_is_cut (rig))
    crash (rig);
}

/* The end of it */

static void
heal (EbBusRig *rig)
{
  for (guint i = 0; i < EB_RIG_SUBSCRIBERS; i++)
    {
      eb_fake_sinks_heal (rig->sinks, rig->subscribers[i].uri);
      if (eb_bus_model_get_history (rig->model, rig->subscribers[i].address) != NULL)
        register_one (rig, i);
    }
}

/* Returns: whether something is still owed to anybody */
static gboolean
find_owed (EbBusRig *rig, gboolean fatal)
{
  guint64 head = eb_bus_rig_get_head (rig);

  for (guint i = 0; i < EB_RIG_SUBSCRIBERS; i++)
    {
      const char *id = rig->subscribers[i].address;
      EbDeliveryHistory *history = eb_bus_model_get_history (rig->model, id);
      guint64 owed = history != NULL ? eb_delivery_history_find_owed (history, head) : 0;

      if (owed != 0 && fatal)
        g_error ("%s never got event %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT, id, owed, head);
      if (owed != 0)
        return TRUE;
    }
  return FALSE;
}

static void
convalesce (EbBusRig *rig)
{
  guint n_turns = 0;

  do
    {
      heal (rig);
      if (!eb_bus_rig_settle (rig))
        crash (rig);
      else
        eb_fake_clock_advance (rig->store.clock, 60 * SECOND);
    }
  while (find_owed (rig, n_turns++ == LONGEST_CONVALESCENCE));
}

static guint
count_sequences (void)
{
  const char *wanted = g_getenv ("EB_BUS_SEQUENCES");

  return wanted != NULL ? (guint) g_ascii_strtoull (wanted, NULL, 10) : DEFAULT_SEQUENCES;
}

static void
test_model (void)
{
  guint n_sequences = count_sequences ();
  guint n_runs = 0, n_power_cuts = 0;

  for (guint i = 0; i < n_sequences; i++)
    {
      g_autoptr (EbBusRig) rig = eb_bus_rig_new ((guint32) g_test_rand_int ());

      eb_bus_rig_start (rig);
      register_one (rig, pick (EB_RIG_SUBSCRIBERS));
      for (guint j = 0; j < N_STEPS; j++)
        step (rig);
      convalesce (rig);
      eb_bus_rig_end (rig, EB_RIG_DRAIN);
      n_runs += rig->n_runs;
      n_power_cuts += rig->n_power_cuts;
    }
  g_test_message ("%u databases, %u lives of a daemon, %u power cuts", n_sequences, n_runs,
                  n_power_cuts);
}

/* All that it logs is expected. */
static GLogWriterOutput
drop_log_cb (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer user_data)
{
  if ((level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL)) != 0)
    return g_log_writer_default (level, fields, n_fields, user_data);
  return G_LOG_WRITER_HANDLED;
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
  g_log_set_writer_func (drop_log_cb, NULL, NULL);

  g_test_add_func ("/bus-model/model", test_model);

  return g_test_run ();
}
