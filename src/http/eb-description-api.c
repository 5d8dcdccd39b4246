/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "http/eb-description-api.h"

#include "eb-http-resources.h"

/* What the bus speaks, for programs: data/openapi.yaml, which is compiled in. */

#define PATH     "/openapi.yaml"
#define TYPE     "application/yaml" /* RFC 9512 */
#define RESOURCE "/org/example/EventBus/openapi.yaml"

static void
reply (EbExchange *exchange)
{
  g_autoptr (GBytes) text = g_resource_lookup_data (eb_http_get_resource (), RESOURCE,
                                                    G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
  gsize size;
  const char *data = g_bytes_get_data (text, &size);

  soup_server_message_set_status (exchange->message, SOUP_STATUS_OK, NULL);
  soup_server_message_set_response (exchange->message, TYPE, SOUP_MEMORY_COPY, data, size);
}

/**
 * eb_description_api_handle:
 * @exchange: (transfer full): if its path is the description's
 *
 * Returns: FALSE if its path is another
 */
gboolean
eb_description_api_handle (EbExchange *exchange)
{
  const char *method = soup_server_message_get_method (exchange->message);

  if (!g_str_equal (exchange->path, PATH))
    return FALSE;
  if (g_str_equal (method, "GET") || g_str_equal (method, "HEAD"))
    reply (exchange);
  else
    eb_exchange_refuse_method (exchange, "GET, HEAD");
  eb_exchange_free (exchange);
  return TRUE;
}
