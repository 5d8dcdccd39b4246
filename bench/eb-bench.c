/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bench/eb-load-client.h"
#include "bench/eb-load-fanout.h"
#include "bench/eb-load-payload.h"
#include "bench/eb-load-posts.h"
#include "bench/eb-load-register.h"
#include "bench/eb-load-sync.h"

#include <gio/gio.h>

/* The load generator's command line. bench/run.py is what drives it. */

/* Registered without a sink behind: the discard port. */
#define DISCARD_PORT 9

static gboolean
parse (
    GOptionContext *context, const GOptionEntry *entries, int *argc, char ***argv, GError **error)
{
  g_option_context_add_main_entries (context, entries, NULL);
  return g_option_context_parse (context, argc, argv, error);
}

static gboolean
require_server (const char *text, struct sockaddr_in *server, GError **error)
{
  if (text != NULL && eb_load_client_parse_server (text, server))
    return TRUE;

  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
               "--server must be an address and port on loopback, as 127.0.0.1:3000");
  return FALSE;
}

static gboolean
run_fanout (int argc, char **argv, GError **error)
{
  EbLoadFanoutOptions o = { .sinks = 100,
                            .warmup = 20,
                            .events = 1000,
                            .connections = 16,
                            .window = 200,
                            .quiet_ms = 1000,
                            .deadline_s = 60 };
  const GOptionEntry entries[] = {
    { "sinks", 0, 0, G_OPTION_ARG_INT, &o.sinks, "Sinks that answer", "N" },
    { "silent", 0, 0, G_OPTION_ARG_INT, &o.silent, "More sinks that never answer", "N" },
    { "refusing", 0, 0, G_OPTION_ARG_INT, &o.refusing, "More sinks that refuse", "N" },
    { "warmup", 0, 0, G_OPTION_ARG_INT, &o.warmup, "Events of the cold phase", "N" },
    { "events", 0, 0, G_OPTION_ARG_INT, &o.events, "Events of the warm phase", "N" },
    { "connections", 0, 0, G_OPTION_ARG_INT, &o.connections, "The publisher's connections", "N" },
    { "window", 0, 0, G_OPTION_ARG_INT, &o.window, "Events under way, 0: any number", "N" },
    { "rate", 0, 0, G_OPTION_ARG_DOUBLE, &o.rate, "Events a second, 0: what goes", "R" },
    { "give-up", 0, 0, G_OPTION_ARG_INT, &o.give_up_ms, "Empty a stalled window after", "MS" },
    { "quiet", 0, 0, G_OPTION_ARG_INT, &o.quiet_ms, "Nothing arrives for this long: over", "MS" },
    { "deadline", 0, 0, G_OPTION_ARG_INT, &o.deadline_s, "The longest a run may take", "S" },
    { "drop-every", 0, 0, G_OPTION_ARG_INT, &o.drop_every, "Overlook each N-th delivery", "N" },
    { "passive", 0, 0, G_OPTION_ARG_NONE, &o.passive, "Another program sends", NULL },
    { "late", 0, 0, G_OPTION_ARG_NONE, &o.late, "Sinks open when all is published", NULL },
    { "unregistered", 0, 0, G_OPTION_ARG_NONE, &o.unregistered, "Register no sink", NULL },
    { "config", 0, 0, G_OPTION_ARG_STRING, &o.config, "What sinks subscribe with", "JSON" },
    { NULL }
  };
  g_autoptr (GOptionContext) context = g_option_context_new ("- measure a fan-out");

  return parse (context, entries, &argc, &argv, error) && eb_load_fanout_run (&o, error);
}

static gboolean
run_register (int argc, char **argv, GError **error)
{
  g_autofree char *server_text = NULL;
  struct sockaddr_in server;
  int count = 1000;
  const GOptionEntry entries[] = { { "server", 0, 0, G_OPTION_ARG_STRING, &server_text,
                                     "Where to register", "ADDRESS:PORT" },
                                   { "count", 0, 0, G_OPTION_ARG_INT, &count, "How many", "N" },
                                   { NULL } };
  g_autoptr (GOptionContext) context = g_option_context_new ("- register sinks");

  return parse (context, entries, &argc, &argv, error)
         && require_server (server_text, &server, error)
         && eb_load_register (
             &server, &(EbLoadRegistration){ .n_sinks = (guint) count, .port = DISCARD_PORT },
             error);
}

static gboolean
run_posts (int argc, char **argv, GError **error)
{
  g_autofree char *server_text = NULL;
  EbLoadPostsOptions o = { .connections = 1, .seconds = 3 };
  const GOptionEntry entries[] = {
    { "server", 0, 0, G_OPTION_ARG_STRING, &server_text, "Whom to publish to", "ADDRESS:PORT" },
    { "connections", 0, 0, G_OPTION_ARG_INT, &o.connections, "Requests at the same time", "N" },
    { "idle", 0, 0, G_OPTION_ARG_INT, &o.idle, "Idle clients beside", "N" },
    { "seconds", 0, 0, G_OPTION_ARG_INT, &o.seconds, "For how long", "S" },
    { "rate", 0, 0, G_OPTION_ARG_DOUBLE, &o.rate, "Events a second, 0: what goes", "R" },
    { NULL }
  };
  g_autoptr (GOptionContext) context = g_option_context_new ("- measure publishing");

  if (!parse (context, entries, &argc, &argv, error)
      || !require_server (server_text, &o.server, error))
    return FALSE;

  eb_load_posts_run (&o);
  return TRUE;
}

static gboolean
run_sync (int argc, char **argv, GError **error)
{
  g_autofree char *folder = NULL;
  int seconds = 3;
  const GOptionEntry entries[] = {
    { "folder", 0, 0, G_OPTION_ARG_FILENAME, &folder, "On the file system to measure", "FOLDER" },
    { "seconds", 0, 0, G_OPTION_ARG_INT, &seconds, "For how long", "S" },
    { NULL }
  };
  g_autoptr (GOptionContext) context = g_option_context_new ("- measure durable writes");

  return parse (context, entries, &argc, &argv, error)
         && eb_load_sync_run (folder != NULL ? folder : ".", (guint) seconds, error);
}

int
main (int argc, char **argv)
{
  static const struct
  {
    const char *name;
    gboolean (*run) (int argc, char **argv, GError **error);
  } commands[] = {
    { "fanout", run_fanout },
    { "register", run_register },
    { "posts", run_posts },
    { "sync", run_sync },
  };
  g_autoptr (GError) error = NULL;

  eb_load_raise_descriptor_limit ();

  for (gsize i = 0; argc > 1 && i < G_N_ELEMENTS (commands); i++)
    if (g_str_equal (argv[1], commands[i].name))
      {
        if (commands[i].run (argc - 1, argv + 1, &error))
          return 0;
        g_printerr ("eb-bench: %s\n", error->message);
        return 1;
      }

  g_printerr ("Usage: eb-bench fanout|register|posts|sync [OPTION…]\n");
  return 1;
}
