/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "http/eb-browser-guard.h"

#include <gio/gio.h>
#include <string.h>

#include "core/eb-error.h"
#include "core/eb-quote.h"
#include "http/eb-cors.h"

/* A page that somebody visits can make their browser speak to loopback. It cannot help sending an
 * Origin; and when it got there by giving its own name our address (DNS rebinding), a Host that is
 * that name. */

static char *
strip_port (const char *authority)
{
  const char *end = strrchr (authority, ']');
  const char *colon = strchr (end != NULL ? end : authority, ':');

  if (authority[0] == '[' && end != NULL)
    return g_strndup (authority + 1, (gsize) (end - authority - 1));
  return colon != NULL ? g_strndup (authority, (gsize) (colon - authority)) : g_strdup (authority);
}

static gboolean
is_own_name (const char *host, const char *const *names)
{
  if (g_hostname_is_ip_address (host) || g_ascii_strcasecmp (host, "localhost") == 0
      || (g_str_has_suffix (host, ".localhost")))
    return TRUE;
  for (; names != NULL && *names != NULL; names++)
    if (g_ascii_strcasecmp (host, *names) == 0)
      return TRUE;
  return FALSE;
}

/**
 * eb_browser_guard_check:
 * @host: (nullable): the request's `Host`
 * @origin: (nullable): its `Origin`
 * @names: (nullable): what the bus is called, beside addresses and localhost
 * @origins: (nullable): whose pages are not foreign, beside its own
 *
 * Returns: FALSE with %EB_ERROR_FORBIDDEN for a request that a foreign page may have made
 */
gboolean
eb_browser_guard_check (const char *host,
                        const char *origin,
                        const char *const *names,
                        const char *const *origins,
                        GError **error)
{
  g_autofree char *name = host != NULL ? strip_port (host) : NULL;
  g_autofree char *own_origin = g_strconcat ("http://", host, NULL);

  if (name != NULL && !is_own_name (name, names))
    {
      g_autofree char *shown = eb_quote_text (name, -1);

      g_set_error (error, EB_ERROR, EB_ERROR_FORBIDDEN,
                   "This bus is not known as “%s”: use its address, or add the name to http.hosts",
                   shown);
      return FALSE;
    }
  if (origin != NULL && g_ascii_strcasecmp (origin, own_origin) != 0
      && !eb_cors_allows (origins, origin))
    {
      g_autofree char *shown = eb_quote_text (origin, -1);

      g_set_error (error, EB_ERROR, EB_ERROR_FORBIDDEN,
                   "Pages of “%s” may not use this bus, as it is not among http.cors-origins",
                   shown);
      return FALSE;
    }
  return TRUE;
}
