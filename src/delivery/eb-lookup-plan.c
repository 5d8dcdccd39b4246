/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-lookup-plan.h"

/* Which name is looked up when, and what is remembered of it. A lookup that hangs can't be ended,
 * it keeps its thread for as long as the C library tries; so what matters is that those that hang
 * never take the last thread:
 * - A name takes one thread at most, however many ask for it and however often they give up.
 * - A name that hung is remembered as slow, and slow names share a quarter of the threads.
 * - Names of which nothing is known leave a quarter to those that answered when asked last.
 *
 * Knows neither threads nor the time; belongs to its resolver's state, under whose lock it is. */

/* How many lookups of a rank and of those below it may run at once. */
static const guint shares[EB_LOOKUP_N_RANKS] = {
  [EB_LOOKUP_RANK_SLOW] = EB_LOOKUP_PLAN_MAX_RUNNING / 4,
  [EB_LOOKUP_RANK_NEW] = EB_LOOKUP_PLAN_MAX_RUNNING * 3 / 4,
  [EB_LOOKUP_RANK_PROVEN] = EB_LOOKUP_PLAN_MAX_RUNNING,
};

/* Lookups that wait or run. More can only mean that the name servers do not answer. */
#define MAX_UNANSWERED 1000

/* Names remembered: enough for 4,096 sinks, all of them by name. */
#define MAX_KNOWN 4096

/* An address that changed is found after this; name servers give less than their names' TTLs. */
#define POSITIVE_AGE (30 * G_TIME_SPAN_SECOND)

/* Long enough to answer a burst of deliveries at once, short enough that a name that was just
 * created is found by the next probe. */
#define NEGATIVE_AGE (2 * G_TIME_SPAN_SECOND)

/* A lookup that takes this long hangs: name servers answer within a second, and the C library waits
 * five before it asks another. */
#define HANGS_AFTER (3 * G_TIME_SPAN_SECOND)

/* For how long a name that hung is slow, if it is not asked for meanwhile. */
#define SLOW_AGE (10 * G_TIME_SPAN_MINUTE)

struct _EbLookupPlan
{
  GHashTable *names;                 /* (owned) (element-type utf8 EbLookup) */
  GQueue known;                      /* (element-type EbLookup) were looked up, oldest first */
  GQueue waiting[EB_LOOKUP_N_RANKS]; /* (element-type EbLookup) first come, first served */
  GQueue running;                    /* (element-type EbLookup) */
  guint n_running[EB_LOOKUP_N_RANKS];
};

static void
lookup_free (EbLookup *lookup)
{
  g_free (lookup->name);
  g_list_free_full (lookup->addresses, g_object_unref);
  g_clear_error (&lookup->error);
  g_free (lookup);
}

/**
 * eb_lookup_plan_new:
 *
 * Returns: (transfer full): a plan in which nothing is known
 */
EbLookupPlan *
eb_lookup_plan_new (void)
{
  EbLookupPlan *self = g_new0 (EbLookupPlan, 1);

  self->names = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify) lookup_free);
  return self;
}

/**
 * eb_lookup_plan_free:
 * @self: a plan whose lookups nobody waits for
 */
void
eb_lookup_plan_free (EbLookupPlan *self)
{
  g_hash_table_unref (self->names);
  g_free (self);
}

static void
move (EbLookup *lookup, GQueue *queue)
{
  if (lookup->queue != NULL)
    g_queue_unlink (lookup->queue, &lookup->link);
  lookup->queue = queue;
  g_queue_push_tail_link (queue, &lookup->link);
}

static void
forget (EbLookupPlan *self, EbLookup *lookup)
{
  g_queue_unlink (lookup->queue, &lookup->link);
  g_hash_table_remove (self->names, lookup->name);
}

static gboolean
has_room (EbLookupPlan *self, EbLookupRank rank)
{
  guint n = 0;

  for (guint i = 0; i < EB_LOOKUP_N_RANKS; i++)
    {
      n += self->n_running[i];
      if (i >= rank && n >= shares[i])
        return FALSE;
    }
  return TRUE;
}

/* Whether nothing that runs can be hoped to end soon. */
static gboolean
all_hang (EbLookupPlan *self, gint64 now_us)
{
  for (GList *l = self->running.head; l != NULL; l = l->next)
    if (now_us - ((EbLookup *) l->data)->started_us < HANGS_AFTER)
      return FALSE;
  return TRUE;
}

static guint
count_unanswered (EbLookupPlan *self)
{
  guint n = self->running.length;

  for (guint i = 0; i < EB_LOOKUP_N_RANKS; i++)
    n += self->waiting[i].length;
  return n;
}

/* A lookup that would only wait until whoever asks loses patience is better refused: he is told
 * why, and can come again. */
static gboolean
check_hopeful (
    EbLookupPlan *self, const char *name, EbLookupRank rank, gint64 now_us, GError **error)
{
  if (count_unanswered (self) >= MAX_UNANSWERED)
    g_set_error (error, G_RESOLVER_ERROR, G_RESOLVER_ERROR_TEMPORARY_FAILURE,
                 "Looking up “%s”: %d other names are waiting; do the name servers answer?", name,
                 MAX_UNANSWERED);
  else if (has_room (self, rank))
    return TRUE;
  else if (rank == EB_LOOKUP_RANK_SLOW)
    g_set_error (error, G_RESOLVER_ERROR, G_RESOLVER_ERROR_TEMPORARY_FAILURE,
                 "Looking up “%s”: its name server took more than %d s the last time, and no "
                 "thread is free for names of that kind; does it answer?",
                 name, (int) (HANGS_AFTER / G_TIME_SPAN_SECOND));
  else if (all_hang (self, now_us))
    g_set_error (error, G_RESOLVER_ERROR, G_RESOLVER_ERROR_TEMPORARY_FAILURE,
                 "Looking up “%s”: no thread is free, for %u lookups hang; do the name servers "
                 "answer?",
                 name, self->running.length);
  else
    return TRUE;
  return FALSE;
}

static EbLookupRank
judge (const EbLookup *lookup, gint64 now_us)
{
  if (lookup == NULL)
    return EB_LOOKUP_RANK_NEW;
  if (now_us < lookup->slow_until_us)
    return EB_LOOKUP_RANK_SLOW;
  return lookup->addresses != NULL ? EB_LOOKUP_RANK_PROVEN : EB_LOOKUP_RANK_NEW;
}

static EbLookup *
add (EbLookupPlan *self, const char *name)
{
  EbLookup *lookup = g_new0 (EbLookup, 1);

  lookup->name = g_strdup (name);
  lookup->link.data = lookup;
  g_hash_table_insert (self->names, lookup->name, lookup);
  return lookup;
}

/**
 * eb_lookup_plan_request:
 * @self: a plan
 * @name: a host name in lower case
 * @now_us: the monotonic time
 * @error: return location for %G_RESOLVER_ERROR_TEMPORARY_FAILURE
 *
 * Asks for a name. If it is not known, or not known freshly, it waits to be looked up.
 *
 * Returns: (transfer none) (nullable): the name, or NULL if it can't be looked up soon
 */
EbLookup *
eb_lookup_plan_request (EbLookupPlan *self, const char *name, gint64 now_us, GError **error)
{
  EbLookup *lookup = g_hash_table_lookup (self->names, name);
  EbLookupRank rank;

  if (lookup != NULL && (lookup->queue != &self->known || now_us < lookup->expires_us))
    return lookup;

  rank = judge (lookup, now_us);
  if (!check_hopeful (self, name, rank, now_us, error))
    return NULL;
  if (lookup == NULL)
    lookup = add (self, name);
  lookup->rank = rank;
  move (lookup, &self->waiting[rank]);
  return lookup;
}

/**
 * eb_lookup_plan_has_answer:
 * @self: a plan
 * @lookup: what was just requested of it
 *
 * Returns: whether @lookup has its addresses or its error, and need not wait
 */
gboolean
eb_lookup_plan_has_answer (EbLookupPlan *self, const EbLookup *lookup)
{
  return lookup->queue == &self->known;
}

/**
 * eb_lookup_plan_start_next:
 * @self: a plan
 * @now_us: the monotonic time
 *
 * Says what to look up next. To be called for each lookup that was requested, and for each that is
 * finished.
 *
 * Returns: (transfer none) (nullable): a name to look up in a thread and to finish then; until then
 *   it stays valid, and its name may be read without a lock
 */
EbLookup *
eb_lookup_plan_start_next (EbLookupPlan *self, gint64 now_us)
{
  for (guint rank = EB_LOOKUP_N_RANKS; rank-- > 0;)
    {
      EbLookup *lookup = g_queue_peek_head (&self->waiting[rank]);

      if (lookup == NULL || !has_room (self, rank))
        continue;
      lookup->started_us = now_us;
      self->n_running[rank]++;
      move (lookup, &self->running);
      return lookup;
    }
  return NULL;
}

/**
 * eb_lookup_plan_finish:
 * @self: a plan
 * @lookup: what was started
 * @addresses: (transfer full) (nullable) (element-type GInetAddress): what was found
 * @error: (transfer full) (nullable): why nothing was
 * @now_us: the monotonic time
 *
 * Takes what a lookup came to, and remembers it for a while. Take its askers first.
 */
void
eb_lookup_plan_finish (
    EbLookupPlan *self, EbLookup *lookup, GList *addresses, GError *error, gint64 now_us)
{
  gboolean hung = now_us - lookup->started_us >= HANGS_AFTER;

  g_list_free_full (lookup->addresses, g_object_unref);
  g_clear_error (&lookup->error);
  lookup->addresses = addresses;
  lookup->error = error;
  lookup->expires_us = now_us + (error == NULL ? POSITIVE_AGE : NEGATIVE_AGE);
  lookup->slow_until_us = hung ? now_us + SLOW_AGE : 0;

  self->n_running[lookup->rank]--;
  move (lookup, &self->known);
  if (self->known.length > MAX_KNOWN)
    forget (self, g_queue_peek_head (&self->known));
}

/**
 * eb_lookup_plan_abandon:
 * @self: a plan
 * @lookup: a name that nobody waits for any more
 *
 * Lets @lookup go if it is not started yet; one that runs can't be stopped, and whoever asks for
 * the name again shares it.
 */
void
eb_lookup_plan_abandon (EbLookupPlan *self, EbLookup *lookup)
{
  if (lookup->queue != &self->waiting[lookup->rank])
    return;
  /* What was known of it, though no longer fresh, says its rank the next time. */
  if (lookup->expires_us != 0)
    move (lookup, &self->known);
  else
    forget (self, lookup);
}
