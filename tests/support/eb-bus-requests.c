/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "support/eb-bus-requests.h"

#include "core/eb-error.h"

/* One thing that was asked of the bus. */
typedef struct
{
  EbBusRig *rig;
  guint subscriber;
  guint serial; /* of the first event */
  guint n_events;
  gboolean too_large;
  gboolean all;      /* dead letters are meant, whatever there are */
  gboolean dropped;  /* else redriven */
  gboolean paused;   /* else it goes on */
  gint64 asked_us;   /* on the monotonic clock */
  GArray *sequences; /* (owned) (nullable) dead letters that are meant in any case */
} Request;

static Request *
request_new (EbBusRig *rig, guint subscriber)
{
  Request *request = g_new0 (Request, 1);

  request->rig = rig;
  request->subscriber = subscriber;
  request->asked_us = eb_clock_get_monotonic (EB_CLOCK (rig->store.clock));
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

void
eb_bus_requests_publish (EbBusRig *rig)
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

/**
 * eb_bus_requests_register:
 *
 * Registers it, or keeps it alive.
 */
void
eb_bus_requests_register (EbBusRig *rig, guint subscriber)
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

void
eb_bus_requests_deregister (EbBusRig *rig)
{
  guint subscriber = pick (EB_RIG_SUBSCRIBERS);
  const char *address = rig->subscribers[subscriber].address;

  if (rig->subscribers[subscriber].busy || eb_bus_model_get_history (rig->model, address) == NULL)
    return;
  rig->subscribers[subscriber].busy = TRUE;
  eb_bus_model_ask_end (rig->model, address);
  eb_bus_deregister_async (rig->bus, address, deregistered_cb, request_new (rig, subscriber));
}

/* What changes one */

static void
put_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Request) request = user_data;
  EbBusRig *rig = request->rig;
  const char *id = rig->subscribers[request->subscriber].address;
  g_autoptr (GError) error = NULL;
  g_autoptr (EbSubscriptionInfo) info = eb_bus_put_finish (EB_BUS (source), result, NULL, &error);

  rig->subscribers[request->subscriber].busy = FALSE;
  if (eb_bus_rig_is_cut (rig) || eb_bus_model_get_history (rig->model, id) == NULL)
    return;
  g_assert_no_error (error);
  eb_bus_model_acked (rig->model, id, eb_bus_rig_get_head (rig));
  eb_bus_model_replaced (rig->model, id, request->asked_us,
                         eb_clock_get_monotonic (EB_CLOCK (rig->store.clock)));
}

/**
 * eb_bus_requests_put:
 *
 * Makes it, or puts another one into its place, in the one order or the other.
 */
void
eb_bus_requests_put (EbBusRig *rig, guint subscriber)
{
  const char *address = rig->subscribers[subscriber].address;
  g_autoptr (EbSink) sink = eb_sink_new_for_address (address, NULL);
  EbSubscriptionSpec spec = { .id = address,
                              .sink = sink,
                              .lease = EB_RIG_LEASE,
                              .concurrency = 1,
                              .order = pick (2) == 0 ? EB_ORDER_STRICT : EB_ORDER_RELAXED };
  g_autoptr (EbSubscription) subscription = eb_subscription_new (&spec, NULL);

  if (rig->subscribers[subscriber].busy || eb_bus_model_is_ending (rig->model, address))
    return;
  eb_bus_rig_collect (rig);
  rig->subscribers[subscriber].busy = TRUE;
  eb_bus_put_async (rig->bus, subscription, EB_PUT_REPLACE, EB_START_NOW, put_cb,
                    request_new (rig, subscriber));
}

static void
paused_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Request) request = user_data;
  EbBusRig *rig = request->rig;
  const char *id = rig->subscribers[request->subscriber].address;
  g_autoptr (GError) error = NULL;
  gboolean done = eb_bus_pause_finish (EB_BUS (source), result, &error);

  rig->subscribers[request->subscriber].busy = FALSE;
  if (eb_bus_rig_is_cut (rig) || eb_bus_model_get_history (rig->model, id) == NULL)
    return;
  g_assert_no_error (error);
  g_assert_true (done);
  eb_bus_model_paused (rig->model, id, request->paused);
}

/**
 * eb_bus_requests_pause:
 * @paused: else it goes on
 */
void
eb_bus_requests_pause (EbBusRig *rig, guint subscriber, gboolean paused)
{
  const char *address = rig->subscribers[subscriber].address;
  Request *request;

  if (rig->subscribers[subscriber].busy || eb_bus_model_get_history (rig->model, address) == NULL)
    return;
  request = request_new (rig, subscriber);
  request->paused = paused;
  rig->subscribers[subscriber].busy = TRUE;
  eb_bus_model_ask_pause (rig->model, address);
  eb_bus_pause_async (rig->bus, address, paused, paused_cb, request);
}

static void
replayed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Request) request = user_data;
  EbBusRig *rig = request->rig;
  EbDeliveryHistory *history;
  guint64 after;
  gboolean done = eb_bus_replay_finish (EB_BUS (source), result, &after, NULL);

  rig->subscribers[request->subscriber].busy = FALSE;
  eb_bus_rig_collect (rig);
  history = eb_bus_model_get_history (rig->model, rig->subscribers[request->subscriber].address);
  if (eb_bus_rig_is_cut (rig) || history == NULL)
    return;
  g_assert_true (done || rig->ending); /* one that ends lets nobody go back any more */
  if (!done)
    return;
  eb_delivery_history_replay (history, after);
  eb_delivery_history_pardon (history);
}

/**
 * eb_bus_requests_replay:
 *
 * Sends one back to an event that it has had.
 */
void
eb_bus_requests_replay (EbBusRig *rig)
{
  guint subscriber = pick (EB_RIG_SUBSCRIBERS);
  const char *address = rig->subscribers[subscriber].address;
  EbDeliveryHistory *history;
  EbReplayFrom from = { 0 };

  eb_bus_rig_collect (rig);
  history = eb_bus_model_get_history (rig->model, address);
  if (rig->subscribers[subscriber].busy || history == NULL
      || eb_delivery_history_get_first (history) == 0)
    return;
  from.after = eb_delivery_history_get_first (history);
  from.after += pick ((guint) (eb_delivery_history_get_newest (history) - from.after) + 1);
  rig->subscribers[subscriber].busy = TRUE;
  eb_delivery_history_begin_replay (history);
  eb_bus_replay_async (rig->bus, address, &from, replayed_cb, request_new (rig, subscriber));
}

/* Dead letters */

static gboolean
finish_change (EbBus *bus, GAsyncResult *result, Request *request)
{
  EbRedriven redriven;

  if (request->dropped)
    return eb_bus_drop_dead_letters_finish (bus, result, NULL);
  if (!eb_bus_redrive_finish (bus, result, &redriven, NULL))
    return FALSE;
  g_assert_cmpuint (redriven.n, >=, request->sequences->len);
  g_assert_true (redriven.left == 0 || !request->all);
  return TRUE;
}

static void
changed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Request) request = user_data;
  EbBusRig *rig = request->rig;
  gboolean done = finish_change (EB_BUS (source), result, request);
  EbDeliveryHistory *history;

  rig->subscribers[request->subscriber].busy = FALSE;
  eb_bus_rig_collect (rig);
  history = eb_bus_model_get_history (rig->model, rig->subscribers[request->subscriber].address);
  if (history == NULL)
    return;
  if (request->all)
    eb_delivery_history_end_change_all (history, request->dropped);
  if (eb_bus_rig_is_cut (rig))
    {
      if (request->dropped)
        eb_delivery_history_doubt_change (history, request->sequences);
      return;
    }
  g_assert_true (done);
  eb_delivery_history_change (history, request->sequences, request->dropped);
}

/**
 * eb_bus_requests_change_dead:
 *
 * Redrives some dead letters or all, or drops them; sinks may have changed since they failed.
 */
void
eb_bus_requests_change_dead (EbBusRig *rig)
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
  request = request_new (rig, subscriber);
  request->all = pick (2) == 0;
  if (request->all)
    eb_delivery_history_begin_change_all (history);
  else
    g_array_set_size (dead, 1 + pick (dead->len));
  request->dropped = drop;
  request->sequences = g_array_ref (dead);
  rig->subscribers[subscriber].busy = TRUE;
  eb_delivery_history_begin_change (history, dead);
  if (drop)
    eb_bus_drop_dead_letters_async (rig->bus, address, request->all ? NULL : dead, changed_cb,
                                    request);
  else
    eb_bus_redrive_async (rig->bus, address, request->all ? NULL : dead, 0, changed_cb, request);
}
