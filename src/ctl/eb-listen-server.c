/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/eb-listen-server.h"

#include <string.h>

#include <glib/gi18n.h>

/* The sink of `eventbusctl listen`: takes POST /event and hands each delivery to
 * one function, which answers it in its own time. */

/* Far above any event that a bus takes; it only bounds what a stranger can send. */
#define MAX_BODY_SIZE (64 * 1024 * 1024)

struct _EbListenServer
{
  GObject parent_instance;

  SoupServer *server; /* (owned) */
  char *address;      /* (owned) HOST:PORT, to register */
  EbListenServerFunc func;
  gpointer user_data;
};

G_DEFINE_FINAL_TYPE (EbListenServer, eb_listen_server, G_TYPE_OBJECT)

static void
eb_listen_server_dispose (GObject *object)
{
  EbListenServer *self = EB_LISTEN_SERVER (object);

  if (self->server != NULL)
    {
      soup_server_remove_handler (self->server, NULL);
      soup_server_disconnect (self->server);
    }
  g_clear_object (&self->server);
  G_OBJECT_CLASS (eb_listen_server_parent_class)->dispose (object);
}

static void
eb_listen_server_finalize (GObject *object)
{
  EbListenServer *self = EB_LISTEN_SERVER (object);

  g_clear_pointer (&self->address, g_free);
  G_OBJECT_CLASS (eb_listen_server_parent_class)->finalize (object);
}

static void
eb_listen_server_class_init (EbListenServerClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = eb_listen_server_dispose;
  G_OBJECT_CLASS (klass)->finalize = eb_listen_server_finalize;
}

static void
eb_listen_server_init (EbListenServer *self)
{
}

static guint
judge_head (SoupServerMessage *message, const char *path)
{
  SoupMessageHeaders *headers = soup_server_message_get_request_headers (message);
  SoupEncoding encoding = soup_message_headers_get_encoding (headers);

  if (strcmp (path, "/event") != 0)
    return SOUP_STATUS_NOT_FOUND;
  if (strcmp (soup_server_message_get_method (message), "POST") != 0)
    return SOUP_STATUS_METHOD_NOT_ALLOWED;
  /* A bus sends none; a web page that wants to be heard here can't leave it out. */
  if (soup_message_headers_get_one (headers, "Origin") != NULL)
    return SOUP_STATUS_FORBIDDEN;
  if (encoding != SOUP_ENCODING_CONTENT_LENGTH && encoding != SOUP_ENCODING_NONE)
    return SOUP_STATUS_LENGTH_REQUIRED;
  if (soup_message_headers_get_content_length (headers) > MAX_BODY_SIZE)
    return SOUP_STATUS_REQUEST_ENTITY_TOO_LARGE;
  return SOUP_STATUS_NONE;
}

/* Runs when the head has come, before the body is collected. */
static void
handle_head (SoupServer *server,
             SoupServerMessage *message,
             const char *path,
             GHashTable *query,
             gpointer user_data)
{
  guint status = judge_head (message, path);

  if (status == SOUP_STATUS_NONE)
    return;
  soup_message_body_set_accumulate (soup_server_message_get_request_body (message), FALSE);
  soup_server_message_set_status (message, status, NULL);
}

static void
handle_event (SoupServer *server,
              SoupServerMessage *message,
              const char *path,
              GHashTable *query,
              gpointer user_data)
{
  EbListenServer *self = user_data;

  if (soup_server_message_get_status (message) == SOUP_STATUS_NONE)
    self->func (eb_arrival_new (message), self->user_data);
}

static guint
get_port (SoupServer *server)
{
  GSList *uris = soup_server_get_uris (server);
  guint port = uris != NULL ? (guint) g_uri_get_port (uris->data) : 0;

  g_slist_free_full (uris, (GDestroyNotify) g_uri_unref);
  return port;
}

static gboolean
listen_on (SoupServer *server, GSocketAddress *where, GError **error)
{
  guint port = get_port (server);
  GInetAddress *host = g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (where));
  g_autoptr (GSocketAddress) same_port = g_inet_socket_address_new (host, (guint16) port);

  /* All addresses of a name share the port that the first was given. */
  return soup_server_listen (server, port != 0 ? same_port : where, 0, error);
}

/* Succeeds if one address of the host can be listened on. */
static gboolean
listen_everywhere (SoupServer *server, GSocketConnectable *connectable, GError **error)
{
  g_autoptr (GSocketAddressEnumerator) enumerator = g_socket_connectable_enumerate (connectable);
  g_autoptr (GError) failure = NULL;

  for (;;)
    {
      g_autoptr (GError) problem = NULL;
      g_autoptr (GSocketAddress) where =
          g_socket_address_enumerator_next (enumerator, NULL, &problem);

      if (where != NULL)
        listen_on (server, where, &problem);
      if (problem != NULL && failure == NULL)
        failure = g_steal_pointer (&problem);
      if (where == NULL)
        break;
    }
  if (get_port (server) != 0)
    return TRUE;
  if (failure != NULL)
    g_propagate_error (error, g_steal_pointer (&failure));
  else
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, _ ("it has no address"));
  return FALSE;
}

static char *
join_address (const char *host, guint port)
{
  return g_strdup_printf (strchr (host, ':') != NULL ? "[%s]:%u" : "%s:%u", host, port);
}

/**
 * eb_listen_server_new:
 * @address: `HOST[:PORT]` to listen on; without a port the kernel chooses one
 * @func: called for each delivery
 * @user_data: for @func
 * @error: return location for why this can't be listened on
 *
 * Starts to listen.
 *
 * Returns: (transfer full) (nullable): the server
 */
EbListenServer *
eb_listen_server_new (const char *address,
                      EbListenServerFunc func,
                      gpointer user_data,
                      GError **error)
{
  g_autoptr (EbListenServer) self = g_object_new (EB_TYPE_LISTEN_SERVER, NULL);
  g_autoptr (GSocketConnectable) connectable = g_network_address_parse (address, 0, error);

  if (connectable == NULL)
    {
      g_prefix_error (error, _ ("Cannot listen at %s: "), address);
      return NULL;
    }
  self->func = func;
  self->user_data = user_data;
  self->server = soup_server_new ("server-header", "eventbusctl/" PACKAGE_VERSION, NULL);
  soup_server_add_early_handler (self->server, NULL, handle_head, self, NULL);
  soup_server_add_handler (self->server, NULL, handle_event, self, NULL);
  if (!listen_everywhere (self->server, connectable, error))
    {
      g_prefix_error (error, _ ("Cannot listen at %s: "), address);
      return NULL;
    }
  self->address = join_address (g_network_address_get_hostname (G_NETWORK_ADDRESS (connectable)),
                                get_port (self->server));
  return g_steal_pointer (&self);
}

/**
 * eb_listen_server_get_address:
 * @self: a server
 *
 * Returns: (transfer none): the `HOST:PORT` at which it is reached
 */
const char *
eb_listen_server_get_address (EbListenServer *self)
{
  return self->address;
}
