/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "http/eb-cors.h"

/* What browsers want to be told before a page of another origin may use the bus (Fetch standard,
 * "CORS protocol"). There are no cookies here, so nothing is said of credentials, and “*” means
 * all. */

#define ANY "*"

/* Seconds that a browser may remember the answer to a preflight; none remembers it for longer than
 * a day, and one that is withdrawn should not work on for long. */
#define MAX_AGE "600"

/**
 * eb_cors_check_origin:
 *
 * Returns: whether @origin is one as browsers send it, or “*”
 */
gboolean
eb_cors_check_origin (const char *origin)
{
  g_autoptr (GUri) uri = NULL;

  if (g_str_equal (origin, ANY))
    return TRUE;
  uri = g_uri_parse (origin, G_URI_FLAGS_NONE, NULL);
  return uri != NULL && g_uri_get_host (uri) != NULL && *g_uri_get_host (uri) != '\0'
         && g_uri_get_userinfo (uri) == NULL && *g_uri_get_path (uri) == '\0'
         && g_uri_get_query (uri) == NULL && g_uri_get_fragment (uri) == NULL;
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
  SoupMessageHeaders *headers = soup_server_message_get_response_headers (exchange->message);
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
  SoupMessageHeaders *headers = soup_server_message_get_response_headers (message);
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
