/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bench/eb-send.h"

#include <arpa/inet.h>
#include <libsoup/soup.h>

/* What SoupSession delivers, set up as well as it can be: one thread, keep-alive for POST, more
 * connections allowed than there are sinks, none of the features that a delivery has no use for. */

/* The session looks through its queue for every message: more at the same time are slower. */
#define IN_FLIGHT_MAX 128

/* What SoupSession puts into the head by itself, about: the rest is padding. */
#define OWN_HEAD_BYTES 167

struct _EbSendSoup
{
  SoupSession *session;   /* (owned) */
  GMainLoop *loop;        /* (owned) */
  GQueue *waiting;        /* (owned) (element-type Host): those that may send, in turn */
  const EbSendPlan *plan; /* (unowned): during a run */
  struct _Host *hosts;    /* (owned) */
  char *padding;          /* (owned) */
  guint n_in_flight;
  guint n_unfinished;
};

typedef struct _Host
{
  EbSendSoup *sender; /* (unowned) */
  GUri *uri;          /* (owned) */
  guint next;
} Host;

static void send_waiting (EbSendSoup *self);

static void
sent_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  Host *host = data;
  EbSendSoup *self = host->sender;
  SoupMessage *message = soup_session_get_async_result_message (SOUP_SESSION (source), result);
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) body =
      soup_session_send_and_read_finish (SOUP_SESSION (source), result, &error);

  if (body == NULL || soup_message_get_status (message) / 100 != 2)
    g_error ("A sink did not accept a delivery: %s", error != NULL ? error->message : "status");

  self->n_in_flight--;
  if (host->next < self->plan->n_events)
    g_queue_push_tail (self->waiting, host);
  else if (--self->n_unfinished == 0)
    g_main_loop_quit (self->loop);
  send_waiting (self);
}

static void
host_send (Host *host)
{
  EbSendSoup *self = host->sender;
  const EbLoadPayload *event = eb_send_plan_get_event (self->plan, host->next++);
  g_autoptr (GBytes) body = g_bytes_new_static (event, sizeof *event);
  g_autoptr (SoupMessage) message = soup_message_new_from_uri (SOUP_METHOD_POST, host->uri);

  /* Without this flag every POST gets a connection of its own. */
  soup_message_add_flags (message, SOUP_MESSAGE_IDEMPOTENT | SOUP_MESSAGE_NO_REDIRECT);
  soup_message_headers_append (soup_message_get_request_headers (message), "x-padding",
                               self->padding);
  soup_message_set_request_body_from_bytes (message, "application/octet-stream", body);
  self->n_in_flight++;
  soup_session_send_and_read_async (self->session, message, G_PRIORITY_DEFAULT, NULL, sent_cb,
                                    host);
}

static void
send_waiting (EbSendSoup *self)
{
  while (self->n_in_flight < IN_FLIGHT_MAX && !g_queue_is_empty (self->waiting))
    host_send (g_queue_pop_head (self->waiting));
}

static Host *
make_hosts (EbSendSoup *self, const EbSendPlan *plan)
{
  Host *hosts = g_new0 (Host, plan->n_sinks);

  for (guint i = 0; i < plan->n_sinks; i++)
    {
      char text[INET_ADDRSTRLEN];
      struct in_addr address = eb_load_sink_address (i);

      hosts[i].sender = self;
      hosts[i].uri = g_uri_build (SOUP_HTTP_URI_FLAGS, "http", NULL,
                                  inet_ntop (AF_INET, &address, text, sizeof text), plan->port,
                                  "/event", NULL, NULL);
    }

  return hosts;
}

/**
 * eb_send_soup_new:
 * @plan: the first phase
 *
 * Returns: (transfer full): a sender without a connection
 */
EbSendSoup *
eb_send_soup_new (const EbSendPlan *plan)
{
  EbSendSoup *self = g_new0 (EbSendSoup, 1);

  self->session = soup_session_new_with_options ("max-conns", (int) plan->n_sinks + 64,
                                                 "max-conns-per-host", 1, "idle-timeout", 0,
                                                 "timeout", 0, "user-agent", "eb-send", NULL);
  soup_session_remove_feature_by_type (self->session, SOUP_TYPE_CONTENT_DECODER);
  soup_session_remove_feature_by_type (self->session, SOUP_TYPE_AUTH_MANAGER);
  soup_session_set_proxy_resolver (self->session, NULL);
  self->loop = g_main_loop_new (NULL, FALSE);
  self->waiting = g_queue_new ();
  self->padding =
      g_strnfill (plan->head_bytes > OWN_HEAD_BYTES ? plan->head_bytes - OWN_HEAD_BYTES : 1, 'x');
  self->hosts = make_hosts (self, plan);
  return self;
}

/**
 * eb_send_soup_run:
 * @sender: a sender
 * @plan: what to send; the first plan connects as well
 *
 * Sends the events of a phase to every sink and waits for the last answer.
 */
void
eb_send_soup_run (EbSendSoup *sender, const EbSendPlan *plan)
{
  if (plan->n_events == 0)
    return;

  sender->plan = plan;
  sender->n_unfinished = plan->n_sinks;
  for (guint i = 0; i < plan->n_sinks; i++)
    {
      sender->hosts[i].next = 0;
      g_queue_push_tail (sender->waiting, &sender->hosts[i]);
    }
  send_waiting (sender);
  g_main_loop_run (sender->loop);
}

/**
 * eb_send_soup_free:
 * @sender: (transfer full): a sender that has run
 */
void
eb_send_soup_free (EbSendSoup *sender)
{
  for (guint i = 0; sender->plan != NULL && i < sender->plan->n_sinks; i++)
    g_uri_unref (sender->hosts[i].uri);
  g_object_unref (sender->session);
  g_main_loop_unref (sender->loop);
  g_queue_free (sender->waiting);
  g_free (sender->hosts);
  g_free (sender->padding);
  g_free (sender);
}
