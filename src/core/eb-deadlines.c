/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "core/eb-deadlines.h"

/* Many deadlines behind one timer: leases, attempts, idle connections.
 *
 * Deadlines of the same length pass in the order in which they were set, so each length has a
 * queue of its own (a class) and setting one again just moves it to the end. Classes are sorted
 * by a lower bound of when their first deadline passes. The bound is not touched when the first
 * one is set again, which is what makes that O(1); the timer then finds a class that is not due
 * yet, and corrects its bound: at most once per class and length.
 *
 * Lives in the thread of its context. */
struct _EbDeadlineClass
{
  GTimeSpan length;
  GQueue deadlines; /* (element-type EbDeadline) in the order in which they pass */
  gint64 bound_us;  /* no deadline of this class passes before; its place in by_bound */
};

struct _EbDeadlines
{
  EbClock *clock; /* (owned) */
  GSource *timer; /* (owned) due at timer_us */
  gint64 timer_us;
  GHashTable *classes;     /* (owned) (element-type gint64 EbDeadlineClass) by length */
  GTree *by_bound;         /* (owned) the same classes by bound, then length */
  EbDeadlineClass *latest; /* (unowned) (nullable) the class that was last used: mostly the next */
  EbDeadlineFunc passed;
  gpointer user_data;
};

static int
compare_bounds (gconstpointer a, gconstpointer b, gpointer user_data)
{
  const EbDeadlineClass *x = a, *y = b;

  if (x->bound_us != y->bound_us)
    return x->bound_us < y->bound_us ? -1 : 1;
  if (x->length != y->length)
    return x->length < y->length ? -1 : 1;
  return 0;
}

static EbDeadlineClass *
first_class (EbDeadlines *self)
{
  GTreeNode *node = g_tree_node_first (self->by_bound);

  return node != NULL ? g_tree_node_key (node) : NULL;
}

static void
set_timer (EbDeadlines *self, gint64 due_us)
{
  if (self->timer_us == due_us)
    return;
  self->timer_us = due_us;
  eb_clock_set_timer (self->clock, self->timer, due_us);
}

static void
update_timer (EbDeadlines *self)
{
  EbDeadlineClass *klass = first_class (self);

  set_timer (self, klass != NULL ? klass->bound_us : -1);
}

static EbDeadlineClass *
lookup_class (EbDeadlines *self, GTimeSpan length)
{
  EbDeadlineClass *klass = self->latest;

  if (klass != NULL && klass->length == length)
    return klass;

  klass = g_hash_table_lookup (self->classes, &length);
  if (klass == NULL)
    {
      klass = g_new0 (EbDeadlineClass, 1);
      klass->length = length;
      klass->bound_us = eb_clock_get_monotonic (self->clock) + length;
      g_hash_table_insert (self->classes, &klass->length, klass);
      g_tree_insert (self->by_bound, klass, klass);
      update_timer (self);
    }
  self->latest = klass;
  return klass;
}

static void
drop_class (EbDeadlines *self, EbDeadlineClass *klass)
{
  if (self->latest == klass)
    self->latest = NULL;
  g_tree_remove (self->by_bound, klass);
  g_hash_table_remove (self->classes, &klass->length);
}

static void
raise_bound (EbDeadlines *self, EbDeadlineClass *klass, gint64 bound_us)
{
  g_tree_remove (self->by_bound, klass);
  klass->bound_us = bound_us;
  g_tree_insert (self->by_bound, klass, klass);
}

static gboolean
timer_cb (gpointer user_data)
{
  EbDeadlines *self = user_data;
  gint64 now_us = eb_clock_get_monotonic (self->clock);
  EbDeadlineClass *klass;

  self->timer_us = -1;
  /* The callback may set and clear whatever it likes, so every turn looks anew. */
  while ((klass = first_class (self)) != NULL && klass->bound_us <= now_us)
    {
      EbDeadline *first = g_queue_peek_head (&klass->deadlines);

      if (first == NULL)
        drop_class (self, klass);
      else if (first->due_us > now_us)
        raise_bound (self, klass, first->due_us);
      else
        {
          eb_deadlines_clear (self, first);
          self->passed (first, self->user_data);
        }
    }
  update_timer (self);

  return G_SOURCE_CONTINUE;
}

/**
 * eb_deadlines_new:
 * @context: whose thread runs @passed and makes every other call here
 * @passed: is told of each deadline that passed, once
 *
 * Returns: (transfer full): an empty set of deadlines
 */
EbDeadlines *
eb_deadlines_new (EbClock *clock, GMainContext *context, EbDeadlineFunc passed, gpointer user_data)
{
  EbDeadlines *self = g_new0 (EbDeadlines, 1);

  self->clock = g_object_ref (clock);
  self->timer_us = -1;
  self->classes = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, g_free);
  self->by_bound = g_tree_new_full (compare_bounds, NULL, NULL, NULL);
  self->passed = passed;
  self->user_data = user_data;
  self->timer = eb_clock_create_timer (clock);
  g_source_set_callback (self->timer, timer_cb, self, NULL);
  g_source_attach (self->timer, context);

  return self;
}

/**
 * eb_deadlines_free:
 *
 * Deadlines that are still set are forgotten; they must not be set or cleared any more.
 */
void
eb_deadlines_free (EbDeadlines *self)
{
  g_source_destroy (self->timer);
  g_source_unref (self->timer);
  g_tree_unref (self->by_bound);
  g_hash_table_unref (self->classes);
  g_object_unref (self->clock);
  g_free (self);
}

/**
 * eb_deadlines_set:
 * @deadline: may be set already: then it starts again
 * @length: microseconds from now
 *
 * O(1), but for the first deadline of a length: O(log lengths).
 */
void
eb_deadlines_set (EbDeadlines *self, EbDeadline *deadline, GTimeSpan length)
{
  eb_deadlines_clear (self, deadline);

  deadline->klass = lookup_class (self, length);
  deadline->due_us = eb_clock_get_monotonic (self->clock) + length;
  deadline->link.data = deadline;
  g_queue_push_tail_link (&deadline->klass->deadlines, &deadline->link);
}

/**
 * eb_deadlines_clear:
 * @deadline: may be unset already
 *
 * O(1).
 */
void
eb_deadlines_clear (EbDeadlines *self, EbDeadline *deadline)
{
  if (deadline->klass == NULL)
    return;
  g_queue_unlink (&deadline->klass->deadlines, &deadline->link);
  deadline->klass = NULL;
}
