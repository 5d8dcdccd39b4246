/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/eb-bus-answer.h"

#include <errno.h>
#include <string.h>

#include <glib/gi18n.h>
#include <json-glib/json-glib.h>

#include "ctl/eb-terminal-text.h"

/* Tells people what a call to the bus came to: where, what, and the way out. */

/* Of what the bus says when it refuses; a problem's detail fits, a page does not. */
#define MAX_REASON_LENGTH 300

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
set_unreachable (const char *bus, const GError *failure, GError **error)
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
               bus, describe_failure (failure));
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

/**
 * eb_bus_answer_check:
 * @bus: what the user calls the bus
 * @message: the call
 * @body: (nullable): what was answered; %NULL if nothing was
 * @failure: (nullable): why not
 * @error: return location for a sentence for people
 *
 * Takes what a call came to.
 *
 * Returns: (transfer full) (nullable): the body of a 200 or 204
 */
GBytes *
eb_bus_answer_check (
    const char *bus, SoupMessage *message, GBytes *body, const GError *failure, GError **error)
{
  g_autofree char *answer = NULL;

  if (body == NULL)
    {
      set_unreachable (bus, failure, error);
      return NULL;
    }
  if (soup_message_get_status (message) == SOUP_STATUS_OK
      || soup_message_get_status (message) == SOUP_STATUS_NO_CONTENT)
    return g_bytes_ref (body);

  answer = describe_answer (message, body);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, _ ("The bus at %s refused %s: %s"), bus,
               g_uri_get_path (soup_message_get_uri (message)), answer);
  return NULL;
}
