/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "dbus/eb-dbus-subscriptions.h"

#include "core/eb-dbus.h"
#include "core/eb-error.h"
#include "core/eb-quote.h"
#include "dbus/eb-dbus-error.h"
#include "dbus/eb-dbus-options.h"
#include "dbus/eb-dbus-peers.h"

/* What peers subscribed to by Subscribe(), from the call until the peer leaves, unsubscribes or is
 * given up. Lives in the main thread; the events themselves go another way, from the workers. */
struct _EbDbusSubscriptions
{
  GObject parent_instance;

  EbBus *bus;                  /* (owned) */
  GDBusConnection *connection; /* (owned) */
  EbDbusPeers *peers;          /* (owned) */
};

G_DEFINE_FINAL_TYPE (EbDbusSubscriptions, eb_dbus_subscriptions, G_TYPE_OBJECT)

typedef struct
{
  EbDbusSubscriptions *self;         /* (owned) */
  EbDbusEventBus *object;            /* (owned) */
  GDBusMethodInvocation *invocation; /* (owned): the answer takes it */
  char *id;                          /* (owned): the subscription's */
} Call;

static Call *
call_new (EbDbusSubscriptions *self,
          EbDbusEventBus *object,
          GDBusMethodInvocation *invocation,
          const char *id)
{
  Call *call = g_new0 (Call, 1);

  call->self = g_object_ref (self);
  call->object = g_object_ref (object);
  call->invocation = invocation;
  call->id = g_strdup (id);
  return call;
}

static void
call_free (Call *call)
{
  g_object_unref (call->self);
  g_object_unref (call->object);
  g_free (call->id);
  g_free (call);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Call, call_free)

static void
left_cb (const char *id, gpointer user_data)
{
  EbDbusSubscriptions *self = user_data;

  eb_bus_unsubscribe_async (self->bus, id, "the peer has left the bus", NULL, NULL);
}

static void
ended_cb (EbBus *bus, EbSubscription *subscription, const char *reason, gpointer user_data)
{
  EbDbusSubscriptions *self = user_data;
  const char *id = eb_subscription_get_id (subscription);
  const char *owner = eb_dbus_peers_get_owner (self->peers, id);

  if (owner == NULL)
    return;
  g_dbus_connection_emit_signal (self->connection, owner, EB_DBUS_PATH, EB_DBUS_INTERFACE,
                                 "SubscriptionEnded", g_variant_new ("(ss)", id, reason), NULL);
  eb_dbus_peers_remove (self->peers, id);
}

static EbSubscription *
make_subscription (const char *peer, const char *const *types, EbFilter *filter, GError **error)
{
  /* Nobody guesses it, so nobody can meddle with another's. */
  g_autofree char *uuid = g_uuid_string_random ();
  g_autofree char *id = g_strconcat ("dbus-", uuid, NULL);
  g_autoptr (EbSink) sink = eb_sink_new_for_peer (peer);
  const EbSubscriptionSpec spec = {
    .id = id,
    .sink = sink,
    .types = types,
    .filter = filter,
    .concurrency = EB_DBUS_WINDOW,
    .ephemeral = TRUE,
  };

  return eb_subscription_new (&spec, error);
}

/**
 * eb_dbus_subscriptions_subscribe:
 * @object: through which the call came
 * @invocation: (transfer full): the call, which is answered
 * @types: type patterns
 * @options: of type a{sv}
 */
void
eb_dbus_subscriptions_subscribe (EbDbusSubscriptions *self,
                                 EbDbusEventBus *object,
                                 GDBusMethodInvocation *invocation,
                                 const char *const *types,
                                 GVariant *options)
{
  const char *peer = g_dbus_method_invocation_get_sender (invocation);
  g_auto (EbDbusOptions) parsed = { NULL };
  g_autoptr (EbSubscription) subscription = NULL;
  g_autoptr (GError) error = NULL;
  guint64 after;

  if (eb_dbus_options_parse (options, &parsed, &error))
    subscription = make_subscription (peer, types, parsed.filter, &error);
  after = parsed.has_after ? parsed.after : EB_START_NOW;
  if (subscription == NULL || !eb_bus_check_subscription (self->bus, subscription, after, &error)
      || !eb_dbus_peers_add (self->peers, peer, eb_subscription_get_id (subscription), &error))
    {
      eb_dbus_return_error (invocation, error);
      return;
    }

  /* The answer is sent first, or the caller could not tell whose the first event is. What was
   * checked just now cannot fail any more. */
  eb_dbus_event_bus_complete_subscribe (object, invocation, eb_subscription_get_id (subscription));
  eb_bus_subscribe_async (self->bus, subscription, after, NULL, NULL);
}

static void
unsubscribed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Call) call = user_data;
  g_autoptr (GError) error = NULL;

  if (eb_bus_unsubscribe_finish (EB_BUS (source), result, &error))
    eb_dbus_event_bus_complete_unsubscribe (call->object, call->invocation);
  else
    eb_dbus_return_error (call->invocation, error);
}

/**
 * eb_dbus_subscriptions_unsubscribe:
 * @object: through which the call came
 * @invocation: (transfer full): the call, which is answered
 * @id: a subscription, of the caller or not
 */
void
eb_dbus_subscriptions_unsubscribe (EbDbusSubscriptions *self,
                                   EbDbusEventBus *object,
                                   GDBusMethodInvocation *invocation,
                                   const char *id)
{
  const char *peer = g_dbus_method_invocation_get_sender (invocation);

  if (g_strcmp0 (eb_dbus_peers_get_owner (self->peers, id), peer) != 0)
    {
      g_autofree char *shown = eb_quote_text (id, -1);
      g_autoptr (GError) error =
          g_error_new (EB_ERROR, EB_ERROR_NOT_FOUND, "%s has no subscription “%s”", peer, shown);

      eb_dbus_return_error (invocation, error);
      return;
    }
  eb_dbus_peers_remove (self->peers, id);
  eb_bus_unsubscribe_async (self->bus, id, "unsubscribed", unsubscribed_cb,
                            call_new (self, object, invocation, id));
}

static void
eb_dbus_subscriptions_finalize (GObject *object)
{
  EbDbusSubscriptions *self = EB_DBUS_SUBSCRIPTIONS (object);

  g_clear_pointer (&self->peers, eb_dbus_peers_free);
  g_clear_object (&self->connection);
  g_clear_object (&self->bus);

  G_OBJECT_CLASS (eb_dbus_subscriptions_parent_class)->finalize (object);
}

static void
eb_dbus_subscriptions_class_init (EbDbusSubscriptionsClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = eb_dbus_subscriptions_finalize;
}

static void
eb_dbus_subscriptions_init (EbDbusSubscriptions *self)
{
}

/**
 * eb_dbus_subscriptions_new:
 * @connection: to the bus that the peers are on
 *
 * Returns: (transfer full): no subscriptions
 */
EbDbusSubscriptions *
eb_dbus_subscriptions_new (EbBus *bus, GDBusConnection *connection)
{
  EbDbusSubscriptions *self = g_object_new (EB_TYPE_DBUS_SUBSCRIPTIONS, NULL);

  self->bus = g_object_ref (bus);
  self->connection = g_object_ref (connection);
  self->peers = eb_dbus_peers_new (connection, left_cb, self);
  g_signal_connect_object (bus, "subscription-ended", G_CALLBACK (ended_cb), self, 0);
  return self;
}
