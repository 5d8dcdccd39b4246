/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/eb-bus-client.h"

#include <string.h>

#include <libsoup/soup.h>

#include "ctl/eb-bus-answer.h"
#include "ctl/eb-bus-place.h"

/* The bus's HTTP API as its users see it. Every error that comes out of here is
 * a whole sentence for people: where, what, and the way out. */

/* For each step of a call: connecting, sending, waiting for the answer. */
#define TIMEOUT_S 30

struct _EbBusClient
{
  GObject parent_instance;

  EbBusPlace *place;    /* (owned) */
  SoupSession *session; /* (owned) */
};

G_DEFINE_FINAL_TYPE (EbBusClient, eb_bus_client, G_TYPE_OBJECT)

static void
eb_bus_client_finalize (GObject *object)
{
  EbBusClient *self = EB_BUS_CLIENT (object);

  g_clear_object (&self->session);
  g_clear_pointer (&self->place, eb_bus_place_free);
  G_OBJECT_CLASS (eb_bus_client_parent_class)->finalize (object);
}

static void
eb_bus_client_class_init (EbBusClientClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = eb_bus_client_finalize;
}

static void
eb_bus_client_init (EbBusClient *self)
{
}

static SoupSession *
make_session (GSocketConnectable *connectable)
{
  SoupSession *session =
      soup_session_new_with_options ("remote-connectable", connectable, "timeout", TIMEOUT_S,
                                     "user-agent", "eventbusctl/" PACKAGE_VERSION, NULL);

  /* The bus speaks plainly; whatever guesses or asks back is in the way. */
  soup_session_remove_feature_by_type (session, SOUP_TYPE_AUTH_MANAGER);
  soup_session_remove_feature_by_type (session, SOUP_TYPE_CONTENT_DECODER);
  soup_session_set_proxy_resolver (session, NULL);
  return session;
}

/**
 * eb_bus_client_new:
 * @url: `http://…`, `https://…` or `unix:PATH`
 * @error: return location for %G_IO_ERROR_INVALID_ARGUMENT
 *
 * Makes a client for the bus at @url. Nothing is sent yet.
 *
 * Returns: (transfer full) (nullable): the client
 */
EbBusClient *
eb_bus_client_new (const char *url, GError **error)
{
  g_autoptr (EbBusClient) self = g_object_new (EB_TYPE_BUS_CLIENT, NULL);

  self->place = eb_bus_place_new (url, error);
  if (self->place == NULL)
    return NULL;
  self->session = make_session (self->place->connectable);
  return g_steal_pointer (&self);
}

/**
 * eb_bus_client_get_name:
 * @self: a client
 *
 * Returns: (transfer none): where the bus is, in the user's words
 */
const char *
eb_bus_client_get_name (EbBusClient *self)
{
  return self->place->name;
}

/**
 * eb_bus_client_is_local:
 * @self: a client
 *
 * Returns: whether the bus is on this machine for sure, so that it can reach a
 *   loopback address
 */
gboolean
eb_bus_client_is_local (EbBusClient *self)
{
  return eb_bus_place_is_local (self->place);
}

/* Both are percent-encoded. */
static SoupMessage *
make_plain_message (EbBusClient *self, const char *method, const char *route, const char *query)
{
  g_autoptr (GUri) uri = eb_bus_place_resolve (self->place, route, query);
  SoupMessage *message = soup_message_new_from_uri (method, uri);

  soup_message_add_flags (message, SOUP_MESSAGE_NO_REDIRECT);
  /* Calls are rare: a connection of their own can't have been closed meanwhile. */
  soup_message_headers_append (soup_message_get_request_headers (message), "Connection", "close");
  return message;
}

static SoupMessage *
make_message (EbBusClient *self, const char *method, const char *route, const char *address)
{
  g_autofree char *escaped = address != NULL ? g_uri_escape_string (address, NULL, FALSE) : NULL;
  g_autofree char *query = escaped != NULL ? g_strconcat ("address=", escaped, NULL) : NULL;

  return make_plain_message (self, method, route, query);
}

static GBytes *
call (EbBusClient *self, SoupMessage *message, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (GBytes) body = soup_session_send_and_read (self->session, message, NULL, &failure);

  return eb_bus_answer_check (self->place->name, message, body, failure, error);
}

static void
call_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  EbBusClient *self = g_task_get_source_object (task);
  g_autoptr (GError) failure = NULL;
  g_autoptr (GBytes) body = NULL;
  g_autoptr (GBytes) answer = NULL;
  GError *error = NULL;

  body = soup_session_send_and_read_finish (SOUP_SESSION (source), result, &failure);
  answer =
      eb_bus_answer_check (self->place->name, g_task_get_task_data (task), body, failure, &error);
  if (answer != NULL)
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

static void
call_async (EbBusClient *self, SoupMessage *message, GTask *task)
{
  g_task_set_task_data (task, message, g_object_unref);
  soup_session_send_and_read_async (self->session, message, G_PRIORITY_DEFAULT, NULL, call_cb,
                                    task);
}

static void
connect_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GError *error = NULL;
  GSocketConnection *connection =
      g_socket_client_connect_finish (G_SOCKET_CLIENT (source), result, &error);

  if (connection != NULL)
    g_task_return_pointer (task, connection, g_object_unref);
  else
    g_task_return_error (task, error);
}

/**
 * eb_bus_client_connect_async:
 * @self: a client
 * @cancellable: (nullable): ends connecting
 * @callback: called when there is a connection, or can't be
 * @user_data: for @callback
 *
 * Opens a connection to the bus on which nothing is sent.
 */
void
eb_bus_client_connect_async (EbBusClient *self,
                             GCancellable *cancellable,
                             GAsyncReadyCallback callback,
                             gpointer user_data)
{
  g_autoptr (GSocketClient) sockets = g_socket_client_new ();
  g_autoptr (GSocketConnectable) host = eb_bus_place_dup_connectable (self->place);
  GTask *task = g_task_new (self, cancellable, callback, user_data);

  g_task_set_source_tag (task, eb_bus_client_connect_async);
  g_socket_client_set_enable_proxy (sockets, FALSE);
  g_socket_client_set_tls (sockets, eb_bus_place_is_secure (self->place));
  g_socket_client_connect_async (sockets, host, cancellable, connect_cb, task);
}

/**
 * eb_bus_client_connect_finish:
 * @self: a client
 * @result: what the callback got
 * @error: return location for why it failed
 *
 * Returns: (transfer full) (nullable): the connection
 */
GIOStream *
eb_bus_client_connect_finish (EbBusClient *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

/**
 * eb_bus_client_register_async:
 * @self: a client
 * @address: the subscriber's `HOST:PORT`
 * @callback: called when the bus has answered
 * @user_data: for @callback
 *
 * Registers @address, or keeps it alive.
 */
void
eb_bus_client_register_async (EbBusClient *self,
                              const char *address,
                              GAsyncReadyCallback callback,
                              gpointer user_data)
{
  GTask *task = g_task_new (self, NULL, callback, user_data);

  g_task_set_source_tag (task, eb_bus_client_register_async);
  call_async (self, make_message (self, "POST", "/registerAndKeepAlive", address), task);
}

/**
 * eb_bus_client_register_finish:
 * @self: a client
 * @result: what the callback got
 * @error: return location for why it failed, a sentence for people
 *
 * Returns: whether the address is registered
 */
gboolean
eb_bus_client_register_finish (EbBusClient *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

/**
 * eb_bus_client_deregister_async:
 * @self: a client
 * @address: the subscriber's `HOST:PORT`
 * @callback: called when the bus has answered
 * @user_data: for @callback
 *
 * Deregisters @address.
 */
void
eb_bus_client_deregister_async (EbBusClient *self,
                                const char *address,
                                GAsyncReadyCallback callback,
                                gpointer user_data)
{
  GTask *task = g_task_new (self, NULL, callback, user_data);

  g_task_set_source_tag (task, eb_bus_client_deregister_async);
  call_async (self, make_message (self, "DELETE", "/deregister", address), task);
}

/**
 * eb_bus_client_deregister_finish:
 * @self: a client
 * @result: what the callback got
 * @error: return location for why it failed, a sentence for people
 *
 * Returns: whether the bus has let the address go
 */
gboolean
eb_bus_client_deregister_finish (EbBusClient *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

/**
 * eb_bus_client_call:
 * @self: a client
 * @method: HTTP method
 * @target: path and query, percent-encoded
 * @json: (nullable): a body
 * @link: (out) (optional) (transfer full) (nullable): the answer's header `Link`
 * @error: return location for why it failed, a sentence for people
 *
 * Asks for anything that the bus has.
 *
 * Returns: (transfer full) (nullable): what the bus answered
 */
GBytes *
eb_bus_client_call (EbBusClient *self,
                    const char *method,
                    const char *target,
                    GBytes *json,
                    char **link,
                    GError **error)
{
  const char *mark = strchr (target, '?');
  g_autofree char *route = mark != NULL ? g_strndup (target, mark - target) : g_strdup (target);
  g_autoptr (SoupMessage) message =
      make_plain_message (self, method, route, mark != NULL ? mark + 1 : NULL);
  GBytes *answer;

  if (json != NULL)
    soup_message_set_request_body_from_bytes (message, "application/json", json);
  answer = call (self, message, error);
  if (answer != NULL && link != NULL)
    *link = g_strdup (
        soup_message_headers_get_list (soup_message_get_response_headers (message), "Link"));
  return answer;
}

/**
 * eb_bus_client_publish:
 * @self: a client
 * @data: the event's data
 * @content_type: its media type
 * @error: return location for why it failed, a sentence for people
 *
 * Publishes an event and waits until the bus has it.
 *
 * Returns: whether the bus acknowledged the event
 */
gboolean
eb_bus_client_publish (EbBusClient *self, GBytes *data, const char *content_type, GError **error)
{
  g_autoptr (SoupMessage) message = make_message (self, "POST", "/sendMessage", NULL);
  g_autoptr (GBytes) answer = NULL;

  soup_message_set_request_body_from_bytes (message, content_type, data);
  answer = call (self, message, error);
  return answer != NULL;
}

/**
 * eb_bus_client_list:
 * @self: a client
 * @error: return location for why it failed, a sentence for people
 *
 * Asks for the subscribers.
 *
 * Returns: (transfer full) (nullable): the list as the bus prints it
 */
GBytes *
eb_bus_client_list (EbBusClient *self, GError **error)
{
  g_autoptr (SoupMessage) message = make_message (self, "GET", "/listSubscribers", NULL);

  return call (self, message, error);
}
