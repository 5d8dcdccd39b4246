/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-worker.h"

#include "delivery/eb-consumer.h"
#include "delivery/eb-failure-log.h"
#include "delivery/eb-notices.h"
#include "delivery/eb-reporter.h"

/* A thread that delivers to its share of the subscriptions. It follows the log's tail once for all
 * of them.
 *
 * The functions of eb-worker.h are called in the thread that made it, and send messages: sources
 * in the worker's context, which run in the order in which they were sent. All else runs in the
 * worker's thread; between the two go only values that never change. */

#define TAIL_PAGE_BYTES (64 * 1024)  /* small: sinks are served between two pages */
#define LAG_PAGE_BYTES  (256 * 1024) /* a queue's worth of small events */
#define FETCH_BYTES     1            /* the first event comes whatever its size, and no other */
#define READ_AGAIN      (1 * G_TIME_SPAN_SECOND) /* after a failed read of the tail */

#define N_TRANSPORTS (EB_SINK_PEER + 1)

struct _EbWorker
{
  GThread *thread;
  GMainContext *context; /* (owned) the thread's */
  GMainLoop *loop;       /* (owned) */
  EbNotices *notices;    /* (owned) for the owner */

  EbClock *clock;               /* (owned) */
  EbLog *log;                   /* (owned) */
  EbDeliverySettings *settings; /* (owned) */
  EbTransportFactory factory;
  gpointer factory_data;
  EbTransport *transports[N_TRANSPORTS]; /* (owned) (nullable) by EbSinkKind; made when needed */

  EbConsumerOwner consumer_owner; /* what consumers need of this worker */
  EbAgenda *agenda;               /* (owned) what they, and the tail, wait for */
  EbDue tail_again;               /* in it, after the tail could not be read */
  GRand *random;                  /* (owned) of jitter */
  GHashTable *consumers;          /* (owned) (element-type EbSubscription EbConsumer) */
  GQueue list;                    /* (element-type EbConsumer) the same */
  GHashTable *parcels;            /* (owned) of all events in the queues */
  guint64 n_started;              /* subscriptions that were ever added */
  guint64 tail;                   /* the last event that was offered to all */
  guint n_unsettled;              /* consumers that owe something */
  GCancellable *cancellable;      /* (owned) of every read */
  gboolean outage;                /* the last read of the log failed */

  EbReporter *reporter;      /* (owned) what the owner does not know yet */
  EbFailureLog *failure_log; /* (owned) */

  GTask *drain; /* (owned) (nullable) done when nothing up to drain_up_to is owed */
  guint64 drain_up_to;
};

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

/* Reports to the owner. */

/* Now that the tail is told, everybody who is behind it must have a cursor. */
static void
add_cursors (EbWorker *self)
{
  g_autoptr (GPtrArray) progressed = eb_reporter_take_progressed (self->reporter);

  for (guint i = 0; i < progressed->len; i++)
    {
      EbSubscription *subscription = g_ptr_array_index (progressed, i);
      EbConsumer *consumer = g_hash_table_lookup (self->consumers, subscription);
      EbChange *change = consumer != NULL ? eb_consumer_take_progress (consumer, self->tail) : NULL;

      if (change != NULL)
        eb_reporter_add_step (self->reporter, subscription, change);
    }
}

static void
flush_report (EbWorker *self)
{
  EbReport report;

  if (!eb_reporter_has_news (self->reporter))
    return;
  add_cursors (self);
  report = eb_reporter_take (self->reporter);
  report.floor = self->tail;
  eb_notices_report (self->notices, &report, self->n_started);
}

static void
report_due_cb (gpointer user_data)
{
  flush_report (user_data);
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

static EbVerdict
judge_failure (EbWorker *self,
               EbConsumer *consumer,
               EbDelivery *delivery,
               const EbAnswer *answer,
               guint n_probes)
{
  EbAttempt attempt = { .retry = self->settings->retry,
                        .number = delivery->attempt,
                        .n_probes = n_probes,
                        .answer = answer,
                        .random = g_rand_double (self->random),
                        .now_us = eb_clock_get_real (self->clock) };
  EbVerdict verdict = eb_retry_policy_judge (&attempt);
  EbReport *report = eb_reporter_edit (self->reporter);

  report->failed += verdict.kind != EB_VERDICT_UNREACHABLE;
  report->dead += verdict.kind == EB_VERDICT_DEAD;
  eb_failure_log_add (self->failure_log, eb_consumer_get_subscription (consumer),
                      eb_event_get_sequence (eb_parcel_get_event (delivery->parcel)), &attempt,
                      &verdict);
  return verdict;
}

static EbVerdict
judge_cb (EbConsumer *consumer,
          EbDelivery *delivery,
          const EbAnswer *answer,
          guint n_probes,
          gpointer user_data)
{
  EbWorker *self = user_data;

  if (!eb_answer_is_success (answer))
    return judge_failure (self, consumer, delivery, answer, n_probes);
  eb_reporter_edit (self->reporter)->delivered++;
  return (EbVerdict){ EB_VERDICT_DELIVERED, 0 };
}

static void
record_cb (EbConsumer *consumer, EbChange *change, gpointer user_data)
{
  EbWorker *self = user_data;

  eb_reporter_add_step (self->reporter, eb_consumer_get_subscription (consumer), change);
}

static void
progressed_cb (EbConsumer *consumer, gpointer user_data)
{
  EbWorker *self = user_data;

  eb_reporter_add_progressed (self->reporter, eb_consumer_get_subscription (consumer));
}

static void
lost_cb (EbConsumer *consumer, guint64 n_lost, gpointer user_data)
{
  EbWorker *self = user_data;

  eb_reporter_edit (self->reporter)->lost += n_lost;
}

static void
gone_cb (EbConsumer *consumer, const char *reason, gpointer user_data)
{
  EbWorker *self = user_data;

  eb_notices_gone (self->notices, eb_consumer_get_subscription (consumer), reason);
}

/* Reads of the log. */

/* Says once that the log cannot be read, and once that it can be again. */
static void
note_read (EbWorker *self, const GError *error)
{
  if (error != NULL && !self->outage)
    g_warning ("Cannot read the log, trying again every second: %s", error->message);
  else if (error == NULL && self->outage)
    g_message ("The log can be read again");
  self->outage = error != NULL;
}

/* Returns: FALSE if the worker ends; else there is a page, or the read has failed */
static gboolean
finish_read (EbWorker *self, GObject *source, GAsyncResult *result, EbPage **page)
{
  g_autoptr (GError) error = NULL;

  *page = eb_log_read_finish (EB_LOG (source), result, &error);
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return FALSE;
  note_read (self, error);
  return TRUE;
}

typedef struct
{
  EbWorker *worker;
  EbSubscription *subscription; /* (owned) whose consumer asked; it may be gone since */
  guint64 sequence;             /* that was asked for; 0 for all from some place on */
} Read;

static void
page_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autofree Read *read = user_data;
  g_autoptr (EbSubscription) subscription = read->subscription;
  g_autoptr (EbPage) page = NULL;
  EbWorker *self = read->worker;
  EbConsumer *consumer;

  if (!finish_read (self, source, result, &page))
    return;
  consumer = g_hash_table_lookup (self->consumers, subscription);
  if (consumer == NULL)
    return;
  if (read->sequence > 0)
    eb_consumer_take_fetched (consumer, read->sequence, page, self->parcels);
  else
    eb_consumer_take_page (consumer, page, self->tail, self->parcels);
}

static Read *
read_new (EbWorker *self, EbConsumer *consumer, guint64 sequence)
{
  Read *read = g_new (Read, 1);

  read->worker = self;
  read->subscription = eb_subscription_ref (eb_consumer_get_subscription (consumer));
  read->sequence = sequence;
  return read;
}

static void
read_cb (EbConsumer *consumer, guint64 after, gpointer user_data)
{
  EbWorker *self = user_data;

  eb_log_read_async (self->log, after, LAG_PAGE_BYTES, EB_LOG_NO_WAIT, self->cancellable, page_cb,
                     read_new (self, consumer, 0));
}

static void
fetch_cb (EbConsumer *consumer, guint64 sequence, gpointer user_data)
{
  EbWorker *self = user_data;

  eb_log_read_async (self->log, sequence - 1, FETCH_BYTES, EB_LOG_NO_WAIT, self->cancellable,
                     page_cb, read_new (self, consumer, sequence));
}

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
take_tail (EbWorker *self, EbPage *page)
{
  if (page->lost_up_to > 0)
    lose_for_all (self, page->lost_up_to);
  for (guint i = 0; i < page->events->len; i++)
    offer_to_all (self, g_ptr_array_index (page->events, i));
  eb_reporter_edit (self->reporter); /* so that the floor can follow */
  check_drained (self);
}

static void
tail_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  EbWorker *self = user_data;
  g_autoptr (EbPage) page = NULL;

  if (!finish_read (self, source, result, &page))
    return;
  if (page == NULL)
    {
      eb_agenda_set (self->agenda, &self->tail_again,
                     eb_clock_get_monotonic (self->clock) + READ_AGAIN);
      return;
    }
  take_tail (self, page);
  follow_tail (self);
}

static void
due_cb (EbDue *due, gpointer user_data)
{
  EbWorker *self = user_data;

  if (due == &self->tail_again)
    follow_tail (self);
  else
    eb_consumer_handle_due (due);
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

typedef struct
{
  EbSubscription *subscription; /* (owned) */
  EbStart start;
} Addition;

static void
addition_free (gpointer user_data)
{
  Addition *addition = user_data;

  eb_subscription_unref (addition->subscription);
  g_clear_pointer (&addition->start.aside, g_ptr_array_unref);
  g_free (addition);
}

static void
handle_add (EbWorker *self, gpointer subject, guint64 number, GTask *task)
{
  const Addition *addition = subject;
  EbSubscription *subscription = addition->subscription;
  EbSinkKind kind = eb_sink_get_kind (eb_subscription_get_sink (subscription));
  EbConsumer *consumer =
      eb_consumer_new (subscription, get_transport (self, kind), &self->consumer_owner);

  g_hash_table_insert (self->consumers, subscription, consumer);
  g_queue_push_tail_link (&self->list, eb_consumer_get_link (consumer));
  self->n_started++;
  eb_consumer_start (consumer, &addition->start, self->tail);
}

static void
handle_nudge (EbWorker *self, gpointer subject, guint64 number, GTask *task)
{
  EbConsumer *consumer = g_hash_table_lookup (self->consumers, subject);

  if (consumer != NULL)
    eb_consumer_nudge (consumer);
}

typedef struct
{
  EbSubscription *subscription; /* (owned) */
  GPtrArray *exceptions;        /* (owned) (element-type EbException) */
} Redrive;

static void
redrive_free (gpointer user_data)
{
  Redrive *redrive = user_data;

  eb_subscription_unref (redrive->subscription);
  g_ptr_array_unref (redrive->exceptions);
  g_free (redrive);
}

static void
handle_redrive (EbWorker *self, gpointer subject, guint64 number, GTask *task)
{
  const Redrive *redrive = subject;
  EbConsumer *consumer = g_hash_table_lookup (self->consumers, redrive->subscription);

  if (consumer != NULL)
    eb_consumer_redrive (consumer, redrive->exceptions);
}

static void
remove_consumer (EbWorker *self, EbConsumer *consumer)
{
  EbSubscription *subscription = eb_consumer_get_subscription (consumer);

  eb_failure_log_forget (self->failure_log, subscription);
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
  flush_report (self);
  while (self->list.head != NULL)
    remove_consumer (self, self->list.head->data);
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

static void
init_consumer_owner (EbWorker *self)
{
  self->consumer_owner = (EbConsumerOwner){
    .clock = self->clock,
    .agenda = self->agenda,
    .user_data = self,
    .read = read_cb,
    .fetch = fetch_cb,
    .settled = settled_cb,
    .judge = judge_cb,
    .record = record_cb,
    .progressed = progressed_cb,
    .lost = lost_cb,
    .gone = gone_cb,
  };
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
  self->notices = eb_notices_new (owner, user_data);
  self->clock = g_object_ref (clock);
  self->log = g_object_ref (log);
  self->settings = eb_delivery_settings_ref (settings);
  self->factory = factory;
  self->factory_data = factory_data;
  self->consumers = g_hash_table_new (NULL, NULL);
  self->parcels = eb_parcels_new ();
  self->cancellable = g_cancellable_new ();
  self->agenda = eb_agenda_new (clock, self->context, due_cb, self);
  self->random = g_rand_new ();
  self->reporter = eb_reporter_new (clock, self->context, report_due_cb, self);
  self->failure_log = eb_failure_log_new (clock);
  init_consumer_owner (self);
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
  eb_notices_deliver (self->notices);

  eb_notices_free (self->notices);
  eb_failure_log_free (self->failure_log);
  eb_reporter_free (self->reporter);
  g_rand_free (self->random);
  eb_agenda_free (self->agenda);
  g_hash_table_unref (self->parcels);
  g_hash_table_unref (self->consumers);
  g_object_unref (self->cancellable);
  eb_delivery_settings_unref (self->settings);
  g_object_unref (self->log);
  g_object_unref (self->clock);
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
 * @start: where it begins, or goes on; what waits aside is referenced and must not change any more
 */
void
eb_worker_add (EbWorker *self, EbSubscription *subscription, const EbStart *start)
{
  Addition *addition = g_new (Addition, 1);

  addition->subscription = eb_subscription_ref (subscription);
  addition->start = *start;
  if (start->aside != NULL)
    g_ptr_array_ref (start->aside);
  send (&(Message){
      .worker = self,
      .handle = handle_add,
      .subject = addition,
      .free_subject = addition_free,
  });
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
      .subject = eb_subscription_ref (subscription),
      .free_subject = (GDestroyNotify) eb_subscription_unref,
  });
}

/**
 * eb_worker_redrive:
 * @exceptions: (element-type EbException): is referenced and must not change any more
 */
void
eb_worker_redrive (EbWorker *self, EbSubscription *subscription, GPtrArray *exceptions)
{
  Redrive *redrive = g_new (Redrive, 1);

  redrive->subscription = eb_subscription_ref (subscription);
  redrive->exceptions = g_ptr_array_ref (exceptions);
  send (&(Message){
      .worker = self,
      .handle = handle_redrive,
      .subject = redrive,
      .free_subject = redrive_free,
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
