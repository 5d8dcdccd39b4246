/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/eb-lease-keeper.h"

#include "ctl/eb-bus-watch.h"

/* Keeps one address registered from start to stop: registers, keeps alive, deregisters. A bus that
 * was started anew may not know the address any more, so it is watched, and whenever the watch ends
 * the address is registered again. That is all if the bus had only closed an idle connection; if it
 * is away, registering fails, and is tried again until it is back. */

/* Between two tries after the first, which is made at once; doubling. Every event counts, but a bus
 * may be away for hours. */
#define MIN_PAUSE_MS 250
#define MAX_PAUSE_MS 5000

struct _EbLeaseKeeper
{
  GObject parent_instance;

  EbBusClient *client; /* (owned) */
  EbBusWatch *watch;   /* (owned) */
  char *address;       /* (owned) */
  guint interval_ms;
  guint pause_ms;         /* before the next try when the bus is lost, 0 for at once */
  guint timer_id;         /* 0 while a call is under way, and once stopped */
  gboolean is_calling;    /* a registration is under way */
  gboolean is_registered; /* has been, once */
  gboolean is_away;       /* the last registration failed */
  GTask *stopping;        /* (owned) (nullable) to return when deregistered */
};

enum
{
  SIGNAL_REGISTERED,
  SIGNAL_REFUSED,
  SIGNAL_LOST,
  SIGNAL_BACK,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (EbLeaseKeeper, eb_lease_keeper, G_TYPE_OBJECT)

static void keep_alive (EbLeaseKeeper *self);

static void
eb_lease_keeper_finalize (GObject *object)
{
  EbLeaseKeeper *self = EB_LEASE_KEEPER (object);

  g_clear_handle_id (&self->timer_id, g_source_remove);
  g_clear_object (&self->watch);
  g_clear_object (&self->client);
  g_clear_object (&self->stopping);
  g_clear_pointer (&self->address, g_free);
  G_OBJECT_CLASS (eb_lease_keeper_parent_class)->finalize (object);
}

static guint
add_signal (const char *name, guint n_arguments)
{
  return g_signal_new (name, EB_TYPE_LEASE_KEEPER, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                       G_TYPE_NONE, n_arguments, G_TYPE_ERROR);
}

static void
eb_lease_keeper_class_init (EbLeaseKeeperClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = eb_lease_keeper_finalize;

  /**
   * EbLeaseKeeper::registered:
   *
   * The address is registered for the first time.
   */
  signals[SIGNAL_REGISTERED] = add_signal ("registered", 0);
  /**
   * EbLeaseKeeper::refused:
   * @error: why
   *
   * The first registration failed; there will be no other.
   */
  signals[SIGNAL_REFUSED] = add_signal ("refused", 1);
  /**
   * EbLeaseKeeper::lost:
   * @error: why
   *
   * A keep-alive failed, the first after those that did not.
   */
  signals[SIGNAL_LOST] = add_signal ("lost", 1);
  /**
   * EbLeaseKeeper::back:
   *
   * The address is registered again.
   */
  signals[SIGNAL_BACK] = add_signal ("back", 0);
}

static void
eb_lease_keeper_init (EbLeaseKeeper *self)
{
}

static gboolean
timer_cb (gpointer user_data)
{
  EbLeaseKeeper *self = user_data;

  self->timer_id = 0;
  keep_alive (self);
  return G_SOURCE_REMOVE;
}

static void
set_timer (EbLeaseKeeper *self, guint ms)
{
  g_clear_handle_id (&self->timer_id, g_source_remove);
  self->timer_id = g_timeout_add (ms, timer_cb, self);
}

/* Never later than the next keep-alive would be, for a bus that only closes idle connections. */
static void
try_again (EbLeaseKeeper *self)
{
  set_timer (self, MIN (self->pause_ms, self->interval_ms));
  self->pause_ms = CLAMP (self->pause_ms * 2, MIN_PAUSE_MS, MAX_PAUSE_MS);
}

static void
watch_ended_cb (EbLeaseKeeper *self)
{
  /* A call that is under way may have gone to a bus that is no more; plan_next() sees to it. */
  if (!self->is_calling)
    try_again (self);
}

/**
 * eb_lease_keeper_new:
 * @client: the bus to register with
 * @address: the address to register
 * @interval_ms: from one keep-alive to the next
 *
 * Makes a keeper that has not started yet.
 *
 * Returns: (transfer full): the keeper
 */
EbLeaseKeeper *
eb_lease_keeper_new (EbBusClient *client, const char *address, guint interval_ms)
{
  EbLeaseKeeper *self = g_object_new (EB_TYPE_LEASE_KEEPER, NULL);

  self->client = g_object_ref (client);
  self->address = g_strdup (address);
  self->interval_ms = interval_ms;
  self->watch = eb_bus_watch_new (client);
  g_signal_connect_object (self->watch, "ended", G_CALLBACK (watch_ended_cb), self,
                           G_CONNECT_SWAPPED);
  return self;
}

static void
deregister_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GError *error = NULL;

  if (eb_bus_client_deregister_finish (EB_BUS_CLIENT (source), result, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

static void
deregister (EbLeaseKeeper *self)
{
  eb_bus_client_deregister_async (self->client, self->address, deregister_cb,
                                  g_steal_pointer (&self->stopping));
}

static void
announce_success (EbLeaseKeeper *self)
{
  gboolean first = !self->is_registered;
  gboolean was_away = self->is_away;

  self->is_registered = TRUE;
  self->is_away = FALSE;
  if (first)
    g_signal_emit (self, signals[SIGNAL_REGISTERED], 0);
  else if (was_away)
    g_signal_emit (self, signals[SIGNAL_BACK], 0);
}

static void
announce_failure (EbLeaseKeeper *self, GError *error)
{
  gboolean was_away = self->is_away;

  self->is_away = TRUE;
  if (!self->is_registered)
    g_signal_emit (self, signals[SIGNAL_REFUSED], 0, error);
  else if (!was_away)
    g_signal_emit (self, signals[SIGNAL_LOST], 0, error);
}

static void
plan_next (EbLeaseKeeper *self, gboolean done)
{
  if (!done)
    eb_bus_watch_stop (self->watch);
  if (done && eb_bus_watch_is_on (self->watch))
    set_timer (self, self->interval_ms);
  else
    try_again (self);
}

static void
keep_alive_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (EbLeaseKeeper) self = user_data;
  g_autoptr (GError) error = NULL;
  gboolean done = eb_bus_client_register_finish (self->client, result, &error);

  self->is_calling = FALSE;
  if (self->stopping != NULL)
    {
      deregister (self);
      return;
    }
  /* Before the announcement, which may well stop us. */
  if (done || self->is_registered)
    plan_next (self, done);
  else
    eb_bus_watch_stop (self->watch);
  if (done)
    announce_success (self);
  else
    announce_failure (self, error);
}

static void
keep_alive (EbLeaseKeeper *self)
{
  self->is_calling = TRUE;
  /* The watch comes first, so that it can't be with a later bus than the registration. */
  if (eb_bus_watch_is_on (self->watch))
    self->pause_ms = 0;
  else
    eb_bus_watch_start (self->watch);
  eb_bus_client_register_async (self->client, self->address, keep_alive_cb, g_object_ref (self));
}

/**
 * eb_lease_keeper_start:
 * @self: a keeper
 *
 * Registers the address; what comes of it is told by signals.
 */
void
eb_lease_keeper_start (EbLeaseKeeper *self)
{
  keep_alive (self);
}

/**
 * eb_lease_keeper_stop_async:
 * @self: a keeper
 * @callback: called when the bus has answered
 * @user_data: for @callback
 *
 * Stops keeping alive and deregisters the address.
 */
void
eb_lease_keeper_stop_async (EbLeaseKeeper *self, GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (self->stopping == NULL);

  self->stopping = g_task_new (self, NULL, callback, user_data);
  g_task_set_source_tag (self->stopping, eb_lease_keeper_stop_async);
  g_clear_handle_id (&self->timer_id, g_source_remove);
  eb_bus_watch_stop (self->watch);
  /* A registration that is still under way would undo what we do now: wait for it. */
  if (!self->is_calling)
    deregister (self);
}

/**
 * eb_lease_keeper_stop_finish:
 * @self: a keeper
 * @result: what the callback got
 * @error: return location for why it failed, a sentence for people
 *
 * Returns: whether the address is deregistered
 */
gboolean
eb_lease_keeper_stop_finish (EbLeaseKeeper *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}
