/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "support/eb-bus-model.h"

typedef enum
{
  ABSENT, /* nothing may arrive */
  ALIVE,
  ENDING, /* the bus does not list it any more; it may still be under way, or come back */
} State;

typedef enum
{
  RUNNING,
  PAUSED,
  UNKNOWN, /* somebody has asked for one or the other, and got no answer */
} Pause;

typedef struct
{
  State state;
  Pause pause;
  gboolean acked;
  gboolean obscured; /* it began when another one may still have been under way: what arrives may be
                        of either */
  gboolean end_asked;         /* its deregistration was not answered yet */
  gint64 renewed_us;          /* or later */
  gint64 renewed_last_us;     /* or before */
  EbDeliveryHistory *history; /* (owned) */
} Registration;

struct _EbBusModel
{
  GTimeSpan lease;
  gboolean starting;
  GHashTable *registrations; /* (owned) (element-type utf8 Registration) */
};

static void
registration_free (Registration *registration)
{
  eb_delivery_history_free (registration->history);
  g_free (registration);
}

/**
 * eb_bus_model_new:
 * @lease: of every registration
 */
EbBusModel *
eb_bus_model_new (GTimeSpan lease)
{
  EbBusModel *self = g_new0 (EbBusModel, 1);

  self->lease = lease;
  self->starting = TRUE;
  self->registrations =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) registration_free);
  return self;
}

void
eb_bus_model_free (EbBusModel *self)
{
  g_hash_table_unref (self->registrations);
  g_free (self);
}

/* Registrations */

static Registration *
get (EbBusModel *self, const char *id)
{
  Registration *registration = g_hash_table_lookup (self->registrations, id);

  if (registration == NULL)
    g_error ("%s was never registered", id);
  return registration;
}

static void
go_on (Registration *registration, const char *id, guint64 head, gint64 now_us)
{
  if (registration->state == ABSENT)
    g_error ("%s had ended, and is there again after a restart", id);
  registration->state = ALIVE;
  registration->acked = TRUE;
  registration->end_asked = FALSE;
  registration->renewed_us = registration->renewed_last_us = now_us;
  eb_delivery_history_freeze (registration->history, registration->pause == PAUSED);
  eb_delivery_history_owe (registration->history, head);
}

/**
 * eb_bus_model_added:
 *
 * The bus says that it has @id: because somebody registers, or from before its start.
 */
void
eb_bus_model_added (EbBusModel *self, const char *id, guint64 head, gint64 now_us)
{
  Registration *registration;
  gboolean obscured;

  if (self->starting)
    {
      go_on (get (self, id), id, head, now_us);
      return;
    }
  registration = g_hash_table_lookup (self->registrations, id);
  if (registration != NULL && registration->state == ALIVE)
    g_error ("%s was there already", id);
  obscured = registration != NULL && registration->state == ENDING;
  registration = g_new0 (Registration, 1);
  registration->obscured = obscured;
  registration->state = ALIVE;
  registration->renewed_us = registration->renewed_last_us = now_us;
  registration->history = eb_delivery_history_new (id, head);
  g_hash_table_insert (self->registrations, g_strdup (id), registration);
}

/**
 * eb_bus_model_acked:
 *
 * Whoever registered was told that it is done.
 */
void
eb_bus_model_acked (EbBusModel *self, const char *id, guint64 head)
{
  get (self, id)->acked = TRUE;
  eb_delivery_history_owe (get (self, id)->history, head);
}

void
eb_bus_model_renewed (EbBusModel *self, const char *id, gint64 now_us)
{
  get (self, id)->renewed_us = get (self, id)->renewed_last_us = now_us;
}

/**
 * eb_bus_model_replaced:
 * @asked_us: at this time or later its lease has begun again
 */
void
eb_bus_model_replaced (EbBusModel *self, const char *id, gint64 asked_us, gint64 now_us)
{
  Registration *registration = get (self, id);

  registration->renewed_us = MAX (registration->renewed_us, asked_us);
  registration->renewed_last_us = now_us;
  eb_delivery_history_pardon (registration->history);
}

/**
 * eb_bus_model_ask_pause:
 *
 * Somebody pauses it, or lets it go on.
 */
void
eb_bus_model_ask_pause (EbBusModel *self, const char *id)
{
  get (self, id)->pause = UNKNOWN;
  eb_delivery_history_freeze (get (self, id)->history, FALSE);
}

void
eb_bus_model_paused (EbBusModel *self, const char *id, gboolean paused)
{
  get (self, id)->pause = paused ? PAUSED : RUNNING;
  eb_delivery_history_pardon (get (self, id)->history);
}

gboolean
eb_bus_model_may_be_paused (EbBusModel *self, const char *id)
{
  return get (self, id)->pause != RUNNING;
}

void
eb_bus_model_ask_end (EbBusModel *self, const char *id)
{
  get (self, id)->end_asked = TRUE;
}

/**
 * eb_bus_model_removed:
 *
 * The bus says that it does not have @id any more; every arrival before that was told.
 */
void
eb_bus_model_removed (EbBusModel *self, const char *id, const char *reason, gint64 now_us)
{
  Registration *registration = get (self, id);
  gboolean fits;

  if (g_str_equal (reason, "expired"))
    fits = now_us >= registration->renewed_us + self->lease;
  else if (g_str_equal (reason, "deregistered"))
    fits = registration->end_asked;
  else if (g_str_equal (reason, "not stored"))
    fits = !registration->acked;
  else
    fits = eb_delivery_history_is_gone (registration->history);
  if (registration->state != ALIVE || !(fits || registration->obscured))
    g_error ("%s was removed (%s)", id, reason);
  registration->state = ENDING;
}

/**
 * eb_bus_model_ended:
 *
 * Whoever deregistered was told that it is done; every arrival before that was told.
 */
void
eb_bus_model_ended (EbBusModel *self, const char *id)
{
  g_assert_cmpint (get (self, id)->state, ==, ENDING);
  get (self, id)->state = ABSENT;
}

/**
 * eb_bus_model_arrive:
 * @arrival: the next one at the sink of @id
 */
void
eb_bus_model_arrive (EbBusModel *self, const char *id, const EbFakeArrival *arrival)
{
  if (get (self, id)->state == ABSENT)
    g_error ("Event %" G_GUINT64_FORMAT " arrived at %s after its end", arrival->sequence, id);
  if (!get (self, id)->obscured)
    eb_delivery_history_arrive (get (self, id)->history, arrival);
}

/* The daemon's lives */

/**
 * eb_bus_model_stopped:
 * @power_cut: else it was killed, or has ended
 */
void
eb_bus_model_stopped (EbBusModel *self, gboolean power_cut)
{
  GHashTableIter iter;
  Registration *registration;

  self->starting = TRUE;
  g_hash_table_iter_init (&iter, self->registrations);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &registration))
    {
      /* It ends without being listed any more, unless it is found at the start. */
      if (registration->state == ALIVE && registration->acked && !registration->end_asked
          && !registration->obscured && !eb_delivery_history_is_gone (registration->history))
        registration->renewed_us = G_MININT64;
      else if (registration->state == ALIVE)
        registration->state = ENDING;
      if (power_cut)
        eb_delivery_history_break (registration->history);
      eb_delivery_history_end_run (registration->history);
    }
}

/**
 * eb_bus_model_started:
 *
 * Every registration that the bus goes on with was told.
 */
void
eb_bus_model_started (EbBusModel *self)
{
  GHashTableIter iter;
  const char *id;
  Registration *registration;

  self->starting = FALSE;
  g_hash_table_iter_init (&iter, self->registrations);
  while (g_hash_table_iter_next (&iter, (gpointer *) &id, (gpointer *) &registration))
    {
      if (registration->state == ALIVE && registration->renewed_us == G_MININT64)
        g_error ("%s is gone after a restart", id);
      if (registration->state == ENDING)
        registration->state = ABSENT;
    }
}

/**
 * eb_bus_model_check_quiet:
 * @ids: (array zero-terminated=1): what the bus lists, while nothing happens
 */
void
eb_bus_model_check_quiet (EbBusModel *self, const char *const *ids, gint64 now_us)
{
  GHashTableIter iter;
  const char *id;
  Registration *registration;

  g_hash_table_iter_init (&iter, self->registrations);
  while (g_hash_table_iter_next (&iter, (gpointer *) &id, (gpointer *) &registration))
    {
      if (registration->state == ENDING)
        registration->state = ABSENT;
      if (g_strv_contains (ids, id) != (registration->state == ALIVE))
        g_error ("%s is listed, or should be", id);
      if (registration->state != ALIVE)
        continue;
      if (now_us >= registration->renewed_last_us + self->lease)
        g_error ("%s has outlived its lease", id);
      if (registration->obscured)
        continue;
      if (eb_delivery_history_is_forsaken (registration->history))
        g_error ("%s has outlived a sink that is gone", id);
      eb_delivery_history_seal (registration->history);
      if (registration->pause == PAUSED)
        eb_delivery_history_freeze (registration->history, TRUE);
    }
}

/**
 * eb_bus_model_is_ending:
 *
 * Returns: whether it is not certain yet that nothing of it is left
 */
gboolean
eb_bus_model_is_ending (EbBusModel *self, const char *id)
{
  Registration *registration = g_hash_table_lookup (self->registrations, id);

  return registration != NULL && (registration->state == ENDING || registration->obscured)
         && registration->state != ABSENT;
}

/**
 * eb_bus_model_get_history:
 *
 * Returns: (transfer none) (nullable): of @id, if it is alive and known
 */
EbDeliveryHistory *
eb_bus_model_get_history (EbBusModel *self, const char *id)
{
  Registration *registration = g_hash_table_lookup (self->registrations, id);

  return registration != NULL && registration->state == ALIVE && !registration->obscured
             ? registration->history
             : NULL;
}
