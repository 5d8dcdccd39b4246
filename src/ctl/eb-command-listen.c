/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/eb-command.h"

#include <signal.h>
#include <unistd.h>

#include <glib-unix.h>
#include <glib/gi18n.h>

#include "ctl/eb-event-writer.h"
#include "ctl/eb-lease-keeper.h"
#include "ctl/eb-listen-server.h"

/* `eventbusctl listen`: a sink of its own, registered as long as it runs. This
 * file wires the parts together and decides when to leave. */

/* A bus does not say how long its leases last. Two minutes are usual, but people try short ones by
 * hand, and keeping alive costs a bus next to nothing. */
#define DEFAULT_LEASE_S 6

/* A keep-alive may get lost twice before the lease is. */
#define KEEP_ALIVES_PER_LEASE 3

/* Nobody who pressed Ctrl-C wants to wait longer for a bus that does not answer. */
#define STOP_DEADLINE_S 3

typedef struct
{
  char *address; /* (owned) (nullable) */
  gint64 count;
  gint64 lease_s;
  gboolean raw;
  gboolean json;
} Options;

typedef struct
{
  GMainLoop *loop;        /* (owned) */
  EbBusClient *client;    /* (owned) */
  EbListenServer *server; /* (owned) */
  EbEventWriter *writer;  /* (owned) */
  EbLeaseKeeper *keeper;  /* (owned) */
  gboolean is_stopping;
  gboolean is_deregistered; /* or can't be */
  EbExit status;
} Listener;

static void
options_clear (Options *options)
{
  g_clear_pointer (&options->address, g_free);
}

static void
listener_clear (Listener *self)
{
  g_clear_object (&self->keeper);
  g_clear_object (&self->writer);
  g_clear_object (&self->server);
  g_clear_object (&self->client);
  g_clear_pointer (&self->loop, g_main_loop_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, options_clear)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Listener, listener_clear)

static void
leave_when_done (Listener *self)
{
  if (self->is_deregistered && !eb_event_writer_is_busy (self->writer))
    g_main_loop_quit (self->loop);
}

static void
stop_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Listener *self = user_data;
  g_autoptr (GError) error = NULL;

  if (!eb_lease_keeper_stop_finish (EB_LEASE_KEEPER (source), result, &error))
    {
      eb_command_complain (
          _ ("Could not deregister %s; it stays registered until its lease ends. %s"),
          eb_listen_server_get_address (self->server), error->message);
      self->status = EB_EXIT_FAILED;
    }
  self->is_deregistered = TRUE;
  leave_when_done (self);
}

static gboolean
deadline_cb (gpointer user_data)
{
  Listener *self = user_data;

  if (!self->is_deregistered)
    {
      eb_command_complain (_ ("%s does not answer; %s stays registered until its lease ends."),
                           eb_bus_client_get_name (self->client),
                           eb_listen_server_get_address (self->server));
      self->status = EB_EXIT_FAILED;
    }
  g_main_loop_quit (self->loop);
  return G_SOURCE_REMOVE;
}

static void
stop (Listener *self, EbExit status)
{
  if (self->is_stopping)
    return;
  self->is_stopping = TRUE;
  self->status = status;
  g_timeout_add_seconds (STOP_DEADLINE_S, deadline_cb, self);
  eb_lease_keeper_stop_async (self->keeper, stop_cb, self);
}

static gboolean
signal_cb (gpointer user_data)
{
  Listener *self = user_data;

  /* Asked twice, it leaves things as they are. */
  if (self->is_stopping)
    {
      self->status = EB_EXIT_FAILED;
      g_main_loop_quit (self->loop);
    }
  stop (self, EB_EXIT_DONE);
  return G_SOURCE_CONTINUE;
}

static void
finished_cb (Listener *self)
{
  stop (self, EB_EXIT_DONE);
}

static void
failed_cb (Listener *self, GError *error)
{
  /* A reader that leaves, like head, has had what it wanted. */
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_BROKEN_PIPE))
    {
      stop (self, EB_EXIT_DONE);
      return;
    }
  eb_command_complain (_ ("Cannot write to the standard output: %s."), error->message);
  stop (self, EB_EXIT_FAILED);
}

static void
gap_cb (Listener *self, guint64 last, guint64 previous)
{
  eb_command_complain (_ ("Events are missing after %llu, up to %llu: the bus has lost them, or "
                          "delivers them later."),
                       (unsigned long long) last, (unsigned long long) previous);
}

static void
new_log_cb (Listener *self, guint64 last, guint64 sequence)
{
  eb_command_complain (_ ("The bus has begun a new log: this is its event %llu, and the last one "
                          "that came of the old log was %llu."),
                       (unsigned long long) sequence, (unsigned long long) last);
}

static void
registered_cb (Listener *self)
{
  g_printerr (_ ("Listening at %s for events of %s. Ctrl-C ends it.\n"),
              eb_listen_server_get_address (self->server), eb_bus_client_get_name (self->client));
  eb_event_writer_open (self->writer);
}

static void
refused_cb (Listener *self, GError *error)
{
  eb_command_complain ("%s", error->message);
  self->status = EB_EXIT_FAILED;
  g_main_loop_quit (self->loop);
}

static void
lost_cb (Listener *self, GError *error)
{
  eb_command_complain (_ ("The bus has gone away, trying again. %s"), error->message);
}

static void
back_cb (Listener *self)
{
  eb_command_complain (_ ("The bus at %s is back; registered again."),
                       eb_bus_client_get_name (self->client));
}

static void
arrival_cb (EbArrival *arrival, gpointer user_data)
{
  Listener *self = user_data;

  eb_event_writer_take (self->writer, arrival);
}

static void
connect_signals (Listener *self)
{
  g_signal_connect_swapped (self->writer, "finished", G_CALLBACK (finished_cb), self);
  g_signal_connect_swapped (self->writer, "failed", G_CALLBACK (failed_cb), self);
  g_signal_connect_swapped (self->writer, "gap", G_CALLBACK (gap_cb), self);
  g_signal_connect_swapped (self->writer, "new-log", G_CALLBACK (new_log_cb), self);
  g_signal_connect_swapped (self->writer, "idle", G_CALLBACK (leave_when_done), self);
  g_signal_connect_swapped (self->keeper, "registered", G_CALLBACK (registered_cb), self);
  g_signal_connect_swapped (self->keeper, "refused", G_CALLBACK (refused_cb), self);
  g_signal_connect_swapped (self->keeper, "lost", G_CALLBACK (lost_cb), self);
  g_signal_connect_swapped (self->keeper, "back", G_CALLBACK (back_cb), self);
  g_unix_signal_add (SIGINT, signal_cb, self);
  g_unix_signal_add (SIGTERM, signal_cb, self);
  g_unix_signal_add (SIGHUP, signal_cb, self);
}

static EbExit
run (Listener *self)
{
  connect_signals (self);
  eb_lease_keeper_start (self->keeper);
  g_main_loop_run (self->loop);
  return self->status;
}

static EbEventFormat
choose_format (const Options *options)
{
  if (options->raw)
    return EB_EVENT_FORMAT_RAW;
  return options->json ? EB_EVENT_FORMAT_JSON : EB_EVENT_FORMAT_HUMAN;
}

static gboolean
is_address (const char *text)
{
  g_autoptr (GSocketConnectable) parsed = g_network_address_parse (text, 0, NULL);

  return parsed != NULL && *g_network_address_get_hostname (G_NETWORK_ADDRESS (parsed)) != '\0';
}

/* Says what makes no sense. */
static gboolean
check (int argc, char **argv, const Options *options)
{
  if (argc > 1)
    eb_command_usage (_ ("listen takes no argument \"%s\"."), argv[1]);
  else if (options->address != NULL && !is_address (options->address))
    eb_command_usage (_ ("\"%s\" is not an address: --address takes HOST or HOST:PORT, an IPv6 "
                         "address in brackets."),
                      options->address);
  else if (options->raw && options->json)
    eb_command_usage (_ ("--raw and --json exclude each other."));
  else if (options->count < 0 || options->count > G_MAXUINT)
    eb_command_usage (_ ("--count takes a number from 0 (no end) on."));
  else if (options->lease_s < 1 || options->lease_s > 30 * 24 * 60 * 60)
    eb_command_usage (_ ("--lease takes from 1 second to 30 days (2592000)."));
  else
    return TRUE;
  return FALSE;
}

static gboolean
parse (
    const char *url, int argc, char **argv, Options *options, EbBusClient **client, EbExit *status)
{
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  const GOptionEntry entries[] = {
    { "address", 0, 0, G_OPTION_ARG_STRING, &options->address,
      N_ ("Listen here; the bus must reach it by this name (default: 127.0.0.1, a free port)"),
      N_ ("HOST[:PORT]") },
    { "count", 0, 0, G_OPTION_ARG_INT64, &options->count,
      N_ ("Exit after N events (default: 0, no end)"), N_ ("N") },
    { "raw", 0, 0, G_OPTION_ARG_NONE, &options->raw,
      N_ ("Print the data only, a newline after each"), NULL },
    { "json", 0, 0, G_OPTION_ARG_NONE, &options->json, N_ ("Print a JSON object a line"), NULL },
    { "lease", 0, 0, G_OPTION_ARG_INT64, &options->lease_s,
      N_ ("The shortest lease that the bus may give (default: 6); a third of it before each "
          "keep-alive"),
      N_ ("SECONDS") },
    G_OPTION_ENTRY_NULL,
  };

  g_option_context_set_summary (context,
                                _ ("Registers with the bus and prints each event as it comes."));
  g_option_context_add_main_entries (context, entries, GETTEXT_PACKAGE);
  if (!eb_command_parse (context, "listen", url, &argc, &argv, client, status))
    return FALSE;

  *status = EB_EXIT_USAGE;
  return check (argc, argv, options);
}

static void
warn_about_distance (EbBusClient *client, const Options *options)
{
  if (options->address == NULL && !eb_bus_client_is_local (client))
    eb_command_complain (_ ("A bus on another machine cannot reach 127.0.0.1; --address=HOST names "
                            "this one as it is seen from there."));
}

EbExit
eb_command_listen (const char *url, int argc, char **argv)
{
  g_auto (Options) options = { .lease_s = DEFAULT_LEASE_S };
  g_auto (Listener) self = { 0 };
  g_autoptr (GError) error = NULL;

  if (!parse (url, argc, argv, &options, &self.client, &self.status))
    return self.status;

  self.status = EB_EXIT_FAILED;
  self.loop = g_main_loop_new (NULL, FALSE);
  self.writer =
      eb_event_writer_new (STDOUT_FILENO, choose_format (&options), (guint) options.count);
  self.server = eb_listen_server_new (options.address != NULL ? options.address : "127.0.0.1",
                                      arrival_cb, &self, &error);
  if (self.server == NULL)
    {
      eb_command_complain ("%s", error->message);
      return EB_EXIT_FAILED;
    }
  warn_about_distance (self.client, &options);
  self.keeper = eb_lease_keeper_new (self.client, eb_listen_server_get_address (self.server),
                                     (guint) (options.lease_s * 1000 / KEEP_ALIVES_PER_LEASE));
  return run (&self);
}
