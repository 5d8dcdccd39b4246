/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-consumer-private.h"

/* The part of EbConsumer that counts for how long its attempts have failed, so that it can be
 * disabled. What the bus knows of that is what its subscription says; where it differs by enough
 * the bus is told, and another subscription comes that says so. */

/* What a kill may lose of a streak, each time. A sink that fails and works in turn is never
 * written down, one that fails every time once an hour. */
#define TELL_INTERVAL (1 * G_TIME_SPAN_HOUR)

/* The bus may be unable to change anything just then. */
#define TELL_AGAIN (1 * G_TIME_SPAN_MINUTE)

static EbStreak
get_streak (EbConsumer *self)
{
  const EbRecovery *recovery = self->outbox->recovery;
  EbStreak streak = recovery->streak;

  if (recovery->failing_us != 0)
    streak.lasted += eb_consumer_get_now (self) - recovery->failing_us;
  return streak;
}

static void
tell (EbConsumer *self, const EbStreak *streak)
{
  gint64 now_us = eb_consumer_get_now (self);

  if (self->outbox->recovery->told_us != 0 && now_us - self->outbox->recovery->told_us < TELL_AGAIN)
    return;
  self->outbox->recovery->told_us = now_us;
  self->owner->failing (self, streak, self->owner->user_data);
}

/* Tells the bus if it must know. */
static void
compare (EbConsumer *self)
{
  const EbStreak *known = eb_subscription_get_streak (self->subscription);
  EbStreak streak = get_streak (self);
  gboolean another = known->since_us != 0 && known->since_us != streak.since_us;
  gboolean too_long = streak.lasted >= EB_STREAK_MAX && known->lasted < EB_STREAK_MAX;

  if (another || too_long || streak.lasted - known->lasted >= TELL_INTERVAL)
    tell (self, &streak);
}

/**
 * eb_consumer_load_streak:
 *
 * Goes on with what its subscription says. To be called before the first attempt.
 */
void
eb_consumer_load_streak (EbConsumer *self)
{
  const EbStreak *known = eb_subscription_get_streak (self->subscription);

  if (known->since_us != 0)
    eb_consumer_obtain_recovery (self)->streak = *known;
}

/**
 * eb_consumer_note_failure:
 *
 * An attempt has failed, for whatever reason.
 */
void
eb_consumer_note_failure (EbConsumer *self)
{
  EbRecovery *recovery;

  if (!eb_subscription_may_be_disabled (self->subscription))
    return;
  recovery = eb_consumer_obtain_recovery (self);
  if (recovery->streak.since_us == 0)
    recovery->streak.since_us = eb_clock_get_real (self->owner->clock);
  if (recovery->failing_us == 0)
    recovery->failing_us = eb_consumer_get_now (self);
  compare (self);
}

/**
 * eb_consumer_note_success:
 *
 * To be called only if there is a recovery: without one there is no streak.
 */
void
eb_consumer_note_success (EbConsumer *self)
{
  eb_recovery_end_streak (self->outbox->recovery);
  compare (self);
}

/**
 * eb_consumer_follow_streak:
 * @before: the subscription that was replaced
 *
 * The bus has heard what it was told; or somebody wants another try, which starts the time anew.
 */
void
eb_consumer_follow_streak (EbConsumer *self, EbSubscription *before)
{
  EbRecovery *recovery = self->outbox->recovery;

  if (recovery == NULL)
    return;
  recovery->told_us = 0;
  if (eb_subscription_get_streak (self->subscription)->since_us == 0)
    eb_recovery_end_streak (recovery);
  if (eb_subscription_is_disabled (before) && !eb_subscription_is_disabled (self->subscription))
    {
      recovery->hold = EB_HOLD_NONE;
      recovery->n_probes = 0;
    }
  compare (self);
}

/**
 * eb_consumer_describe_disabled:
 *
 * Returns: (transfer full) (nullable): why nothing is sent, for people; NULL unless its
 *   subscription is disabled
 */
char *
eb_consumer_describe_disabled (EbConsumer *self)
{
  const EbStreak *streak = eb_subscription_get_streak (self->subscription);
  const char *last =
      self->outbox->attempts != NULL ? eb_attempts_get_error (self->outbox->attempts) : NULL;
  g_autofree char *since = NULL;

  if (!eb_subscription_is_disabled (self->subscription))
    return NULL;
  since = eb_streak_describe (streak);
  return g_strdup_printf ("Disabled: %s%s%s; resume it when it can work again", since,
                          last != NULL ? ", the last one: " : "", last != NULL ? last : "");
}
