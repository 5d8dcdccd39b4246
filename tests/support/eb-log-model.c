/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "support/eb-log-model.h"

typedef enum
{
  UNKNOWN,
  THERE,
  REFUSED,
} Fate;

typedef struct
{
  Fate fate;
  guint64 sequence; /* if it is there */
} Event;

struct _EbLogModel
{
  GArray *events; /* (owned) (element-type Event) by serial number */
  GArray *log;    /* (owned) (element-type gint64) serial numbers; -1 if not seen */
};

EbLogModel *
eb_log_model_new (void)
{
  EbLogModel *self = g_new0 (EbLogModel, 1);

  self->events = g_array_new (FALSE, TRUE, sizeof (Event));
  self->log = g_array_new (FALSE, FALSE, sizeof (gint64));
  return self;
}

void
eb_log_model_free (EbLogModel *self)
{
  g_array_unref (self->events);
  g_array_unref (self->log);
  g_free (self);
}

/**
 * eb_log_model_publish:
 *
 * Returns: the serial number of the first of @n_events that are being published
 */
guint
eb_log_model_publish (EbLogModel *self, guint n_events)
{
  guint serial = self->events->len;

  g_array_set_size (self->events, serial + n_events);
  return serial;
}

/**
 * eb_log_model_refuse:
 *
 * Publishers were told that they are not published.
 */
void
eb_log_model_refuse (EbLogModel *self, guint serial, guint n_events)
{
  for (guint i = serial; i < serial + n_events; i++)
    {
      if (g_array_index (self->events, Event, i).fate == THERE)
        g_error ("Publication %u was refused, and is in the log", i);
      g_array_index (self->events, Event, i).fate = REFUSED;
    }
}

/**
 * eb_log_model_see:
 *
 * Somebody was told that publication @serial is event @sequence.
 */
void
eb_log_model_see (EbLogModel *self, guint64 sequence, guint serial)
{
  const gint64 nothing = -1;
  Event *event;
  gint64 *place;

  g_assert_cmpuint (serial, <, self->events->len);
  event = &g_array_index (self->events, Event, serial);
  while (self->log->len < sequence)
    g_array_append_val (self->log, nothing);
  place = &g_array_index (self->log, gint64, sequence - 1);
  if (event->fate == REFUSED)
    g_error ("Publication %u was refused, and is event %" G_GUINT64_FORMAT, serial, sequence);
  if ((event->fate == THERE && event->sequence != sequence) || (*place >= 0 && *place != serial))
    g_error ("Publication %u, once event %" G_GUINT64_FORMAT ", is event %" G_GUINT64_FORMAT
             ", once publication %" G_GINT64_FORMAT,
             serial, event->sequence, sequence, *place);
  *event = (Event){ THERE, sequence };
  *place = serial;
}

/**
 * eb_log_model_check:
 *
 * All of the log was seen, and nobody publishes.
 */
void
eb_log_model_check (EbLogModel *self, guint64 head)
{
  if (self->log->len > head)
    g_error ("Event %u is lost: the newest one is %" G_GUINT64_FORMAT, self->log->len, head);
  for (guint i = 0; i < self->log->len; i++)
    g_assert_cmpint (g_array_index (self->log, gint64, i), >=, 0);
  for (guint i = 0; i < self->events->len; i++)
    if (g_array_index (self->events, Event, i).fate == UNKNOWN)
      g_array_index (self->events, Event, i).fate = REFUSED;
}
