/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-attempts.h"

#include <string.h>

#include "core/eb-event.h"

/* Most of a hundred thousand subscriptions are delivered to now and then, so it is as large as it
 * must be. Times are monotonic until somebody asks, because that is cheaper. Lives in its worker's
 * thread. */
struct _EbAttempts
{
  guint64 n_added;          /* in all */
  guint n_allocated;        /* records that there is room for */
  EbAttemptRecord *records; /* (owned) (array length=n_allocated): the last of them, in a ring */
};

EbAttempts *
eb_attempts_new (void)
{
  return g_new0 (EbAttempts, 1);
}

void
eb_attempts_free (EbAttempts *self)
{
  for (guint i = 0; i < self->n_allocated; i++)
    g_free (self->records[i].reason);
  g_free (self->records);
  g_free (self);
}

/* Before there is a ring, the records stand in order. */
static EbAttemptRecord *
get_place (EbAttempts *self, guint64 number)
{
  if (number == self->n_allocated && self->n_allocated < EB_ATTEMPTS_KEPT)
    {
      guint n_before = self->n_allocated;

      self->n_allocated = CLAMP (n_before * 2, 1, EB_ATTEMPTS_KEPT);
      self->records = g_renew (EbAttemptRecord, self->records, self->n_allocated);
      memset (self->records + n_before, 0,
              (self->n_allocated - n_before) * sizeof (EbAttemptRecord));
    }
  return &self->records[number % self->n_allocated];
}

/**
 * eb_attempts_add:
 * @delivery: whose attempt has just ended
 * @now_us: monotonic time
 */
void
eb_attempts_add (EbAttempts *self,
                 const EbDelivery *delivery,
                 const EbAnswer *answer,
                 gint64 now_us)
{
  EbAttemptRecord *record = get_place (self, self->n_added);

  g_free (record->reason);
  record->number = ++self->n_added;
  record->sequence = eb_event_get_sequence (eb_parcel_get_event (delivery->parcel));
  record->attempt = delivery->attempt;
  record->started_us = delivery->sent_us;
  record->duration_us = now_us - delivery->sent_us;
  record->status = answer->kind == EB_ANSWER_RESPONSE ? answer->status : 0;
  record->reason = eb_answer_is_success (answer) ? NULL : eb_answer_describe (answer);
}

/**
 * eb_attempts_get_error:
 *
 * Returns: (transfer none) (nullable): what was wrong with the last attempt; NULL if nothing was
 */
const char *
eb_attempts_get_error (EbAttempts *self)
{
  return self->n_added > 0 ? self->records[(self->n_added - 1) % self->n_allocated].reason : NULL;
}

/**
 * eb_attempts_list:
 * @clock: says what the time was
 *
 * Returns: (transfer full) (element-type EbAttemptRecord): the newest first, in real time
 */
GPtrArray *
eb_attempts_list (EbAttempts *self, EbClock *clock)
{
  GPtrArray *list = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_attempt_record_free);
  gint64 offset_us = eb_clock_get_real (clock) - eb_clock_get_monotonic (clock);
  guint n = (guint) MIN (self->n_added, EB_ATTEMPTS_KEPT);

  for (guint i = 1; i <= n; i++)
    {
      EbAttemptRecord *copy =
          eb_attempt_record_copy (&self->records[(self->n_added - i) % self->n_allocated]);

      copy->started_us += offset_us;
      g_ptr_array_add (list, copy);
    }
  return list;
}
