/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/eb-command.h"

#include <string.h>

#include <glib/gi18n.h>

#include "ctl/eb-dead-letter-client.h"

/* `eventbusctl dead-letters`: what could not be delivered to a subscriber, and what to do about
 * it. */

/* The bus does not count further. */
#define COUNTED 1000

/* Between two calls, and for how many of them the bus may have no room: a sink that takes nothing
 * for seconds is not waited for. */
#define PAUSE    (G_USEC_PER_SEC / 5)
#define MAX_IDLE 25

typedef struct
{
  gboolean redrive;
  gboolean drop;
  char **sequences; /* (owned) (nullable) as the user wrote them */
} Options;

static void
options_clear (Options *options)
{
  g_clear_pointer (&options->sequences, g_strfreev);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, options_clear)

/* Returns: FALSE if one is none; @sequences is NULL if none was given */
static gboolean
parse_sequences (const Options *options, GArray **sequences)
{
  g_autoptr (GArray) parsed = g_array_new (FALSE, FALSE, sizeof (guint64));
  guint64 sequence;

  *sequences = NULL;
  if (options->sequences == NULL)
    return TRUE;
  for (char **text = options->sequences; *text != NULL; text++)
    {
      if (!g_ascii_string_to_unsigned (*text, 10, 1, G_MAXINT64, &sequence, NULL))
        {
          eb_command_usage (_ ("--sequence=%s is not a whole number from 1."), *text);
          return FALSE;
        }
      g_array_append_val (parsed, sequence);
    }
  *sequences = g_steal_pointer (&parsed);
  return TRUE;
}

static EbExit
fail (const GError *error)
{
  eb_command_complain ("%s", error->message);
  return EB_EXIT_FAILED;
}

static EbExit
print (const char *text)
{
  return eb_command_print (text, strlen (text)) ? EB_EXIT_DONE : EB_EXIT_FAILED;
}

static EbExit
list (EbBusClient *client, const char *address)
{
  const char *const heading[] = { _ ("SEQUENCE"), _ ("EVENT"),  _ ("STATUS"), _ ("ATTEMPTS"),
                                  _ ("LAST"),     _ ("REASON"), NULL };
  g_autoptr (EbTable) table = eb_table_new (heading);
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  guint64 after = 0;

  do
    if (!eb_dead_letter_client_list (client, address, &after, table, &error))
      return fail (error);
  while (after > 0);
  if (eb_table_get_n_rows (table) == 0)
    return print (_ ("No dead letters.\n"));
  text = eb_table_format (table);
  return print (text);
}

static EbExit
print_redriven (guint64 redriven, guint64 left)
{
  g_autofree char *text = g_strdup_printf (left < COUNTED ? _ ("redriven: %u, left: %u\n")
                                                          : _ ("redriven: %u, left: %u or more\n"),
                                           (guint) redriven, (guint) left);

  return print (text);
}

/* The bus takes as many as it has room for, and more when those are delivered. Those that die again
 * meanwhile are not driven in a circle. */
static EbExit
redrive_all (EbBusClient *client, const char *address)
{
  g_autoptr (GError) error = NULL;
  guint64 after = 0, redriven = 0, left = 0, some = 0;
  guint n_idle = 0;

  while (n_idle < MAX_IDLE)
    {
      if (!eb_dead_letter_client_redrive (client, address, NULL, &after, &some, &left, &error))
        return fail (error);
      redriven += some;
      if (left == 0)
        break;
      n_idle = some > 0 ? 0 : n_idle + 1;
      g_usleep (PAUSE);
    }
  return print_redriven (redriven, left);
}

static EbExit
redrive (EbBusClient *client, const char *address, GArray *sequences)
{
  g_autoptr (GError) error = NULL;
  guint64 after = 0, redriven, left;

  if (!eb_dead_letter_client_redrive (client, address, sequences, &after, &redriven, &left, &error))
    return fail (error);
  return print_redriven (redriven, left);
}

static EbExit
drop (EbBusClient *client, const char *address, GArray *sequences)
{
  g_autoptr (GError) error = NULL;

  if (!eb_dead_letter_client_drop (client, address, sequences, &error))
    return fail (error);
  return print (_ ("dropped\n"));
}

static EbExit
run (EbBusClient *client, const char *address, const Options *options)
{
  g_autoptr (GArray) sequences = NULL;

  if (options->redrive && options->drop)
    return eb_command_usage (_ ("It is --redrive or --drop, not both."));
  if (options->sequences != NULL && !options->redrive && !options->drop)
    return eb_command_usage (_ ("--sequence goes with --redrive or --drop."));
  if (!parse_sequences (options, &sequences))
    return EB_EXIT_USAGE;
  if (options->redrive)
    return sequences != NULL ? redrive (client, address, sequences) : redrive_all (client, address);
  if (options->drop)
    return drop (client, address, sequences);
  return list (client, address);
}

EbExit
eb_command_dead_letters (const char *url, int argc, char **argv)
{
  g_autoptr (GOptionContext) context = g_option_context_new (_ ("ADDRESS"));
  g_autoptr (EbBusClient) client = NULL;
  g_auto (Options) options = { 0 };
  EbExit status;
  const GOptionEntry entries[] = {
    { "redrive", 0, 0, G_OPTION_ARG_NONE, &options.redrive, N_ ("Deliver them again"), NULL },
    { "drop", 0, 0, G_OPTION_ARG_NONE, &options.drop, N_ ("Forget them"), NULL },
    { "sequence", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options.sequences,
      N_ ("Only this one (repeatable; default: all)"), N_ ("N") },
    G_OPTION_ENTRY_NULL,
  };

  g_option_context_set_summary (
      context, _ ("Shows the events that could not be delivered to a subscriber."));
  g_option_context_add_main_entries (context, entries, GETTEXT_PACKAGE);
  if (!eb_command_parse (context, "dead-letters", url, &argc, &argv, &client, &status))
    return status;
  if (argc < 2 || *argv[1] == '\0')
    return eb_command_usage (_ ("Whose dead letters? It takes a subscriber's address."));
  if (argc > 2)
    return eb_command_usage (_ ("dead-letters takes no argument \"%s\"."), argv[2]);
  return run (client, argv[1], &options);
}
