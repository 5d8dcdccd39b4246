/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "dbus/eb-dbus-calls.h"

#include "core/eb-error.h"

/* A quota: one sender that calls and calls must not fill the daemon's memory with calls that wait
 * for the store. A call ends with its invocation, however it is answered, so every invocation is
 * watched. Lives in the main thread. */
struct _EbDbusCalls
{
  guint ref_count;
  GHashTable *counts; /* (owned) (element-type utf8 guint) calls under way, never 0 */
};

/* Many times what a caller that waits for replies has under way; each holds an event of up to a
 * megabyte. */
#define MAX_CALLS 1000

typedef struct
{
  EbDbusCalls *calls; /* (owned) */
  char *sender;       /* (owned) */
} Call;

/**
 * eb_dbus_calls_new:
 *
 * Returns: (transfer full): no calls
 */
EbDbusCalls *
eb_dbus_calls_new (void)
{
  EbDbusCalls *self = g_new0 (EbDbusCalls, 1);

  self->ref_count = 1;
  self->counts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return self;
}

void
eb_dbus_calls_unref (EbDbusCalls *self)
{
  if (--self->ref_count > 0)
    return;
  g_hash_table_unref (self->counts);
  g_free (self);
}

static guint
get_count (EbDbusCalls *self, const char *sender)
{
  return GPOINTER_TO_UINT (g_hash_table_lookup (self->counts, sender));
}

static void
call_ended_cb (gpointer user_data, GObject *invocation)
{
  Call *call = user_data;
  guint count = get_count (call->calls, call->sender) - 1;

  if (count == 0)
    g_hash_table_remove (call->calls->counts, call->sender);
  else
    g_hash_table_insert (call->calls->counts, g_strdup (call->sender), GUINT_TO_POINTER (count));

  eb_dbus_calls_unref (call->calls);
  g_free (call->sender);
  g_free (call);
}

/**
 * eb_dbus_calls_begin:
 * @invocation: a call that was not answered yet
 *
 * Counts a call until its invocation is gone.
 *
 * Returns: FALSE with %EB_ERROR_BUSY if its sender has too many under way
 */
gboolean
eb_dbus_calls_begin (EbDbusCalls *self, GDBusMethodInvocation *invocation, GError **error)
{
  const char *sender = g_dbus_method_invocation_get_sender (invocation);
  guint count = get_count (self, sender);
  Call *call;

  if (count >= MAX_CALLS)
    {
      g_set_error (error, EB_ERROR, EB_ERROR_BUSY,
                   "%s has %u calls under way; wait for replies before calling again", sender,
                   count);
      return FALSE;
    }

  g_hash_table_insert (self->counts, g_strdup (sender), GUINT_TO_POINTER (count + 1));
  call = g_new0 (Call, 1);
  call->calls = self;
  call->sender = g_strdup (sender);
  self->ref_count++;
  g_object_weak_ref (G_OBJECT (invocation), call_ended_cb, call);
  return TRUE;
}
