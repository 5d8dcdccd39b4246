/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bus/eb-bus-private.h"
#include "support/eb-bus-rig.h"
#include "support/eb-test-wait.h"

/* The part of EbBusRig that waits until nothing happens, and looks. */

#define MAX_LETTERS 1000

static gboolean
has_result (gpointer data)
{
  return *(GAsyncResult **) data != NULL;
}

static gboolean
has_nothing_in_flight (gpointer data)
{
  return ((EbBusRig *) data)->n_in_flight == 0;
}

static gboolean
has_told_progress (gpointer data)
{
  return eb_progress_is_empty (
      eb_progress_writer_get_progress (((EbBusRig *) data)->bus->progress));
}

static void
passed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  ((EbBusRig *) user_data)->n_in_flight--;
}

/* What was told the ledger before is in it, unless the power goes off. */
static void
pass_ledger (EbBusRig *self)
{
  g_autoptr (GPtrArray) nothing = g_ptr_array_new ();

  self->n_in_flight++;
  eb_ledger_apply_async (self->store.ledger, self->bus->epoch, nothing, NULL, passed_cb, self);
  eb_bus_rig_wait_for (self, has_nothing_in_flight, self);
  eb_test_run ();
}

/* A pool takes one at a time, so it is not left alone when the power goes off. */
static void
drain_workers (EbBusRig *self)
{
  g_autoptr (GAsyncResult) result = NULL;

  eb_worker_pool_drain_async (self->workers, eb_bus_rig_get_head (self), eb_test_result_cb,
                              &result);
  if (!eb_bus_rig_wait_for (self, has_result, &result))
    eb_worker_pool_stop (self->workers);
  eb_test_wait_for_result (&result);
  eb_test_run ();
}

static GArray *
list_dead (EbBusRig *self, const char *id)
{
  GArray *dead = g_array_new (FALSE, FALSE, sizeof (guint64));
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GPtrArray) letters = NULL;
  guint64 next;

  eb_bus_list_dead_letters_async (self->bus, id, 0, MAX_LETTERS, eb_test_result_cb, &result);
  letters =
      eb_bus_list_dead_letters_finish (self->bus, eb_test_wait_for_result (&result), &next, NULL);
  for (guint i = 0; letters != NULL && i < letters->len; i++)
    g_array_append_val (
        dead, ((const EbDeadLetter *) g_ptr_array_index (letters, i))->exception->sequence);
  return dead;
}

/**
 * eb_bus_rig_check_dead:
 * @check: what to compare each registration's dead letters with
 */
void
eb_bus_rig_check_dead (EbBusRig *self, void (*check) (EbDeliveryHistory *history, GArray *dead))
{
  for (guint i = 0; i < EB_RIG_SUBSCRIBERS; i++)
    {
      const char *id = self->subscribers[i].address;
      g_autoptr (GArray) dead = NULL;

      if (eb_bus_model_get_history (self->model, id) == NULL)
        continue;
      dead = list_dead (self, id);
      eb_bus_rig_collect (self);
      if (!eb_bus_rig_is_cut (self) && eb_bus_model_get_history (self->model, id) != NULL)
        check (eb_bus_model_get_history (self->model, id), dead);
    }
}

/* Returns: (nullable): NULL if the power is off */
static EbPage *
read_log (EbBusRig *self, guint64 after)
{
  g_autoptr (GAsyncResult) result = NULL;
  EbPage *page;

  eb_log_read_async (self->store.log, after, G_MAXSIZE, EB_LOG_NO_WAIT, NULL, eb_test_result_cb,
                     &result);
  page = eb_log_read_finish (self->store.log, eb_test_wait_for_result (&result), NULL);
  g_assert_true (page != NULL || eb_bus_rig_is_cut (self));
  return page;
}

/**
 * eb_bus_rig_check_log:
 *
 * Reads all of the log, while nobody publishes.
 */
void
eb_bus_rig_check_log (EbBusRig *self)
{
  guint64 head = eb_bus_rig_get_head (self);
  guint64 after = 0;

  while (after < head)
    {
      g_autoptr (EbPage) page = read_log (self, after);

      if (page == NULL)
        return;
      g_assert_cmpuint (page->lost_up_to, ==, 0);
      g_assert_cmpuint (page->events->len, >, 0);
      for (guint i = 0; i < page->events->len; i++)
        {
          EbEvent *event = g_ptr_array_index (page->events, i);

          g_assert_cmpuint (eb_event_get_sequence (event), ==, ++after);
          eb_log_model_see (self->log_model, after, eb_bus_rig_get_serial (event));
        }
    }
  if (!eb_bus_rig_is_cut (self)) /* else answers may still come that nobody hears */
    eb_log_model_check (self->log_model, head);
}

static void
check_list (EbBusRig *self)
{
  g_autoptr (GPtrArray) list = eb_bus_list_subscribers (self->bus);
  g_autoptr (GPtrArray) ids = g_ptr_array_new ();

  for (guint i = 0; i < list->len; i++)
    g_ptr_array_add (ids, ((EbSubscriber *) g_ptr_array_index (list, i))->label);
  g_ptr_array_add (ids, NULL);
  eb_bus_model_check_quiet (self->model, (const char *const *) ids->pdata,
                            eb_clock_get_monotonic (EB_CLOCK (self->store.clock)));
}

/**
 * eb_bus_rig_settle:
 *
 * Waits until nothing happens unless time passes, and compares what there is with the model.
 *
 * Returns: FALSE if the power went off meanwhile
 */
gboolean
eb_bus_rig_settle (EbBusRig *self)
{
  guint n_removed;

  /* Again for those that have just ended: they may still be under way. */
  do
    {
      n_removed = self->n_removed;
      eb_bus_rig_wait_for (self, has_nothing_in_flight, self);
      pass_ledger (self);
      eb_bus_rig_for_each (self, eb_delivery_history_note_answered);
      drain_workers (self);
      eb_bus_rig_wait_for (self, has_told_progress, self);
      eb_bus_rig_check_log (self);
      eb_bus_rig_check_dead (self, eb_delivery_history_check_dead);
    }
  while (self->n_removed != n_removed && !eb_bus_rig_is_cut (self));
  if (eb_bus_rig_is_cut (self))
    return FALSE;
  check_list (self);
  return TRUE;
}
