/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/eb-bus-place.h"

#include <string.h>

#include <gio/gunixsocketaddress.h>
#include <glib/gi18n.h>
#include <libsoup/soup.h>

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
 * eb_bus_place_new:
 * @url: `http://…`, `https://…` or `unix:PATH`
 * @error: return location for %G_IO_ERROR_INVALID_ARGUMENT
 *
 * Returns: (transfer full) (nullable): what @url names
 */
EbBusPlace *
eb_bus_place_new (const char *url, GError **error)
{
  g_autoptr (EbBusPlace) self = g_new0 (EbBusPlace, 1);
  const char *path = g_str_has_prefix (url, "unix:") ? url + strlen ("unix:") : NULL;

  if (path != NULL && *path != '\0')
    self->connectable = G_SOCKET_CONNECTABLE (g_unix_socket_address_new (path));
  self->base = parse_url (self->connectable != NULL ? "http://localhost" : url, error);
  if (self->base == NULL)
    return NULL;
  self->name = g_strdup (url);
  return g_steal_pointer (&self);
}

void
eb_bus_place_free (EbBusPlace *self)
{
  g_clear_object (&self->connectable);
  g_clear_pointer (&self->base, g_uri_unref);
  g_free (self->name);
  g_free (self);
}

/**
 * eb_bus_place_is_local:
 *
 * Returns: whether it is on this machine for sure
 */
gboolean
eb_bus_place_is_local (EbBusPlace *self)
{
  return is_loopback (g_uri_get_host (self->base));
}

/**
 * eb_bus_place_resolve:
 * @route: a path, percent-encoded
 * @query: (nullable): percent-encoded
 *
 * Returns: (transfer full): where @route is there
 */
GUri *
eb_bus_place_resolve (EbBusPlace *self, const char *route, const char *query)
{
  const char *base_path = g_uri_get_path (self->base);
  gsize base_length = strlen (base_path);
  g_autofree char *path = NULL;

  if (base_length > 0 && base_path[base_length - 1] == '/')
    base_length--;
  path = g_strdup_printf ("%.*s%s", (int) base_length, base_path, route);
  return g_uri_build (SOUP_HTTP_URI_FLAGS, g_uri_get_scheme (self->base), NULL,
                      g_uri_get_host (self->base), g_uri_get_port (self->base), path, query, NULL);
}

/**
 * eb_bus_place_dup_connectable:
 *
 * Returns: (transfer full): what a connection to it goes to
 */
GSocketConnectable *
eb_bus_place_dup_connectable (EbBusPlace *self)
{
  if (self->connectable != NULL)
    return g_object_ref (self->connectable);
  return g_network_address_new (g_uri_get_host (self->base), (guint16) g_uri_get_port (self->base));
}

/**
 * eb_bus_place_is_secure:
 *
 * Returns: whether connections to it are encrypted
 */
gboolean
eb_bus_place_is_secure (EbBusPlace *self)
{
  return strcmp (g_uri_get_scheme (self->base), "https") == 0;
}
