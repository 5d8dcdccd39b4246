/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-worker.h"

#include "delivery/eb-dispatcher.h"

/* A thread with an #EbDispatcher in it.
 *
 * The functions of eb-worker.h are called in the thread that made it, and send messages: sources
 * in the worker's context, which run in the order in which they were sent. All else runs in the
 * worker's thread; between the two go only values that never change. */
struct _EbWorker
{
  GThread *thread;
  GMainContext *context;    /* (owned) the thread's */
  GMainLoop *loop;          /* (owned) */
  EbDispatcher *dispatcher; /* (owned) the thread's */
  EbNotices *notices;       /* (owned) for the owner */
};

/* Which of the fields there are depends on what is done with them. */
typedef struct _Message Message;

struct _Message
{
  EbWorker *worker;
  void (*handle) (EbDispatcher *dispatcher, const Message *message);
  EbSubscription *subscription; /* (owned) (nullable) */
  EbStart start;                /* what is in it is (owned) (nullable) */
  EbBatchRange batch;
  GPtrArray *exceptions;        /* (owned) (nullable) (element-type EbException) */
  EbDeliverySettings *settings; /* (owned) (nullable) */
  guint64 up_to;
  EbWorkerFunc func;
  GTask *task; /* (owned) (nullable) */
};

static gboolean
message_cb (gpointer user_data)
{
  const Message *message = user_data;

  message->handle (message->worker->dispatcher, message);
  return G_SOURCE_REMOVE;
}

static void
message_free (gpointer user_data)
{
  Message *message = user_data;

  g_clear_pointer (&message->subscription, eb_subscription_unref);
  g_clear_pointer (&message->start.aside, g_ptr_array_unref);
  g_clear_pointer (&message->start.batches, g_array_unref);
  g_clear_pointer (&message->exceptions, g_ptr_array_unref);
  g_clear_pointer (&message->settings, eb_delivery_settings_unref);
  g_clear_object (&message->task);
  g_free (message);
}

/* Sends a copy of @message. It never runs from within this call, even in the worker's thread. */
static void
send (const Message *message)
{
  g_autoptr (GSource) source = g_idle_source_new ();

  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, message_cb, g_memdup2 (message, sizeof *message), message_free);
  g_source_attach (source, message->worker->context);
}

static gpointer
thread_func (gpointer data)
{
  EbWorker *self = data;

  g_main_context_push_thread_default (self->context);
  eb_dispatcher_start (self->dispatcher);
  g_main_loop_run (self->loop);
  eb_dispatcher_stop (self->dispatcher);
  g_main_context_pop_thread_default (self->context);
  return NULL;
}

/**
 * eb_worker_new:
 * @log: its tail is followed from where it is now
 * @factory: makes the transports, in the worker's thread
 * @owner: is told, in the caller's thread-default context
 *
 * Returns: (transfer full): a running worker without subscriptions
 */
EbWorker *
eb_worker_new (EbClock *clock,
               EbLog *log,
               EbDeliverySettings *settings,
               EbTransportFactory factory,
               gpointer factory_data,
               const EbWorkerOwner *owner,
               gpointer user_data)
{
  EbWorker *self = g_new0 (EbWorker, 1);

  self->context = g_main_context_new ();
  self->loop = g_main_loop_new (self->context, FALSE);
  self->notices = eb_notices_new (owner, user_data);
  self->dispatcher =
      eb_dispatcher_new (self->context, clock, log, settings, factory, factory_data, self->notices);
  self->thread = g_thread_new ("delivery", thread_func, self);

  return self;
}

static void
handle_stop (EbDispatcher *dispatcher, const Message *message)
{
  g_main_loop_quit (message->worker->loop);
}

/**
 * eb_worker_free:
 *
 * Ends the thread, and with it whatever is under way. Waits for it; it never waits for a sink, and
 * for the log only if somebody is just reading there.
 */
void
eb_worker_free (EbWorker *self)
{
  send (&(Message){ .worker = self, .handle = handle_stop });
  g_thread_join (self->thread);
  eb_notices_deliver (self->notices);

  eb_dispatcher_free (self->dispatcher);
  eb_notices_free (self->notices);
  g_main_loop_unref (self->loop);
  g_main_context_unref (self->context);
  g_free (self);
}

static void
handle_configure (EbDispatcher *dispatcher, const Message *message)
{
  eb_dispatcher_configure (dispatcher, message->settings);
}

/**
 * eb_worker_configure:
 * @settings: for attempts that start from now on
 */
void
eb_worker_configure (EbWorker *self, EbDeliverySettings *settings)
{
  send (&(Message){
      .worker = self,
      .handle = handle_configure,
      .settings = eb_delivery_settings_ref (settings),
  });
}

static void
handle_add (EbDispatcher *dispatcher, const Message *message)
{
  eb_dispatcher_add (dispatcher, message->subscription, &message->start);
}

/**
 * eb_worker_add:
 * @start: where it begins, or goes on; what is in it is referenced and must not change any more
 */
void
eb_worker_add (EbWorker *self, EbSubscription *subscription, const EbStart *start)
{
  if (start->aside != NULL)
    g_ptr_array_ref (start->aside);
  if (start->batches != NULL)
    g_array_ref (start->batches);
  send (&(Message){
      .worker = self,
      .handle = handle_add,
      .subscription = eb_subscription_ref (subscription),
      .start = *start,
  });
}

static void
handle_fix_batches (EbDispatcher *dispatcher, const Message *message)
{
  eb_dispatcher_fix_batches (dispatcher);
}

/**
 * eb_worker_fix_batches:
 *
 * From now on no batch is sent before eb_worker_confirm_batch().
 */
void
eb_worker_fix_batches (EbWorker *self)
{
  send (&(Message){ .worker = self, .handle = handle_fix_batches });
}

static void
handle_confirm_batch (EbDispatcher *dispatcher, const Message *message)
{
  eb_dispatcher_confirm_batch (dispatcher, message->subscription, &message->batch);
}

/**
 * eb_worker_confirm_batch:
 * @batch: the ledger knows of it
 */
void
eb_worker_confirm_batch (EbWorker *self, EbSubscription *subscription, const EbBatchRange *batch)
{
  send (&(Message){
      .worker = self,
      .handle = handle_confirm_batch,
      .subscription = eb_subscription_ref (subscription),
      .batch = *batch,
  });
}

static void
handle_nudge (EbDispatcher *dispatcher, const Message *message)
{
  eb_dispatcher_nudge (dispatcher, message->subscription);
}

/**
 * eb_worker_nudge:
 *
 * If nobody was there, it tries again at once.
 */
void
eb_worker_nudge (EbWorker *self, EbSubscription *subscription)
{
  send (&(Message){
      .worker = self,
      .handle = handle_nudge,
      .subscription = eb_subscription_ref (subscription),
  });
}

static void
handle_replace (EbDispatcher *dispatcher, const Message *message)
{
  eb_dispatcher_replace (dispatcher, message->subscription);
}

/**
 * eb_worker_replace:
 * @subscription: takes the place of the one that it replaces
 */
void
eb_worker_replace (EbWorker *self, EbSubscription *subscription)
{
  send (&(Message){
      .worker = self,
      .handle = handle_replace,
      .subscription = eb_subscription_ref (subscription),
  });
}

static void
handle_run (EbDispatcher *dispatcher, const Message *message)
{
  message->func (dispatcher, message->task);
}

/**
 * eb_worker_run:
 * @func: called in the worker's thread, after everything that was asked before
 */
void
eb_worker_run (EbWorker *self, EbWorkerFunc func, GTask *task)
{
  send (&(Message){
      .worker = self,
      .handle = handle_run,
      .func = func,
      .task = g_object_ref (task),
  });
}

/**
 * eb_worker_deliver_notices:
 *
 * Tells the owner what there is to tell, now.
 */
void
eb_worker_deliver_notices (EbWorker *self)
{
  eb_notices_deliver (self->notices);
}

static void
handle_redrive (EbDispatcher *dispatcher, const Message *message)
{
  eb_dispatcher_redrive (dispatcher, message->subscription, message->exceptions);
}

/**
 * eb_worker_redrive:
 * @exceptions: (element-type EbException): is referenced and must not change any more
 */
void
eb_worker_redrive (EbWorker *self, EbSubscription *subscription, GPtrArray *exceptions)
{
  send (&(Message){
      .worker = self,
      .handle = handle_redrive,
      .subscription = eb_subscription_ref (subscription),
      .exceptions = g_ptr_array_ref (exceptions),
  });
}

static void
handle_remove (EbDispatcher *dispatcher, const Message *message)
{
  eb_dispatcher_remove (dispatcher, message->subscription);
  g_task_return_boolean (message->task, TRUE);
}

/**
 * eb_worker_remove:
 * @task: returns TRUE once no delivery of @subscription is under way, and none will start
 */
void
eb_worker_remove (EbWorker *self, EbSubscription *subscription, GTask *task)
{
  send (&(Message){
      .worker = self,
      .handle = handle_remove,
      .subscription = eb_subscription_ref (subscription),
      .task = g_object_ref (task),
  });
}

static void
handle_finish (EbDispatcher *dispatcher, const Message *message)
{
  eb_dispatcher_finish (dispatcher);
}

void
eb_worker_finish (EbWorker *self)
{
  send (&(Message){ .worker = self, .handle = handle_finish });
}

static void
handle_drain (EbDispatcher *dispatcher, const Message *message)
{
  eb_dispatcher_drain (dispatcher, message->up_to, message->task);
}

/**
 * eb_worker_drain:
 * @up_to: a sequence
 * @task: returns TRUE once every delivery of the events up to there has ended, or must wait; FALSE
 *   if the worker was freed before
 */
void
eb_worker_drain (EbWorker *self, guint64 up_to, GTask *task)
{
  send (&(Message){
      .worker = self,
      .handle = handle_drain,
      .up_to = up_to,
      .task = g_object_ref (task),
  });
}
