/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-soup-transport.h"

#include "delivery/eb-soup-attempt.h"

/* Deliveries by libsoup: what https:// needs, and http:// where it is asked for.
 *
 * A session slows down with every message in it, so few are given to it at a time and the rest
 * wait here. What becomes of each is its EbSoupAttempt's.
 *
 * Belongs to one worker: everything happens in its thread, with its context. */

/* Messages in the session at a time: above this it gets slower, not faster. */
#define MAX_IN_FLIGHT 128

struct _EbSoupTransport
{
  GObject parent_instance;

  EbClock *clock;               /* (owned) */
  char *log_id;                 /* (owned) */
  GMainContext *context;        /* (owned) */
  EbDeadlines *deadlines;       /* (owned) of attempts */
  EbDeliverySettings *settings; /* (owned) */
  SoupSession *session;         /* (owned) for attempts from now on */
  char *tls_fault;              /* (owned) (nullable): why there can be no https:// */
  GQueue ready;                 /* (element-type EbSoupAttempt) not started yet, in order */
  guint n_in_flight;
  GSource *pump; /* (owned) (nullable): set while ready is to be looked at */
  EbAnswerFunc answer_func;
  gpointer answer_data;
};

static void eb_soup_transport_iface_init (EbTransportInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (EbSoupTransport,
                               eb_soup_transport,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (EB_TYPE_TRANSPORT,
                                                      eb_soup_transport_iface_init))

static gboolean pump_cb (gpointer user_data);

static void
pump_soon (EbSoupTransport *self)
{
  if (self->pump != NULL || self->ready.length == 0)
    return;
  self->pump = g_idle_source_new ();
  g_source_set_priority (self->pump, G_PRIORITY_DEFAULT);
  g_source_set_callback (self->pump, pump_cb, self, NULL);
  g_source_attach (self->pump, self->context);
}

/* @attempt is over; the reference passes to the caller. */
static void
detach (EbSoupTransport *self, EbSoupAttempt *attempt)
{
  g_queue_unlink (&attempt->channel->attempts, &attempt->channel_link);
  if (attempt->started)
    self->n_in_flight--;
  else
    g_queue_unlink (&self->ready, &attempt->ready_link);
  eb_soup_attempt_abandon (attempt);
  pump_soon (self);
}

static void
ended_cb (EbSoupAttempt *attempt, const EbAnswer *answer, gpointer user_data)
{
  g_autoptr (EbSoupTransport) self = g_object_ref (user_data);
  EbDelivery *delivery = attempt->delivery;

  detach (self, attempt);
  self->answer_func (delivery, answer, self->answer_data);
  eb_soup_attempt_release (attempt);
}

static gboolean
check_start (EbSoupTransport *self, EbSoupAttempt *attempt, char **fault)
{
  const EbSink *sink = eb_subscription_get_sink (attempt->channel->subscription);
  GInetAddress *literal = attempt->channel->literal;
  g_autoptr (GError) error = NULL;

  if (eb_sink_get_kind (sink) == EB_SINK_HTTPS && self->tls_fault != NULL)
    *fault = g_strdup (self->tls_fault);
  else if (literal != NULL
           && !eb_address_policy_check (self->settings->policy, literal, eb_sink_get_port (sink),
                                        &error))
    *fault = g_strdup (error->message);
  return *fault == NULL;
}

static void
start (EbSoupTransport *self, EbSoupAttempt *attempt)
{
  g_autofree char *fault = NULL;

  attempt->started = TRUE;
  self->n_in_flight++;
  if (check_start (self, attempt, &fault))
    eb_soup_attempt_start (attempt, self->session, self->settings, eb_clock_get_real (self->clock));
  else
    eb_soup_attempt_fail (attempt, fault);
}

static gboolean
pump_cb (gpointer user_data)
{
  g_autoptr (EbSoupTransport) self = g_object_ref (user_data);

  g_clear_pointer (&self->pump, g_source_unref);
  /* Answers, which start() may give, may add to the queue and take from it. */
  while (self->n_in_flight < MAX_IN_FLIGHT && self->ready.length > 0)
    start (self, g_queue_pop_head_link (&self->ready)->data);
  return G_SOURCE_REMOVE;
}

static SoupSession *
new_session (EbSoupTransport *self)
{
  /* Never reached by what is in flight: a POST that finds no room closes every idle connection. */
  guint max_connections = self->settings->max_connections + MAX_IN_FLIGHT;
  SoupSession *session = g_object_new (
      SOUP_TYPE_SESSION, "user-agent", "EventBus/" PACKAGE_VERSION, "proxy-resolver", NULL,
      "timeout", 0, "max-conns", max_connections, "max-conns-per-host", max_connections, NULL);

  soup_session_remove_feature_by_type (session, SOUP_TYPE_AUTH_MANAGER);
  soup_session_remove_feature_by_type (session, SOUP_TYPE_CONTENT_DECODER);
  soup_session_remove_feature_by_type (session, SOUP_TYPE_WEBSOCKET_EXTENSION_MANAGER);
  return session;
}

static void
set_authorities (EbSoupTransport *self)
{
  g_autoptr (GTlsDatabase) database = NULL;
  g_autoptr (GError) error = NULL;

  g_clear_pointer (&self->tls_fault, g_free);
  if (self->settings->ca_file == NULL)
    return;
  database = g_tls_file_database_new (self->settings->ca_file, &error);
  if (database != NULL)
    soup_session_set_tls_database (self->session, database);
  else
    self->tls_fault =
        g_strdup_printf ("delivery.ca-file “%s”: %s", self->settings->ca_file, error->message);
}

static void
set_answer_func (EbTransport *transport, EbAnswerFunc func, gpointer user_data)
{
  EbSoupTransport *self = EB_SOUP_TRANSPORT (transport);

  self->answer_func = func;
  self->answer_data = user_data;
}

static void
configure (EbTransport *transport, EbDeliverySettings *settings)
{
  EbSoupTransport *self = EB_SOUP_TRANSPORT (transport);
  g_autoptr (EbDeliverySettings) old = self->settings;

  self->settings = eb_delivery_settings_ref (settings);
  if (old != NULL && old->policy == settings->policy
      && old->max_connections == settings->max_connections
      && g_strcmp0 (old->ca_file, settings->ca_file) == 0)
    return;

  /* A new one, as idle connections may lead to where the new settings do not allow them. What is
   * under way keeps the old one. */
  g_clear_object (&self->session);
  self->session = new_session (self);
  set_authorities (self);
}

static EbChannel *
open_channel (EbTransport *transport, EbSubscription *subscription)
{
  return (EbChannel *) eb_soup_channel_new (subscription, EB_SOUP_TRANSPORT (transport)->log_id);
}

static void
send_delivery (EbTransport *transport, EbChannel *opaque, EbDelivery *delivery)
{
  EbSoupTransport *self = EB_SOUP_TRANSPORT (transport);
  EbSoupChannel *channel = (EbSoupChannel *) opaque;
  EbSoupAttempt *attempt = eb_soup_attempt_new (channel, delivery, self->deadlines, ended_cb, self);

  g_queue_push_tail_link (&channel->attempts, &attempt->channel_link);
  g_queue_push_tail_link (&self->ready, &attempt->ready_link);
  pump_soon (self);
}

static void
close_channel (EbTransport *transport, EbChannel *opaque)
{
  EbSoupTransport *self = EB_SOUP_TRANSPORT (transport);
  EbSoupChannel *channel = (EbSoupChannel *) opaque;
  EbSoupAttempt *attempt;

  while ((attempt = g_queue_peek_head (&channel->attempts)) != NULL)
    {
      detach (self, attempt);
      eb_soup_attempt_release (attempt);
    }
  eb_soup_channel_free (channel);
}

static void
eb_soup_transport_iface_init (EbTransportInterface *iface)
{
  iface->set_answer_func = set_answer_func;
  iface->configure = configure;
  iface->open = open_channel;
  iface->send = send_delivery;
  iface->close = close_channel;
}

static void
eb_soup_transport_finalize (GObject *object)
{
  EbSoupTransport *self = EB_SOUP_TRANSPORT (object);

  if (self->pump != NULL)
    g_source_destroy (self->pump);
  g_clear_pointer (&self->pump, g_source_unref);
  eb_deadlines_free (self->deadlines);
  g_clear_object (&self->session);
  eb_delivery_settings_unref (self->settings);
  g_main_context_unref (self->context);
  g_free (self->tls_fault);
  g_free (self->log_id);
  g_object_unref (self->clock);

  G_OBJECT_CLASS (eb_soup_transport_parent_class)->finalize (object);
}

static void
eb_soup_transport_class_init (EbSoupTransportClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = eb_soup_transport_finalize;
}

static void
eb_soup_transport_init (EbSoupTransport *self)
{
}

/**
 * eb_soup_transport_new:
 * @log_id: part of what makes each `webhook-id` unique
 *
 * To be made and used in one thread, with its context as the thread-default one. Names are looked
 * up by the default GResolver.
 *
 * Returns: (transfer full): a transport without channels
 */
EbTransport *
eb_soup_transport_new (EbClock *clock, const char *log_id, EbDeliverySettings *settings)
{
  EbSoupTransport *self = g_object_new (EB_TYPE_SOUP_TRANSPORT, NULL);

  self->clock = g_object_ref (clock);
  self->log_id = g_strdup (log_id);
  self->context = g_main_context_ref_thread_default ();
  self->deadlines = eb_deadlines_new (clock, self->context, eb_soup_attempt_handle_deadline, NULL);
  configure (EB_TRANSPORT (self), settings);
  return EB_TRANSPORT (self);
}
