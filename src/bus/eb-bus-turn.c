/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bus/eb-bus-private.h"
#include "core/eb-error.h"

/* Of each id one thing is changed at a time, and what comes meanwhile has its turn after that, in
 * the order in which it came: each is judged by what there is then.
 *
 * Somebody waits only for an id of which something is under way; whatever ends that calls
 * eb_bus_next_turn(). Tasks that wait hold the bus. */

/* Each may take a commit: the last one waits for a few seconds. More than that come from somebody
 * who does not wait for answers. */
#define MAX_WAITING 256

typedef struct
{
  EbBusTurn take;
  GTask *task; /* (owned) */
} Turn;

static gboolean
is_under_way (EbBus *self, const char *id)
{
  const EbExpiredEntry *expired = eb_expired_lookup (self->expired, id);

  return g_hash_table_contains (self->changing, id) || eb_bus_is_removing (self, id)
         || (expired != NULL && expired->detaching);
}

/* Takes @task and @error. */
static void
return_failure (GTask *task, GError *error)
{
  g_task_return_error (task, error);
  g_object_unref (task);
}

/* Those who come first were let in already. */
static gboolean
check_waiting (EbBus *self, const char *id, EbBusTurnPlace place, GError **error)
{
  const GQueue *waiting = g_hash_table_lookup (self->turns, id);

  if (!eb_bus_check_open (self, error))
    return FALSE;
  if (place == EB_BUS_TURN_FIRST || waiting == NULL || waiting->length < MAX_WAITING)
    return TRUE;
  g_set_error (error, EB_ERROR, EB_ERROR_BUSY,
               "%u changes of “%s” wait already; try again when they are done", waiting->length,
               id);
  return FALSE;
}

static GQueue *
ensure_queue (EbBus *self, const char *id)
{
  GQueue *waiting = g_hash_table_lookup (self->turns, id);

  if (waiting == NULL)
    {
      waiting = g_queue_new ();
      g_hash_table_insert (self->turns, g_strdup (id), waiting);
    }
  return waiting;
}

/**
 * eb_bus_await_turn:
 * @place: where those who had their turn already, or were answered, come before the others
 * @take: is called at once, or when nothing of that id is under way any more
 * @task: (transfer full): for @take; or fails with %EB_ERROR_BUSY if too many wait, or
 *   %EB_ERROR_CLOSED if the bus ends
 */
void
eb_bus_await_turn (EbBus *self, const char *id, EbBusTurnPlace place, EbBusTurn take, GTask *task)
{
  GError *error = NULL;
  GQueue *waiting;
  Turn *turn;

  if (!is_under_way (self, id) && !g_hash_table_contains (self->turns, id))
    {
      take (self, task);
      return;
    }
  if (!check_waiting (self, id, place, &error))
    {
      return_failure (task, error);
      return;
    }
  waiting = ensure_queue (self, id);
  turn = g_new (Turn, 1);
  *turn = (Turn){ take, task };
  if (place == EB_BUS_TURN_FIRST)
    g_queue_push_head (waiting, turn);
  else
    g_queue_push_tail (waiting, turn);
}

static Turn *
pop (EbBus *self, const char *id)
{
  GQueue *waiting = g_hash_table_lookup (self->turns, id);
  Turn *turn = waiting != NULL ? g_queue_pop_head (waiting) : NULL;

  if (waiting != NULL && waiting->length == 0)
    g_hash_table_remove (self->turns, id);
  return turn;
}

/**
 * eb_bus_next_turn:
 * @id: of which something may have ended
 *
 * To be called last: what it lets go on may change anything.
 */
void
eb_bus_next_turn (EbBus *self, const char *id)
{
  g_autoptr (EbBus) bus = NULL;
  g_autofree char *mine = NULL;
  Turn *turn;

  if (!g_hash_table_contains (self->turns, id))
    return;
  bus = g_object_ref (self);
  mine = g_strdup (id);
  while (!is_under_way (bus, mine) && (turn = pop (bus, mine)) != NULL)
    {
      turn->take (bus, turn->task);
      g_free (turn);
    }
}

/**
 * eb_bus_end_turns:
 *
 * Whoever waits is told that the bus ends.
 */
void
eb_bus_end_turns (EbBus *self)
{
  GHashTableIter iter;
  gpointer id;
  Turn *turn;

  while (g_hash_table_iter_init (&iter, self->turns),
         g_hash_table_iter_next (&iter, &id, NULL) && (turn = pop (self, id)) != NULL)
    {
      GError *error = NULL;

      eb_bus_check_open (self, &error);
      return_failure (turn->task, error);
      g_free (turn);
    }
}

/**
 * eb_bus_begin_change:
 *
 * For those whose turn it is, and those who do not wait for one.
 *
 * Returns: FALSE with %EB_ERROR_BUSY; else eb_bus_end_change() is to be called
 */
gboolean
eb_bus_begin_change (EbBus *self, const char *id, GError **error)
{
  if (!eb_bus_check_open (self, error))
    return FALSE;
  if (is_under_way (self, id))
    {
      g_set_error (error, EB_ERROR, EB_ERROR_BUSY,
                   "“%s” is just being changed; try again when that is done", id);
      return FALSE;
    }
  g_hash_table_add (self->changing, g_strdup (id));
  return TRUE;
}

/**
 * eb_bus_end_change:
 *
 * To be called last, as eb_bus_next_turn() is.
 */
void
eb_bus_end_change (EbBus *self, const char *id)
{
  g_hash_table_remove (self->changing, id);
  eb_bus_next_turn (self, id);
}
