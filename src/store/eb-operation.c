/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/eb-operation.h"

#include <string.h>

#include "core/eb-draft.h"
#include "core/eb-ledger.h"

/* What a draft, a change, a subscription or a part of its filter takes besides its strings,
 * roughly. */
#define ITEM_BYTES 256

static gsize
get_filter_charge (const EbFilter *filter)
{
  gsize charge = ITEM_BYTES;

  for (guint i = 0; i < eb_filter_get_n_attributes (filter); i++)
    {
      EbAttribute attribute = eb_filter_get_attribute (filter, i);

      charge += strlen (attribute.name) + strlen (attribute.value);
    }
  for (guint i = 0; i < eb_filter_get_n_children (filter); i++)
    charge += get_filter_charge (eb_filter_get_child (filter, i));
  return charge;
}

/* Others may have it too, but nobody keeps it for as long as the change waits. */
static gsize
get_subscription_charge (const EbSubscription *subscription)
{
  const char *const *types = eb_subscription_get_types (subscription);
  const EbFilter *filter = eb_subscription_get_filter (subscription);
  gsize charge = ITEM_BYTES;

  charge += strlen (eb_sink_get_uri (eb_subscription_get_sink (subscription)));
  for (; types != NULL && *types != NULL; types++)
    charge += strlen (*types);
  return filter != NULL ? charge + get_filter_charge (filter) : charge;
}

static gsize
get_draft_charge (const EbDraft *draft)
{
  return ITEM_BYTES + draft->size + g_bytes_get_size (draft->data);
}

static gsize
get_change_charge (const EbChange *change)
{
  gsize charge = ITEM_BYTES;

  if (change->id != NULL)
    charge += strlen (change->id);
  if (change->exception.reason != NULL)
    charge += strlen (change->exception.reason);
  if (change->subscription != NULL)
    charge += get_subscription_charge (change->subscription);
  return charge;
}

static gsize
get_charge (EbOperationKind kind, GPtrArray *items)
{
  gsize charge = 0;

  for (guint i = 0; items != NULL && i < items->len; i++)
    charge += kind == EB_OPERATION_APPEND ? get_draft_charge (items->pdata[i])
                                          : get_change_charge (items->pdata[i]);
  return charge;
}

/**
 * eb_operation_new:
 * @task: (transfer full): returns the result
 * @items: (nullable) (element-type EbDraft or EbChange): what to write; only read
 */
EbOperation *
eb_operation_new (EbOperationKind kind, GTask *task, GPtrArray *items)
{
  EbOperation *self = g_new0 (EbOperation, 1);

  self->kind = kind;
  self->task = task;
  self->items = items != NULL ? g_ptr_array_ref (items) : NULL;
  self->charge = get_charge (kind, items);
  return self;
}

void
eb_operation_free (EbOperation *self)
{
  g_clear_object (&self->task);
  g_clear_pointer (&self->items, g_ptr_array_unref);
  if (self->result != NULL)
    self->result_free (self->result);
  g_clear_error (&self->refusal);
  g_free (self);
}

/**
 * eb_operation_fail:
 *
 * Returns the task, when the transaction failed.
 */
void
eb_operation_fail (EbOperation *self, const GError *error)
{
  g_autoptr (GTask) task = g_steal_pointer (&self->task);

  g_clear_pointer (&self->items, g_ptr_array_unref);
  g_task_return_error (task, g_error_copy (error));
}

/* Returns the task, after which nothing of what the caller gave is touched any more. */
static void
succeed (EbOperation *self)
{
  g_autoptr (GTask) task = g_steal_pointer (&self->task);

  g_clear_pointer (&self->items, g_ptr_array_unref);
  if (self->refusal != NULL)
    g_task_return_error (task, g_steal_pointer (&self->refusal));
  else if (self->kind == EB_OPERATION_APPLY)
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_pointer (task, g_steal_pointer (&self->result), self->result_free);
}

static gboolean
succeed_cb (gpointer user_data)
{
  GPtrArray *operations = user_data;

  for (guint i = 0; i < operations->len; i++)
    succeed (operations->pdata[i]);
  return G_SOURCE_REMOVE;
}

/* Takes @operations. */
static void
succeed_in (GMainContext *context, GPtrArray *operations)
{
  g_autoptr (GSource) source = g_idle_source_new ();

  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, succeed_cb, operations, (GDestroyNotify) g_ptr_array_unref);
  g_source_attach (source, context);
}

/**
 * eb_operations_succeed:
 * @operations: (transfer full) (element-type EbOperation): their transaction was committed
 *
 * Returns their tasks, those of one context in one turn of it: to wake a thread for each of them
 * costs more than what it is told.
 */
void
eb_operations_succeed (GPtrArray *operations)
{
  GPtrArray *together = NULL;
  GMainContext *context = NULL;

  g_ptr_array_set_free_func (operations, NULL);
  for (guint i = 0; i < operations->len; i++)
    {
      EbOperation *operation = operations->pdata[i];
      GMainContext *theirs = g_task_get_context (operation->task);

      if (together != NULL && theirs != context)
        succeed_in (context, g_steal_pointer (&together));
      if (together == NULL)
        together = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_operation_free);
      g_ptr_array_add (together, operation);
      context = theirs;
    }
  if (together != NULL)
    succeed_in (context, together);
  g_ptr_array_unref (operations);
}
