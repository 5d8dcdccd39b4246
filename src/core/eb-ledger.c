/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "core/eb-ledger.h"

#include "core/eb-error.h"

G_DEFINE_INTERFACE (EbLedger, eb_ledger, G_TYPE_OBJECT)

static void
eb_ledger_default_init (EbLedgerInterface *iface)
{
}

/**
 * eb_change_new:
 * @id: (nullable): the subscription's; NULL for %EB_CHANGE_FLOOR
 *
 * Returns: (transfer full): a change; one of kind ASIDE or DEAD still needs its exception filled in
 */
EbChange *
eb_change_new (EbChangeKind kind, const char *id, guint64 sequence)
{
  EbChange *self = g_new0 (EbChange, 1);

  self->kind = kind;
  self->id = g_strdup (id);
  self->exception.sequence = sequence;
  self->exception.dead = kind == EB_CHANGE_DEAD;
  return self;
}

/**
 * eb_change_new_position:
 * @kind: %EB_CHANGE_CURSOR, %EB_CHANGE_EXPIRED or %EB_CHANGE_REWIND
 * @sequence: where the subscription is; of one that expires %EB_CURSOR_FLOOR says that the ledger
 *   knows
 * @previous: the last event up to there that it matches; 0 for none
 * @real_us: of EXPIRED, when; else 0
 *
 * Returns: (transfer full): a change that says where a subscription is
 */
EbChange *
eb_change_new_position (
    EbChangeKind kind, const char *id, guint64 sequence, guint64 previous, gint64 real_us)
{
  EbChange *self = eb_change_new (kind, id, sequence);

  self->exception.previous = previous;
  self->exception.last_us = real_us;
  return self;
}

/**
 * eb_change_new_put:
 * @start: its cursor: it gets what comes after
 *
 * Returns: (transfer full): a change that makes @subscription exist
 */
EbChange *
eb_change_new_put (EbSubscription *subscription, guint64 start)
{
  EbChange *self = eb_change_new (EB_CHANGE_PUT, eb_subscription_get_id (subscription), start);

  self->subscription = eb_subscription_ref (subscription);
  return self;
}

/**
 * eb_change_new_fixed:
 * @first: sequence of the first event in it
 * @last: and of the last one
 *
 * Returns: (transfer full): a change that says what a batch consists of
 */
EbChange *
eb_change_new_fixed (const char *id, guint64 first, guint64 last)
{
  EbChange *self = eb_change_new (EB_CHANGE_FIXED, id, last);

  self->first = first;
  return self;
}

void
eb_change_free (EbChange *self)
{
  g_free (self->id);
  g_clear_pointer (&self->subscription, eb_subscription_unref);
  g_free (self->exception.reason);
  g_free (self);
}

EbException *
eb_exception_copy (const EbException *self)
{
  EbException *copy = g_new (EbException, 1);

  *copy = *self;
  copy->reason = g_strdup (self->reason);
  return copy;
}

void
eb_exception_free (EbException *self)
{
  g_free (self->reason);
  g_free (self);
}

void
eb_ledger_entry_free (EbLedgerEntry *self)
{
  eb_subscription_unref (self->subscription);
  g_clear_pointer (&self->aside, g_ptr_array_unref);
  g_clear_pointer (&self->batches, g_array_unref);
  g_free (self);
}

void
eb_ledger_load_free (EbLedgerLoad *self)
{
  g_clear_pointer (&self->entries, g_ptr_array_unref);
  g_free (self);
}

/**
 * eb_ledger_new_fenced_error:
 * @epoch: of the changes that are refused
 *
 * Returns: (transfer full): %EB_ERROR_FENCED, for a ledger
 */
GError *
eb_ledger_new_fenced_error (guint64 epoch)
{
  return g_error_new (
      EB_ERROR, EB_ERROR_FENCED,
      "Another daemon has taken the ledger over (epoch %" G_GUINT64_FORMAT " is over)", epoch);
}

/**
 * eb_ledger_load_async:
 *
 * Begins a new epoch and reads all that is kept; done once, at the start.
 */
void
eb_ledger_load_async (EbLedger *self,
                      GCancellable *cancellable,
                      GAsyncReadyCallback callback,
                      gpointer user_data)
{
  EB_LEDGER_GET_IFACE (self)->load_async (self, cancellable, callback, user_data);
}

/**
 * eb_ledger_load_finish:
 * @epoch: (out): goes with every change from now on
 *
 * Returns: (transfer full) (element-type EbLedgerEntry): every subscription that did not end, in
 *   no particular order; NULL with %EB_ERROR_IO
 */
GPtrArray *
eb_ledger_load_finish (EbLedger *self, GAsyncResult *result, guint64 *epoch, GError **error)
{
  EbLedgerLoad *load = g_task_propagate_pointer (G_TASK (result), error);
  GPtrArray *entries;

  if (load == NULL)
    return NULL;
  *epoch = load->epoch;
  entries = g_steal_pointer (&load->entries);
  eb_ledger_load_free (load);
  return entries;
}

/**
 * eb_ledger_apply_async:
 * @epoch: from eb_ledger_load_finish()
 * @changes: (element-type EbChange): take place together, in this order, or not at all. One that
 *   names a subscription that is not there is passed over: it ended meanwhile. The ledger holds a
 *   reference and changes none of them.
 */
void
eb_ledger_apply_async (EbLedger *self,
                       guint64 epoch,
                       GPtrArray *changes,
                       GCancellable *cancellable,
                       GAsyncReadyCallback callback,
                       gpointer user_data)
{
  EB_LEDGER_GET_IFACE (self)->apply_async (self, epoch, changes, cancellable, callback, user_data);
}

/**
 * eb_ledger_apply_finish:
 *
 * Returns: FALSE, and nothing changed, with %EB_ERROR_FENCED if a later epoch has begun,
 *   %EB_ERROR_BUSY, %EB_ERROR_IO or %EB_ERROR_NO_SPACE
 */
gboolean
eb_ledger_apply_finish (EbLedger *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

/**
 * eb_ledger_list_exceptions_async:
 * @id: a subscription
 * @kinds: which of them
 * @after: a sequence; 0 for the beginning
 * @limit: how many at most
 */
void
eb_ledger_list_exceptions_async (EbLedger *self,
                                 const char *id,
                                 EbExceptionKinds kinds,
                                 guint64 after,
                                 guint limit,
                                 GCancellable *cancellable,
                                 GAsyncReadyCallback callback,
                                 gpointer user_data)
{
  EB_LEDGER_GET_IFACE (self)->list_exceptions_async (self, id, kinds, after, limit, cancellable,
                                                     callback, user_data);
}

/**
 * eb_ledger_list_exceptions_finish:
 *
 * Returns: (transfer full) (element-type EbException): by sequence; NULL with %EB_ERROR_NOT_FOUND
 * or %EB_ERROR_IO
 */
GPtrArray *
eb_ledger_list_exceptions_finish (EbLedger *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

/**
 * eb_ledger_is_durable:
 *
 * Returns: whether what was applied outlives the process, so that there is somebody to tell
 */
gboolean
eb_ledger_is_durable (EbLedger *self)
{
  return EB_LEDGER_GET_IFACE (self)->is_durable (self);
}
