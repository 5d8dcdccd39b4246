/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

#include "core/eb-subscription.h"

G_BEGIN_DECLS

/**
 * EbChangeKind:
 * @EB_CHANGE_PUT: the subscription exists, as @subscription says; a new one gets what comes after
 *   @sequence, and has a cursor of its own there if that is below the floor
 * @EB_CHANGE_REMOVE: it ended, with its cursor, its exceptions and its dead letters
 * @EB_CHANGE_CURSOR: every event up to @sequence that it matches has ended or is an exception;
 *   %EB_CURSOR_FLOOR takes its own cursor away: from now on it goes with the floor, and is at
 * @first
 * @EB_CHANGE_ASIDE: the delivery of event @sequence waits aside for its retry at @due_us
 * @EB_CHANGE_DEAD: the delivery of event @sequence was given up
 * @EB_CHANGE_ENDED: the exception that event @sequence was has ended
 * @EB_CHANGE_FLOOR: every subscription without a cursor of its own has passed @sequence, if it
 *   existed then; one that started later has passed what it started after
 * @EB_CHANGE_EXPIRED: its lease has ended, but its state stays until it comes back with a PUT or is
 *   removed: it has a cursor of its own at @sequence with @previous
 * @EB_CHANGE_REWIND: it goes back to @sequence with @previous: a cursor of its own there, and none
 *   of the exceptions after it, nor any batch
 * @EB_CHANGE_FIXED: the events from @first to @sequence that it matches are one batch, instead of
 *   any batch before that has some of them
 */
typedef enum
{
  EB_CHANGE_PUT,
  EB_CHANGE_REMOVE,
  EB_CHANGE_CURSOR,
  EB_CHANGE_ASIDE,
  EB_CHANGE_DEAD,
  EB_CHANGE_ENDED,
  EB_CHANGE_FLOOR,
  EB_CHANGE_EXPIRED,
  EB_CHANGE_REWIND,
  EB_CHANGE_FIXED,
} EbChangeKind;

/* The cursor of a subscription that has none of its own. */
#define EB_CURSOR_FLOOR G_MAXUINT64

/**
 * EbException:
 *
 * A delivery that others have passed. The strings are its holder's.
 */
typedef struct
{
  guint64 sequence;
  guint64 previous;  /* sequence of the matching event before it; 0 at first */
  guint64 batch;     /* the last sequence of the batch it waits with; 0 for none */
  gboolean dead;     /* else it waits aside */
  guint attempts;    /* made so far */
  guint failures;    /* of those, how many the retry schedule counts */
  guint last_status; /* HTTP status of the last one, 0 if there was no answer */
  char *reason;      /* (owned) (nullable): what was wrong, for people */
  gint64 first_us;   /* real time of the first attempt */
  gint64 last_us;    /* real time of the last attempt */
  gint64 due_us;     /* real time of the next attempt; 0 if dead */
} EbException;

/**
 * EbChange:
 *
 * One step of what the ledger keeps. Applying a step again changes nothing.
 */
typedef struct
{
  EbChangeKind kind;
  char *id;                     /* (owned) (nullable): subscription id; NULL for FLOOR */
  EbSubscription *subscription; /* (owned) (nullable): PUT only */
  guint64 first;                /* FIXED, and CURSOR */
  EbException exception; /* ASIDE and DEAD; of others its sequence, and of CURSOR, EXPIRED and
                            REWIND previous too; of EXPIRED last_us is when */
} EbChange;

EbChange *eb_change_new (EbChangeKind kind, const char *id, guint64 sequence);
EbChange *eb_change_new_position (
    EbChangeKind kind, const char *id, guint64 sequence, guint64 previous, gint64 real_us);
EbChange *eb_change_new_put (EbSubscription *subscription, guint64 start);
EbChange *eb_change_new_fixed (const char *id, guint64 first, guint64 last);
void eb_change_free (EbChange *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EbChange, eb_change_free)

EbException *eb_exception_copy (const EbException *self);
void eb_exception_free (EbException *self);

/**
 * EbBatchRange:
 * @first: sequence of the first event in it
 * @last: and of the last one
 *
 * A batch, which is all that its subscription matches in between.
 */
typedef struct
{
  guint64 first;
  guint64 last;
} EbBatchRange;

/**
 * EbLedgerEntry:
 *
 * What the ledger knows of one subscription when the daemon starts.
 */
typedef struct
{
  EbSubscription *subscription; /* (owned) */
  guint64 start;                /* it gets what comes after */
  guint64 cursor;               /* its own, or the floor's, but never before @start */
  gboolean has_cursor;          /* of its own */
  guint64 previous; /* as the last CURSOR said: the last event it matched up to there; 0 for none */
  gint64 expired_us; /* real time at which its lease ended; 0 while it has not */
  GPtrArray *aside;  /* (owned) (element-type EbException) those that wait for their retry; and the
                       dead ones after @cursor, which the log brings again */
  GArray *batches;   /* (owned) (element-type EbBatchRange) that end after @cursor, in order */
} EbLedgerEntry;

void eb_ledger_entry_free (EbLedgerEntry *self);

/**
 * EbLedgerLoad:
 *
 * What the task of a load returns.
 */
typedef struct
{
  guint64 epoch;      /* the new one */
  GPtrArray *entries; /* (owned) (nullable) (element-type EbLedgerEntry) */
} EbLedgerLoad;

void eb_ledger_load_free (EbLedgerLoad *self);
GError *eb_ledger_new_fenced_error (guint64 epoch);

/**
 * EbExceptionKinds:
 * @EB_EXCEPTIONS_ALL: those that wait aside, and the dead ones
 * @EB_EXCEPTIONS_ASIDE: those that wait aside
 * @EB_EXCEPTIONS_DEAD: the dead ones
 */
typedef enum
{
  EB_EXCEPTIONS_ALL,
  EB_EXCEPTIONS_ASIDE,
  EB_EXCEPTIONS_DEAD,
} EbExceptionKinds;

#define EB_TYPE_LEDGER (eb_ledger_get_type ())
G_DECLARE_INTERFACE (EbLedger, eb_ledger, EB, LEDGER, GObject)

/**
 * EbLedgerInterface:
 *
 * Who subscribed, and how far each got. Progress is fenced: every load begins a new epoch, and
 * changes that carry an older one are refused, so of two daemons on one ledger only the later can
 * write. Every function may be called from any thread; an operation completes in the
 * thread-default context of its caller, as a #GTask that returns what its finish function does;
 * that of a load returns an #EbLedgerLoad.
 */
struct _EbLedgerInterface
{
  GTypeInterface parent_iface;

  void (*load_async) (EbLedger *self,
                      GCancellable *cancellable,
                      GAsyncReadyCallback callback,
                      gpointer user_data);
  void (*apply_async) (EbLedger *self,
                       guint64 epoch,
                       GPtrArray *changes,
                       GCancellable *cancellable,
                       GAsyncReadyCallback callback,
                       gpointer user_data);
  void (*list_exceptions_async) (EbLedger *self,
                                 const char *id,
                                 EbExceptionKinds kinds,
                                 guint64 after,
                                 guint limit,
                                 GCancellable *cancellable,
                                 GAsyncReadyCallback callback,
                                 gpointer user_data);
  gboolean (*is_durable) (EbLedger *self);
};

void eb_ledger_load_async (EbLedger *self,
                           GCancellable *cancellable,
                           GAsyncReadyCallback callback,
                           gpointer user_data);
GPtrArray *
eb_ledger_load_finish (EbLedger *self, GAsyncResult *result, guint64 *epoch, GError **error);
void eb_ledger_apply_async (EbLedger *self,
                            guint64 epoch,
                            GPtrArray *changes,
                            GCancellable *cancellable,
                            GAsyncReadyCallback callback,
                            gpointer user_data);
gboolean eb_ledger_apply_finish (EbLedger *self, GAsyncResult *result, GError **error);
void eb_ledger_list_exceptions_async (EbLedger *self,
                                      const char *id,
                                      EbExceptionKinds kinds,
                                      guint64 after,
                                      guint limit,
                                      GCancellable *cancellable,
                                      GAsyncReadyCallback callback,
                                      gpointer user_data);
GPtrArray *eb_ledger_list_exceptions_finish (EbLedger *self, GAsyncResult *result, GError **error);
gboolean eb_ledger_is_durable (EbLedger *self);

G_END_DECLS
