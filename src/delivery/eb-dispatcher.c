/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-dispatcher.h"

#include "delivery/eb-audience.h"
#include "delivery/eb-consumer.h"
#include "delivery/eb-judge.h"
#include "delivery/eb-log-follower.h"
#include "delivery/eb-pinger.h"
#include "delivery/eb-reporter.h"

/* Delivers to a worker's share of the subscriptions: it follows the log's tail once for all of
 * them, and reads for those that are behind it. Lives in its worker's thread. */

#define N_TRANSPORTS (EB_SINK_PEER + 1)

struct _EbDispatcher
{
  GMainContext *context; /* (owned) the thread's */
  EbNotices *notices;    /* (unowned) for the worker's owner */

  EbClock *clock;               /* (owned) */
  EbDeliverySettings *settings; /* (owned) */
  EbTransportFactory factory;
  gpointer factory_data;
  EbTransport *transports[N_TRANSPORTS]; /* (owned) (nullable) by EbSinkKind; made when needed */

  EbConsumerOwner consumer_owner; /* what consumers need */
  EbAgenda *agenda;               /* (owned) what they, and the follower, wait for */
  EbLogFollower *follower;        /* (owned) */
  GHashTable *consumers;          /* (owned) (element-type gpointer EbConsumer) by identity */
  EbAudience *audience;           /* (owned) of the tail: the same */
  GHashTable *parcels;            /* (owned) of all events in the queues */
  guint64 n_started;              /* subscriptions that were ever added */
  guint64 tail;                   /* the last event that was offered to all */
  guint n_unsettled;              /* consumers that owe something */

  EbReporter *reporter; /* (owned) what the owner does not know yet */
  EbJudge *judge;       /* (owned) */
  EbPinger *pinger;     /* (owned) */

  GTask *drain; /* (owned) (nullable) done when nothing up to drain_up_to is owed */
  guint64 drain_up_to;
};

/* Returns: (nullable): the consumer, which knows by now how far it is */
static EbConsumer *
find_consumer (EbDispatcher *self, EbSubscription *subscription)
{
  EbConsumer *consumer =
      g_hash_table_lookup (self->consumers, eb_subscription_get_identity (subscription));

  if (consumer != NULL)
    eb_consumer_pass (consumer, self->tail);
  return consumer;
}

/* Reports to the owner. */

/* Now that the tail is told, everybody who is behind it must have a cursor. */
static void
add_cursors (EbDispatcher *self)
{
  g_autoptr (GPtrArray) progressed = eb_reporter_take_progressed (self->reporter);

  for (guint i = 0; i < progressed->len; i++)
    {
      EbSubscription *subscription = g_ptr_array_index (progressed, i);
      EbConsumer *consumer = find_consumer (self, subscription);
      EbChange *change = consumer != NULL ? eb_consumer_take_progress (consumer, self->tail) : NULL;

      if (change != NULL)
        eb_reporter_add_step (self->reporter, subscription, change);
    }
}

static void
flush_report (EbDispatcher *self)
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
check_drained (EbDispatcher *self)
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
  EbDispatcher *self = user_data;

  self->n_unsettled += settled ? -1 : 1;
  check_drained (self);
}

static EbVerdict
judge_cb (EbConsumer *consumer,
          EbDelivery *delivery,
          const EbAnswer *answer,
          guint n_probes,
          gpointer user_data)
{
  EbDispatcher *self = user_data;

  return eb_judge_delivery (self->judge, eb_consumer_get_subscription (consumer), delivery, answer,
                            n_probes, eb_reporter_edit (self->reporter));
}

static EbTransport *get_transport (EbDispatcher *self, EbSinkKind kind);

/* The one for https:// can do http://, too, and a question is no matter of speed. */
static EbTransport *
get_asker_cb (gpointer user_data)
{
  return get_transport (user_data, EB_SINK_HTTPS);
}

static GTimeSpan
judge_consent_cb (EbConsumer *consumer,
                  const EbAnswer *answer,
                  guint n_asked,
                  EbConsent *consent,
                  gpointer user_data)
{
  EbDispatcher *self = user_data;

  return eb_judge_consent (self->judge, answer, n_asked, consent);
}

static void
record_cb (EbConsumer *consumer, EbChange *change, gpointer user_data)
{
  EbDispatcher *self = user_data;

  eb_reporter_add_step (self->reporter, eb_consumer_get_subscription (consumer), change);
}

static void
progressed_cb (EbConsumer *consumer, gpointer user_data)
{
  EbDispatcher *self = user_data;

  eb_reporter_add_progressed (self->reporter, eb_consumer_get_subscription (consumer));
}

static void
lost_cb (EbConsumer *consumer, guint64 n_lost, gpointer user_data)
{
  EbDispatcher *self = user_data;

  eb_reporter_edit (self->reporter)->lost += n_lost;
}

static void
gone_cb (EbConsumer *consumer, const char *reason, gint64 sent_us, gpointer user_data)
{
  EbDispatcher *self = user_data;

  eb_notices_gone (self->notices, eb_consumer_get_subscription (consumer), reason, sent_us);
}

/* Reads of the log. */

static void
read_cb (EbConsumer *consumer, guint64 after, gpointer user_data)
{
  EbDispatcher *self = user_data;

  eb_log_follower_read (self->follower, eb_consumer_get_subscription (consumer), after);
}

static void
fetch_cb (EbConsumer *consumer, guint64 sequence, gpointer user_data)
{
  EbDispatcher *self = user_data;

  eb_log_follower_fetch (self->follower, eb_consumer_get_subscription (consumer), sequence);
}

static void
take_page_cb (EbSubscription *subscription, guint64 sequence, EbPage *page, gpointer user_data)
{
  EbDispatcher *self = user_data;
  EbConsumer *consumer = find_consumer (self, subscription);

  if (consumer == NULL)
    return;
  if (sequence > 0)
    eb_consumer_take_fetched (consumer, sequence, page, self->parcels);
  else
    eb_consumer_take_page (consumer, page, self->tail, self->parcels);
}

static void
offer_to_all (EbDispatcher *self, EbEvent *event)
{
  g_autoptr (EbParcel) parcel = eb_parcels_obtain (self->parcels, event);

  eb_audience_offer (self->audience, parcel);
  self->tail = eb_event_get_sequence (event);
}

static void
lose_for_all (EbDispatcher *self, guint64 up_to)
{
  eb_audience_lose (self->audience, self->tail, up_to);
  self->tail = MAX (self->tail, up_to);
}

static guint64
take_tail_cb (EbPage *page, gpointer user_data)
{
  EbDispatcher *self = user_data;

  if (page->lost_up_to > 0)
    lose_for_all (self, page->lost_up_to);
  for (guint i = 0; i < page->events->len; i++)
    offer_to_all (self, g_ptr_array_index (page->events, i));
  eb_reporter_edit (self->reporter); /* so that the floor can follow */
  check_drained (self);
  return self->tail;
}

static void
due_cb (EbDue *due, gpointer user_data)
{
  EbDispatcher *self = user_data;

  if (!eb_log_follower_handle_due (self->follower, due))
    eb_consumer_handle_due (due);
}

static void
answer_cb (EbDelivery *delivery, const EbAnswer *answer, gpointer user_data)
{
  EbDispatcher *self = user_data;

  if (!eb_pinger_answer (self->pinger, delivery, answer))
    eb_consumer_answer (delivery, answer, NULL);
}

static EbTransport *
get_transport (EbDispatcher *self, EbSinkKind kind)
{
  if (self->transports[kind] == NULL)
    {
      self->transports[kind] =
          self->factory (kind, self->context, self->settings, self->factory_data);
      eb_transport_set_answer_func (self->transports[kind], answer_cb, self);
    }
  return self->transports[kind];
}

static void
remove_consumer (EbDispatcher *self, EbConsumer *consumer)
{
  EbSubscription *subscription = eb_consumer_get_subscription (consumer);

  eb_judge_forget (self->judge, subscription);
  g_hash_table_remove (self->consumers, eb_subscription_get_identity (subscription));
  eb_audience_remove (self->audience, consumer);
  eb_consumer_free (consumer);
}

/**
 * eb_dispatcher_start:
 *
 * To be called once, with the context as the thread-default one.
 */
void
eb_dispatcher_start (EbDispatcher *self)
{
  eb_log_follower_start (self->follower, self->tail);
}

static void
remember_batches (EbDispatcher *self)
{
  GHashTableIter iter;
  EbConsumer *consumer;

  g_hash_table_iter_init (&iter, self->consumers);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &consumer))
    eb_consumer_remember_batches (consumer);
}

/**
 * eb_dispatcher_stop:
 *
 * Ends whatever is under way, after a last report of what has ended before.
 */
void
eb_dispatcher_stop (EbDispatcher *self)
{
  EbConsumer *consumer;

  if (self->drain != NULL)
    g_task_return_boolean (self->drain, FALSE);
  g_clear_object (&self->drain);
  eb_log_follower_cancel (self->follower);
  remember_batches (self);
  flush_report (self);
  eb_pinger_stop (self->pinger);
  while ((consumer = eb_audience_get_first (self->audience)) != NULL)
    remove_consumer (self, consumer);
  eb_log_follower_wait (self->follower, self->context);
  while (g_main_context_iteration (self->context, FALSE))
    continue;
  for (guint i = 0; i < N_TRANSPORTS; i++)
    g_clear_object (&self->transports[i]);
}

/**
 * eb_dispatcher_add:
 * @start: where it begins, or goes on
 */
void
eb_dispatcher_add (EbDispatcher *self, EbSubscription *subscription, const EbStart *start)
{
  EbSinkKind kind = eb_sink_get_kind (eb_subscription_get_sink (subscription));
  EbConsumer *consumer =
      eb_consumer_new (subscription, get_transport (self, kind), &self->consumer_owner);

  g_hash_table_insert (self->consumers, eb_subscription_get_identity (subscription), consumer);
  eb_audience_add (self->audience, consumer);
  self->n_started++;
  eb_consumer_start (consumer, start, self->tail);
}

/**
 * eb_dispatcher_nudge:
 * @subscription: one that may have ended
 */
void
eb_dispatcher_nudge (EbDispatcher *self, EbSubscription *subscription)
{
  EbConsumer *consumer = find_consumer (self, subscription);

  if (consumer != NULL)
    eb_consumer_nudge (consumer);
}

/**
 * eb_dispatcher_replace:
 * @subscription: takes the place of the one that it replaces, which may have ended
 */
void
eb_dispatcher_replace (EbDispatcher *self, EbSubscription *subscription)
{
  EbSinkKind kind = eb_sink_get_kind (eb_subscription_get_sink (subscription));
  EbConsumer *consumer = find_consumer (self, subscription);

  if (consumer != NULL)
    {
      eb_consumer_replace (consumer, subscription, get_transport (self, kind));
      eb_audience_reindex (self->audience, consumer);
    }
}

/**
 * eb_dispatcher_inspect:
 *
 * Returns: (transfer full) (nullable): how it is; NULL if it has ended
 */
EbInspection *
eb_dispatcher_inspect (EbDispatcher *self, EbSubscription *subscription)
{
  EbConsumer *consumer = find_consumer (self, subscription);

  return consumer != NULL ? eb_consumer_inspect (consumer) : NULL;
}

/**
 * eb_dispatcher_detach:
 *
 * Removes it, after everything that there is to say of it was reported.
 *
 * Returns: (transfer full) (nullable): where it would go on; NULL if it has ended
 */
EbStart *
eb_dispatcher_detach (EbDispatcher *self, EbSubscription *subscription)
{
  EbConsumer *consumer = find_consumer (self, subscription);
  EbStart *start;

  if (consumer == NULL)
    return NULL;
  eb_consumer_remember_batches (consumer);
  flush_report (self);
  start = eb_consumer_get_start (consumer);
  remove_consumer (self, consumer);
  return start;
}

/**
 * eb_dispatcher_ping:
 * @event: what is sent, once
 * @task: returns an #EbPing
 */
void
eb_dispatcher_ping (EbDispatcher *self, EbSubscription *subscription, EbEvent *event, GTask *task)
{
  EbSinkKind kind = eb_sink_get_kind (eb_subscription_get_sink (subscription));
  EbConsumer *consumer = find_consumer (self, subscription);
  GError *error = NULL;

  if (consumer != NULL && !eb_consumer_claim_ping (consumer, &error))
    {
      g_task_return_error (task, error);
      return;
    }
  eb_pinger_send (self->pinger, get_transport (self, kind), subscription, event, task);
}

/**
 * eb_dispatcher_redrive:
 * @subscription: one that may have ended
 * @exceptions: (element-type EbException)
 */
void
eb_dispatcher_redrive (EbDispatcher *self, EbSubscription *subscription, GPtrArray *exceptions)
{
  EbConsumer *consumer = find_consumer (self, subscription);

  if (consumer != NULL)
    eb_consumer_redrive (consumer, exceptions);
}

/**
 * eb_dispatcher_remove:
 *
 * No delivery of @subscription is under way any more.
 */
void
eb_dispatcher_remove (EbDispatcher *self, EbSubscription *subscription)
{
  EbConsumer *consumer = find_consumer (self, subscription);

  if (consumer != NULL)
    remove_consumer (self, consumer);
}

void
eb_dispatcher_configure (EbDispatcher *self, EbDeliverySettings *settings)
{
  eb_delivery_settings_ref (settings);
  eb_delivery_settings_unref (self->settings);
  self->settings = settings;
  eb_judge_configure (self->judge, settings);
  for (guint i = 0; i < N_TRANSPORTS; i++)
    if (self->transports[i] != NULL)
      eb_transport_configure (self->transports[i], settings);
}

/**
 * eb_dispatcher_drain:
 * @task: returns TRUE once every delivery of the events up to @up_to has ended or must wait, FALSE
 *   if it is stopped before
 */
void
eb_dispatcher_drain (EbDispatcher *self, guint64 up_to, GTask *task)
{
  g_set_object (&self->drain, task);
  self->drain_up_to = up_to;
  check_drained (self);
}

static void
init_consumer_owner (EbDispatcher *self)
{
  self->consumer_owner = (EbConsumerOwner){
    .clock = self->clock,
    .agenda = self->agenda,
    .user_data = self,
    .read = read_cb,
    .fetch = fetch_cb,
    .settled = settled_cb,
    .judge = judge_cb,
    .get_asker = get_asker_cb,
    .judge_consent = judge_consent_cb,
    .record = record_cb,
    .progressed = progressed_cb,
    .lost = lost_cb,
    .gone = gone_cb,
  };
}

/**
 * eb_dispatcher_new:
 * @context: of its thread
 * @log: its tail is followed from where it is now
 * @factory: makes the transports, in that thread
 * @notices: what it has to tell
 *
 * Returns: (transfer full): a dispatcher without subscriptions
 */
EbDispatcher *
eb_dispatcher_new (GMainContext *context,
                   EbClock *clock,
                   EbLog *log,
                   EbDeliverySettings *settings,
                   EbTransportFactory factory,
                   gpointer factory_data,
                   EbNotices *notices)
{
  EbDispatcher *self = g_new0 (EbDispatcher, 1);
  EbExtent extent;

  self->context = g_main_context_ref (context);
  self->notices = notices;
  self->clock = g_object_ref (clock);
  self->settings = eb_delivery_settings_ref (settings);
  self->factory = factory;
  self->factory_data = factory_data;
  self->consumers = g_hash_table_new (NULL, NULL);
  self->audience = eb_audience_new ();
  self->parcels = eb_parcels_new ();
  self->agenda = eb_agenda_new (clock, context, due_cb, self);
  self->follower = eb_log_follower_new (log, clock, self->agenda,
                                        &(EbLogFollowerOwner){ self, take_tail_cb, take_page_cb });
  self->reporter = eb_reporter_new (clock, context, report_due_cb, self);
  self->judge = eb_judge_new (clock, settings);
  self->pinger = eb_pinger_new (clock);
  init_consumer_owner (self);
  eb_log_get_extent (log, &extent);
  self->tail = extent.head;

  return self;
}

/**
 * eb_dispatcher_free:
 *
 * It must have been stopped.
 */
void
eb_dispatcher_free (EbDispatcher *self)
{
  eb_pinger_free (self->pinger);
  eb_judge_free (self->judge);
  eb_reporter_free (self->reporter);
  eb_log_follower_free (self->follower);
  eb_agenda_free (self->agenda);
  g_hash_table_unref (self->parcels);
  eb_audience_free (self->audience);
  g_hash_table_unref (self->consumers);
  eb_delivery_settings_unref (self->settings);
  g_object_unref (self->clock);
  g_main_context_unref (self->context);
  g_free (self);
}
