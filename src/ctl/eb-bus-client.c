/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/eb-bus-client.h"

#include <errno.h>
#include <string.h>

#include <gio/gunixsocketaddress.h>
#include <glib/gi18n.h>
#include <json-glib/json-glib.h>
#include <libsoup/soup.h>

#include "ctl/eb-terminal-text.h"

/* The bus's HTTP API as its users see it. Every error that comes out of here is
 * a whole sentence for people: where, what, and the way out. */

/* For each step of a call: connecting, sending, waiting for the answer. */
#define TIMEOUT_S 30

/* Of what the bus says when it refuses; a problem's detail fits, a page does not. */
#define MAX_REASON_LENGTH 300

struct _EbBusClient
{
  GObject parent_instance;

  SoupSession *session;            /* (owned) */
  GUri *base;                      /* (owned) */
  GSocketConnectable *connectable; /* (owned) (nullable): a socket to talk to instead of @base */
  char *name;                      /* (owned) what the user calls the bus */
  gboolean is_local;               /* the bus is on this machine for sure */
};

G_DEFINE_FINAL_TYPE (EbBusClient, eb_bus_client, G_TYPE_OBJECT)

static void
eb_bus_client_finalize (GObject *object)
{
  EbBusClient *self = EB_BUS_CLIENT (object);

  g_clear_object (&self->session);
  g_clear_object (&self->connectable);
  g_clear_pointer (&self->base, g_uri_unref);
  g_clear_pointer (&self->name, g_free);
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

static gboolean
is_loopback (const char *host)
{
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string (host);

  if (address != NULL)
    return g_inet_address_get_is_loopback (address);
  return g_ascii_strcasecmp (host, "localhost") == 0;
}

static GUri *
parse_url (const char *url, GError **error)
{
  g_autoptr (GUri) uri = g_uri_parse (url, SOUP_HTTP_URI_FLAGS, NULL);

  if (uri != NULL
      && (strcmp (g_uri_get_scheme (uri), "http") == 0
          || strcmp (g_uri_get_scheme (uri), "https") == 0)
      && g_uri_get_host (uri) != NULL && *g_uri_get_host (uri) != '\0'
      && g_uri_get_userinfo (uri) == NULL && g_uri_get_query (uri) == NULL
      && g_uri_get_fragment (uri) == NULL)
    return g_steal_pointer (&uri);

  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
               _ ("\"%s\" is not where a bus can be: it takes an address like "
                  "http://127.0.0.1:3000 or unix:/run/eventbus.sock."),
               url);
  return NULL;
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
  const char *path = g_str_has_prefix (url, "unix:") ? url + strlen ("unix:") : NULL;

  if (path != NULL && *path != '\0')
    self->connectable = G_SOCKET_CONNECTABLE (g_unix_socket_address_new (path));
  self->base = parse_url (self->connectable != NULL ? "http://localhost" : url, error);
  if (self->base == NULL)
    return NULL;
  self->session = make_session (self->connectable);
  self->name = g_strdup (url);
  self->is_local = is_loopback (g_uri_get_host (self->base));
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
  return self->name;
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
  return self->is_local;
}

/* Both are percent-encoded. */
static SoupMessage *
make_plain_message (EbBusClient *self, const char *method, const char *route, const char *query)
{
  g_autofree char *path = NULL;
  g_autoptr (GUri) uri = NULL;
  const char *base_path = g_uri_get_path (self->base);
  gsize base_length = strlen (base_path);
  SoupMessage *message;

  if (base_length > 0 && base_path[base_length - 1] == '/')
    base_length--;
  path = g_strdup_printf ("%.*s%s", (int) base_length, base_path, route);
  uri = g_uri_build (SOUP_HTTP_URI_FLAGS, g_uri_get_scheme (self->base), NULL,
                     g_uri_get_host (self->base), g_uri_get_port (self->base), path, query, NULL);
  message = soup_message_new_from_uri (method, uri);
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

static const char *
describe_failure (const GError *failure)
{
  if (g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED))
    return g_strerror (ECONNREFUSED);
  if (g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_NOT_FOUND))
    return g_strerror (ENOENT);
  return failure->message;
}

static void
set_unreachable (EbBusClient *self, const GError *failure, GError **error)
{
  /* Nobody listens there, or there is no such socket. */
  gboolean nobody = g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED)
                    || g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);

  g_set_error (error, failure->domain, failure->code,
               nobody ? _ ("Cannot reach the bus at %s: %s. Is eventbusd running? Start it with "
                           "\"systemctl start eventbus\" or \"eventbusd\", or name another bus "
                           "with --url.")
                      : _ ("Cannot reach the bus at %s: %s. Is this its address? Name another "
                           "with --url."),
               self->name, describe_failure (failure));
}

/* Returns: (transfer full): what a problem document says for people, or else @body as it is */
static GBytes *
get_detail (SoupMessage *message, GBytes *body)
{
  const char *type =
      soup_message_headers_get_content_type (soup_message_get_response_headers (message), NULL);
  g_autoptr (JsonParser) parser = json_parser_new ();
  const char *detail = NULL;
  gsize size;
  const char *text = g_bytes_get_data (body, &size);

  if (g_strcmp0 (type, "application/problem+json") == 0 && size > 0
      && json_parser_load_from_data (parser, text, (gssize) size, NULL)
      && JSON_NODE_HOLDS_OBJECT (json_parser_get_root (parser)))
    detail = json_object_get_string_member_with_default (
        json_node_get_object (json_parser_get_root (parser)), "detail", NULL);
  return detail != NULL ? g_bytes_new (detail, strlen (detail)) : g_bytes_ref (body);
}

static char *
describe_answer (SoupMessage *message, GBytes *body)
{
  g_autoptr (GBytes) detail = get_detail (message, body);
  gsize size;
  const char *text = g_bytes_get_data (detail, &size);
  g_autoptr (GString) reason = g_string_new (NULL);

  size = MIN (size, MAX_REASON_LENGTH);
  while (size > 0 && g_ascii_isspace (text[size - 1]))
    size--;
  g_string_append_printf (reason, "%u ", soup_message_get_status (message));
  if (size > 0)
    eb_terminal_text_append (reason, text, size);
  else
    g_string_append (reason, soup_status_get_phrase (soup_message_get_status (message)));
  return g_string_free (g_steal_pointer (&reason), FALSE);
}

/* Takes what a call came to; hands back the body of a 200 or 204, or an error. */
static GBytes *
check_answer (
    EbBusClient *self, SoupMessage *message, GBytes *body, GError *failure, GError **error)
{
  g_autofree char *answer = NULL;

  if (body == NULL)
    {
      set_unreachable (self, failure, error);
      return NULL;
    }
  if (soup_message_get_status (message) == SOUP_STATUS_OK
      || soup_message_get_status (message) == SOUP_STATUS_NO_CONTENT)
    return g_bytes_ref (body);

  answer = describe_answer (message, body);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, _ ("The bus at %s refused %s: %s"), self->name,
               g_uri_get_path (soup_message_get_uri (message)), answer);
  return NULL;
}

static GBytes *
call (EbBusClient *self, SoupMessage *message, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (GBytes) body = soup_session_send_and_read (self->session, message, NULL, &failure);

  return check_answer (self, message, body, failure, error);
}

static void
call_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GError) failure = NULL;
  g_autoptr (GBytes) body = NULL;
  g_autoptr (GBytes) answer = NULL;
  GError *error = NULL;

  body = soup_session_send_and_read_finish (SOUP_SESSION (source), result, &failure);
  answer = check_answer (g_task_get_source_object (task), g_task_get_task_data (task), body,
                         failure, &error);
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
  g_autoptr (GSocketConnectable) host = NULL;
  GTask *task = g_task_new (self, cancellable, callback, user_data);

  g_task_set_source_tag (task, eb_bus_client_connect_async);
  g_socket_client_set_enable_proxy (sockets, FALSE);
  g_socket_client_set_tls (sockets, strcmp (g_uri_get_scheme (self->base), "https") == 0);
  host = self->connectable != NULL ? g_object_ref (self->connectable)
                                   : g_network_address_new (g_uri_get_host (self->base),
                                                            (guint16) g_uri_get_port (self->base));
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
 * Returns: whether @address is registered
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
 * Returns: whether the bus has let @address go
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
