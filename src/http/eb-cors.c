/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "http/eb-cors.h"

#include <string.h>

/* What browsers want to be told before a page of another origin may use the bus (Fetch standard,
 * "CORS protocol"). There are no cookies here, so nothing is said of credentials, and “*” means
 * all. */

#define ANY "*"

/* Seconds that a browser may remember the answer to a preflight; none remembers it for longer than
 * a day, and one that is withdrawn should not work on for long. */
#define MAX_AGE "600"

#define ALPHA       G_CSET_a_2_z G_CSET_A_2_Z
#define SCHEME      ALPHA G_CSET_DIGITS "+-."
#define HOST        ALPHA G_CSET_DIGITS "-._"
#define MAX_PORT    65535
#define PORT_DIGITS 5

/* Moves @text behind an address in brackets, if there is a good one. */
static gboolean
skip_address (const char **text)
{
  gsize length = strcspn (*text, "]");
  g_autofree char *inner = g_strndup (*text + 1, length - 1);

  if ((*text)[length] == '\0' || strchr (inner, ':') == NULL || !g_hostname_is_ip_address (inner)
      || strchr (inner, '%') != NULL)
    return FALSE;
  *text += length + 1;
  return TRUE;
}

static gboolean
skip_host (const char **text)
{
  gsize length;

  if (**text == '[')
    return skip_address (text);
  length = strspn (*text, HOST);
  *text += length;
  return length > 0;
}

static gboolean
is_port (const char *text)
{
  guint64 port;

  return *text != '0' && strlen (text) <= PORT_DIGITS
         && g_ascii_string_to_unsigned (text, 10, 1, MAX_PORT, &port, NULL);
}

/**
 * eb_cors_check_origin:
 *
 * What no browser sends would never match: it is a scheme, which may be that of a browser's
 * extensions, a host in ASCII, and maybe a port.
 *
 * Returns: whether @origin is one as browsers send it, or “*”
 */
gboolean
eb_cors_check_origin (const char *origin)
{
  const char *host = strstr (origin, "://");

  if (g_str_equal (origin, ANY))
    return TRUE;
  if (host == NULL || !g_ascii_isalpha (*origin) || origin + strspn (origin, SCHEME) != host)
    return FALSE;
  host += strlen ("://");
  return skip_host (&host) && (*host == '\0' || (*host == ':' && is_port (host + 1)));
}

static gboolean
contains (const char *const *origins, const char *origin)
{
  for (; origins != NULL && *origins != NULL; origins++)
    if (g_ascii_strcasecmp (*origins, origin) == 0)
      return TRUE;
  return FALSE;
}

/**
 * eb_cors_allows:
 * @origins: (nullable): whose pages may use the bus
 *
 * Returns: whether those of @origin may
 */
gboolean
eb_cors_allows (const char *const *origins, const char *origin)
{
  return contains (origins, ANY) || contains (origins, origin);
}

/**
 * eb_cors_add_headers:
 * @origins: (nullable): whose pages may use the bus
 * @origin: (nullable): the request's `Origin`
 *
 * Adds to the answer, whatever it will be, what lets such a page see it.
 */
void
eb_cors_add_headers (EbExchange *exchange, const char *const *origins, const char *origin)
{
  SoupMessageHeaders *headers = eb_exchange_get_answer_headers (exchange);
  gboolean any = contains (origins, ANY);

  /* Also if there is none: what a cache keeps must not serve another origin. */
  if (origins != NULL && *origins != NULL && !any)
    soup_message_headers_append (headers, "Vary", "Origin");
  if (origin == NULL || !eb_cors_allows (origins, origin))
    return;
  soup_message_headers_replace (headers, "Access-Control-Allow-Origin", any ? ANY : origin);
  /* All, because an event's own attributes are headers too. */
  soup_message_headers_replace (headers, "Access-Control-Expose-Headers", "*");
}

/**
 * eb_cors_reply_preflight:
 * @origins: (nullable): whose pages may use the bus
 * @origin: (nullable): the request's `Origin`
 *
 * Returns: whether it was a browser's question whether it may send a request, and is answered
 */
gboolean
eb_cors_reply_preflight (EbExchange *exchange, const char *const *origins, const char *origin)
{
  SoupServerMessage *message = exchange->message;
  SoupMessageHeaders *asked = soup_server_message_get_request_headers (message);
  SoupMessageHeaders *headers = eb_exchange_get_answer_headers (exchange);
  const char *wanted = soup_message_headers_get_list (asked, "Access-Control-Request-Headers");

  if (origin == NULL || !eb_cors_allows (origins, origin)
      || !g_str_equal (soup_server_message_get_method (message), "OPTIONS")
      || soup_message_headers_get_one (asked, "Access-Control-Request-Method") == NULL)
    return FALSE;
  soup_message_headers_replace (headers, "Access-Control-Allow-Methods",
                                "GET, HEAD, POST, PUT, DELETE");
  if (wanted != NULL)
    soup_message_headers_replace (headers, "Access-Control-Allow-Headers", wanted);
  soup_message_headers_replace (headers, "Access-Control-Max-Age", MAX_AGE);
  eb_exchange_reply_nothing (exchange);
  return TRUE;
}
