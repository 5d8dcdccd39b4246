/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-audience.h"

#include "core/eb-type-index.h"

/* Those who want every type, which are most, cost nothing but their place in a list. The others are
 * found by the event's type, so what it costs to offer an event grows with those who want its type,
 * and not with those who do not.
 *
 * Belongs to its worker's dispatcher, and lives in its worker's thread. */
struct _EbAudience
{
  GQueue everything;  /* (element-type EbConsumer) that want every type */
  GQueue some;        /* (element-type EbConsumer) the others */
  EbTypeIndex *types; /* (owned) (element-type EbConsumer) those again */
  GPtrArray *found;   /* (owned) (element-type EbConsumer) empty between two events */
};

/**
 * eb_audience_new:
 *
 * Returns: (transfer full): an audience of nobody
 */
EbAudience *
eb_audience_new (void)
{
  EbAudience *self = g_new0 (EbAudience, 1);

  self->types = eb_type_index_new ();
  self->found = g_ptr_array_new ();
  return self;
}

void
eb_audience_free (EbAudience *self)
{
  g_ptr_array_unref (self->found);
  eb_type_index_free (self->types);
  g_free (self);
}

/**
 * eb_audience_add:
 * @consumer: not in an audience yet; must be removed before it is freed
 */
void
eb_audience_add (EbAudience *self, EbConsumer *consumer)
{
  const char *const *types = eb_subscription_get_types (eb_consumer_get_subscription (consumer));

  if (types == NULL)
    {
      g_queue_push_tail_link (&self->everything, eb_consumer_get_link (consumer));
      return;
    }
  g_queue_push_tail_link (&self->some, eb_consumer_get_link (consumer));
  eb_type_index_add (self->types, types, consumer);
}

/**
 * eb_audience_remove:
 * @consumer: one that was added
 */
void
eb_audience_remove (EbAudience *self, EbConsumer *consumer)
{
  gboolean indexed = eb_type_index_remove (self->types, consumer);

  g_queue_unlink (indexed ? &self->some : &self->everything, eb_consumer_get_link (consumer));
}

/**
 * eb_audience_reindex:
 * @consumer: one that was added, and has another subscription now, which may want other types
 */
void
eb_audience_reindex (EbAudience *self, EbConsumer *consumer)
{
  eb_audience_remove (self, consumer);
  eb_audience_add (self, consumer);
}

/**
 * eb_audience_get_first:
 *
 * Returns: (nullable) (transfer none): one of its consumers, NULL if there are none
 */
EbConsumer *
eb_audience_get_first (EbAudience *self)
{
  EbConsumer *consumer = g_queue_peek_head (&self->everything);

  return consumer != NULL ? consumer : g_queue_peek_head (&self->some);
}

/**
 * eb_audience_offer:
 * @parcel: the next event of the tail
 *
 * Offers it to those who want its type, in an order that stays the same. The others have passed it,
 * see eb_consumer_pass().
 */
void
eb_audience_offer (EbAudience *self, EbParcel *parcel)
{
  const char *type = eb_event_get_event_type (eb_parcel_get_event (parcel));

  for (GList *link = self->everything.head; link != NULL; link = link->next)
    eb_consumer_offer (link->data, parcel);

  eb_type_index_match (self->types, type, self->found);
  for (guint i = 0; i < self->found->len; i++)
    eb_consumer_offer (g_ptr_array_index (self->found, i), parcel);
  g_ptr_array_set_size (self->found, 0);
}

static void
lose (GQueue *consumers, guint64 tail, guint64 up_to)
{
  for (GList *link = consumers->head; link != NULL; link = link->next)
    {
      eb_consumer_pass (link->data, tail);
      eb_consumer_lose (link->data, up_to);
    }
}

/**
 * eb_audience_lose:
 * @tail: the last event that was offered
 * @up_to: the log does not have events up to this one any more
 *
 * Tells everybody: nobody knows what types they were of.
 */
void
eb_audience_lose (EbAudience *self, guint64 tail, guint64 up_to)
{
  lose (&self->everything, tail, up_to);
  lose (&self->some, tail, up_to);
}
