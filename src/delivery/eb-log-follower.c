/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-log-follower.h"

#define TAIL_PAGE_BYTES (64 * 1024)  /* small: sinks are served between two pages */
#define LAG_PAGE_BYTES  (256 * 1024) /* a queue's worth of small events */
#define FETCH_BYTES     1            /* the first event comes whatever its size, and no other */
#define READ_AGAIN      (1 * G_TIME_SPAN_SECOND)       /* after a failed read of the tail */
#define REST            (50 * G_TIME_SPAN_MILLISECOND) /* between reads while nobody listens */

/* Belongs to its worker's dispatcher, and lives in its worker's thread. */
struct _EbLogFollower
{
  EbLog *log;       /* (owned) */
  EbClock *clock;   /* (owned) */
  EbAgenda *agenda; /* (unowned) the owner's */
  EbLogFollowerOwner owner;

  guint64 tail;              /* the last event that the owner has taken of it */
  EbDue tail_again;          /* in the agenda, while the tail is not read */
  gboolean resting;          /* it is in the agenda, as nobody listens */
  GCancellable *cancellable; /* (owned) of every read */
  guint n_reads;             /* that were not answered yet */
  gboolean outage;           /* the last read failed */
};

/**
 * eb_log_follower_new:
 * @agenda: where it waits; must outlive it. eb_log_follower_handle_due() is to be called with what
 *   comes due
 *
 * Returns: (transfer full): one that does not read yet
 */
EbLogFollower *
eb_log_follower_new (EbLog *log, EbClock *clock, EbAgenda *agenda, const EbLogFollowerOwner *owner)
{
  EbLogFollower *self = g_new0 (EbLogFollower, 1);

  self->log = g_object_ref (log);
  self->clock = g_object_ref (clock);
  self->agenda = agenda;
  self->owner = *owner;
  self->cancellable = g_cancellable_new ();
  return self;
}

/**
 * eb_log_follower_free:
 *
 * No read may be under way any more.
 */
void
eb_log_follower_free (EbLogFollower *self)
{
  eb_agenda_clear (self->agenda, &self->tail_again);
  g_object_unref (self->cancellable);
  g_object_unref (self->clock);
  g_object_unref (self->log);
  g_free (self);
}

/* Every read goes through here, and ends with finish_read(). */
static void
begin_read (EbLogFollower *self,
            guint64 after,
            gsize max_bytes,
            EbLogWait wait,
            GAsyncReadyCallback callback,
            gpointer user_data)
{
  self->n_reads++;
  eb_log_read_async (self->log, after, max_bytes, wait, self->cancellable, callback, user_data);
}

/* Says once that the log cannot be read, and once that it can be again. */
static void
note_read (EbLogFollower *self, const GError *error)
{
  if (error != NULL && !self->outage)
    g_warning ("Cannot read the log, trying again every second: %s", error->message);
  else if (error == NULL && self->outage)
    g_message ("The log can be read again");
  self->outage = error != NULL;
}

/* Returns: FALSE if the worker ends; else there is a page, or the read has failed */
static gboolean
finish_read (EbLogFollower *self, GObject *source, GAsyncResult *result, EbPage **page)
{
  g_autoptr (GError) error = NULL;

  self->n_reads--;
  *page = eb_log_read_finish (EB_LOG (source), result, &error);
  if (g_cancellable_is_cancelled (self->cancellable))
    return FALSE;
  note_read (self, error);
  return TRUE;
}

/* The tail. */

static void
read_tail_in (EbLogFollower *self, GTimeSpan delay)
{
  eb_agenda_set (self->agenda, &self->tail_again, eb_clock_get_monotonic (self->clock) + delay);
}

static void follow_tail (EbLogFollower *self);

/* Nobody waits for what comes: to be woken for each event would only delay those who publish. */
static gboolean
may_rest (EbLogFollower *self)
{
  EbExtent extent;

  if (self->owner.listens (self->owner.user_data))
    return FALSE;
  eb_log_get_extent (self->log, &extent);
  return self->tail >= extent.head;
}

static void
tail_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  EbLogFollower *self = user_data;
  g_autoptr (EbPage) page = NULL;

  if (!finish_read (self, source, result, &page))
    return;
  if (page == NULL)
    {
      read_tail_in (self, READ_AGAIN);
      return;
    }
  self->tail = self->owner.take_tail (page, self->owner.user_data);
  self->resting = may_rest (self);
  if (self->resting)
    read_tail_in (self, REST);
  else
    follow_tail (self);
}

static void
follow_tail (EbLogFollower *self)
{
  begin_read (self, self->tail, TAIL_PAGE_BYTES, EB_LOG_WAIT, tail_cb, self);
}

/**
 * eb_log_follower_start:
 * @after: a sequence: the tail begins after it
 */
void
eb_log_follower_start (EbLogFollower *self, guint64 after)
{
  self->tail = after;
  follow_tail (self);
}

/**
 * eb_log_follower_wake:
 *
 * To be called when somebody listens, after nobody did.
 */
void
eb_log_follower_wake (EbLogFollower *self)
{
  if (!self->resting)
    return;
  self->resting = FALSE;
  eb_agenda_clear (self->agenda, &self->tail_again);
  follow_tail (self);
}

/**
 * eb_log_follower_handle_due:
 * @due: an entry of the agenda that has come due
 *
 * Returns: FALSE if it is another's
 */
gboolean
eb_log_follower_handle_due (EbLogFollower *self, EbDue *due)
{
  if (due != &self->tail_again)
    return FALSE;
  self->resting = FALSE;
  follow_tail (self);
  return TRUE;
}

/* Of single subscriptions. */

typedef struct
{
  EbLogFollower *follower;
  EbSubscription *subscription; /* (owned) that asked */
  guint64 sequence;             /* that was asked for; 0 for all from some place on */
} Read;

static void
page_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autofree Read *read = user_data;
  g_autoptr (EbSubscription) subscription = read->subscription;
  g_autoptr (EbPage) page = NULL;
  const EbLogFollowerOwner *owner = &read->follower->owner;

  if (finish_read (read->follower, source, result, &page))
    owner->take_page (subscription, read->sequence, page, owner->user_data);
}

static Read *
read_new (EbLogFollower *self, EbSubscription *subscription, guint64 sequence)
{
  Read *read = g_new (Read, 1);

  read->follower = self;
  read->subscription = eb_subscription_ref (subscription);
  read->sequence = sequence;
  return read;
}

/**
 * eb_log_follower_read:
 * @subscription: who gets the page
 * @after: a sequence: the page begins after it
 */
void
eb_log_follower_read (EbLogFollower *self, EbSubscription *subscription, guint64 after)
{
  begin_read (self, after, LAG_PAGE_BYTES, EB_LOG_NO_WAIT, page_cb,
              read_new (self, subscription, 0));
}

/**
 * eb_log_follower_fetch:
 * @subscription: who gets the event
 * @sequence: from 1
 */
void
eb_log_follower_fetch (EbLogFollower *self, EbSubscription *subscription, guint64 sequence)
{
  begin_read (self, sequence - 1, FETCH_BYTES, EB_LOG_NO_WAIT, page_cb,
              read_new (self, subscription, sequence));
}

/* The end. */

/**
 * eb_log_follower_cancel:
 *
 * From now on the owner gets nothing.
 */
void
eb_log_follower_cancel (EbLogFollower *self)
{
  g_cancellable_cancel (self->cancellable);
}

/**
 * eb_log_follower_wait:
 * @context: of the thread
 *
 * To be called after eb_log_follower_cancel(). What was cancelled still has to be told so, and lets
 * go of what it holds. A read may come back from another thread, and nobody runs this context any
 * more after that.
 */
void
eb_log_follower_wait (EbLogFollower *self, GMainContext *context)
{
  while (self->n_reads > 0)
    g_main_context_iteration (context, TRUE);
}
