/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include <locale.h>

#include <glib/gi18n.h>

#include "ctl/eb-command.h"

static const EbCommand commands[] = {
  { "listen", N_ ("Print each event as it comes"), eb_command_listen },
  { "publish", N_ ("Publish an event"), eb_command_publish },
  { "list", N_ ("Show who has registered"), eb_command_list },
  { "dead-letters", N_ ("Show, redrive or drop what could not be delivered"),
    eb_command_dead_letters },
};

int
main (int argc, char **argv)
{
  setlocale (LC_ALL, "");
  bindtextdomain (GETTEXT_PACKAGE, EB_LOCALE_DIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  textdomain (GETTEXT_PACKAGE);

  return (int) eb_command_dispatch (commands, G_N_ELEMENTS (commands), argc, argv);
}
