/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-wire-pool.h"

/* Which connections are idle, which wait for a place, and how many there are. Part of its
 * transport, and lives in its thread. */

/* The queue that holds connections of this state, if one does. */
static GQueue *
state_queue (EbWirePool *self, EbWireState state)
{
  switch (state)
    {
    case EB_WIRE_WAITING:
      return &self->waiting;
    case EB_WIRE_READY:
      return &self->ready;
    case EB_WIRE_IDLE:
      return &self->idle;
    case EB_WIRE_FAILED:
      return &self->failed;
    case EB_WIRE_CLOSED:
      return &self->closed;
    case EB_WIRE_RESOLVING:
    case EB_WIRE_CONNECTING:
    case EB_WIRE_BUSY:
    default:
      return NULL;
    }
}

static gboolean
state_is_open (EbWireState state)
{
  return state != EB_WIRE_WAITING && state != EB_WIRE_FAILED && state != EB_WIRE_CLOSED;
}

/**
 * eb_wire_pool_add:
 * @connection: (transfer full): a new one, which waits for a place
 */
void
eb_wire_pool_add (EbWirePool *self, EbWireConnection *connection)
{
  g_queue_push_tail_link (&self->waiting, &connection->link);
}

/**
 * eb_wire_pool_set_state:
 *
 * The one place where a connection's state changes: its queue and the count go with it.
 */
void
eb_wire_pool_set_state (EbWirePool *self, EbWireConnection *connection, EbWireState state)
{
  GQueue *before = state_queue (self, connection->state), *after = state_queue (self, state);

  if (before != NULL)
    g_queue_unlink (before, &connection->link);
  if (after != NULL)
    g_queue_push_tail_link (after, &connection->link);
  self->n_open += (guint) state_is_open (state) - (guint) state_is_open (connection->state);
  connection->state = state;
}

/**
 * eb_wire_pool_has_room:
 *
 * Returns: whether one more may be opened, if an idle one goes for it at @max_open
 */
gboolean
eb_wire_pool_has_room (const EbWirePool *self, guint max_open)
{
  return self->n_open < max_open || self->idle.length > 0;
}

void
eb_wire_pool_free_closed (EbWirePool *self)
{
  GList *link;

  while ((link = g_queue_pop_head_link (&self->closed)) != NULL)
    eb_wire_connection_free (link->data);
}
