/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-dispatcher-private.h"

/* The part of EbDispatcher that is what consumers need of their worker. */

static void
settled_cb (EbConsumer *consumer, gboolean settled, gpointer user_data)
{
  EbDispatcher *self = user_data;

  self->n_unsettled += settled ? -1 : 1;
  eb_dispatcher_check_drained (self);
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

static EbTransport *
get_transport_cb (EbSinkKind kind, gpointer user_data)
{
  return eb_dispatcher_get_transport (user_data, kind);
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

/* It is waited for, so it goes at once. */
static void
fix_cb (EbConsumer *consumer, const EbBatchRange *batch, gpointer user_data)
{
  EbDispatcher *self = user_data;

  eb_notices_fix (self->notices, eb_consumer_get_subscription (consumer), batch);
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

static void
failing_cb (EbConsumer *consumer, const EbStreak *streak, gpointer user_data)
{
  EbDispatcher *self = user_data;

  eb_notices_failing (self->notices, eb_consumer_get_subscription (consumer), streak);
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

/**
 * eb_dispatcher_init_consumer_owner:
 *
 * To be called before there are consumers.
 */
void
eb_dispatcher_init_consumer_owner (EbDispatcher *self)
{
  self->consumer_owner = (EbConsumerOwner){
    .clock = self->clock,
    .agenda = self->agenda,
    .user_data = self,
    .read = read_cb,
    .fetch = fetch_cb,
    .settled = settled_cb,
    .judge = judge_cb,
    .get_transport = get_transport_cb,
    .judge_consent = judge_consent_cb,
    .record = record_cb,
    .progressed = progressed_cb,
    .lost = lost_cb,
    .gone = gone_cb,
    .failing = failing_cb,
  };
}

/**
 * eb_dispatcher_fix_batches:
 *
 * From now on no batch is sent before eb_dispatcher_confirm_batch().
 */
void
eb_dispatcher_fix_batches (EbDispatcher *self)
{
  self->consumer_owner.fix = fix_cb;
}
