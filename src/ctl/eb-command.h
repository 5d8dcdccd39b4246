/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

#include "ctl/eb-bus-client.h"

G_BEGIN_DECLS

/**
 * EbExit:
 * @EB_EXIT_DONE: what was asked for was done
 * @EB_EXIT_FAILED: it could not be done; the reason is on standard error
 * @EB_EXIT_USAGE: the command line makes no sense
 *
 * Exit statuses of `eventbusctl`.
 */
typedef enum
{
  EB_EXIT_DONE = 0,
  EB_EXIT_FAILED = 1,
  EB_EXIT_USAGE = 2,
} EbExit;

/**
 * EbCommandFunc:
 * @url: (nullable): the URL given before the command's name
 *
 * Runs one command; `argv[0]` is the command's name.
 */
typedef EbExit (*EbCommandFunc) (const char *url, int argc, char **argv);

typedef struct
{
  const char *name;
  const char *summary; /* N_() marked */
  EbCommandFunc run;
} EbCommand;

EbExit eb_command_dispatch (const EbCommand *commands, gsize n_commands, int argc, char **argv);

gboolean eb_command_parse (GOptionContext *context,
                           const char *name,
                           const char *url,
                           int *argc,
                           char ***argv,
                           EbBusClient **client,
                           EbExit *status);

void eb_command_complain (const char *format, ...) G_GNUC_PRINTF (1, 2);
EbExit eb_command_usage (const char *format, ...) G_GNUC_PRINTF (1, 2);
gboolean eb_command_print (const char *text, gsize length);

EbExit eb_command_listen (const char *url, int argc, char **argv);
EbExit eb_command_publish (const char *url, int argc, char **argv);
EbExit eb_command_dead_letters (const char *url, int argc, char **argv);
EbExit eb_command_list (const char *url, int argc, char **argv);

G_END_DECLS
