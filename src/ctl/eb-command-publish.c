/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/eb-command.h"

#include <string.h>
#include <unistd.h>

#include <gio/gio.h>
#include <gio/gunixinputstream.h>
#include <glib/gi18n.h>

#include "ctl/eb-terminal-text.h"

/* `eventbusctl publish`: one event from the command line, a file or a pipe. */

/* Far above any event that a bus takes; it only keeps a wrong file out of memory. */
#define MAX_DATA_SIZE (64 * 1024 * 1024)

/* RFC 9110, 8.3.1: two tokens and parameters, which only the subscribers can judge. */
#define TOKEN      "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
#define MEDIA_TYPE "^" TOKEN "/" TOKEN "[ \t]*(;[\t -~]*)?$"

typedef struct
{
  char *file;         /* (owned) (nullable) */
  char *content_type; /* (owned) (nullable) */
  char **arguments;   /* (owned) (nullable) */
  gboolean quiet;
} Options;

static void
options_clear (Options *options)
{
  g_clear_pointer (&options->file, g_free);
  g_clear_pointer (&options->content_type, g_free);
  g_clear_pointer (&options->arguments, g_strfreev);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, options_clear)

static gboolean
is_media_type (const char *text)
{
  return g_regex_match_simple (MEDIA_TYPE, text, G_REGEX_RAW | G_REGEX_DOLLAR_ENDONLY, 0);
}

static void
refuse_content_type (const char *content_type)
{
  g_autofree char *line = eb_terminal_text_line (content_type);

  eb_command_usage (_ ("\"%s\" is not a content type: --content-type takes a media type like "
                       "application/json or text/plain; charset=utf-8, in printable ASCII."),
                    line);
}

static gboolean
parse (
    const char *url, int argc, char **argv, Options *options, EbBusClient **client, EbExit *status)
{
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  const GOptionEntry entries[] = {
    { "file", 0, 0, G_OPTION_ARG_FILENAME, &options->file, N_ ("Publish what is in FILE"),
      N_ ("FILE") },
    { "content-type", 0, 0, G_OPTION_ARG_STRING, &options->content_type,
      N_ ("The data's media type (default: text/plain for text given as DATA, else "
          "application/octet-stream)"),
      N_ ("TYPE") },
    { "quiet", 'q', 0, G_OPTION_ARG_NONE, &options->quiet, N_ ("Print nothing on success"), NULL },
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &options->arguments, NULL,
      N_ ("[DATA|-]") },
    G_OPTION_ENTRY_NULL,
  };

  g_option_context_set_summary (context, _ ("Publishes DATA, a file, or the standard input."));
  g_option_context_add_main_entries (context, entries, GETTEXT_PACKAGE);
  if (!eb_command_parse (context, "publish", url, &argc, &argv, client, status))
    return FALSE;

  *status = EB_EXIT_USAGE;
  if (options->arguments != NULL && options->arguments[1] != NULL)
    eb_command_usage (_ ("publish takes one argument; put quotes around text with spaces."));
  else if (options->arguments != NULL && options->file != NULL)
    eb_command_usage (_ ("publish takes either data or --file, not both."));
  else if (options->content_type != NULL && !is_media_type (options->content_type))
    refuse_content_type (options->content_type);
  else
    return TRUE;
  return FALSE;
}

static GBytes *
read_stream (GInputStream *stream, GError **error)
{
  g_autoptr (GOutputStream) memory = g_memory_output_stream_new_resizable ();

  for (;;)
    {
      g_autoptr (GBytes) bytes = g_input_stream_read_bytes (stream, 64 * 1024, NULL, error);
      gsize size;

      if (bytes == NULL)
        return NULL;
      if (g_bytes_get_size (bytes) == 0)
        break;
      g_output_stream_write_bytes (memory, bytes, NULL, NULL);
      size = g_memory_output_stream_get_data_size (G_MEMORY_OUTPUT_STREAM (memory));
      if (size > MAX_DATA_SIZE)
        {
          g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE,
                               _ ("This is more than 64 MiB, too much for an event"));
          return NULL;
        }
    }
  g_output_stream_close (memory, NULL, NULL);
  return g_memory_output_stream_steal_as_bytes (G_MEMORY_OUTPUT_STREAM (memory));
}

static GBytes *
read_standard_input (GError **error)
{
  g_autoptr (GInputStream) stream = g_unix_input_stream_new (STDIN_FILENO, FALSE);
  GBytes *data;

  if (isatty (STDIN_FILENO))
    g_printerr (_ ("Type what to publish, then Ctrl-D at the start of a line.\n"));
  data = read_stream (stream, error);
  if (data == NULL)
    g_prefix_error (error, _ ("Cannot read the standard input: "));
  return data;
}

static GBytes *
read_file (const char *path, GError **error)
{
  g_autoptr (GFile) file = g_file_new_for_commandline_arg (path);
  g_autoptr (GFileInputStream) stream = g_file_read (file, NULL, error);
  GBytes *data = stream != NULL ? read_stream (G_INPUT_STREAM (stream), error) : NULL;

  if (data == NULL)
    g_prefix_error (error, _ ("Cannot read \"%s\": "), path);
  return data;
}

static GBytes *
read_data (const Options *options, GError **error)
{
  const char *argument = options->arguments != NULL ? options->arguments[0] : NULL;

  if (argument != NULL && strcmp (argument, "-") != 0)
    return g_bytes_new (argument, strlen (argument));
  if (options->file != NULL && strcmp (options->file, "-") != 0)
    return read_file (options->file, error);
  return read_standard_input (error);
}

static const char *
choose_content_type (const Options *options)
{
  const char *argument = options->arguments != NULL ? options->arguments[0] : NULL;

  if (options->content_type != NULL)
    return options->content_type;
  if (argument != NULL && strcmp (argument, "-") != 0 && g_utf8_validate (argument, -1, NULL))
    return "text/plain; charset=utf-8";
  return "application/octet-stream";
}

EbExit
eb_command_publish (const char *url, int argc, char **argv)
{
  g_auto (Options) options = { 0 };
  g_autoptr (EbBusClient) client = NULL;
  g_autoptr (GBytes) data = NULL;
  g_autoptr (GError) error = NULL;
  EbExit status;

  if (!parse (url, argc, argv, &options, &client, &status))
    return status;

  data = read_data (&options, &error);
  if (data == NULL || !eb_bus_client_publish (client, data, choose_content_type (&options), &error))
    {
      eb_command_complain ("%s", error->message);
      return EB_EXIT_FAILED;
    }
  /* The event is published, whether or not this line can be printed. */
  if (!options.quiet)
    eb_command_print (_ ("published\n"), strlen (_ ("published\n")));
  return EB_EXIT_DONE;
}
