/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-notices.h"

/* A queue behind one source, which wakes the owner's context once for all that is in it. */
struct _EbNotices
{
  GAsyncQueue *queue; /* (owned) (element-type Notice) */
  GSource *source;    /* (owned) in the owner's context; ready when there are notices */
  const EbWorkerOwner *owner;
  gpointer user_data;
};

typedef enum
{
  REPORT,
  GONE,
  FAILING,
  FIX,
} NoticeKind;

typedef struct
{
  NoticeKind kind;
  EbReport report; /* of REPORT, as n_started */
  guint64 n_started;
  EbSubscription *subscription; /* (owned) (nullable): of the others */
  EbBatchRange batch;           /* of FIX */
  char *reason;                 /* (owned) (nullable): of GONE */
  gint64 sent_us;               /* and when the attempt began that has shown it */
  EbStreak streak;              /* of FAILING */
} Notice;

static void
notice_free (Notice *notice)
{
  g_clear_pointer (&notice->report.steps, g_ptr_array_unref);
  g_clear_pointer (&notice->subscription, eb_subscription_unref);
  g_free (notice->reason);
  g_free (notice);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Notice, notice_free)

static gboolean
source_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  g_source_set_ready_time (source, -1);
  return callback (user_data);
}

static GSourceFuncs source_funcs = { .dispatch = source_dispatch };

static gboolean
source_cb (gpointer user_data)
{
  eb_notices_deliver (user_data);
  return G_SOURCE_CONTINUE;
}

/**
 * eb_notices_new:
 * @owner: is told, in the caller's thread-default context
 *
 * Returns: (transfer full): an empty queue
 */
EbNotices *
eb_notices_new (const EbWorkerOwner *owner, gpointer user_data)
{
  EbNotices *self = g_new0 (EbNotices, 1);

  self->queue = g_async_queue_new ();
  self->owner = owner;
  self->user_data = user_data;
  self->source = g_source_new (&source_funcs, sizeof (GSource));
  g_source_set_static_name (self->source, "EbNotices");
  g_source_set_callback (self->source, source_cb, self, NULL);
  g_source_attach (self->source, g_main_context_get_thread_default ());

  return self;
}

/**
 * eb_notices_free:
 *
 * To be called in the owner's thread, when the worker's has ended and everything was delivered.
 */
void
eb_notices_free (EbNotices *self)
{
  g_source_destroy (self->source);
  g_source_unref (self->source);
  g_async_queue_unref (self->queue);
  g_free (self);
}

static Notice *
notice_new (NoticeKind kind, EbSubscription *subscription)
{
  Notice *notice = g_new0 (Notice, 1);

  notice->kind = kind;
  if (subscription != NULL)
    notice->subscription = eb_subscription_ref (subscription);
  return notice;
}

/* Takes @notice. */
static void
push (EbNotices *self, Notice *notice)
{
  g_async_queue_push (self->queue, notice);
  g_source_set_ready_time (self->source, 0);
}

/**
 * eb_notices_report:
 * @report: its steps are taken
 */
void
eb_notices_report (EbNotices *self, const EbReport *report, guint64 n_started)
{
  Notice *notice = notice_new (REPORT, NULL);

  notice->report = *report;
  notice->n_started = n_started;
  push (self, notice);
}

void
eb_notices_gone (EbNotices *self, EbSubscription *subscription, const char *reason, gint64 sent_us)
{
  Notice *notice = notice_new (GONE, subscription);

  notice->reason = g_strdup (reason);
  notice->sent_us = sent_us;
  push (self, notice);
}

void
eb_notices_failing (EbNotices *self, EbSubscription *subscription, const EbStreak *streak)
{
  Notice *notice = notice_new (FAILING, subscription);

  notice->streak = *streak;
  push (self, notice);
}

void
eb_notices_fix (EbNotices *self, EbSubscription *subscription, const EbBatchRange *batch)
{
  Notice *notice = notice_new (FIX, subscription);

  notice->batch = *batch;
  push (self, notice);
}

/* Tells the owner. */
static void
tell (EbNotices *self, Notice *notice)
{
  switch (notice->kind)
    {
    case GONE:
      self->owner->gone (notice->subscription, notice->reason, notice->sent_us, self->user_data);
      break;
    case FAILING:
      self->owner->failing (notice->subscription, &notice->streak, self->user_data);
      break;
    case FIX:
      self->owner->fix (notice->subscription, &notice->batch, self->user_data);
      break;
    case REPORT:
    default:
      self->owner->report (&notice->report, notice->n_started, self->user_data);
      break;
    }
}

/**
 * eb_notices_deliver:
 *
 * Tells the owner everything there is. To be called in its thread.
 */
void
eb_notices_deliver (EbNotices *self)
{
  Notice *next;

  while ((next = g_async_queue_try_pop (self->queue)) != NULL)
    {
      g_autoptr (Notice) notice = next;

      tell (self, notice);
    }
}
