/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "support/eb-bus-rig.h"

#include "support/eb-test-wait.h"

#define SECOND G_TIME_SPAN_SECOND

/* Real time that is stepped by days must not make events too old to be kept. */
#define RETENTION_AGE (10000 * G_TIME_SPAN_DAY)

#define DRAIN_LIMIT (8 * SECOND)

gboolean
eb_bus_rig_is_cut (EbBusRig *self)
{
  return eb_shim_vfs_is_cut (self->shim);
}

static gboolean
is_off_cb (gpointer user_data)
{
  return eb_shim_vfs_is_cut (user_data);
}

guint64
eb_bus_rig_get_head (EbBusRig *self)
{
  EbExtent extent;

  eb_log_get_extent (self->store.log, &extent);
  return extent.head;
}

static gint64
get_now (EbBusRig *self)
{
  return eb_clock_get_monotonic (EB_CLOCK (self->store.clock));
}

/* What arrives */

/**
 * eb_bus_rig_get_serial:
 *
 * Returns: which publication it is: its data begins with the number
 */
guint
eb_bus_rig_get_serial (EbEvent *event)
{
  gsize size;
  const char *text = g_bytes_get_data (eb_event_get_data (event), &size);

  g_assert_cmpuint (size, >, 0);
  g_assert_cmpint (text[size - 1], ==, '\0');
  return (guint) g_ascii_strtoull (text, NULL, 10);
}

/**
 * eb_bus_rig_collect:
 *
 * Tells the model what has arrived.
 */
void
eb_bus_rig_collect (EbBusRig *self)
{
  for (guint i = 0; i < EB_RIG_SUBSCRIBERS; i++)
    while (self->subscribers[i].n_arrived
           < eb_fake_sinks_count (self->sinks, self->subscribers[i].uri))
      {
        EbFakeArrival arrival = eb_fake_sinks_get (self->sinks, self->subscribers[i].uri,
                                                   self->subscribers[i].n_arrived++);

        self->subscribers[i].kept |= arrival.behaviour == EB_FAKE_KEEP;
        eb_log_model_see (self->log_model, arrival.sequence, eb_bus_rig_get_serial (arrival.event));
        eb_bus_model_arrive (self->model, self->subscribers[i].address, &arrival);
      }
}

/**
 * eb_bus_rig_release:
 *
 * What sinks keep they take.
 */
void
eb_bus_rig_release (EbBusRig *self)
{
  eb_bus_rig_collect (self);
  for (guint i = 0; i < EB_RIG_SUBSCRIBERS; i++)
    {
      EbDeliveryHistory *history =
          eb_bus_model_get_history (self->model, self->subscribers[i].address);

      if (!self->subscribers[i].kept)
        continue;
      self->subscribers[i].kept = FALSE;
      if (history != NULL)
        eb_delivery_history_release (history);
      eb_fake_sinks_release (self->sinks, self->subscribers[i].uri);
    }
}

/**
 * eb_bus_rig_for_each:
 * @func: for the registrations that are alive, when they know of every arrival
 */
void
eb_bus_rig_for_each (EbBusRig *self, void (*func) (EbDeliveryHistory *history))
{
  eb_bus_rig_collect (self);
  for (guint i = 0; i < EB_RIG_SUBSCRIBERS; i++)
    {
      EbDeliveryHistory *history =
          eb_bus_model_get_history (self->model, self->subscribers[i].address);

      if (history != NULL)
        func (history);
    }
}

/* Something may have arrived already. */
static void
added_cb (EbBus *bus, const char *label, EbBusRig *self)
{
  eb_bus_model_added (self->model, label, self->head, get_now (self));
}

static void
removed_cb (EbBus *bus, const char *label, const char *reason, EbBusRig *self)
{
  eb_bus_rig_collect (self);
  eb_bus_model_removed (self->model, label, reason, get_now (self));
  self->n_removed++;
}

/* Waiting */

typedef struct
{
  EbBusRig *rig;
  gboolean (*condition) (gpointer data);
  gpointer data;
} Wait;

static gboolean
is_over_or_cut (gpointer user_data)
{
  const Wait *wait = user_data;

  eb_bus_rig_release (wait->rig);
  return wait->condition (wait->data) || eb_bus_rig_is_cut (wait->rig);
}

/**
 * eb_bus_rig_wait_for:
 * @condition: waited for as by eb_test_wait_for(); sinks do not keep anything meanwhile
 *
 * Returns: FALSE if the power went off
 */
gboolean
eb_bus_rig_wait_for (EbBusRig *self, gboolean (*condition) (gpointer data), gpointer data)
{
  eb_test_wait_for (is_over_or_cut, &(Wait){ self, condition, data });
  return !eb_bus_rig_is_cut (self);
}

/* An answer comes in any case, also when the power is off; @result is where. */
static gboolean
has_result (gpointer data)
{
  return *(GAsyncResult **) data != NULL;
}

/* Time passes: deliveries have a limit, and what is to be written after them has another. */
static gboolean
has_result_in_time (gpointer user_data)
{
  const Wait *wait = user_data;

  eb_fake_clock_advance (wait->rig->store.clock, DRAIN_LIMIT);
  return wait->condition (wait->data);
}

static gboolean
has_nothing_in_flight (gpointer data)
{
  return ((EbBusRig *) data)->n_in_flight == 0;
}

/* The daemon's lives */

/* Returns: FALSE if the power went off meanwhile */
static gboolean
open_store (EbBusRig *self)
{
  EbStoreFixture *store = &self->store;

  store->store = eb_sqlite_store_new (EB_CLOCK (store->clock), store->path, store->vfs, NULL);
  if (store->store == NULL)
    {
      g_assert_true (eb_bus_rig_is_cut (self));
      return FALSE;
    }
  eb_sqlite_store_configure (store->store, EB_DURABILITY_FULL, G_MAXSIZE, RETENTION_AGE);
  store->log = g_object_ref (EB_LOG (store->store));
  store->ledger = g_object_ref (EB_LEDGER (store->store));
  return TRUE;
}

static void
create_bus (EbBusRig *self)
{
  static const GTimeSpan retry[EB_HISTORY_MAX_FAILURES - 1] = { 1 * SECOND, 5 * SECOND,
                                                                30 * SECOND };
  g_autoptr (EbAddressPolicy) policy = eb_address_policy_new (NULL, NULL, NULL, NULL);
  g_autoptr (EbDeliverySettings) settings = eb_delivery_settings_new (policy);
  EbClock *clock = EB_CLOCK (self->store.clock);
  const EbBusLimits limits = { EB_RIG_LEASE, 10000, EB_RIG_MAX_EVENT_SIZE };

  eb_delivery_settings_set_retry (settings, retry, G_N_ELEMENTS (retry));
  self->ending = FALSE;
  self->workers = eb_worker_pool_new (2, clock, self->store.log, settings, eb_fake_transport_create,
                                      self->sinks);
  self->bus = eb_bus_new (clock, self->store.log, self->store.ledger, self->workers);
  eb_bus_configure (self->bus, &limits, policy);
  g_signal_connect (self->bus, "subscriber-added", G_CALLBACK (added_cb), self);
  g_signal_connect (self->bus, "subscriber-removed", G_CALLBACK (removed_cb), self);
}

static void
destroy_bus (EbBusRig *self)
{
  eb_worker_pool_stop (self->workers);
  /* When the power is off the store may owe an answer until it is closed. */
  eb_bus_rig_wait_for (self, has_nothing_in_flight, self);
  eb_sqlite_store_close (self->store.store);
  eb_test_wait_for (has_nothing_in_flight, self);
  eb_test_run ();
  eb_bus_rig_collect (self);
  g_assert_finalize_object (g_steal_pointer (&self->bus));
  g_assert_finalize_object (g_steal_pointer (&self->workers));
  eb_store_fixture_close (&self->store);
}

/* Returns: FALSE if the power went off before it was ready */
static gboolean
try_start (EbBusRig *self)
{
  g_autoptr (GAsyncResult) result = NULL;

  if (!open_store (self))
    return FALSE;
  create_bus (self);
  self->head = eb_bus_rig_get_head (self);
  eb_bus_start_async (self->bus, eb_test_result_cb, &result);
  if (eb_bus_start_finish (self->bus, eb_test_wait_for_result (&result), NULL))
    {
      eb_bus_model_started (self->model);
      eb_bus_rig_check_dead (self, eb_delivery_history_check_kept);
      return TRUE;
    }
  g_assert_true (eb_bus_rig_is_cut (self));
  g_clear_object (&result); /* it holds the bus */
  destroy_bus (self);
  return FALSE;
}

/* When nothing is open any more. */
static void
note_end (EbBusRig *self, EbShimLoss loss)
{
  gboolean power_cut = eb_bus_rig_is_cut (self) && loss == EB_SHIM_LOSE_UNSYNCED;

  for (guint i = 0; i < EB_RIG_SUBSCRIBERS; i++)
    self->subscribers[i].kept = FALSE;
  eb_shim_vfs_restore (self->shim, loss);
  eb_bus_model_stopped (self->model, power_cut);
  self->n_runs++;
  self->n_power_cuts += power_cut;
}

/**
 * eb_bus_rig_start:
 *
 * If the power goes off before it is ready, it starts again.
 */
void
eb_bus_rig_start (EbBusRig *self)
{
  while (!try_start (self))
    note_end (self, EB_SHIM_LOSE_UNSYNCED);
  eb_bus_rig_check_log (self);
}

/**
 * eb_bus_rig_end:
 *
 * As a daemon ends that is told to.
 */
void
eb_bus_rig_end (EbBusRig *self, EbRigEnd end)
{
  g_autoptr (GAsyncResult) result = NULL;
  gboolean drained;

  self->ending = TRUE;
  eb_bus_rig_for_each (self, eb_delivery_history_note_answered);
  eb_bus_drain_async (self->bus, EB_DRAIN_LEAVE, DRAIN_LIMIT, eb_test_result_cb, &result);
  if (end == EB_RIG_BREAK_OFF || !eb_bus_rig_wait_for (self, has_result, &result))
    eb_test_wait_for (has_result_in_time, &(Wait){ self, has_result, &result });
  eb_bus_drain_finish (self->bus, eb_test_wait_for_result (&result));
  drained = end == EB_RIG_DRAIN && !eb_bus_rig_is_cut (self);
  g_clear_object (&result); /* it holds the bus */
  destroy_bus (self);
  if (drained)
    eb_bus_rig_for_each (self, eb_delivery_history_seal);
  note_end (self, EB_SHIM_LOSE_UNSYNCED);
}

/**
 * eb_bus_rig_crash:
 *
 * It is killed, or its power goes off, now if it has not yet. What was not written is lost, and so
 * is what it had on its tongue.
 */
void
eb_bus_rig_crash (EbBusRig *self, EbShimLoss loss)
{
  self->ending = TRUE;
  eb_shim_vfs_cut (self->shim);
  destroy_bus (self);
  note_end (self, loss);
}

EbBusRig *
eb_bus_rig_new (guint32 seed)
{
  EbBusRig *self = g_new0 (EbBusRig, 1);

  self->shim = eb_shim_vfs_new (seed);
  self->sinks = eb_fake_sinks_new ();
  self->model = eb_bus_model_new (EB_RIG_LEASE);
  self->log_model = eb_log_model_new ();
  self->store.clock = eb_fake_clock_new ();
  self->store.folder = g_dir_make_tmp ("eb-test-bus-XXXXXX", NULL);
  self->store.path = g_build_filename (self->store.folder, "events.db", NULL);
  self->store.vfs = eb_shim_vfs_get_name (self->shim);
  eb_fake_sinks_cut_off (self->sinks, is_off_cb, self->shim);
  for (guint i = 0; i < EB_RIG_SUBSCRIBERS; i++)
    {
      self->subscribers[i].address = g_strdup_printf ("s%u:1", i);
      self->subscribers[i].uri = g_strdup_printf ("http://s%u:1/event", i);
    }
  return self;
}

/**
 * eb_bus_rig_free:
 *
 * To be called when the bus does not run.
 */
void
eb_bus_rig_free (EbBusRig *self)
{
  eb_store_fixture_tear_down (&self->store, NULL);
  eb_bus_model_free (self->model);
  eb_log_model_free (self->log_model);
  eb_fake_sinks_free (self->sinks);
  eb_shim_vfs_free (self->shim);
  for (guint i = 0; i < EB_RIG_SUBSCRIBERS; i++)
    {
      g_free (self->subscribers[i].address);
      g_free (self->subscribers[i].uri);
    }
  g_free (self);
}
