/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "core/eb-sequence.h"
#include "delivery/eb-consumer-private.h"

/* The part of EbConsumer that has the ledger told what is in a batch.
 *
 * So that a crash before the first answer does not undo that, a ledger that outlives it is told
 * before anything is sent. To wait for it costs little: what has all that it may is told ahead,
 * while others are under way, and only what could still grow is told when the sink is ready. */

/**
 * eb_consumer_fixes_batches:
 *
 * Returns: whether its subscriber takes batches, and the ledger must know them first
 */
gboolean
eb_consumer_fixes_batches (EbConsumer *self)
{
  return self->owner->fix != NULL && eb_consumer_takes_batches (self);
}

static EbBatchPlan *
obtain_plan (EbConsumer *self)
{
  EbOutbox *outbox = eb_consumer_obtain_outbox (self);

  if (outbox->plan == NULL)
    outbox->plan = eb_batch_plan_new ();
  return outbox->plan;
}

/**
 * eb_consumer_load_batches:
 * @batches: (element-type EbBatchRange): that the ledger knows of, in order
 */
void
eb_consumer_load_batches (EbConsumer *self, GArray *batches)
{
  for (guint i = 0; eb_consumer_fixes_batches (self) && i < batches->len; i++)
    {
      const EbBatchRange *batch = &g_array_index (batches, EbBatchRange, i);

      if (batch->last > self->position)
        eb_batch_plan_add (obtain_plan (self), batch, TRUE);
    }
}

static void
fix (EbConsumer *self, const EbBatchRange *batch)
{
  eb_batch_plan_add (obtain_plan (self), batch, FALSE);
  self->owner->fix (self, batch, self->owner->user_data);
}

/**
 * eb_consumer_plan_batch:
 * @delivery: has just come to the end of the queue
 *
 * What makes a full batch with it, or before it, cannot grow any more: the ledger is told at once.
 */
void
eb_consumer_plan_batch (EbConsumer *self, EbDelivery *delivery)
{
  EbBatchRange full;

  if (eb_consumer_fixes_batches (self)
      && eb_batch_plan_count (obtain_plan (self), eb_delivery_get_sequence (delivery),
                              eb_delivery_get_share (delivery), &full))
    fix (self, &full);
}

/* @next gets the sequence of the event that stands behind it, %G_MAXUINT64 if there is none yet.
 *
 * Returns: the sequence of the last event that may travel with @head, of those before @end */
static guint64
find_last (EbConsumer *self, EbDelivery *head, guint64 end, guint64 *next)
{
  gsize shares = eb_delivery_get_share (head);
  guint64 last = eb_delivery_get_sequence (head);
  guint n = 1;

  for (GList *link = head->link.next; link != NULL; link = link->next)
    {
      const EbDelivery *delivery = link->data;

      *next = eb_delivery_get_sequence (delivery);
      shares += eb_delivery_get_share (delivery);
      if (n++ == EB_BATCH_MAX_LENGTH || !eb_consumer_is_fresh (delivery)
          || shares > EB_BATCH_MAX_SHARES || *next >= end)
        return last;
      last = *next;
    }
  *next = G_MAXUINT64;
  return last;
}

/* Returns: whether @range can be sent as it is, from @head on. After a restart the log brings what
 *   is in it one by one; and of that another subscription may want more by now than it may have. */
static gboolean
check_fixed (EbConsumer *self, EbDelivery *head, EbBatchRange range)
{
  guint64 next;
  guint64 last = find_last (self, head, range.last + 1, &next);

  if (next == G_MAXUINT64 && self->position < range.last)
    return FALSE;
  if (next > range.last)
    return TRUE;
  eb_batch_plan_drop_first (self->outbox->plan);
  fix (self, &(EbBatchRange){ eb_delivery_get_first (head), last });
  return FALSE;
}

/**
 * eb_consumer_fix_batch:
 * @delivery: the head of the queue, which may be sent
 *
 * Returns: whether it is certain which others travel with it; else that is waited for
 */
gboolean
eb_consumer_fix_batch (EbConsumer *self, EbDelivery *delivery)
{
  guint64 first = eb_delivery_get_first (delivery), next;
  const EbPlannedBatch *batch;

  if (!eb_consumer_is_fresh (delivery) || !eb_consumer_fixes_batches (self))
    return TRUE;
  batch = eb_batch_plan_find (obtain_plan (self), first);
  if (batch != NULL)
    return batch->fixed && check_fixed (self, delivery, batch->range);
  fix (self,
       &(EbBatchRange){
           first, find_last (self, delivery, eb_batch_plan_get_end (self->outbox->plan), &next) });
  return FALSE;
}

/**
 * eb_consumer_confirm_batch:
 * @batch: the ledger knows of it
 */
void
eb_consumer_confirm_batch (EbConsumer *self, const EbBatchRange *batch)
{
  if (self->outbox->plan == NULL)
    return;
  eb_batch_plan_confirm (self->outbox->plan, batch);
  eb_consumer_proceed (self);
}

static void
add_fixed (GArray *batches, GQueue *deliveries)
{
  for (GList *link = deliveries->head; link != NULL; link = link->next)
    {
      const EbDelivery *delivery = link->data;
      EbBatchRange range = { eb_delivery_get_first (delivery),
                             eb_delivery_get_sequence (delivery) };

      if (delivery->fixed && !delivery->exception)
        g_array_append_val (batches, range);
    }
}

static int
compare_ranges (gconstpointer a, gconstpointer b)
{
  const EbBatchRange *range_a = a, *range_b = b;

  return eb_sequence_compare (&range_a->first, &range_b->first);
}

/**
 * eb_consumer_list_batches:
 *
 * Returns: (transfer full) (element-type EbBatchRange): those that go on as they are, in order
 */
GArray *
eb_consumer_list_batches (EbConsumer *self)
{
  GArray *batches = g_array_new (FALSE, FALSE, sizeof (EbBatchRange));

  add_fixed (batches, &self->outbox->under_way);
  add_fixed (batches, &self->outbox->queue);
  if (self->outbox->plan != NULL)
    eb_batch_plan_list (self->outbox->plan, batches);
  g_array_sort (batches, compare_ranges);
  return batches;
}
