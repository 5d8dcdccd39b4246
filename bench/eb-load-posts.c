/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bench/eb-load-posts.h"

#include "bench/eb-load-client.h"
#include "bench/eb-load-histogram.h"
#include "bench/eb-load-payload.h"

#include <string.h>

/* How many events a second a server takes, and how long each takes it, beside any number of clients
 * that have published once and now keep their connection and say nothing. */

#define NS_PER_SECOND G_GUINT64_CONSTANT (1000000000)

/* How long the idle clients may take to get their one answer each. */
#define SETTLE_SECONDS 30

typedef struct
{
  EbLoadLoop *loop; /* (unowned) */
  guint64 left;     /* requests that may still be sent */
  guint n_waiting;
  guint64 n_taken;
  guint64 n_failed;
  guint64 end_ns;
  guint64 period_ns;       /* between two requests; 0: none waits */
  guint64 next_ns;         /* when the next request is due */
  guint64 *sent_ns;        /* (owned): by slot, when its request was sent */
  EbLoadHistogram latency; /* of what was taken */
  EbLoadClient *client;    /* (unowned) (nullable): the one that sends now */
  char request[EB_LOAD_REQUEST_MAX];
  gsize request_size;
} Posts;

static gsize
posts_next (gpointer data, guint slot, char buffer[EB_LOAD_REQUEST_MAX])
{
  Posts *self = data;

  guint64 now = eb_load_now_ns ();

  if (self->left == 0 || now < self->next_ns)
    return 0;

  self->next_ns = now + self->period_ns;
  self->sent_ns[slot] = now;
  self->left--;
  self->n_waiting++;
  memcpy (buffer, self->request, self->request_size);
  return self->request_size;
}

static void
posts_answered (gpointer data, guint slot, int status)
{
  Posts *self = data;

  self->n_waiting--;
  if (status / 100 == 2)
    {
      self->n_taken++;
      eb_load_histogram_add (&self->latency, eb_load_now_ns () - self->sent_ns[slot]);
    }
  else
    self->n_failed++;
}

static void
posts_turn (gpointer data)
{
  Posts *self = data;

  eb_load_client_kick (self->client);
  if ((self->left == 0 && self->n_waiting == 0) || eb_load_now_ns () > self->end_ns)
    eb_load_loop_stop (self->loop);
}

static void
make_request (Posts *self, const struct sockaddr_in *server)
{
  EbLoadPayload payload;
  int head = g_snprintf (self->request, sizeof self->request,
                         "POST /sendMessage HTTP/1.1\r\n"
                         "Host: 127.0.0.1:%u\r\n"
                         "Content-Type: application/octet-stream\r\n"
                         "Content-Length: %u\r\n\r\n",
                         ntohs (server->sin_port), EB_LOAD_PAYLOAD_SIZE);

  eb_load_payload_init (&payload, 0, eb_load_now_ns ());
  memcpy (self->request + head, &payload, sizeof payload);
  self->request_size = (gsize) head + sizeof payload;
}

static void
posts_phase (Posts *self, EbLoadClient *client, guint64 requests, guint seconds)
{
  self->client = client;
  self->left = requests;
  self->n_taken = 0;
  self->n_failed = 0;
  self->latency = (EbLoadHistogram){ 0 };
  self->end_ns = eb_load_now_ns () + seconds * NS_PER_SECOND;
  eb_load_client_kick (client);
  eb_load_loop_run (self->loop);
}

/**
 * eb_load_posts_run:
 * @options: what to run
 *
 * Runs and prints the result as JSON.
 */
void
eb_load_posts_run (const EbLoadPostsOptions *options)
{
  static const EbLoadClientHandler handler = { posts_next, posts_answered };
  guint n_idle = (guint) options->idle, n_busy = (guint) options->connections;
  g_autofree guint64 *sent_ns = g_new0 (guint64, MAX (n_idle, n_busy) + 1);
  Posts self = { .sent_ns = sent_ns };
  g_autoptr (EbLoadLoop) loop = eb_load_loop_new (posts_turn, &self);
  g_autoptr (EbLoadClient) idlers =
      eb_load_client_new (loop, &options->server, n_idle, &handler, &self);
  g_autoptr (EbLoadClient) busy =
      eb_load_client_new (loop, &options->server, n_busy, &handler, &self);
  guint64 settled, start;

  self.loop = loop;
  make_request (&self, &options->server);
  /* In the order of the stack the first N requests go over N different connections. */
  posts_phase (&self, idlers, n_idle, SETTLE_SECONDS);
  settled = self.n_taken;

  self.period_ns = options->rate > 0 ? (guint64) ((double) NS_PER_SECOND / options->rate) : 0;
  start = eb_load_now_ns ();
  posts_phase (&self, busy, G_MAXUINT64, (guint) options->seconds);
  g_print ("{\"idle\": %" G_GUINT64_FORMAT ", \"idle_broken\": %u, \"rate\": %.1f, \"failed\": "
           "%" G_GUINT64_FORMAT ", \"p50_us\": %.1f, \"p99_us\": %.1f}\n",
           settled, eb_load_client_get_n_broken (idlers),
           (double) self.n_taken / ((double) (eb_load_now_ns () - start) / 1e9), self.n_failed,
           (double) eb_load_histogram_quantile (&self.latency, 0.5) / 1e3,
           (double) eb_load_histogram_quantile (&self.latency, 0.99) / 1e3);
}
