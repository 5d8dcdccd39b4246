/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "core/eb-due-heap.h"

/* A binary heap whose members know their place, so that each can be moved and taken out. */
struct _EbDueHeap
{
  GPtrArray *members; /* (owned) (element-type EbDue): those of place p are at 2p and 2p + 1 */
};

EbDueHeap *
eb_due_heap_new (void)
{
  EbDueHeap *self = g_new (EbDueHeap, 1);

  self->members = g_ptr_array_new ();
  return self;
}

/**
 * eb_due_heap_free:
 *
 * What is still in it is forgotten, and must not be set or cleared any more.
 */
void
eb_due_heap_free (EbDueHeap *self)
{
  g_ptr_array_unref (self->members);
  g_free (self);
}

static EbDue *
member (EbDueHeap *self, guint place)
{
  return g_ptr_array_index (self->members, place - 1);
}

static void
put (EbDueHeap *self, EbDue *due, guint place)
{
  self->members->pdata[place - 1] = due;
  due->place = place;
}

static void
move_up (EbDueHeap *self, EbDue *due)
{
  guint place = due->place;

  for (; place > 1 && member (self, place / 2)->due_us > due->due_us; place /= 2)
    put (self, member (self, place / 2), place);
  put (self, due, place);
}

static void
move_down (EbDueHeap *self, EbDue *due)
{
  guint place = due->place;
  guint child;

  while ((child = 2 * place) <= self->members->len)
    {
      if (child < self->members->len
          && member (self, child + 1)->due_us < member (self, child)->due_us)
        child++;
      if (member (self, child)->due_us >= due->due_us)
        break;
      put (self, member (self, child), place);
      place = child;
    }
  put (self, due, place);
}

/**
 * eb_due_heap_set:
 * @due: may be in it already: then it moves
 *
 * O(log n).
 */
void
eb_due_heap_set (EbDueHeap *self, EbDue *due, gint64 due_us)
{
  due->due_us = due_us;
  if (due->place == 0)
    {
      g_ptr_array_add (self->members, due);
      due->place = self->members->len;
    }
  move_up (self, due);
  move_down (self, due);
}

/**
 * eb_due_heap_clear:
 * @due: may be in none
 *
 * O(log n).
 */
void
eb_due_heap_clear (EbDueHeap *self, EbDue *due)
{
  EbDue *last;
  guint place = due->place;

  if (place == 0)
    return;
  last = member (self, self->members->len);
  g_ptr_array_set_size (self->members, (int) self->members->len - 1);
  due->place = 0;
  if (last == due)
    return;
  put (self, last, place);
  move_up (self, last);
  move_down (self, last);
}

/**
 * eb_due_heap_first:
 *
 * Returns: (transfer none) (nullable): what is due first; NULL if there is nothing
 */
EbDue *
eb_due_heap_first (EbDueHeap *self)
{
  return self->members->len > 0 ? member (self, 1) : NULL;
}
