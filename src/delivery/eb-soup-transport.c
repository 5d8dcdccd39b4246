/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-soup-transport.h"

#include <string.h>

#include "delivery/eb-soup-message.h"
#include "delivery/eb-webhook-id.h"

/* Deliveries by libsoup: what https:// needs, and http:// where it is asked for.
 *
 * A session slows down with every message in it, so few are given to it at a time and the rest
 * wait here. It has timeouts for single reads and writes only, so an attempt's deadlines are kept
 * here too. It connects by itself, so the address policy is enforced while it does so:
 * GSocketClient tells of every address before it connects to it, at which point closing the socket
 * makes that connect fail. No packet has gone out by then.
 *
 * An attempt is answered or abandoned at once when its time is over, or its channel closed; what
 * libsoup still has under way for it then ends by its cancellable and finds it without a transport.
 *
 * Belongs to one worker: everything happens in its thread, with its context. */

/* Messages in the session at a time: above this it gets slower, not faster. */
#define MAX_IN_FLIGHT 128

/* What is read of an answer's body, so that its connection can be used again. */
#define MAX_BODY (16 * 1024)

#define CHUNK 4096

struct _EbChannel
{
  EbSubscription *subscription; /* (owned) */
  GUri *uri;                    /* (owned) */
  GInetAddress *literal;        /* (owned) (nullable): the host, if it is an address */
  char *webhook_id_prefix;      /* (owned) */
  EbSigner *signer;             /* (owned) (nullable) */
  GQueue attempts;              /* (element-type Attempt) those that are not over */
};

typedef struct _Attempt Attempt;

typedef struct
{
  EbDeadline deadline; /* first: a deadline that passed is one of these */
  Attempt *attempt;    /* (unowned) */
} AttemptDeadline;

/* Reference-counted: the transport holds one until it is over, and so does its message, which is
 * alive as long as libsoup may call back. */
struct _Attempt
{
  EbSoupTransport *transport; /* (unowned) (nullable): NULL once it is over */
  EbChannel *channel;         /* (unowned) while it has a transport */
  EbDelivery *delivery;       /* (unowned) while it has a transport */
  GList channel_link;         /* in the channel's attempts */
  GList ready_link;           /* in the transport's queue, until it is started */
  gboolean started;
  gboolean sent;                /* the connection stands: the request is on its way */
  AttemptDeadline connect;      /* until it is sent */
  AttemptDeadline total;        /* until it is over */
  EbDeliverySettings *settings; /* (owned) (nullable): those of when it was started */
  SoupMessage *message;         /* (owned) (nullable): from its start until it is over */
  GCancellable *cancellable;    /* (owned) */
  GInputStream *body;           /* (owned) (nullable): the answer's */
  char *buffer;                 /* (owned) (nullable): CHUNK bytes */
  gsize body_size;              /* read so far */
  char *refusal;                /* (owned) (nullable): why an address was not connected to */
};

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
  GQueue ready;                 /* (element-type Attempt) not started yet, in order */
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

static void
attempt_clear (gpointer data)
{
  Attempt *self = data;

  g_clear_pointer (&self->settings, eb_delivery_settings_unref);
  g_object_unref (self->cancellable);
  g_free (self->buffer);
  g_free (self->refusal);
}

static void
attempt_unref (gpointer self)
{
  g_rc_box_release_full (self, attempt_clear);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Attempt, attempt_unref)

static Attempt *
attempt_new (EbSoupTransport *transport, EbChannel *channel, EbDelivery *delivery)
{
  Attempt *self = g_rc_box_new0 (Attempt);

  self->transport = transport;
  self->channel = channel;
  self->delivery = delivery;
  self->channel_link.data = self->ready_link.data = self;
  self->connect.attempt = self->total.attempt = self;
  self->cancellable = g_cancellable_new ();
  return self;
}

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

/* The transport's part of @attempt is over; its reference passes to the caller. */
static void
detach (Attempt *attempt)
{
  EbSoupTransport *self = attempt->transport;

  eb_deadlines_clear (self->deadlines, &attempt->connect.deadline);
  eb_deadlines_clear (self->deadlines, &attempt->total.deadline);
  g_queue_unlink (&attempt->channel->attempts, &attempt->channel_link);
  if (attempt->started)
    self->n_in_flight--;
  else
    g_queue_unlink (&self->ready, &attempt->ready_link);
  attempt->transport = NULL;
  attempt->channel = NULL;
  attempt->delivery = NULL;
  pump_soon (self);
}

/* Takes the reference that detach() gave. Whatever libsoup still does for it ends. */
static void
release (Attempt *attempt)
{
  g_cancellable_cancel (attempt->cancellable);
  g_clear_object (&attempt->body);
  g_clear_object (&attempt->message);
  attempt_unref (attempt);
}

static void
finish (Attempt *attempt, const EbAnswer *answer)
{
  g_autoptr (EbSoupTransport) self = g_object_ref (attempt->transport);
  EbDelivery *delivery = attempt->delivery;

  detach (attempt);
  self->answer_func (delivery, answer, self->answer_data);
  release (attempt);
}

/* Without an answer: @what, and where. */
static void
finish_without (Attempt *attempt, const char *what)
{
  const EbSink *sink = eb_subscription_get_sink (attempt->channel->subscription);
  gboolean ipv6 = strchr (eb_sink_get_host (sink), ':') != NULL;
  g_autofree char *reason = g_strdup_printf (ipv6 ? "%s ([%s]:%u)" : "%s (%s:%u)", what,
                                             eb_sink_get_host (sink), eb_sink_get_port (sink));

  finish (attempt, &(EbAnswer){ .kind = attempt->sent ? EB_ANSWER_FAILED : EB_ANSWER_UNREACHABLE,
                                .reason = reason });
}

static void
finish_with_error (Attempt *attempt, const GError *error)
{
  g_autofree char *what = eb_soup_message_dup_reason (attempt->message, error);

  if (attempt->refusal != NULL && !attempt->sent)
    finish_without (attempt, attempt->refusal);
  else
    finish_without (attempt, what);
}

static const char *
get_allowed (Attempt *attempt, SoupMessageHeaders *headers, const char *name)
{
  return eb_delivery_is_question (attempt->delivery) ? soup_message_headers_get_one (headers, name)
                                                     : NULL;
}

static void
finish_with_response (Attempt *attempt)
{
  g_autoptr (SoupMessage) message = g_object_ref (attempt->message);
  SoupMessageHeaders *headers = soup_message_get_response_headers (message);

  finish (attempt,
          &(EbAnswer){ .kind = EB_ANSWER_RESPONSE,
                       .status = soup_message_get_status (message),
                       .retry_after = soup_message_headers_get_one (headers, "Retry-After"),
                       .allowed_origin = get_allowed (attempt, headers, "WebHook-Allowed-Origin"),
                       .allowed_rate = get_allowed (attempt, headers, "WebHook-Allowed-Rate") });
}

static GTimeSpan
get_timeout (const EbDeliverySettings *settings, const EbChannel *channel)
{
  return eb_delivery_settings_get_timeout (settings,
                                           eb_subscription_get_options (channel->subscription));
}

static void
deadline_cb (EbDeadline *deadline, gpointer user_data)
{
  Attempt *attempt = ((AttemptDeadline *) deadline)->attempt;
  gboolean connecting = deadline == &attempt->connect.deadline;
  GTimeSpan length = connecting ? attempt->settings->connect_timeout
                                : get_timeout (attempt->settings, attempt->channel);
  g_autofree char *what = NULL;

  if (attempt->body != NULL)
    {
      finish_with_response (attempt); /* which is its status: nobody reads the rest */
      return;
    }
  what = g_strdup_printf ("No %s within %g s", attempt->sent ? "answer" : "connection",
                          (double) length / G_TIME_SPAN_SECOND);
  finish_without (attempt, what);
}

static void
closed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Attempt *attempt = user_data;

  /* The answer was complete: whether its connection can be used again is libsoup's affair. */
  g_input_stream_close_finish (G_INPUT_STREAM (source), result, NULL);
  if (attempt->transport != NULL)
    finish_with_response (attempt);
}

static void read_body (Attempt *attempt);

static void
read_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Attempt *attempt = user_data;
  g_autoptr (GError) error = NULL;
  gssize n = g_input_stream_read_finish (G_INPUT_STREAM (source), result, &error);

  if (attempt->transport == NULL)
    return;
  if (n == 0)
    g_input_stream_close_async (attempt->body, G_PRIORITY_DEFAULT, attempt->cancellable, closed_cb,
                                attempt);
  else if (n < 0 || (attempt->body_size += (gsize) n) >= MAX_BODY)
    finish_with_response (attempt); /* which closes the connection under the rest of the body */
  else
    read_body (attempt);
}

static void
read_body (Attempt *attempt)
{
  g_input_stream_read_async (attempt->body, attempt->buffer, CHUNK, G_PRIORITY_DEFAULT,
                             attempt->cancellable, read_cb, attempt);
}

static void
sent_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Attempt *attempt = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GInputStream) body = soup_session_send_finish (SOUP_SESSION (source), result, &error);

  if (attempt->transport == NULL)
    return;
  if (body == NULL)
    {
      finish_with_error (attempt, error);
      return;
    }
  /* Whoever reads it needs the attempt, which the message keeps. */
  g_object_set_data_full (G_OBJECT (body), "eb-message", g_object_ref (attempt->message),
                          g_object_unref);
  attempt->body = g_steal_pointer (&body);
  attempt->buffer = g_malloc (CHUNK);
  read_body (attempt);
}

static void
network_event_cb (SoupMessage *message,
                  GSocketClientEvent event,
                  GIOStream *connection,
                  gpointer user_data)
{
  Attempt *attempt = user_data;
  g_autoptr (GSocketAddress) address = NULL;
  g_autoptr (GError) error = NULL;
  GInetSocketAddress *inet;

  if (event != G_SOCKET_CLIENT_CONNECTING || !G_IS_SOCKET_CONNECTION (connection))
    return;
  address = g_socket_connection_get_remote_address (G_SOCKET_CONNECTION (connection), NULL);
  if (G_IS_INET_SOCKET_ADDRESS (address))
    {
      inet = G_INET_SOCKET_ADDRESS (address);
      if (eb_address_policy_check (attempt->settings->policy,
                                   g_inet_socket_address_get_address (inet),
                                   g_inet_socket_address_get_port (inet), &error))
        return;
    }
  g_free (attempt->refusal);
  attempt->refusal =
      g_strdup (error != NULL ? error->message : "The address to connect to is not known");
  g_socket_close (g_socket_connection_get_socket (G_SOCKET_CONNECTION (connection)), NULL);
}

static void
starting_cb (SoupMessage *message, gpointer user_data)
{
  Attempt *attempt = user_data;

  attempt->sent = TRUE;
  if (attempt->transport != NULL)
    eb_deadlines_clear (attempt->transport->deadlines, &attempt->connect.deadline);
}

static gboolean
check_start (EbSoupTransport *self, Attempt *attempt, char **fault)
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

static SoupMessage *
create_message (EbSoupTransport *self, const Attempt *attempt)
{
  EbChannel *channel = attempt->channel;
  const EbDeliveryOptions *options = eb_subscription_get_options (channel->subscription);
  const char *origin = attempt->settings->origin;
  EbSoupRequest request = { .delivery = attempt->delivery,
                            .options = options,
                            .webhook_id_prefix = channel->webhook_id_prefix,
                            .signer = channel->signer,
                            .origin = origin,
                            .now_us = eb_clock_get_real (self->clock) };

  if (eb_delivery_is_question (attempt->delivery))
    return eb_soup_message_new_question (channel->uri, origin, options->rate);
  return eb_soup_message_new (channel->uri, &request);
}

static void
start (EbSoupTransport *self, Attempt *attempt)
{
  g_autofree char *fault = NULL;

  attempt->started = TRUE;
  self->n_in_flight++;
  attempt->settings = eb_delivery_settings_ref (self->settings);
  if (!check_start (self, attempt, &fault))
    {
      finish_without (attempt, fault);
      return;
    }

  attempt->message = create_message (self, attempt);
  g_object_set_data_full (G_OBJECT (attempt->message), "eb-attempt", g_rc_box_acquire (attempt),
                          attempt_unref);
  g_signal_connect (attempt->message, "network-event", G_CALLBACK (network_event_cb), attempt);
  g_signal_connect (attempt->message, "starting", G_CALLBACK (starting_cb), attempt);
  eb_deadlines_set (self->deadlines, &attempt->connect.deadline, self->settings->connect_timeout);
  eb_deadlines_set (self->deadlines, &attempt->total.deadline,
                    get_timeout (self->settings, attempt->channel));
  soup_session_send_async (self->session, attempt->message, G_PRIORITY_DEFAULT,
                           attempt->cancellable, sent_cb, attempt);
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
  EbSoupTransport *self = EB_SOUP_TRANSPORT (transport);
  EbSink *sink = eb_subscription_get_sink (subscription);
  GPtrArray *secrets = eb_subscription_get_options (subscription)->secrets;
  EbChannel *channel = g_new0 (EbChannel, 1);

  channel->subscription = eb_subscription_ref (subscription);
  channel->uri = eb_soup_uri_new (sink);
  channel->literal = eb_sink_dup_literal (sink);
  if (secrets != NULL)
    channel->signer = eb_signer_new (secrets);
  channel->webhook_id_prefix =
      eb_webhook_id_prefix (self->log_id, eb_subscription_get_id (subscription));
  return channel;
}

static void
send_delivery (EbTransport *transport, EbChannel *channel, EbDelivery *delivery)
{
  EbSoupTransport *self = EB_SOUP_TRANSPORT (transport);
  Attempt *attempt = attempt_new (self, channel, delivery);

  g_queue_push_tail_link (&channel->attempts, &attempt->channel_link);
  g_queue_push_tail_link (&self->ready, &attempt->ready_link);
  pump_soon (self);
}

static void
close_channel (EbTransport *transport, EbChannel *channel)
{
  Attempt *attempt;

  while ((attempt = g_queue_peek_head (&channel->attempts)) != NULL)
    {
      detach (attempt);
      release (attempt);
    }
  eb_subscription_unref (channel->subscription);
  g_uri_unref (channel->uri);
  g_clear_object (&channel->literal);
  g_free (channel->webhook_id_prefix);
  g_clear_pointer (&channel->signer, eb_signer_free);
  g_free (channel);
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
  self->deadlines = eb_deadlines_new (clock, self->context, deadline_cb, NULL);
  configure (EB_TRANSPORT (self), settings);
  return EB_TRANSPORT (self);
}
