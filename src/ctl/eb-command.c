/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/eb-command.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <glib/gi18n.h>

/* What the commands have in common: the options every one of them takes, how
 * they speak to people, and finding the one that was asked for. */

#define DEFAULT_URL  "http://127.0.0.1:3000"
#define PROGRAM_NAME "eventbusctl"

/**
 * eb_command_complain:
 * @format: a message that says what happened and what to do
 *
 * Prints a message on standard error.
 */
void
eb_command_complain (const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list args;

  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  g_printerr ("%s: %s\n", PROGRAM_NAME, message);
}

/**
 * eb_command_usage:
 * @format: what is wrong with the command line
 *
 * Prints the message and where to find help on standard error.
 *
 * Returns: %EB_EXIT_USAGE
 */
EbExit
eb_command_usage (const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list args;

  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  eb_command_complain ("%s", message);
  /* The program's name is by now that of the command, if there is one. */
  g_printerr (_ ("Try \"%s --help\".\n"), g_get_prgname ());
  return EB_EXIT_USAGE;
}

/**
 * eb_command_print:
 * @text: bytes for standard output
 * @length: how many
 *
 * Writes all of @text, or says why it could not. A reader that has left is not
 * worth a message.
 *
 * Returns: whether everything was written
 */
gboolean
eb_command_print (const char *text, gsize length)
{
  int failure;

  if (length == 0 || (fwrite (text, 1, length, stdout) == length && fflush (stdout) == 0))
    return TRUE;

  failure = errno;
  if (failure != EPIPE)
    eb_command_complain (_ ("Cannot write to the standard output: %s."), g_strerror (failure));
  return FALSE;
}

static EbExit
print_version (void)
{
  static const char version[] = PROGRAM_NAME " " PACKAGE_VERSION "\n";

  return eb_command_print (version, sizeof version - 1) ? EB_EXIT_DONE : EB_EXIT_FAILED;
}

static const char *
choose_url (const char *nearest, const char *outer)
{
  const char *environment = g_getenv ("EVENTBUS_URL");

  if (nearest != NULL)
    return nearest;
  if (outer != NULL)
    return outer;
  /* A variable that is set to nothing is how shells unset one for a command. */
  return environment != NULL && *environment != '\0' ? environment : DEFAULT_URL;
}

/**
 * eb_command_parse:
 * @context: the command's own options
 * @name: the command's name
 * @url: (nullable): the URL given before the command's name
 * @argc: number of arguments
 * @argv: arguments
 * @client: (out) (transfer full): a client for the bus that the user means
 * @status: (out): how to exit, if %FALSE is returned
 *
 * Parses the command's options and those that all commands have.
 *
 * Returns: %TRUE to go on, %FALSE to leave with @status
 */
gboolean
eb_command_parse (GOptionContext *context,
                  const char *name,
                  const char *url,
                  int *argc,
                  char ***argv,
                  EbBusClient **client,
                  EbExit *status)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *own_url = NULL;
  g_autofree char *full_name = g_strconcat (PROGRAM_NAME " ", name, NULL);
  gboolean version = FALSE;
  const GOptionEntry entries[] = {
    { "url", 0, 0, G_OPTION_ARG_STRING, &own_url,
      N_ ("Where the bus is (default: $EVENTBUS_URL, else http://127.0.0.1:3000)"),
      N_ ("URL|unix:PATH") },
    { "version", 0, 0, G_OPTION_ARG_NONE, &version, N_ ("Print the version and exit"), NULL },
    G_OPTION_ENTRY_NULL,
  };

  g_set_prgname (full_name);
  g_option_context_add_main_entries (context, entries, GETTEXT_PACKAGE);
  g_option_context_set_translation_domain (context, GETTEXT_PACKAGE);
  if (!g_option_context_parse (context, argc, argv, &error))
    {
      *status = eb_command_usage ("%s", error->message);
      return FALSE;
    }
  if (version)
    {
      *status = print_version ();
      return FALSE;
    }
  *client = eb_bus_client_new (choose_url (own_url, url), &error);
  if (*client == NULL)
    *status = eb_command_usage ("%s", error->message);
  return *client != NULL;
}

static char *
describe_commands (const EbCommand *commands, gsize n_commands)
{
  g_autoptr (GString) text = g_string_new (_ ("Commands:\n"));

  for (gsize i = 0; i < n_commands; i++)
    g_string_append_printf (text, "  %-12s %s\n", commands[i].name, _ (commands[i].summary));
  g_string_append (text, _ ("\n\"eventbusctl COMMAND --help\" shows a command's options."));
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static const EbCommand *
find_command (const EbCommand *commands, gsize n_commands, const char *name)
{
  for (gsize i = 0; i < n_commands; i++)
    if (strcmp (commands[i].name, name) == 0)
      return &commands[i];
  return NULL;
}

/**
 * eb_command_dispatch:
 * @commands: (array length=n_commands): the commands there are
 * @n_commands: how many
 * @argc: the program's number of arguments
 * @argv: the program's arguments
 *
 * Runs the command that the first argument names, after the options that stand
 * before it.
 *
 * Returns: the program's exit status
 */
EbExit
eb_command_dispatch (const EbCommand *commands, gsize n_commands, int argc, char **argv)
{
  g_autoptr (GOptionContext) context = g_option_context_new (_ ("COMMAND"));
  g_autoptr (GError) error = NULL;
  g_autofree char *description = describe_commands (commands, n_commands);
  g_autofree char *url = NULL;
  gboolean version = FALSE;
  const EbCommand *command;
  const GOptionEntry entries[] = {
    { "url", 0, 0, G_OPTION_ARG_STRING, &url,
      N_ ("Where the bus is (default: $EVENTBUS_URL, else http://127.0.0.1:3000)"),
      N_ ("URL|unix:PATH") },
    { "version", 0, 0, G_OPTION_ARG_NONE, &version, N_ ("Print the version and exit"), NULL },
    G_OPTION_ENTRY_NULL,
  };

  g_set_prgname (PROGRAM_NAME);
  g_option_context_set_summary (context, _ ("Listen and publish to an event bus."));
  g_option_context_set_description (context, description);
  g_option_context_set_strict_posix (context, TRUE);
  g_option_context_add_main_entries (context, entries, GETTEXT_PACKAGE);
  g_option_context_set_translation_domain (context, GETTEXT_PACKAGE);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    return eb_command_usage ("%s", error->message);
  if (version)
    return print_version ();
  if (argc < 2)
    return eb_command_usage (
        _ ("Which command? There are listen, publish, list and dead-letters."));

  command = find_command (commands, n_commands, argv[1]);
  if (command == NULL)
    return eb_command_usage (_ ("There is no command \"%s\"."), argv[1]);
  return command->run (url, argc - 1, argv + 1);
}
