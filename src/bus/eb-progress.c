/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bus/eb-progress.h"

/* What the ledger is still to be told, made as short as it can be: of each subscription its newest
 * cursor, and of each of its exceptions the newest change. So it is bounded by what there is,
 * however long the ledger refuses.
 *
 * A cursor says that everything up to it has ended or is an exception, and the floor says the same
 * for everybody without a cursor. Told too early, each of them loses events when the daemon is
 * killed. So what was reported is told in rounds: while one is told, the next one gathers. A round
 * has the exceptions first, then the cursors, then the floor, which says nothing wrong once all of
 * those are in the ledger, and in the end those that go with the floor from now on, which would
 * fall back to an older floor. Who is ahead of the floor (its worker is ahead of others) has a
 * cursor of its own until the floor is there. A batch that is refused is handed out again, and what
 * came meanwhile stands in the next round, after it.
 *
 * Subscriptions that the ledger would not forget when they ended stand here as well.
 *
 * Subscriptions are known by what they have in common with those that they replace, which the
 * tables hold.
 *
 * Lives in the thread of its owner. */

/* As many as a ledger should take at once: others wait for it. */
#define MAX_BATCH 1000

struct _EbProgress
{
  GHashTable *next;      /* (owned) (element-type gpointer News): the round that gathers */
  GHashTable *ahead;     /* (owned) (element-type gpointer EbChange): who will go with the floor,
                            and has been told where it is until then */
  guint64 next_floor;    /* the floor that was reported last */
  GHashTable *telling;   /* (owned) (element-type gpointer): whose steps of the round that is
                            told are still of interest */
  GPtrArray *steps;      /* (owned) (element-type Step): the round that is told, in its order */
  guint told;            /* of these, how many the ledger has */
  guint taken;           /* and how many it has with the batch that is out */
  guint64 telling_floor; /* the floor of the round that is told, or was told last */

  GHashTable *ended;      /* (owned) (element-type utf8): ids that are still to be forgotten */
  GPtrArray *ended_taken; /* (owned) (element-type utf8): those in the batch that is out */
};

/* What the next round has of one subscription. */
typedef struct
{
  EbChange *cursor;       /* (owned) (nullable) */
  GHashTable *exceptions; /* (owned) (nullable) (element-type guint64 EbChange) by sequence */
} News;

typedef struct
{
  EbSubscription *identity; /* (owned) (nullable): NULL for the floor */
  EbChange *change;         /* (owned) */
} Step;

static void
news_free (News *news)
{
  g_clear_pointer (&news->cursor, eb_change_free);
  g_clear_pointer (&news->exceptions, g_hash_table_unref);
  g_free (news);
}

static void
step_free (Step *step)
{
  g_clear_pointer (&step->identity, eb_subscription_unref);
  eb_change_free (step->change);
  g_free (step);
}

static EbChange *
copy_change (const EbChange *change)
{
  EbChange *copy = eb_change_new (change->kind, change->id, 0);

  copy->first = change->first;
  copy->exception = change->exception;
  copy->exception.reason = g_strdup (change->exception.reason);
  return copy;
}

static News *
get_news (EbProgress *self, EbSubscription *subscription)
{
  EbSubscription *identity = eb_subscription_get_identity (subscription);
  News *news = g_hash_table_lookup (self->next, identity);

  if (news == NULL)
    {
      news = g_new0 (News, 1);
      g_hash_table_insert (self->next, eb_subscription_ref (identity), news);
    }
  return news;
}

/**
 * eb_progress_add:
 * @subscription: one that has not ended
 * @change: CURSOR, ASIDE, DEAD or ENDED of it, or EXPIRED as the last; takes the place of an older
 *   one of the same
 */
void
eb_progress_add (EbProgress *self, EbSubscription *subscription, const EbChange *change)
{
  News *news = get_news (self, subscription);
  EbChange *copy = copy_change (change);

  if (change->kind == EB_CHANGE_CURSOR || change->kind == EB_CHANGE_EXPIRED)
    {
      g_clear_pointer (&news->cursor, eb_change_free);
      news->cursor = copy;
      g_hash_table_remove (self->ahead, eb_subscription_get_identity (subscription));
      return;
    }
  if (news->exceptions == NULL)
    news->exceptions =
        g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, (GDestroyNotify) eb_change_free);
  g_hash_table_replace (news->exceptions, &copy->exception.sequence, copy);
}

/**
 * eb_progress_raise_floor:
 * @floor: what every subscription has passed that has no cursor of its own after what was added
 *   so far
 */
void
eb_progress_raise_floor (EbProgress *self, guint64 floor)
{
  self->next_floor = MAX (self->next_floor, floor);
}

/**
 * eb_progress_forget:
 * @subscription: has ended, so the ledger is told no more of it
 */
void
eb_progress_forget (EbProgress *self, EbSubscription *subscription)
{
  g_hash_table_remove (self->next, eb_subscription_get_identity (subscription));
  g_hash_table_remove (self->ahead, eb_subscription_get_identity (subscription));
  g_hash_table_remove (self->telling, eb_subscription_get_identity (subscription));
}

/**
 * eb_progress_add_ended:
 * @id: of a subscription that has ended, and that the ledger could not forget
 */
void
eb_progress_add_ended (EbProgress *self, const char *id)
{
  g_hash_table_add (self->ended, g_strdup (id));
}

/**
 * eb_progress_has_ended:
 *
 * Returns: whether the ledger has yet to forget what has ended under that id
 */
gboolean
eb_progress_has_ended (EbProgress *self, const char *id)
{
  return g_hash_table_contains (self->ended, id);
}

/**
 * eb_progress_take_ended:
 * @id: of a subscription
 *
 * From now on it is the caller's to see to it that the ledger forgets what has ended under that id.
 *
 * Returns: whether the ledger has something to forget
 */
gboolean
eb_progress_take_ended (EbProgress *self, const char *id)
{
  return g_hash_table_remove (self->ended, id);
}

/* The next round becomes the one that is told. */

/* Takes @change. */
static void
append (EbProgress *self, EbSubscription *identity, EbChange *change)
{
  Step *step = g_new (Step, 1);

  step->identity = identity != NULL ? eb_subscription_ref (identity) : NULL;
  step->change = change;
  g_ptr_array_add (self->steps, step);
}

static void
append_exceptions (EbProgress *self, EbSubscription *identity, News *news)
{
  GHashTableIter iter;
  EbChange *change;

  if (news->exceptions == NULL)
    return;
  g_hash_table_iter_init (&iter, news->exceptions);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &change))
    {
      g_hash_table_iter_steal (&iter);
      append (self, identity, change);
    }
}

static gboolean
is_ahead (EbProgress *self, const EbChange *change)
{
  return change->kind == EB_CHANGE_CURSOR && change->first > self->next_floor;
}

/* Takes @change, by which it is to go with the floor. */
static void
wait_for_floor (EbProgress *self, EbSubscription *identity, EbChange *change)
{
  EbChange *place = copy_change (change);

  place->exception.sequence = change->first;
  append (self, identity, place);
  g_hash_table_replace (self->ahead, eb_subscription_ref (identity), change);
}

static void
append_own_cursor (EbProgress *self, EbSubscription *identity, News *news)
{
  if (news->cursor == NULL)
    return;
  if (news->cursor->exception.sequence != EB_CURSOR_FLOOR)
    append (self, identity, g_steal_pointer (&news->cursor));
  else if (is_ahead (self, news->cursor))
    wait_for_floor (self, identity, g_steal_pointer (&news->cursor));
}

static void
append_floor_cursor (EbProgress *self, EbSubscription *identity, News *news)
{
  if (news->cursor != NULL)
    append (self, identity, g_steal_pointer (&news->cursor));
}

/* Those whom the floor has reached. */
static void
append_reached (EbProgress *self)
{
  GHashTableIter iter;
  EbSubscription *identity;
  EbChange *change;

  g_hash_table_iter_init (&iter, self->ahead);
  while (g_hash_table_iter_next (&iter, (gpointer *) &identity, (gpointer *) &change))
    if (!is_ahead (self, change))
      {
        g_hash_table_add (self->telling, eb_subscription_ref (identity));
        append (self, identity, copy_change (change));
        g_hash_table_iter_remove (&iter);
      }
}

static void
append_each (EbProgress *self,
             void (*append_some) (EbProgress *self, EbSubscription *identity, News *news))
{
  GHashTableIter iter;
  EbSubscription *identity;
  News *news;

  g_hash_table_iter_init (&iter, self->next);
  while (g_hash_table_iter_next (&iter, (gpointer *) &identity, (gpointer *) &news))
    append_some (self, identity, news);
}

static void
clear_round (EbProgress *self)
{
  g_ptr_array_set_size (self->steps, 0);
  g_hash_table_remove_all (self->telling);
  self->told = self->taken = 0;
}

static void
begin_round (EbProgress *self)
{
  GHashTableIter iter;
  EbSubscription *identity;

  clear_round (self);
  append_each (self, append_exceptions);
  append_each (self, append_own_cursor);
  if (self->next_floor > self->telling_floor)
    append (self, NULL, eb_change_new (EB_CHANGE_FLOOR, NULL, self->next_floor));
  self->telling_floor = self->next_floor;
  append_each (self, append_floor_cursor);
  append_reached (self);

  g_hash_table_iter_init (&iter, self->next);
  while (g_hash_table_iter_next (&iter, (gpointer *) &identity, NULL))
    g_hash_table_add (self->telling, eb_subscription_ref (identity));
  g_hash_table_remove_all (self->next);
}

static gboolean
is_wanted (EbProgress *self, const Step *step)
{
  return step->identity == NULL || g_hash_table_contains (self->telling, step->identity);
}

/**
 * eb_progress_list:
 *
 * Returns: (transfer full) (element-type EbChange): what the ledger may not know of @subscription
 *   yet, in order
 */
GPtrArray *
eb_progress_list (EbProgress *self, EbSubscription *subscription)
{
  GPtrArray *list = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_change_free);
  gpointer identity = eb_subscription_get_identity (subscription);
  News *news = g_hash_table_lookup (self->next, identity);
  GHashTableIter iter;
  EbChange *change;

  for (guint i = self->told; i < self->steps->len; i++)
    {
      const Step *step = g_ptr_array_index (self->steps, i);

      if (step->identity == identity && is_wanted (self, step))
        g_ptr_array_add (list, copy_change (step->change));
    }
  if (news != NULL && news->exceptions != NULL)
    {
      g_hash_table_iter_init (&iter, news->exceptions);
      while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &change))
        g_ptr_array_add (list, copy_change (change));
    }
  if (news != NULL && news->cursor != NULL)
    g_ptr_array_add (list, copy_change (news->cursor));
  return list;
}

static void
take_ended (EbProgress *self, GPtrArray *batch)
{
  GHashTableIter iter;
  const char *id;

  g_hash_table_iter_init (&iter, self->ended);
  while (batch->len < MAX_BATCH && g_hash_table_iter_next (&iter, (gpointer *) &id, NULL))
    {
      g_ptr_array_add (batch, eb_change_new (EB_CHANGE_REMOVE, id, 0));
      g_ptr_array_add (self->ended_taken, g_strdup (id));
    }
}

static void
take_steps (EbProgress *self, GPtrArray *batch)
{
  for (; self->taken < self->steps->len && batch->len < MAX_BATCH; self->taken++)
    {
      const Step *step = g_ptr_array_index (self->steps, self->taken);

      if (is_wanted (self, step))
        g_ptr_array_add (batch, copy_change (step->change));
    }
}

/**
 * eb_progress_take:
 *
 * To be followed by eb_progress_done() when the ledger has the batch; else the next one is this
 * one again, without those that have ended meanwhile.
 *
 * Returns: (transfer full) (nullable) (element-type EbChange): what to tell now, in this order;
 *   NULL if there is nothing
 */
GPtrArray *
eb_progress_take (EbProgress *self)
{
  g_autoptr (GPtrArray) batch = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_change_free);

  g_ptr_array_set_size (self->ended_taken, 0);
  self->taken = self->told;
  take_ended (self, batch);
  take_steps (self, batch);
  if (batch->len == 0)
    {
      begin_round (self);
      take_steps (self, batch);
    }
  return batch->len > 0 ? g_steal_pointer (&batch) : NULL;
}

/**
 * eb_progress_done:
 *
 * The ledger has what the last eb_progress_take() handed out.
 */
void
eb_progress_done (EbProgress *self)
{
  for (guint i = 0; i < self->ended_taken->len; i++)
    g_hash_table_remove (self->ended, g_ptr_array_index (self->ended_taken, i));
  g_ptr_array_set_size (self->ended_taken, 0);
  self->told = self->taken;
  if (self->told == self->steps->len)
    clear_round (self);
}

/**
 * eb_progress_is_empty:
 *
 * Returns: whether eb_progress_take() would have nothing, or only what has ended
 */
gboolean
eb_progress_is_empty (EbProgress *self)
{
  return self->told == self->steps->len && g_hash_table_size (self->next) == 0
         && self->next_floor <= self->telling_floor && g_hash_table_size (self->ended) == 0;
}

EbProgress *
eb_progress_new (void)
{
  EbProgress *self = g_new0 (EbProgress, 1);

  self->next = g_hash_table_new_full (NULL, NULL, (GDestroyNotify) eb_subscription_unref,
                                      (GDestroyNotify) news_free);
  self->ahead = g_hash_table_new_full (NULL, NULL, (GDestroyNotify) eb_subscription_unref,
                                       (GDestroyNotify) eb_change_free);
  self->telling = g_hash_table_new_full (NULL, NULL, (GDestroyNotify) eb_subscription_unref, NULL);
  self->steps = g_ptr_array_new_with_free_func ((GDestroyNotify) step_free);
  self->ended = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->ended_taken = g_ptr_array_new_with_free_func (g_free);
  return self;
}

void
eb_progress_free (EbProgress *self)
{
  g_hash_table_unref (self->next);
  g_hash_table_unref (self->ahead);
  g_hash_table_unref (self->telling);
  g_ptr_array_unref (self->steps);
  g_hash_table_unref (self->ended);
  g_ptr_array_unref (self->ended_taken);
  g_free (self);
}
