/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/eb-command.h"

#include <string.h>

#include <glib/gi18n.h>

#include "ctl/eb-table.h"
#include "ctl/eb-terminal-text.h"

/* `eventbusctl list`: the subscribers as a table. */

/* Between an address and its time, as the bus prints them. */
#define SEPARATOR "  :  "

static char *
format_age (gint64 seconds)
{
  /* The bus's clock may be a little ahead of ours. */
  seconds = MAX (seconds, 0);
  if (seconds < 60)
    return g_strdup_printf (_ ("%d s"), (int) seconds);
  if (seconds < 60 * 60)
    return g_strdup_printf (_ ("%d min %d s"), (int) (seconds / 60), (int) (seconds % 60));
  return g_strdup_printf (_ ("%d h %d min"), (int) (seconds / 3600), (int) (seconds / 60 % 60));
}

/* Takes @address; what comes after it in a row is made of @text. */
static char **
create_row (char *address, const char *text, GDateTime *now)
{
  g_autoptr (GTimeZone) zone = g_time_zone_new_utc ();
  g_autoptr (GDateTime) time = g_date_time_new_from_iso8601 (text, zone);
  g_autoptr (GDateTime) local = time != NULL ? g_date_time_to_local (time) : NULL;
  char **row = g_new0 (char *, 4);

  row[0] = address;
  if (local != NULL)
    {
      row[1] = g_date_time_format (local, "%F %T");
      row[2] = format_age (g_date_time_difference (now, time) / G_TIME_SPAN_SECOND);
      return row;
    }
  row[1] = eb_terminal_text_line (text);
  row[2] = g_strdup ("-");
  return row;
}

static char **
parse_row (const char *line, GDateTime *now)
{
  /* The last one: an address is whatever was registered. */
  const char *separator = g_strrstr (line, SEPARATOR);
  g_autofree char *address =
      separator != NULL ? g_strndup (line, separator - line) : g_strdup (line);

  return create_row (eb_terminal_text_line (address),
                     separator != NULL ? separator + strlen (SEPARATOR) : "-", now);
}

static EbTable *
parse_list (GBytes *list)
{
  const char *const heading[] = { _ ("ADDRESS"), _ ("LAST KEEP-ALIVE"), _ ("AGE"), NULL };
  EbTable *table = eb_table_new (heading);
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  gsize size;
  const char *text = g_bytes_get_data (list, &size);
  g_autofree char *copy = g_strndup (size > 0 ? text : "", size);
  g_auto (GStrv) lines = g_strsplit (copy, "\n", -1);

  for (gsize i = 0; lines[i] != NULL; i++)
    if (*lines[i] != '\0')
      eb_table_take_row (table, parse_row (lines[i], now));
  return table;
}

static gboolean
print_table (GBytes *list)
{
  g_autoptr (EbTable) table = parse_list (list);
  g_autofree char *text = eb_table_get_n_rows (table) > 0 ? eb_table_format (table)
                                                          : g_strdup (_ ("No subscribers.\n"));

  return eb_command_print (text, strlen (text));
}

static gboolean
print_raw (GBytes *list)
{
  gsize size;
  const char *text = g_bytes_get_data (list, &size);

  return eb_command_print (text, size);
}

EbExit
eb_command_list (const char *url, int argc, char **argv)
{
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (EbBusClient) client = NULL;
  g_autoptr (GBytes) list = NULL;
  g_autoptr (GError) error = NULL;
  gboolean raw = FALSE;
  EbExit status;
  const GOptionEntry entries[] = {
    { "raw", 0, 0, G_OPTION_ARG_NONE, &raw, N_ ("Print the list as the bus does"), NULL },
    G_OPTION_ENTRY_NULL,
  };

  g_option_context_set_summary (context, _ ("Shows who has registered, and when last."));
  g_option_context_add_main_entries (context, entries, GETTEXT_PACKAGE);
  if (!eb_command_parse (context, "list", url, &argc, &argv, &client, &status))
    return status;
  if (argc > 1)
    return eb_command_usage (_ ("list takes no argument \"%s\"."), argv[1]);

  list = eb_bus_client_list (client, &error);
  if (list == NULL)
    {
      eb_command_complain ("%s", error->message);
      return EB_EXIT_FAILED;
    }
  return (raw ? print_raw (list) : print_table (list)) ? EB_EXIT_DONE : EB_EXIT_FAILED;
}
