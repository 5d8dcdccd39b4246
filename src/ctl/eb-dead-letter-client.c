/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/eb-dead-letter-client.h"

#include <string.h>

#include <glib/gi18n.h>
#include <json-glib/json-glib.h>

#include "ctl/eb-terminal-text.h"

/* The bus's dead letters as its users see them: rows of a table, and counts. */

/* As many as the bus gives at once. */
#define PAGE_SIZE 1000

static char *
build_target (const char *address, const char *rest)
{
  g_autofree char *id = g_uri_escape_string (address, NULL, FALSE);

  return g_strdup_printf ("/v1/subscriptions/%s/dead-letters%s", id, rest);
}

/* Returns: (transfer full) (nullable): an answer of another shape is not this bus's */
static JsonNode *
parse (EbBusClient *client, GBytes *answer, JsonNodeType type, GError **error)
{
  g_autoptr (JsonParser) parser = json_parser_new ();
  gsize size;
  const char *text = g_bytes_get_data (answer, &size);
  JsonNode *root = NULL;

  if (size > 0 && json_parser_load_from_data (parser, text, (gssize) size, NULL))
    root = json_parser_get_root (parser);
  if (root != NULL && json_node_get_node_type (root) == type)
    return json_node_copy (root);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
               _ ("What answers at %s is not an event bus of this version."),
               eb_bus_client_get_name (client));
  return NULL;
}

static char *
format_time (JsonObject *letter, const char *name)
{
  const char *text = json_object_get_string_member_with_default (letter, name, NULL);
  g_autoptr (GTimeZone) zone = g_time_zone_new_utc ();
  g_autoptr (GDateTime) time = text != NULL ? g_date_time_new_from_iso8601 (text, zone) : NULL;
  g_autoptr (GDateTime) local = time != NULL ? g_date_time_to_local (time) : NULL;

  return local != NULL ? g_date_time_format (local, "%F %T") : g_strdup ("-");
}

static char *
format_number (JsonObject *letter, const char *name)
{
  gint64 number = json_object_get_int_member_with_default (letter, name, 0);

  return number > 0 ? g_strdup_printf ("%" G_GINT64_FORMAT, number) : g_strdup ("-");
}

static char *
format_text (JsonObject *letter, const char *name)
{
  const char *text = json_object_get_string_member_with_default (letter, name, NULL);

  return eb_terminal_text_line (text != NULL ? text : "-");
}

static void
add_row_cb (JsonArray *letters, guint index, JsonNode *node, gpointer user_data)
{
  JsonObject *letter = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
  char **row;

  if (letter == NULL)
    return;
  row = g_new0 (char *, 7);
  row[0] = format_number (letter, "sequence");
  row[1] = format_text (letter, "id");
  row[2] = format_number (letter, "laststatus");
  row[3] = format_number (letter, "attempts");
  row[4] = format_time (letter, "last");
  row[5] = format_text (letter, "reason");
  eb_table_take_row (user_data, row);
}

/* Returns: where the next page begins; 0 if @link names none */
static guint64
parse_link (const char *link)
{
  const char *after = link != NULL ? strstr (link, "after=") : NULL;

  if (after == NULL || strstr (after, "rel=\"next\"") == NULL)
    return 0;
  return g_ascii_strtoull (after + strlen ("after="), NULL, 10);
}

/**
 * eb_dead_letter_client_list:
 * @after: (inout): a sequence, 0 at first; 0 again after the last page
 * @table: gets a row for each
 *
 * Asks for a page of dead letters.
 */
gboolean
eb_dead_letter_client_list (
    EbBusClient *client, const char *address, guint64 *after, EbTable *table, GError **error)
{
  g_autofree char *query =
      g_strdup_printf ("?after=%" G_GUINT64_FORMAT "&limit=%d", *after, PAGE_SIZE);
  g_autofree char *target = build_target (address, query);
  g_autofree char *link = NULL;
  g_autoptr (GBytes) answer = eb_bus_client_call (client, "GET", target, NULL, &link, error);
  g_autoptr (JsonNode) root =
      answer != NULL ? parse (client, answer, JSON_NODE_ARRAY, error) : NULL;
  guint64 next = parse_link (link);

  if (root == NULL)
    return FALSE;
  json_array_foreach_element (json_node_get_array (root), add_row_cb, table);
  *after = next > *after ? next : 0; /* and never in a circle */
  return TRUE;
}

static char *
join (GArray *sequences)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < sequences->len; i++)
    g_string_append_printf (text, "%s%" G_GUINT64_FORMAT, i > 0 ? "," : "",
                            g_array_index (sequences, guint64, i));
  return g_string_free (text, FALSE);
}

static GBytes *
create_body (GArray *sequences)
{
  g_autofree char *list = join (sequences);
  char *text = g_strdup_printf ("{\"sequences\":[%s]}", list);

  return g_bytes_new_take (text, strlen (text));
}

/**
 * eb_dead_letter_client_redrive:
 * @sequences: (nullable) (element-type guint64): which; NULL for as many as the bus takes at once
 * @after: (inout): of all, those after this sequence, 0 at first; then the last of them
 * @redriven: (out): how many are delivered again
 * @left: (out): how many dead letters there are still, as far as the bus counts them
 */
gboolean
eb_dead_letter_client_redrive (EbBusClient *client,
                               const char *address,
                               GArray *sequences,
                               guint64 *after,
                               guint64 *redriven,
                               guint64 *left,
                               GError **error)
{
  g_autofree char *rest = g_strdup_printf ("/redrive?after=%" G_GUINT64_FORMAT, *after);
  g_autofree char *target = build_target (address, sequences == NULL ? rest : "/redrive");
  g_autofree char *link = NULL;
  g_autoptr (GBytes) body = sequences != NULL ? create_body (sequences) : NULL;
  g_autoptr (GBytes) answer = eb_bus_client_call (client, "POST", target, body, &link, error);
  g_autoptr (JsonNode) root =
      answer != NULL ? parse (client, answer, JSON_NODE_OBJECT, error) : NULL;
  JsonObject *counts = root != NULL ? json_node_get_object (root) : NULL;

  if (counts == NULL)
    return FALSE;
  *redriven = (guint64) json_object_get_int_member_with_default (counts, "redriven", 0);
  *after = MAX (*after, parse_link (link));
  *left = (guint64) json_object_get_int_member_with_default (counts, "left", 0);
  return TRUE;
}

/**
 * eb_dead_letter_client_drop:
 * @sequences: (nullable) (element-type guint64): which; NULL for all
 */
gboolean
eb_dead_letter_client_drop (EbBusClient *client,
                            const char *address,
                            GArray *sequences,
                            GError **error)
{
  g_autofree char *list = sequences != NULL ? join (sequences) : NULL;
  g_autofree char *query = list != NULL ? g_strconcat ("?sequences=", list, NULL) : NULL;
  g_autofree char *target = build_target (address, query != NULL ? query : "");
  g_autoptr (GBytes) answer = eb_bus_client_call (client, "DELETE", target, NULL, NULL, error);

  return answer != NULL;
}
