/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/eb-command.h"

#include <string.h>

#include <glib/gi18n.h>

#include "ctl/eb-terminal-text.h"

/* `eventbusctl list`: the subscribers as a table. */

/* Between an address and its time, as the bus prints them. */
#define SEPARATOR "  :  "

typedef struct
{
  char *address; /* (owned) safe to print */
  char *time;    /* (owned) local, or as the bus sent it */
  char *age;     /* (owned) */
} Row;

static void
row_free (Row *row)
{
  g_free (row->address);
  g_free (row->time);
  g_free (row->age);
  g_free (row);
}

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

static void
fill_time (Row *row, const char *text, GDateTime *now)
{
  g_autoptr (GTimeZone) zone = g_time_zone_new_utc ();
  g_autoptr (GDateTime) time = g_date_time_new_from_iso8601 (text, zone);
  g_autoptr (GDateTime) local = time != NULL ? g_date_time_to_local (time) : NULL;

  if (local == NULL)
    {
      row->time = eb_terminal_text_line (text);
      row->age = g_strdup ("-");
      return;
    }
  row->time = g_date_time_format (local, "%F %T");
  row->age = format_age (g_date_time_difference (now, time) / G_TIME_SPAN_SECOND);
}

static Row *
parse_row (const char *line, GDateTime *now)
{
  Row *row = g_new0 (Row, 1);
  /* The last one: an address is whatever was registered. */
  const char *separator = g_strrstr (line, SEPARATOR);
  g_autofree char *address =
      separator != NULL ? g_strndup (line, separator - line) : g_strdup (line);

  row->address = eb_terminal_text_line (address);
  fill_time (row, separator != NULL ? separator + strlen (SEPARATOR) : "-", now);
  return row;
}

static GPtrArray *
parse_list (GBytes *list)
{
  GPtrArray *rows = g_ptr_array_new_with_free_func ((GDestroyNotify) row_free);
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  gsize size;
  const char *text = g_bytes_get_data (list, &size);
  g_autofree char *copy = g_strndup (size > 0 ? text : "", size);
  g_auto (GStrv) lines = g_strsplit (copy, "\n", -1);

  for (gsize i = 0; lines[i] != NULL; i++)
    if (*lines[i] != '\0')
      g_ptr_array_add (rows, parse_row (lines[i], now));
  return rows;
}

static void
append_cell (GString *out, const char *text, glong width)
{
  glong length = g_utf8_strlen (text, -1);

  g_string_append_printf (out, "%s%*s", text, (int) (width - length + 2), "");
}

static void
append_row (GString *out, const Row *row, glong address_width, glong time_width)
{
  append_cell (out, row->address, address_width);
  append_cell (out, row->time, time_width);
  g_string_append_printf (out, "%s\n", row->age);
}

static char *
format_table (GPtrArray *rows)
{
  g_autoptr (GString) out = g_string_new (NULL);
  Row heading = { _ ("ADDRESS"), _ ("LAST KEEP-ALIVE"), _ ("AGE") };
  glong address_width = g_utf8_strlen (heading.address, -1);
  glong time_width = g_utf8_strlen (heading.time, -1);

  for (guint i = 0; i < rows->len; i++)
    {
      const Row *row = g_ptr_array_index (rows, i);

      address_width = MAX (address_width, g_utf8_strlen (row->address, -1));
      time_width = MAX (time_width, g_utf8_strlen (row->time, -1));
    }
  append_row (out, &heading, address_width, time_width);
  for (guint i = 0; i < rows->len; i++)
    append_row (out, g_ptr_array_index (rows, i), address_width, time_width);
  return g_string_free (g_steal_pointer (&out), FALSE);
}

static gboolean
print_table (GBytes *list)
{
  g_autoptr (GPtrArray) rows = parse_list (list);
  g_autofree char *table = rows->len > 0 ? format_table (rows) : g_strdup (_ ("No subscribers.\n"));

  return eb_command_print (table, strlen (table));
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
