/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-reporter.h"

/* With the ledger's commit it stays below a tenth of a second, which is what a crash may repeat;
 * yet a commit is shared by some thousand deliveries. */
#define REPORT_INTERVAL (50 * G_TIME_SPAN_MILLISECOND)

/* Lives in its worker's thread. */
struct _EbReporter
{
  EbClock *clock; /* (owned) */
  GSource *timer; /* (owned) set while there is news */
  EbReporterFunc due;
  gpointer user_data;

  EbReport report;       /* what the owner does not know yet */
  gboolean has_news;     /* and whether there is anything in it */
  GPtrArray *progressed; /* (owned) (element-type EbSubscription) whose cursors may have moved */
};

static GPtrArray *
new_steps (void)
{
  return g_ptr_array_new_with_free_func ((GDestroyNotify) eb_step_free);
}

static GPtrArray *
new_progressed (void)
{
  return g_ptr_array_new_with_free_func ((GDestroyNotify) eb_subscription_unref);
}

static gboolean
timer_cb (gpointer user_data)
{
  EbReporter *self = user_data;

  self->due (self->user_data);
  return G_SOURCE_CONTINUE;
}

/**
 * eb_reporter_new:
 * @context: whose thread makes every call here
 * @due: called from there, once for all news within an interval
 *
 * Returns: (transfer full): a reporter without news
 */
EbReporter *
eb_reporter_new (EbClock *clock, GMainContext *context, EbReporterFunc due, gpointer user_data)
{
  EbReporter *self = g_new0 (EbReporter, 1);

  self->clock = g_object_ref (clock);
  self->due = due;
  self->user_data = user_data;
  self->report.steps = new_steps ();
  self->progressed = new_progressed ();
  self->timer = eb_clock_create_timer (clock);
  g_source_set_callback (self->timer, timer_cb, self, NULL);
  g_source_attach (self->timer, context);

  return self;
}

void
eb_reporter_free (EbReporter *self)
{
  g_source_destroy (self->timer);
  g_source_unref (self->timer);
  g_ptr_array_unref (self->progressed);
  g_ptr_array_unref (self->report.steps);
  g_object_unref (self->clock);
  g_free (self);
}

/**
 * eb_reporter_edit:
 *
 * Returns: (transfer none): the report, to be added to; that is news
 */
EbReport *
eb_reporter_edit (EbReporter *self)
{
  if (!self->has_news)
    {
      self->has_news = TRUE;
      eb_clock_set_timer (self->clock, self->timer,
                          eb_clock_get_monotonic (self->clock) + REPORT_INTERVAL);
    }
  return &self->report;
}

/**
 * eb_reporter_add_step:
 * @change: (transfer full)
 */
void
eb_reporter_add_step (EbReporter *self, EbSubscription *subscription, EbChange *change)
{
  EbStep *step = g_new (EbStep, 1);

  step->subscription = eb_subscription_ref (subscription);
  step->change = change;
  g_ptr_array_add (eb_reporter_edit (self)->steps, step);
}

/**
 * eb_reporter_add_progressed:
 *
 * What its cursor is by then will be asked when it is time.
 */
void
eb_reporter_add_progressed (EbReporter *self, EbSubscription *subscription)
{
  eb_reporter_edit (self);
  g_ptr_array_add (self->progressed, eb_subscription_ref (subscription));
}

gboolean
eb_reporter_has_news (EbReporter *self)
{
  return self->has_news;
}

/**
 * eb_reporter_take_progressed:
 *
 * Returns: (transfer full) (element-type EbSubscription): those that were added since the last time
 */
GPtrArray *
eb_reporter_take_progressed (EbReporter *self)
{
  GPtrArray *progressed = g_steal_pointer (&self->progressed);

  self->progressed = new_progressed ();
  return progressed;
}

/**
 * eb_reporter_take:
 *
 * Returns: (transfer full): the report; a new one has begun, without news
 */
EbReport
eb_reporter_take (EbReporter *self)
{
  EbReport report = self->report;

  self->report = (EbReport){ .steps = new_steps () };
  self->has_news = FALSE;
  return report;
}
