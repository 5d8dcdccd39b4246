/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include <glib/gi18n.h>
#include <locale.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>

#include "app/eb-daemon.h"
#include "app/eb-options.h"

/* sysexits.h: the command line or the configuration is wrong, so starting again does not help. */
#define EXIT_USAGE 64

/* A heap that shrinks after every burst takes page faults in the next one. Bytes. */
#define HEAP_TRIM_THRESHOLD (8 * 1024 * 1024)
#define HEAP_PADDING        (256 * 1024)

int
main (int argc, char **argv)
{
  g_autoptr (EbOptions) options = NULL;
  g_autoptr (EbConfiguration) configuration = NULL;
  g_autoptr (EbDaemon) daemon = NULL;
  g_autoptr (GError) error = NULL;

  setlocale (LC_ALL, "");
  bindtextdomain (GETTEXT_PACKAGE, EB_LOCALE_DIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  textdomain (GETTEXT_PACKAGE);
  mallopt (M_TRIM_THRESHOLD, HEAP_TRIM_THRESHOLD);
  mallopt (M_TOP_PAD, HEAP_PADDING);
  signal (SIGPIPE, SIG_IGN); /* a reader that left is an error where it is written to */

  options = eb_options_new (&argc, &argv, &error);
  if (options != NULL && eb_options_wants_version (options))
    {
      g_print ("eventbusd %s\n", PACKAGE_VERSION);
      return EXIT_SUCCESS;
    }
  if (options != NULL)
    configuration = eb_options_load (options, &error);
  if (configuration == NULL)
    {
      g_printerr ("eventbusd: %s\n", error->message);
      return EXIT_USAGE;
    }

  daemon = eb_daemon_new (options, g_steal_pointer (&configuration));
  if (!eb_daemon_run (daemon, &error))
    {
      g_printerr ("eventbusd: %s\n", error->message);
      return EXIT_FAILURE;
    }
  return EXIT_SUCCESS;
}
