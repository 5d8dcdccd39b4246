/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-worker.h"

#include "delivery/eb-consumer.h"

/* A thread that delivers to its share of the subscriptions. It follows the log's tail once for all
 * of them.
 *
 * The functions of eb-worker.h are called in the thread that made it, and send messages: sources
 * in the worker's context, which run in the order in which they were sent. All else runs in the
 * worker's thread; between the two go only values that never change. */

#define TAIL_PAGE_BYTES (64 * 1024)  /* small: sinks are served between two pages */
#define LAG_PAGE_BYTES  (256 * 1024) /* a queue's worth of small events */
#define REPORT_INTERVAL (100 * G_TIME_SPAN_MILLISECOND)
#define LOG_INTERVAL    (1 * G_TIME_SPAN_SECOND) /* between two lines about one sink's failures */

#define N_TRANSPORTS (EB_SINK_PEER + 1)

struct _EbWorker
{
  GThread *thread;
  GMainContext *context;  /* (owned) the thread's */
  GMainLoop *loop;        /* (owned) */
  GAsyncQueue *notices;   /* (owned) (element-type Notice) for the owner */
  GSource *notice_source; /* (owned) in the owner's context; ready when there are notices */
  const EbWorkerOwner *owner;
  gpointer user_data;

  EbClock *clock;               /* (owned) */
  EbLog *log;                   /* (owned) */
  EbDeliverySettings *settings; /* (owned) */
  EbTransportFactory factory;
  gpointer factory_data;
  EbTransport *transports[N_TRANSPORTS]; /* (owned) (nullable) by EbSinkKind; made when needed */

  GHashTable *consumers;     /* (owned) (element-type EbSubscription EbConsumer) */
  GQueue list;               /* (element-type EbConsumer) the same */
  GHashTable *parcels;       /* (owned) of all events in the queues */
  GHashTable *failures;      /* (owned) (element-type EbSubscription Failures) of late */
  guint64 tail;              /* the last event that was offered to all */
  guint n_unsettled;         /* consumers that owe something */
  GCancellable *cancellable; /* (owned) of every read */

  EbReport report;       /* what the owner does not know yet */
  GSource *report_timer; /* (owned) set while there is something to report */
  gboolean report_due;

  GTask *drain; /* (owned) (nullable) done when nothing up to drain_up_to is owed */
  guint64 drain_up_to;
};

/* So that a broken sink cannot flood the journal. */
typedef struct
{
  gint64 logged_us; /* monotonic time of the last line */
  guint n_silent;   /* failures since */
} Failures;

static void follow_tail (EbWorker *self);

/* Messages to the thread. */

typedef struct
{
  EbWorker *worker;
  void (*handle) (EbWorker *self, gpointer subject, guint64 number, GTask *task);
  gpointer subject; /* (owned) (nullable) */
  GDestroyNotify free_subject;
  guint64 number;
  GTask *task; /* (owned) (nullable) */
} Message;

static gboolean
message_cb (gpointer user_data)
{
  Message *message = user_data;

  message->handle (message->worker, message->subject, message->number, message->task);
  return G_SOURCE_REMOVE;
}

static void
message_free (gpointer user_data)
{
  Message *message = user_data;

  if (message->subject != NULL)
    message->free_subject (message->subject);
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

/* Notices to the owner. */

typedef struct
{
  EbReport report;
  EbSubscription *subscription; /* (owned) (nullable): this is about it being gone */
  char *reason;                 /* (owned) (nullable) */
} Notice;

static void
notice_free (Notice *notice)
{
  g_clear_pointer (&notice->subscription, eb_subscription_unref);
  g_free (notice->reason);
  g_free (notice);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Notice, notice_free)

/* Takes @notice. */
static void
notify (EbWorker *self, Notice *notice)
{
  g_async_queue_push (self->notices, notice);
  g_source_set_ready_time (self->notice_source, 0);
}

/* In the owner's thread. */
static void
tell_owner (EbWorker *self)
{
  Notice *next;

  while ((next = g_async_queue_try_pop (self->notices)) != NULL)
    {
      g_autoptr (Notice) notice = next;

      if (notice->subscription != NULL)
        self->owner->gone (notice->subscription, notice->reason, self->user_data);
      else
        self->owner->report (&notice->report, self->user_data);
    }
}

static gboolean
notice_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  g_source_set_ready_time (source, -1);
  return callback (user_data);
}

static GSourceFuncs notice_funcs = { .dispatch = notice_dispatch };

static gboolean
notice_cb (gpointer user_data)
{
  tell_owner (user_data);
  return G_SOURCE_CONTINUE;
}

static GSource *
create_notice_source (EbWorker *self)
{
  GSource *source = g_source_new (&notice_funcs, sizeof (GSource));

  g_source_set_static_name (source, "EbWorker notices");
  g_source_set_callback (source, notice_cb, self, NULL);
  g_source_attach (source, g_main_context_get_thread_default ());
  return source;
}

static void
flush_report (EbWorker *self)
{
  Notice *notice;

  if (!self->report_due)
    return;
  self->report_due = FALSE;
  notice = g_new0 (Notice, 1);
  notice->report = self->report;
  self->report = (EbReport){ 0 };
  notify (self, notice);
}

static gboolean
report_timer_cb (gpointer user_data)
{
  flush_report (user_data);
  return G_SOURCE_CONTINUE;
}

static void
mark_report_due (EbWorker *self)
{
  if (self->report_due)
    return;
  self->report_due = TRUE;
  eb_clock_set_timer (self->clock, self->report_timer,
                      eb_clock_get_monotonic (self->clock) + REPORT_INTERVAL);
}

/* Draining. */

static void
check_drained (EbWorker *self)
{
  if (self->drain == NULL || self->n_unsettled > 0 || self->tail < self->drain_up_to)
    return;
  flush_report (self);
  g_task_return_boolean (self->drain, TRUE);
  g_clear_object (&self->drain);
}

/* What consumers need of their worker. */

static void
settled_cb (EbConsumer *consumer, gboolean settled, gpointer user_data)
{
  EbWorker *self = user_data;

  self->n_unsettled += settled ? -1 : 1;
  check_drained (self);
}

static void
describe_failure (GString *line, const EbAnswer *answer)
{
  if (answer->kind == EB_ANSWER_RESPONSE)
    g_string_append_printf (line, "answered %u", answer->status);
  else
    g_string_append (line, answer->reason);
}

static void
log_failure (EbWorker *self, EbConsumer *consumer, EbDelivery *delivery, const EbAnswer *answer)
{
  EbSubscription *subscription = eb_consumer_get_subscription (consumer);
  Failures *failures = g_hash_table_lookup (self->failures, subscription);
  gint64 now_us = eb_clock_get_monotonic (self->clock);
  g_autoptr (GString) line = NULL;

  if (failures != NULL && now_us - failures->logged_us < LOG_INTERVAL)
    {
      failures->n_silent++;
      return;
    }
  if (failures == NULL)
    {
      failures = g_new0 (Failures, 1);
      g_hash_table_insert (self->failures, subscription, failures);
    }

  line = g_string_new (NULL);
  g_string_printf (line, "%s did not take event %" G_GUINT64_FORMAT ": ",
                   eb_sink_get_uri (eb_subscription_get_sink (subscription)),
                   eb_event_get_sequence (eb_parcel_get_event (delivery->parcel)));
  describe_failure (line, answer);
  if (failures->n_silent > 0)
    g_string_append_printf (line, " (and %u more before)", failures->n_silent);
  g_warning ("%s", line->str);
  failures->logged_us = now_us;
  failures->n_silent = 0;
}

static void
ended_cb (EbConsumer *consumer, EbDelivery *delivery, const EbAnswer *answer, gpointer user_data)
{
  EbWorker *self = user_data;
  gboolean delivered =
      answer->kind == EB_ANSWER_RESPONSE && answer->status >= 200 && answer->status < 300;

  if (delivered)
    self->report.delivered++;
  else
    {
      self->report.failed++;
      log_failure (self, consumer, delivery, answer);
    }
  mark_report_due (self);
}

static void
gone_cb (EbConsumer *consumer, const char *reason, gpointer user_data)
{
  EbWorker *self = user_data;
  Notice *notice = g_new0 (Notice, 1);

  notice->subscription = eb_subscription_ref (eb_consumer_get_subscription (consumer));
  notice->reason = g_strdup (reason);
  notify (self, notice);
}

typedef struct
{
  EbWorker *worker;
  EbSubscription *subscription; /* (owned) whose consumer asked; it may be gone since */
} Read;

static void
page_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autofree Read *read = user_data;
  g_autoptr (EbSubscription) subscription = read->subscription;
  g_autoptr (GError) error = NULL;
  g_autoptr (EbPage) page = eb_log_read_finish (EB_LOG (source), result, &error);
  EbConsumer *consumer;

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  if (error != NULL)
    g_warning ("Cannot read the log: %s", error->message);
  consumer = g_hash_table_lookup (read->worker->consumers, subscription);
  if (consumer != NULL)
    eb_consumer_take_page (consumer, page, read->worker->tail, read->worker->parcels);
}

static void
read_cb (EbConsumer *consumer, guint64 after, gpointer user_data)
{
  EbWorker *self = user_data;
  Read *read = g_new (Read, 1);

  read->worker = self;
  read->subscription = eb_subscription_ref (eb_consumer_get_subscription (consumer));
  eb_log_read_async (self->log, after, LAG_PAGE_BYTES, EB_LOG_NO_WAIT, self->cancellable, page_cb,
                     read);
}

static const EbConsumerOwner consumer_owner = {
  .read = read_cb, .settled = settled_cb, .ended = ended_cb, .gone = gone_cb
};

/* The tail. */

static void
offer_to_all (EbWorker *self, EbEvent *event)
{
  g_autoptr (EbParcel) parcel = eb_parcels_obtain (self->parcels, event);

  for (GList *link = self->list.head; link != NULL; link = link->next)
    eb_consumer_offer (link->data, parcel);
  self->tail = eb_event_get_sequence (event);
}

static void
lose_for_all (EbWorker *self, guint64 up_to)
{
  for (GList *link = self->list.head; link != NULL; link = link->next)
    eb_consumer_lose (link->data, up_to);
  self->tail = MAX (self->tail, up_to);
}

static void
tail_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  EbWorker *self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (EbPage) page = eb_log_read_finish (EB_LOG (source), result, &error);

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  if (error != NULL)
    {
      g_critical ("Cannot read the log: %s", error->message);
      return;
    }
  if (page->lost_up_to > 0)
    lose_for_all (self, page->lost_up_to);
  for (guint i = 0; i < page->events->len; i++)
    offer_to_all (self, g_ptr_array_index (page->events, i));
  check_drained (self);
  follow_tail (self);
}

static void
follow_tail (EbWorker *self)
{
  eb_log_read_async (self->log, self->tail, TAIL_PAGE_BYTES, EB_LOG_WAIT, self->cancellable,
                     tail_cb, self);
}

/* What the messages do. */

static EbTransport *
get_transport (EbWorker *self, EbSinkKind kind)
{
  if (self->transports[kind] == NULL)
    {
      self->transports[kind] =
          self->factory (kind, self->context, self->settings, self->factory_data);
      eb_transport_set_answer_func (self->transports[kind], eb_consumer_answer, NULL);
    }
  return self->transports[kind];
}

static void
handle_add (EbWorker *self, gpointer subject, guint64 after, GTask *task)
{
  EbSubscription *subscription = subject;
  EbSinkKind kind = eb_sink_get_kind (eb_subscription_get_sink (subscription));
  EbConsumer *consumer =
      eb_consumer_new (subscription, get_transport (self, kind), after, &consumer_owner, self);

  g_hash_table_insert (self->consumers, subscription, consumer);
  g_queue_push_tail_link (&self->list, eb_consumer_get_link (consumer));
  if (after < self->tail)
    eb_consumer_catch_up (consumer);
}

static void
remove_consumer (EbWorker *self, EbConsumer *consumer)
{
  EbSubscription *subscription = eb_consumer_get_subscription (consumer);

  g_hash_table_remove (self->failures, subscription);
  g_hash_table_remove (self->consumers, subscription);
  g_queue_unlink (&self->list, eb_consumer_get_link (consumer));
  eb_consumer_free (consumer);
}

static void
handle_remove (EbWorker *self, gpointer subject, guint64 number, GTask *task)
{
  EbConsumer *consumer = g_hash_table_lookup (self->consumers, subject);

  if (consumer != NULL)
    remove_consumer (self, consumer);
  g_task_return_boolean (task, TRUE);
}

static void
handle_configure (EbWorker *self, gpointer subject, guint64 number, GTask *task)
{
  EbDeliverySettings *settings = subject;

  eb_delivery_settings_unref (self->settings);
  self->settings = eb_delivery_settings_ref (settings);
  for (guint i = 0; i < N_TRANSPORTS; i++)
    if (self->transports[i] != NULL)
      eb_transport_configure (self->transports[i], settings);
}

static void
handle_drain (EbWorker *self, gpointer subject, guint64 up_to, GTask *task)
{
  g_set_object (&self->drain, task);
  self->drain_up_to = up_to;
  check_drained (self);
}

static void
handle_stop (EbWorker *self, gpointer subject, guint64 number, GTask *task)
{
  g_main_loop_quit (self->loop);
}

/* The thread. */

static void
shut_down (EbWorker *self)
{
  if (self->drain != NULL)
    g_task_return_boolean (self->drain, FALSE);
  g_clear_object (&self->drain);
  g_cancellable_cancel (self->cancellable);
  while (self->list.head != NULL)
    remove_consumer (self, self->list.head->data);
  flush_report (self);
  /* What was cancelled still has to be told so, and lets go of what it holds. */
  while (g_main_context_iteration (self->context, FALSE))
    continue;
  for (guint i = 0; i < N_TRANSPORTS; i++)
    g_clear_object (&self->transports[i]);
}

static gpointer
thread_func (gpointer data)
{
  EbWorker *self = data;

  g_main_context_push_thread_default (self->context);
  follow_tail (self);
  g_main_loop_run (self->loop);
  shut_down (self);
  g_main_context_pop_thread_default (self->context);
  return NULL;
}

static GSource *
create_report_timer (EbWorker *self)
{
  GSource *timer = eb_clock_create_timer (self->clock);

  g_source_set_callback (timer, report_timer_cb, self, NULL);
  g_source_attach (timer, self->context);
  return timer;
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
  EbExtent extent;

  self->context = g_main_context_new ();
  self->loop = g_main_loop_new (self->context, FALSE);
  self->notices = g_async_queue_new ();
  self->notice_source = create_notice_source (self);
  self->owner = owner;
  self->user_data = user_data;
  self->clock = g_object_ref (clock);
  self->log = g_object_ref (log);
  self->settings = eb_delivery_settings_ref (settings);
  self->factory = factory;
  self->factory_data = factory_data;
  self->consumers = g_hash_table_new (NULL, NULL);
  self->parcels = eb_parcels_new ();
  self->failures = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  self->cancellable = g_cancellable_new ();
  self->report_timer = create_report_timer (self);
  eb_log_get_extent (log, &extent);
  self->tail = extent.head;
  self->thread = g_thread_new ("delivery", thread_func, self);

  return self;
}

/**
 * eb_worker_free:
 *
 * Ends the thread, and with it whatever is under way. Waits for it; it never waits for a sink.
 */
void
eb_worker_free (EbWorker *self)
{
  send (&(Message){ .worker = self, .handle = handle_stop });
  g_thread_join (self->thread);
  tell_owner (self);

  g_source_destroy (self->notice_source);
  g_source_unref (self->notice_source);
  g_source_destroy (self->report_timer);
  g_source_unref (self->report_timer);
  g_hash_table_unref (self->failures);
  g_hash_table_unref (self->parcels);
  g_hash_table_unref (self->consumers);
  g_object_unref (self->cancellable);
  eb_delivery_settings_unref (self->settings);
  g_object_unref (self->log);
  g_object_unref (self->clock);
  g_async_queue_unref (self->notices);
  g_main_loop_unref (self->loop);
  g_main_context_unref (self->context);
  g_free (self);
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
      .subject = eb_delivery_settings_ref (settings),
      .free_subject = (GDestroyNotify) eb_delivery_settings_unref,
  });
}

/**
 * eb_worker_add:
 * @after: a sequence: deliveries begin with the event after it
 */
void
eb_worker_add (EbWorker *self, EbSubscription *subscription, guint64 after)
{
  send (&(Message){
      .worker = self,
      .handle = handle_add,
      .subject = eb_subscription_ref (subscription),
      .free_subject = (GDestroyNotify) eb_subscription_unref,
      .number = after,
  });
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
      .subject = eb_subscription_ref (subscription),
      .free_subject = (GDestroyNotify) eb_subscription_unref,
      .task = g_object_ref (task),
  });
}

/**
 * eb_worker_drain:
 * @up_to: a sequence
 * @task: returns TRUE once every delivery of the events up to there has ended; FALSE if the worker
 *   was freed before
 */
void
eb_worker_drain (EbWorker *self, guint64 up_to, GTask *task)
{
  send (&(Message){
      .worker = self,
      .handle = handle_drain,
      .number = up_to,
      .task = g_object_ref (task),
  });
}
