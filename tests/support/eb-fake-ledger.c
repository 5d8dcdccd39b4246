/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "support/eb-fake-ledger.h"

/* A ledger in front of another one, that refuses changes, or answers late, when a test says so. */
struct _EbFakeLedger
{
  GObject parent_instance;

  EbLedger *ledger; /* (owned) */
  gboolean refuses;
  EbError code;    /* with which it refuses */
  guint n_calls;   /* of apply_async */
  GPtrArray *held; /* (owned) (nullable) (element-type GTask) whose answers are kept */
  gboolean durable;
};

static void eb_fake_ledger_iface_init (EbLedgerInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (EbFakeLedger,
                               eb_fake_ledger,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (EB_TYPE_LEDGER, eb_fake_ledger_iface_init))

static void
load_async (EbLedger *ledger,
            GCancellable *cancellable,
            GAsyncReadyCallback callback,
            gpointer user_data)
{
  eb_ledger_load_async (EB_FAKE_LEDGER (ledger)->ledger, cancellable, callback, user_data);
}

/* Takes @task and @error. What is held has its answer as data. */
static void
answer (EbFakeLedger *self, GTask *task, GError *error)
{
  if (self->held != NULL)
    {
      g_task_set_task_data (task, error, error != NULL ? (GDestroyNotify) g_error_free : NULL);
      g_ptr_array_add (self->held, task);
      return;
    }
  if (error == NULL)
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
  g_object_unref (task);
}

static void
applied_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  GError *error = NULL;

  eb_ledger_apply_finish (EB_LEDGER (source), result, &error);
  answer (g_task_get_source_object (task), task, error);
}

static void
apply_async (EbLedger *ledger,
             guint64 epoch,
             GPtrArray *changes,
             GCancellable *cancellable,
             GAsyncReadyCallback callback,
             gpointer user_data)
{
  EbFakeLedger *self = EB_FAKE_LEDGER (ledger);
  GTask *task = g_task_new (self, cancellable, callback, user_data);

  self->n_calls++;
  if (self->refuses)
    answer (self, task, g_error_new (EB_ERROR, self->code, "The test says no"));
  else
    eb_ledger_apply_async (self->ledger, epoch, changes, cancellable, applied_cb, task);
}

static void
list_exceptions_async (EbLedger *ledger,
                       const char *id,
                       EbExceptionKinds kinds,
                       guint64 after,
                       guint limit,
                       GCancellable *cancellable,
                       GAsyncReadyCallback callback,
                       gpointer user_data)
{
  eb_ledger_list_exceptions_async (EB_FAKE_LEDGER (ledger)->ledger, id, kinds, after, limit,
                                   cancellable, callback, user_data);
}

static gboolean
is_durable (EbLedger *ledger)
{
  return EB_FAKE_LEDGER (ledger)->durable;
}

static void
eb_fake_ledger_iface_init (EbLedgerInterface *iface)
{
  iface->load_async = load_async;
  iface->apply_async = apply_async;
  iface->list_exceptions_async = list_exceptions_async;
  iface->is_durable = is_durable;
}

/**
 * eb_fake_ledger_refuse:
 * @code: with which it refuses from now on
 */
void
eb_fake_ledger_refuse (EbFakeLedger *self, EbError code)
{
  self->refuses = TRUE;
  self->code = code;
}

void
eb_fake_ledger_accept (EbFakeLedger *self)
{
  self->refuses = FALSE;
}

/**
 * eb_fake_ledger_hold:
 *
 * From now on it does what it is told and says nothing, until eb_fake_ledger_release().
 */
void
eb_fake_ledger_hold (EbFakeLedger *self)
{
  g_assert_null (self->held);
  self->held = g_ptr_array_new ();
}

/**
 * eb_fake_ledger_release:
 *
 * Gives the answers that it has kept, in order.
 */
void
eb_fake_ledger_release (EbFakeLedger *self)
{
  g_autoptr (GPtrArray) held = g_steal_pointer (&self->held);

  for (guint i = 0; i < held->len; i++)
    {
      GError *error = g_task_get_task_data (held->pdata[i]);

      answer (self, held->pdata[i], error != NULL ? g_error_copy (error) : NULL);
    }
}

/**
 * eb_fake_ledger_set_durable:
 *
 * From now on it says that it outlives the process.
 */
void
eb_fake_ledger_set_durable (EbFakeLedger *self)
{
  self->durable = TRUE;
}

guint
eb_fake_ledger_get_n_calls (EbFakeLedger *self)
{
  return self->n_calls;
}

static void
eb_fake_ledger_finalize (GObject *object)
{
  g_clear_object (&EB_FAKE_LEDGER (object)->ledger);

  G_OBJECT_CLASS (eb_fake_ledger_parent_class)->finalize (object);
}

static void
eb_fake_ledger_class_init (EbFakeLedgerClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = eb_fake_ledger_finalize;
}

static void
eb_fake_ledger_init (EbFakeLedger *self)
{
}

/**
 * eb_fake_ledger_new:
 * @ledger: what it stands in front of
 */
EbFakeLedger *
eb_fake_ledger_new (EbLedger *ledger)
{
  EbFakeLedger *self = g_object_new (EB_TYPE_FAKE_LEDGER, NULL);

  self->ledger = g_object_ref (ledger);
  return self;
}
