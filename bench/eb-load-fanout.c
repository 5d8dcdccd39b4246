/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bench/eb-load-fanout.h"

#include "bench/eb-load-client.h"
#include "bench/eb-load-payload.h"
#include "bench/eb-load-publisher.h"
#include "bench/eb-load-register.h"
#include "bench/eb-load-sink.h"

#include <gio/gio.h>
#include <stdio.h>
#include <sys/resource.h>

/* One run of a fan-out: sinks, the publisher if there is one, and the tally between them, all in
 * one thread, so that they cost at most one processor. It says `port N` on stdout once the sinks
 * listen, waits for a line `ADDRESS:PORT` on stdin (the server that it then has the address of),
 * and prints its result as JSON. */

#define NS_PER_MS     G_GUINT64_CONSTANT (1000000)
#define NS_PER_SECOND G_GUINT64_CONSTANT (1000000000)

/* A repeat comes after what it repeats: this long is waited for one when all have arrived. */
#define LINGER_NS (200 * NS_PER_MS)

typedef struct
{
  const EbLoadFanoutOptions *options; /* (unowned) */
  EbLoadLoop *loop;                   /* (owned) */
  EbLoadTally *tally;                 /* (owned) */
  EbLoadSink *sink;                   /* (owned) */
  EbLoadPublisher *publisher;         /* (owned) (nullable): %NULL when another program sends */
  guint phase;                        /* %EB_LOAD_PHASES when all are over */
  struct sockaddr_in server;          /* whom to publish to, if anybody is published to here */
  guint64 open_ns;                    /* when the sinks opened; 0 while they are closed */
  guint64 deadline_ns;
  guint64 over_ns; /* when the last phase was over */
  gint64 cpu_us;   /* what this process has used when the second phase began, then in it */
} Fanout;

static void
fanout_clear (Fanout *self)
{
  g_clear_pointer (&self->publisher, eb_load_publisher_free);
  g_clear_pointer (&self->sink, eb_load_sink_free);
  g_clear_pointer (&self->tally, eb_load_tally_free);
  g_clear_pointer (&self->loop, eb_load_loop_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Fanout, fanout_clear)

static gint64
used_cpu_us (void)
{
  struct rusage usage;

  getrusage (RUSAGE_SELF, &usage);
  return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * G_USEC_PER_SEC + usage.ru_utime.tv_usec
         + usage.ru_stime.tv_usec;
}

static gboolean
register_sinks (Fanout *self, gboolean again, GError **error)
{
  const EbLoadFanoutOptions *options = self->options;
  guint good = (guint) (options->sinks + options->silent);
  EbLoadRegistration answering = { .n_sinks = good,
                                   .port = eb_load_sink_get_port (self->sink),
                                   .config = options->config,
                                   .again = again };
  EbLoadRegistration refusing = { .first_sink = good,
                                  .n_sinks = (guint) options->refusing,
                                  .port = eb_load_sink_get_refusing_port (self->sink),
                                  .config = options->config,
                                  .again = again };

  return eb_load_register (&self->server, &answering, error)
         && eb_load_register (&self->server, &refusing, error);
}

static void
open_sinks (Fanout *self)
{
  g_autoptr (GError) error = NULL;

  eb_load_sink_open (self->sink);
  self->open_ns = eb_load_now_ns ();
  /* A sink that comes back keeps alive, so that it is not found only at the next probe. */
  if (self->options->late && !register_sinks (self, TRUE, &error))
    g_error ("%s", error->message);
}

/* Everything has arrived, or nothing more will. */
static gboolean
phase_is_over (Fanout *self, guint64 now)
{
  guint64 last = eb_load_tally_get_last_arrival_ns (self->tally);

  if (self->open_ns == 0)
    return eb_load_tally_get_phase (self->tally, self->phase)->n_events == 0;

  if (self->publisher != NULL)
    {
      if (!eb_load_publisher_is_done (self->publisher))
        return FALSE;
      last = MAX (last, eb_load_publisher_get_last_answer_ns (self->publisher));
    }

  return eb_load_tally_phase_is_complete (self->tally, self->phase)
         || (last > 0 && now > last + (guint64) self->options->quiet_ms * NS_PER_MS);
}

static void
start_phase (Fanout *self)
{
  if (self->publisher != NULL)
    eb_load_publisher_start_phase (
        self->publisher, eb_load_tally_get_phase (self->tally, self->phase), self->options->rate);
  self->cpu_us = used_cpu_us ();
}

static void
fanout_turn (gpointer data)
{
  Fanout *self = data;
  guint64 now = eb_load_now_ns ();

  eb_load_sink_answer (self->sink);
  if (now > self->deadline_ns)
    eb_load_loop_stop (self->loop);

  if (self->phase == EB_LOAD_PHASES)
    {
      if (now > self->over_ns + LINGER_NS)
        eb_load_loop_stop (self->loop);
      return;
    }

  if (self->publisher != NULL)
    eb_load_publisher_turn (self->publisher);

  if (self->open_ns == 0 && self->phase == EB_LOAD_PHASES - 1
      && eb_load_publisher_is_done (self->publisher))
    open_sinks (self);

  if (!phase_is_over (self, now))
    return;
  self->phase++;
  self->over_ns = now;
  if (self->phase < EB_LOAD_PHASES)
    start_phase (self);
  else
    self->cpu_us = used_cpu_us () - self->cpu_us;
}

static gboolean
read_server (struct sockaddr_in *server, GError **error)
{
  char line[64];

  if (fgets (line, sizeof line, stdin) != NULL
      && eb_load_client_parse_server (g_strstrip (line), server))
    return TRUE;

  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
               "Expected a line with the server, as 127.0.0.1:3000");
  return FALSE;
}

static gboolean
prepare_publisher (Fanout *self, GError **error)
{
  const EbLoadFanoutOptions *options = self->options;

  if (!read_server (&self->server, error)
      || (!options->unregistered && !register_sinks (self, FALSE, error)))
    return FALSE;

  self->publisher =
      eb_load_publisher_new (self->loop, self->tally, &self->server, (guint) options->connections,
                             (guint) options->window, (guint) options->give_up_ms);
  return TRUE;
}

static void
print_phase (const char *name, const EbLoadPhase *phase)
{
  double seconds = (double) (phase->end_ns - phase->start_ns) / 1e9;

  g_print ("\"%s\": {\"deliveries\": %" G_GUINT64_FORMAT ", \"seconds\": %.6f, \"rate\": %.1f, "
           "\"head_bytes\": %.1f, "
           "\"p50_us\": %.1f, \"p99_us\": %.1f, \"max_us\": %.1f}, ",
           name, phase->deliveries, seconds,
           phase->deliveries > 0 ? (double) phase->deliveries / seconds : 0.0,
           (double) phase->head_bytes / (double) MAX (phase->deliveries, 1),
           (double) eb_load_histogram_quantile (&phase->latency, 0.5) / 1e3,
           (double) eb_load_histogram_quantile (&phase->latency, 0.99) / 1e3,
           (double) phase->latency.largest / 1e3);
}

/* Deliveries a second since the sinks opened. */
static double
catch_up_rate (Fanout *self)
{
  const EbLoadPhase *phase = eb_load_tally_get_phase (self->tally, EB_LOAD_PHASES - 1);

  if (phase->deliveries == 0)
    return 0;
  return (double) phase->deliveries / ((double) (phase->end_ns - self->open_ns) / 1e9);
}

static void
print_result (Fanout *self)
{
  EbLoadPublisher *publisher = self->publisher;
  const EbLoadPhase *all[] = { eb_load_tally_get_phase (self->tally, 0),
                               eb_load_tally_get_phase (self->tally, 1) };
  guint64 owed = (guint64) (all[0]->n_events + all[1]->n_events) * (guint) self->options->sinks;
  guint64 arrived = all[0]->deliveries + all[1]->deliveries;

  g_print ("{");
  print_phase ("cold", all[0]);
  print_phase ("warm", all[1]);
  g_print ("\"finished\": %s, \"owed\": %" G_GUINT64_FORMAT ", \"lost\": %" G_GUINT64_FORMAT ", "
           "\"repeats\": %" G_GUINT64_FORMAT ", \"corrupt\": %" G_GUINT64_FORMAT
           ", \"malformed\": %u, \"accepted\": %u, \"cpu_seconds\": %.3f, ",
           self->phase == EB_LOAD_PHASES ? "true" : "false", owed,
           publisher != NULL ? eb_load_tally_count_lost (self->tally) : owed - arrived,
           eb_load_tally_get_repeats (self->tally), eb_load_tally_get_corrupt (self->tally),
           eb_load_sink_get_n_malformed (self->sink), eb_load_sink_get_n_accepted (self->sink),
           (double) self->cpu_us / G_USEC_PER_SEC);
  g_print ("\"catch_up\": %.1f, ", catch_up_rate (self));
  g_print ("\"refused\": %u, \"broken\": %u, \"late\": %u}\n",
           publisher != NULL ? eb_load_publisher_get_n_refused (publisher) : 0,
           publisher != NULL ? eb_load_publisher_get_n_broken (publisher) : 0,
           publisher != NULL ? eb_load_publisher_get_n_late (publisher) : 0);
}

/**
 * eb_load_fanout_run:
 * @options: what to run
 * @error: return location for an error
 *
 * Runs a fan-out from its start to its printed result.
 *
 * Returns: whether there is a result, good or bad
 */
gboolean
eb_load_fanout_run (const EbLoadFanoutOptions *options, GError **error)
{
  g_auto (Fanout) self = { .options = options };

  self.loop = eb_load_loop_new (fanout_turn, &self);
  self.tally =
      eb_load_tally_new ((guint) options->sinks, (guint) options->warmup, (guint) options->events);
  self.sink =
      eb_load_sink_new (self.loop, self.tally, (guint) options->sinks, (guint) options->drop_every);
  if (!options->late)
    open_sinks (&self);
  g_print ("port %u\n", eb_load_sink_get_port (self.sink));
  fflush (stdout);

  if (!options->passive && !prepare_publisher (&self, error))
    return FALSE;

  self.deadline_ns = eb_load_now_ns () + (guint64) options->deadline_s * NS_PER_SECOND;
  start_phase (&self);
  eb_load_loop_run (self.loop);
  print_result (&self);
  return TRUE;
}
