/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "dbus/eb-dbus-peers.h"

#include "core/eb-error.h"

/* Each peer that has subscriptions is watched until it has none any more: the bus tells when its
 * name loses its owner, and is asked once whether that had happened before. g_bus_watch_name() does
 * the same, but passes over a loss that comes while its own question is being answered.
 *
 * Lives in the main thread. */
struct _EbDbusPeers
{
  GDBusConnection *connection; /* (owned) */
  GHashTable *peers;           /* (owned) (element-type utf8 Peer) by unique name */
  GHashTable *owners;          /* (owned) (element-type utf8 Peer) by subscription id; unowned */
  EbDbusLeftFunc left;
  gpointer user_data;
};

typedef struct
{
  EbDbusPeers *peers;        /* (unowned) */
  char *name;                /* (owned) */
  guint signal_id;           /* of NameOwnerChanged */
  GCancellable *cancellable; /* (owned) of the question */
  GHashTable *ids;           /* (owned) (element-type utf8) subscriptions: a set */
} Peer;

/* Enough for a desktop shell's worth of components behind one connection; each costs time with
 * every event. */
#define MAX_SUBSCRIPTIONS 100

static void
peer_free (Peer *peer)
{
  g_dbus_connection_signal_unsubscribe (peer->peers->connection, peer->signal_id);
  g_cancellable_cancel (peer->cancellable);
  g_object_unref (peer->cancellable);
  g_hash_table_unref (peer->ids);
  g_free (peer->name);
  g_free (peer);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Peer, peer_free)

/**
 * eb_dbus_peers_new:
 * @left: called once for each subscription of a peer that left
 *
 * Returns: (transfer full): no peers
 */
EbDbusPeers *
eb_dbus_peers_new (GDBusConnection *connection, EbDbusLeftFunc left, gpointer user_data)
{
  EbDbusPeers *self = g_new0 (EbDbusPeers, 1);

  self->connection = g_object_ref (connection);
  self->peers = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify) peer_free);
  self->owners = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->left = left;
  self->user_data = user_data;
  return self;
}

void
eb_dbus_peers_free (EbDbusPeers *self)
{
  g_hash_table_unref (self->owners);
  g_hash_table_unref (self->peers);
  g_object_unref (self->connection);
  g_free (self);
}

static void
forget_peer (Peer *left)
{
  g_autoptr (Peer) peer = left;
  EbDbusPeers *self = peer->peers;
  GHashTableIter iter;
  const char *id;

  g_hash_table_steal (self->peers, peer->name);
  g_hash_table_iter_init (&iter, peer->ids);
  while (g_hash_table_iter_next (&iter, (gpointer *) &id, NULL))
    {
      g_hash_table_remove (self->owners, id);
      self->left (id, self->user_data);
    }
}

static void
owner_changed_cb (GDBusConnection *connection,
                  const char *sender,
                  const char *path,
                  const char *interface,
                  const char *signal,
                  GVariant *parameters,
                  gpointer user_data)
{
  const char *new_owner;

  g_variant_get (parameters, "(&s&s&s)", NULL, NULL, &new_owner);
  if (*new_owner == '\0')
    forget_peer (user_data);
}

static void
has_owner_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply =
      g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);
  gboolean has_owner = FALSE;

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return; /* and with it the peer */
  if (reply != NULL)
    g_variant_get (reply, "(b)", &has_owner);
  if (!has_owner)
    forget_peer (user_data);
}

static void
watch_peer (EbDbusPeers *self, Peer *peer)
{
  peer->cancellable = g_cancellable_new ();
  peer->signal_id = g_dbus_connection_signal_subscribe (
      self->connection, "org.freedesktop.DBus", "org.freedesktop.DBus", "NameOwnerChanged",
      "/org/freedesktop/DBus", peer->name, G_DBUS_SIGNAL_FLAGS_NONE, owner_changed_cb, peer, NULL);
  g_dbus_connection_call (self->connection, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                          "org.freedesktop.DBus", "NameHasOwner", g_variant_new ("(s)", peer->name),
                          G_VARIANT_TYPE ("(b)"), G_DBUS_CALL_FLAGS_NONE, -1, peer->cancellable,
                          has_owner_cb, peer);
}

static Peer *
ensure_peer (EbDbusPeers *self, const char *name)
{
  Peer *peer = g_hash_table_lookup (self->peers, name);

  if (peer != NULL)
    return peer;

  peer = g_new0 (Peer, 1);
  peer->peers = self;
  peer->name = g_strdup (name);
  peer->ids = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  watch_peer (self, peer);
  g_hash_table_insert (self->peers, peer->name, peer);
  return peer;
}

/**
 * eb_dbus_peers_add:
 * @name: a unique name
 * @id: a subscription of its own, new here
 *
 * Returns: FALSE with %EB_ERROR_LIMIT if that peer has as many as one may have
 */
gboolean
eb_dbus_peers_add (EbDbusPeers *self, const char *name, const char *id, GError **error)
{
  Peer *peer = ensure_peer (self, name);

  if (g_hash_table_size (peer->ids) >= MAX_SUBSCRIPTIONS)
    {
      g_set_error (error, EB_ERROR, EB_ERROR_LIMIT,
                   "%s has %d subscriptions, which is the limit for one caller", name,
                   MAX_SUBSCRIPTIONS);
      return FALSE;
    }
  g_hash_table_add (peer->ids, g_strdup (id));
  g_hash_table_insert (self->owners, g_strdup (id), peer);
  return TRUE;
}

/**
 * eb_dbus_peers_remove:
 * @id: a subscription, known or not
 */
void
eb_dbus_peers_remove (EbDbusPeers *self, const char *id)
{
  Peer *peer = g_hash_table_lookup (self->owners, id);

  if (peer == NULL)
    return;
  g_hash_table_remove (peer->ids, id);
  g_hash_table_remove (self->owners, id);
  if (g_hash_table_size (peer->ids) == 0)
    g_hash_table_remove (self->peers, peer->name);
}

/**
 * eb_dbus_peers_get_owner:
 *
 * Returns: (nullable) (transfer none): the unique name of the peer whose subscription @id is
 */
const char *
eb_dbus_peers_get_owner (EbDbusPeers *self, const char *id)
{
  Peer *peer = g_hash_table_lookup (self->owners, id);

  return peer != NULL ? peer->name : NULL;
}
