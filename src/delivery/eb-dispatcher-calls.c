/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-dispatcher-private.h"

/* The part of EbDispatcher that does what is asked of one subscription. */

/**
 * eb_dispatcher_find_consumer:
 *
 * Returns: (transfer none) (nullable): the consumer, which knows by now how far it is
 */
EbConsumer *
eb_dispatcher_find_consumer (EbDispatcher *self, EbSubscription *subscription)
{
  EbConsumer *consumer = g_hash_table_lookup (self->consumers, &subscription);

  if (consumer != NULL)
    eb_consumer_pass (consumer, self->tail);
  return consumer;
}

/**
 * eb_dispatcher_remove_consumer:
 *
 * Ends what it has under way.
 */
void
eb_dispatcher_remove_consumer (EbDispatcher *self, EbConsumer *consumer)
{
  eb_judge_forget (self->judge, eb_consumer_get_subscription (consumer));
  g_hash_table_remove (self->consumers, consumer);
  eb_audience_remove (self->audience, consumer);
  eb_consumer_free (consumer);
}

/**
 * eb_dispatcher_add:
 * @start: where it begins, or goes on
 */
void
eb_dispatcher_add (EbDispatcher *self, EbSubscription *subscription, const EbStart *start)
{
  EbConsumer *consumer = eb_consumer_new (subscription, &self->consumer_owner);

  g_hash_table_add (self->consumers, consumer);
  eb_audience_add (self->audience, consumer);
  self->n_started++;
  eb_consumer_start (consumer, start, self->tail);
  eb_log_follower_wake (self->follower);
}

/**
 * eb_dispatcher_confirm_batch:
 * @subscription: one that may have ended
 * @batch: the ledger knows of it
 */
void
eb_dispatcher_confirm_batch (EbDispatcher *self,
                             EbSubscription *subscription,
                             const EbBatchRange *batch)
{
  EbConsumer *consumer = eb_dispatcher_find_consumer (self, subscription);

  if (consumer != NULL)
    eb_consumer_confirm_batch (consumer, batch);
}

/**
 * eb_dispatcher_nudge:
 * @subscription: one that may have ended
 */
void
eb_dispatcher_nudge (EbDispatcher *self, EbSubscription *subscription)
{
  EbConsumer *consumer = eb_dispatcher_find_consumer (self, subscription);

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
  EbConsumer *consumer = eb_dispatcher_find_consumer (self, subscription);

  if (consumer != NULL)
    {
      eb_consumer_replace (consumer, subscription);
      eb_audience_reindex (self->audience, consumer);
    }
}

/**
 * eb_dispatcher_inspect:
 *
 * What has led there is reported, too.
 *
 * Returns: (transfer full) (nullable): how it is; NULL if it has ended
 */
EbInspection *
eb_dispatcher_inspect (EbDispatcher *self, EbSubscription *subscription)
{
  EbConsumer *consumer = eb_dispatcher_find_consumer (self, subscription);

  eb_dispatcher_flush_report (self);
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
  EbConsumer *consumer = eb_dispatcher_find_consumer (self, subscription);
  EbStart *start;

  if (consumer == NULL)
    return NULL;
  eb_consumer_remember (consumer);
  eb_dispatcher_flush_report (self);
  start = eb_consumer_get_start (consumer);
  eb_dispatcher_remove_consumer (self, consumer);
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
  EbConsumer *consumer = eb_dispatcher_find_consumer (self, subscription);
  GError *error = NULL;

  if (consumer != NULL && !eb_consumer_claim_ping (consumer, &error))
    {
      g_task_return_error (task, error);
      return;
    }
  eb_pinger_send (self->pinger, eb_dispatcher_get_transport (self, kind), subscription, event,
                  task);
}

/**
 * eb_dispatcher_redrive:
 * @subscription: one that may have ended
 * @exceptions: (element-type EbException)
 */
void
eb_dispatcher_redrive (EbDispatcher *self, EbSubscription *subscription, GPtrArray *exceptions)
{
  EbConsumer *consumer = eb_dispatcher_find_consumer (self, subscription);

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
  EbConsumer *consumer = eb_dispatcher_find_consumer (self, subscription);

  if (consumer != NULL)
    eb_dispatcher_remove_consumer (self, consumer);
}
