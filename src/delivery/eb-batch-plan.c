/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-batch-plan.h"

/* The batches stand in the order of their events; what is behind the last of them gathers until it
 * makes a full one. Their number is bounded by what is in the queue, and by what a restart has
 * found, which is as much. Lives in its worker's thread. */
struct _EbBatchPlan
{
  GArray *batches; /* (owned) (element-type EbPlannedBatch) */

  EbBatchRange gathering; /* what comes after them so far */
  guint n_gathered;       /* events in it; with 0 there is none */
  gsize shares_gathered;  /* and what they take of it */
};

EbBatchPlan *
eb_batch_plan_new (void)
{
  EbBatchPlan *self = g_new0 (EbBatchPlan, 1);

  self->batches = g_array_new (FALSE, FALSE, sizeof (EbPlannedBatch));
  return self;
}

void
eb_batch_plan_free (EbBatchPlan *self)
{
  g_array_unref (self->batches);
  g_free (self);
}

static EbPlannedBatch *
get (EbBatchPlan *self, guint i)
{
  return &g_array_index (self->batches, EbPlannedBatch, i);
}

/**
 * eb_batch_plan_add:
 * @range: has no event that is in another batch
 * @fixed: the ledger knows of it already
 */
void
eb_batch_plan_add (EbBatchPlan *self, const EbBatchRange *range, gboolean fixed)
{
  EbPlannedBatch batch = { *range, fixed };
  guint place = self->batches->len;

  while (place > 0 && get (self, place - 1)->range.first > range->first)
    place--;
  g_array_insert_val (self->batches, place, batch);
  if (self->n_gathered > 0 && range->last >= self->gathering.first)
    self->n_gathered = 0;
}

/**
 * eb_batch_plan_confirm:
 * @range: the ledger knows of it now; it may have been sent apart meanwhile
 */
void
eb_batch_plan_confirm (EbBatchPlan *self, const EbBatchRange *range)
{
  for (guint i = 0; i < self->batches->len; i++)
    {
      EbPlannedBatch *batch = get (self, i);

      if (batch->range.first == range->first && batch->range.last == range->last)
        batch->fixed = TRUE;
    }
}

/**
 * eb_batch_plan_find:
 * @sequence: of the next event to be sent; batches that end before it are over
 *
 * Returns: (transfer none) (nullable): the batch that it is in
 */
const EbPlannedBatch *
eb_batch_plan_find (EbBatchPlan *self, guint64 sequence)
{
  while (self->batches->len > 0 && get (self, 0)->range.last < sequence)
    g_array_remove_index (self->batches, 0);
  return self->batches->len > 0 && get (self, 0)->range.first <= sequence ? get (self, 0) : NULL;
}

/**
 * eb_batch_plan_drop_first:
 *
 * The one that eb_batch_plan_find() has found is sent, or is not to be.
 */
void
eb_batch_plan_drop_first (EbBatchPlan *self)
{
  g_array_remove_index (self->batches, 0);
}

/**
 * eb_batch_plan_get_end:
 *
 * Returns: where a batch must end that eb_batch_plan_find() has not found: before that event
 */
guint64
eb_batch_plan_get_end (EbBatchPlan *self)
{
  return self->batches->len > 0 ? get (self, 0)->range.first : G_MAXUINT64;
}

/**
 * eb_batch_plan_list:
 * @ranges: (element-type EbBatchRange): gets those of all batches, in order
 */
void
eb_batch_plan_list (EbBatchPlan *self, GArray *ranges)
{
  for (guint i = 0; i < self->batches->len; i++)
    g_array_append_val (ranges, get (self, i)->range);
}

static void
gather (EbBatchPlan *self, guint64 sequence, gsize share)
{
  if (self->n_gathered == 0)
    {
      self->gathering.first = sequence;
      self->shares_gathered = 0;
    }
  self->gathering.last = sequence;
  self->n_gathered++;
  self->shares_gathered += share;
}

static gboolean
is_planned (EbBatchPlan *self, guint64 sequence)
{
  return self->batches->len > 0 && get (self, self->batches->len - 1)->range.last >= sequence;
}

/**
 * eb_batch_plan_count:
 * @sequence: of an event at the end of the queue
 * @share: of the event, see eb_delivery_get_share()
 * @full: (out): a batch that has all that it may, still to be added
 *
 * Returns: whether there is one now
 */
gboolean
eb_batch_plan_count (EbBatchPlan *self, guint64 sequence, gsize share, EbBatchRange *full)
{
  if (is_planned (self, sequence))
    return FALSE;
  if (self->n_gathered > 0 && self->shares_gathered + share > EB_BATCH_MAX_SHARES)
    {
      *full = self->gathering;
      self->n_gathered = 0;
      gather (self, sequence, share);
      return TRUE;
    }
  gather (self, sequence, share);
  if (self->n_gathered < EB_BATCH_MAX_LENGTH)
    return FALSE;
  *full = self->gathering;
  self->n_gathered = 0;
  return TRUE;
}

/**
 * eb_batch_plan_count_anew:
 *
 * What was counted so far may not be in the queue any more.
 */
void
eb_batch_plan_count_anew (EbBatchPlan *self)
{
  self->n_gathered = 0;
}
