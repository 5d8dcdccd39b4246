/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "http/eb-listener.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gunixsocketaddress.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/eb-error.h"
#include "core/eb-quote.h"

/* Enough for a burst of clients between two turns of the main loop. */
#define BACKLOG 4096

static gboolean
fail_from_errno (GError **error, const char *spec)
{
  int saved_errno = errno;

  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (saved_errno), "Cannot listen on %s: %s",
               spec, g_strerror (saved_errno));
  return FALSE;
}

static GSocketAddress *
get_bound_address (int fd, GError **error)
{
  struct sockaddr_storage bound;
  socklen_t size = sizeof bound;

  if (getsockname (fd, (struct sockaddr *) &bound, &size) < 0)
    {
      fail_from_errno (error, "the socket that was passed in");
      return NULL;
    }
  return g_socket_address_new_from_native (&bound, size);
}

static gboolean
bind_and_listen (int fd, GSocketAddress *address, const char *spec, GError **error)
{
  struct sockaddr_storage native;
  gssize size = g_socket_address_get_native_size (address);
  int yes = 1;

  if (!g_socket_address_to_native (address, &native, sizeof native, error))
    return FALSE;
  setsockopt (fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (bind (fd, (struct sockaddr *) &native, (socklen_t) size) < 0 || listen (fd, BACKLOG) < 0)
    return fail_from_errno (error, spec);
  return TRUE;
}

static GSocketAddress *
parse_inet (const char *spec, GError **error)
{
  const char *colon = strrchr (spec, ':');
  g_autofree char *host = NULL;
  g_autofree char *shown = NULL;
  guint64 port = 0;
  GSocketAddress *address = NULL;

  if (colon != NULL && g_ascii_string_to_unsigned (colon + 1, 10, 0, 65535, &port, NULL))
    {
      gsize length = (gsize) (colon - spec);
      gboolean bracketed = length > 2 && spec[0] == '[' && spec[length - 1] == ']';

      host = bracketed ? g_strndup (spec + 1, length - 2) : g_strndup (spec, length);
      /* An IPv6 address without brackets leaves it open where the port begins. */
      if (bracketed == (strchr (host, ':') != NULL))
        address = g_inet_socket_address_new_from_string (
            g_str_equal (host, "localhost") ? "127.0.0.1" : host, (guint) port);
    }
  if (address != NULL)
    return address;
  shown = eb_quote_text (spec, -1);
  g_set_error (error, EB_ERROR, EB_ERROR_INVALID,
               "Cannot listen on “%s”: it is not ADDRESS:PORT, such as 127.0.0.1:3000 or "
               "[::1]:3000, or unix:PATH",
               shown);
  return NULL;
}

/* A socket file that a daemon left behind when it was killed would be in the way for ever. */
static void
remove_stale_socket (const char *path, GSocketAddress *address)
{
  struct sockaddr_storage native;
  gssize size = g_socket_address_get_native_size (address);
  struct stat status;
  int fd;

  if (g_lstat (path, &status) < 0 || !S_ISSOCK (status.st_mode)
      || !g_socket_address_to_native (address, &native, sizeof native, NULL))
    return;
  fd = socket (AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (connect (fd, (struct sockaddr *) &native, (socklen_t) size) < 0 && errno == ECONNREFUSED)
    g_unlink (path);
  close (fd);
}

static EbListener *
open_listener (const char *spec, GSocketAddress *address, const char *path, GError **error)
{
  g_autoptr (EbListener) self = g_new0 (EbListener, 1);
  int family = path != NULL                                                    ? AF_UNIX
               : g_socket_address_get_family (address) == G_SOCKET_FAMILY_IPV6 ? AF_INET6
                                                                               : AF_INET;

  self->fd = socket (family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (self->fd < 0)
    {
      fail_from_errno (error, spec);
      return NULL;
    }
  if (path != NULL)
    remove_stale_socket (path, address);
  if (!bind_and_listen (self->fd, address, spec, error))
    return NULL;
  self->path = g_strdup (path);
  self->address = get_bound_address (self->fd, error);
  return self->address != NULL ? g_steal_pointer (&self) : NULL;
}

/* Returns: (nullable): the path in @spec, if it is one */
static const char *
get_path (const char *spec)
{
  return g_str_has_prefix (spec, "unix:") ? spec + strlen ("unix:") : NULL;
}

static GSocketAddress *
parse_unix (const char *spec, GError **error)
{
  const char *path = get_path (spec);
  g_autofree char *shown = NULL;
  struct sockaddr_un limit;

  if (*path != '\0' && strlen (path) < sizeof limit.sun_path)
    return g_unix_socket_address_new (path);
  shown = eb_quote_text (spec, -1);
  g_set_error (error, EB_ERROR, EB_ERROR_INVALID,
               "Cannot listen on “%s”: the path must have 1 to %" G_GSIZE_FORMAT " bytes", shown,
               sizeof limit.sun_path - 1);
  return NULL;
}

static GSocketAddress *
parse (const char *spec, GError **error)
{
  return get_path (spec) != NULL ? parse_unix (spec, error) : parse_inet (spec, error);
}

/**
 * eb_listener_check:
 * @spec: as for eb_listener_new()
 *
 * Returns: FALSE with %EB_ERROR_INVALID if nobody could ever listen there
 */
gboolean
eb_listener_check (const char *spec, GError **error)
{
  g_autoptr (GSocketAddress) address = parse (spec, error);

  return address != NULL;
}

/**
 * eb_listener_new:
 * @spec: `ADDRESS:PORT`, `[ADDRESS]:PORT` or `unix:PATH`; port 0 is one that the kernel chooses
 *
 * Returns: (transfer full): a listening socket
 */
EbListener *
eb_listener_new (const char *spec, GError **error)
{
  g_autoptr (GSocketAddress) address = parse (spec, error);

  return address != NULL ? open_listener (spec, address, get_path (spec), error) : NULL;
}

/**
 * eb_listener_new_for_fd:
 * @fd: (transfer full): a listening stream socket
 *
 * Returns: (transfer full): a listener that leaves the socket's file, if it has one, to whoever
 *   made it
 */
EbListener *
eb_listener_new_for_fd (int fd, GError **error)
{
  g_autoptr (EbListener) self = g_new0 (EbListener, 1);
  int flags = fcntl (fd, F_GETFL);

  self->fd = fd;
  if (flags < 0 || fcntl (fd, F_SETFL, flags | O_NONBLOCK) < 0)
    {
      fail_from_errno (error, "the socket that was passed in");
      return NULL;
    }
  self->address = get_bound_address (fd, error);
  return self->address != NULL ? g_steal_pointer (&self) : NULL;
}

void
eb_listener_free (EbListener *self)
{
  if (self->path != NULL)
    g_unlink (self->path);
  if (self->fd >= 0)
    close (self->fd);
  g_clear_object (&self->address);
  g_free (self->path);
  g_free (self);
}

/**
 * eb_listener_is_local:
 *
 * Returns: whether clients come by a UNIX socket
 */
gboolean
eb_listener_is_local (EbListener *self)
{
  return G_IS_UNIX_SOCKET_ADDRESS (self->address);
}

/**
 * eb_listener_dup_uri:
 *
 * Returns: (transfer full): `http://ADDRESS:PORT` or `unix:PATH`
 */
char *
eb_listener_dup_uri (EbListener *self)
{
  g_autofree char *host = NULL;
  GInetSocketAddress *inet;

  if (eb_listener_is_local (self))
    return g_strdup_printf ("unix:%s",
                            g_unix_socket_address_get_path (G_UNIX_SOCKET_ADDRESS (self->address)));
  inet = G_INET_SOCKET_ADDRESS (self->address);
  host = g_inet_address_to_string (g_inet_socket_address_get_address (inet));
  return g_strdup_printf (strchr (host, ':') != NULL ? "http://[%s]:%u" : "http://%s:%u", host,
                          (guint) g_inet_socket_address_get_port (inet));
}
