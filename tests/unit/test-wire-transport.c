/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-wire-transport.h"

#include <string.h>
#include <sys/socket.h>

#include "support/eb-answer-record.h"
#include "support/eb-fake-clock.h"
#include "support/eb-test-wait.h"

/* Plain HTTP to a sink that does with its sockets what the test says, at the very moment. */

typedef struct Fixture Fixture;

struct Fixture
{
  GSocketListener *sink;
  EbFakeClock *clock;
  EbTransport *transport;
  EbChannel *channel; /* of a subscription to /a */
  EbChannel *other;   /* and of one to /b */
  GHashTable *parcels;
  EbParcel *parcel;
  GPtrArray *deliveries; /* (owned) (element-type EbDelivery): what was sent */
  EbAnswerRecord answer;
  char request[4096];                /* the last one that was taken */
  GSocketConnection *connections[2]; /* (owned) (nullable): what the sink accepted */

  /* (nullable): called when an answer is told, from within its turn */
  void (*when_told) (Fixture *fixture);
};

static void
answered_cb (EbDelivery *delivery, const EbAnswer *answer, gpointer user_data)
{
  Fixture *fixture = user_data;

  eb_answer_record_cb (delivery, answer, &fixture->answer);
  if (fixture->when_told != NULL)
    fixture->when_told (fixture);
}

static EbParcel *
create_parcel (Fixture *fixture, guint64 sequence, gsize size)
{
  g_autofree char *text = g_strnfill (size, 'x');
  g_autoptr (GBytes) data = g_bytes_new (text, size);
  g_autoptr (EbDraft) draft = eb_draft_new (data);
  g_autoptr (EbEvent) event = NULL;

  g_assert_true (eb_draft_complete (draft, NULL));
  event = eb_event_new (draft, sequence, 0);
  return eb_parcels_obtain (fixture->parcels, event);
}

static EbChannel *
open_channel (Fixture *fixture, guint port, const char *id)
{
  g_autofree char *uri = g_strdup_printf ("http://127.0.0.1:%u/%s", port, id);
  g_autoptr (EbSink) sink = eb_sink_new_for_uri (uri, NULL);
  g_autoptr (EbDeliveryOptions) options = eb_delivery_options_new ();
  EbSubscriptionSpec spec = { .id = id, .sink = sink, .concurrency = 1, .options = options };
  g_autoptr (EbSubscription) subscription = NULL;

  options->handshake = TRUE; /* so that each request says who we are */
  subscription = eb_subscription_new (&spec, NULL);
  return eb_transport_open (fixture->transport, subscription);
}

static guint
listen_somewhere (GSocketListener *listener)
{
  g_autoptr (GSocketAddress) any = g_inet_socket_address_new_from_string ("127.0.0.1", 0);
  g_autoptr (GSocketAddress) there = NULL;

  g_assert_true (g_socket_listener_add_address (listener, any, G_SOCKET_TYPE_STREAM,
                                                G_SOCKET_PROTOCOL_TCP, NULL, &there, NULL));
  return g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (there));
}

static EbDeliverySettings *
create_settings (void)
{
  g_autoptr (EbAddressPolicy) policy = eb_address_policy_new (NULL, NULL, NULL, NULL);

  return eb_delivery_settings_new (policy);
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EbDeliverySettings) settings = create_settings ();
  g_autoptr (GResolver) resolver = g_resolver_get_default ();
  guint port;

  fixture->sink = g_socket_listener_new ();
  fixture->clock = eb_fake_clock_new ();
  fixture->transport = eb_wire_transport_new (EB_CLOCK (fixture->clock), resolver, "log", settings);
  eb_transport_set_answer_func (fixture->transport, answered_cb, fixture);
  port = listen_somewhere (fixture->sink);
  fixture->channel = open_channel (fixture, port, "a");
  fixture->other = open_channel (fixture, port, "b");
  fixture->parcels = eb_parcels_new ();
  fixture->parcel = create_parcel (fixture, 1, 1);
  fixture->deliveries = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_delivery_free);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  eb_transport_close (fixture->transport, fixture->channel);
  eb_transport_close (fixture->transport, fixture->other);
  g_object_unref (fixture->transport);
  g_object_unref (fixture->sink);
  eb_test_run ();
  g_object_unref (fixture->clock);
  for (guint i = 0; i < G_N_ELEMENTS (fixture->connections); i++)
    g_clear_object (&fixture->connections[i]);
  g_ptr_array_unref (fixture->deliveries);
  eb_parcel_unref (fixture->parcel);
  eb_answer_record_clear (&fixture->answer);
  g_hash_table_unref (fixture->parcels);
}

static void
send_one (Fixture *fixture, EbChannel *channel)
{
  EbDelivery *delivery = eb_delivery_new (NULL, fixture->parcel, 0);

  delivery->attempt = 1;
  g_ptr_array_add (fixture->deliveries, delivery);
  eb_answer_record_clear (&fixture->answer);
  eb_transport_send (fixture->transport, channel, delivery);
}

typedef struct
{
  Fixture *fixture;
  GAsyncResult *accepted; /* (owned) (nullable) */
} Arrival;

static gboolean
has_happened (gpointer data)
{
  const Arrival *arrival = data;

  return arrival->accepted != NULL || arrival->fixture->answer.arrived;
}

static void
read_request (Fixture *fixture, GSocketConnection *connection)
{
  g_autoptr (GAsyncResult) read = NULL;
  GInputStream *stream = g_io_stream_get_input_stream (G_IO_STREAM (connection));

  memset (fixture->request, 0, sizeof fixture->request);
  g_input_stream_read_async (stream, fixture->request, sizeof fixture->request - 1,
                             G_PRIORITY_DEFAULT, NULL, eb_test_result_cb, &read);
  g_input_stream_read_finish (stream, eb_test_wait_for_result (&read), NULL);
  g_assert_nonnull (strstr (fixture->request, "eventbus-attempt: 1\r\n"));
}

/* Returns: (transfer full): a new connection, on which a request of the first attempt came */
static GSocketConnection *
take_request (Fixture *fixture)
{
  Arrival arrival = { fixture, NULL };
  GSocketConnection *connection;

  g_socket_listener_accept_async (fixture->sink, NULL, eb_test_result_cb, &arrival.accepted);
  eb_test_wait_for (has_happened, &arrival);
  g_assert_false (fixture->answer.arrived);
  connection = g_socket_listener_accept_finish (fixture->sink, arrival.accepted, NULL, NULL);
  g_object_unref (arrival.accepted);
  g_assert_nonnull (connection);
  read_request (fixture, connection);
  return connection;
}

static void
write_answer (GSocketConnection *connection)
{
  static const char ok[] = "HTTP/1.1 204 No Content\r\n\r\n";

  g_assert_true (g_output_stream_write_all (
      g_io_stream_get_output_stream (G_IO_STREAM (connection)), ok, strlen (ok), NULL, NULL, NULL));
}

static void
answer (Fixture *fixture, GSocketConnection *connection)
{
  write_answer (connection);
  eb_answer_record_wait (&fixture->answer);
  g_assert_cmpint (fixture->answer.kind, ==, EB_ANSWER_RESPONSE);
}

/* A sink will not speak on a connection any more, and a request is to go out on it before that is
 * heard of. */
static void
test_closed_meanwhile (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GSocketConnection) old = NULL;
  g_autoptr (GSocketConnection) new = NULL;

  send_one (fixture, fixture->channel);
  old = take_request (fixture);
  answer (fixture, old);
  g_assert_true (g_socket_shutdown (g_socket_connection_get_socket (old), FALSE, TRUE, NULL));
  send_one (fixture, fixture->channel);
  new = take_request (fixture);
  answer (fixture, new);
}

static void
close_and_send (Fixture *fixture)
{
  fixture->when_told = NULL;
  g_assert_true (g_io_stream_close (G_IO_STREAM (fixture->connections[0]), NULL, NULL));
  send_one (fixture, fixture->channel);
}

/* It is closed so late that the request is sent on it. The sink cannot have seen it, so it goes out
 * again as what it was. */
static void
test_closed_in_the_turn (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GSocketConnection) new = NULL;

  send_one (fixture, fixture->channel);
  fixture->connections[0] = take_request (fixture);
  answer (fixture, fixture->connections[0]);
  send_one (fixture, fixture->other);
  fixture->connections[1] = take_request (fixture);
  fixture->when_told = close_and_send;
  write_answer (fixture->connections[1]);
  new = take_request (fixture);
  answer (fixture, new);
}

static gboolean
has_bytes (GSocketConnection *connection)
{
  return g_socket_condition_check (g_socket_connection_get_socket (connection), G_IO_IN) != 0;
}

static void
send_another (Fixture *fixture)
{
  send_one (fixture, fixture->deliveries->len == 2 ? fixture->channel : fixture->other);
  for (guint i = 0; i < G_N_ELEMENTS (fixture->connections); i++)
    g_assert_false (has_bytes (fixture->connections[i]));
}

static gboolean
has_sent_four (gpointer data)
{
  return ((const Fixture *) data)->deliveries->len == 4;
}

/* All answers of a turn are read before anything is sent, and then all of it is. */
static void
test_sent_together (Fixture *fixture, gconstpointer data)
{
  send_one (fixture, fixture->channel);
  fixture->connections[0] = take_request (fixture);
  send_one (fixture, fixture->other);
  fixture->connections[1] = take_request (fixture);
  fixture->when_told = send_another;
  write_answer (fixture->connections[0]);
  write_answer (fixture->connections[1]);
  eb_test_wait_for (has_sent_four, fixture);
  g_assert_true (has_bytes (fixture->connections[0]));
  g_assert_true (has_bytes (fixture->connections[1]));
}

static void
send_again (Fixture *fixture)
{
  fixture->when_told = NULL;
  send_one (fixture, fixture->channel);
}

/* Where there are too few connections for all, nobody keeps one as long as others wait. */
static void
test_few_connections (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EbDeliverySettings) settings = create_settings ();

  settings->max_connections = 1;
  eb_transport_configure (fixture->transport, settings);
  send_one (fixture, fixture->channel);
  fixture->connections[0] = take_request (fixture);
  send_one (fixture, fixture->other);
  fixture->when_told = send_again;
  write_answer (fixture->connections[0]);
  fixture->connections[1] = take_request (fixture);
  g_assert_true (g_str_has_prefix (fixture->request, "POST /b "));
}

/* A connection that is in use outlives the name under which it was opened. */
static void
test_new_origin (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EbDeliverySettings) settings = create_settings ();

  send_one (fixture, fixture->channel);
  fixture->connections[0] = take_request (fixture);
  g_free (settings->origin);
  settings->origin = g_strdup ("new.example.org");
  eb_transport_configure (fixture->transport, settings);
  answer (fixture, fixture->connections[0]);
  send_one (fixture, fixture->channel);
  read_request (fixture, fixture->connections[0]);
  g_assert_nonnull (strstr (fixture->request, "WebHook-Request-Origin: new.example.org\r\n"));
}

/* Reads what was sent on the first connection, so that there is room for more. */
static void
make_room (Fixture *fixture)
{
  GSocket *socket = g_socket_connection_get_socket (fixture->connections[0]);
  char buffer[65536];

  while (g_socket_receive_with_blocking (socket, buffer, sizeof buffer, FALSE, NULL, NULL) > 0)
    continue;
}

static void
refuse_and_reset (Fixture *fixture)
{
  static const char busy[] = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";
  static const struct linger at_once = { .l_onoff = 1 };
  GSocket *socket = g_socket_connection_get_socket (fixture->connections[0]);

  fixture->when_told = NULL;
  eb_answer_record_clear (&fixture->answer);
  g_assert_cmpint (g_socket_send (socket, busy, strlen (busy), NULL, NULL), ==, strlen (busy));
  setsockopt (g_socket_get_fd (socket), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  g_assert_true (g_socket_close (socket, NULL));
}

/* A sink need not read all of a request to refuse it. Its answer is heard, also if the connection
 * is gone when more of the request is to be sent. */
static void
test_answered_before_the_end (Fixture *fixture, gconstpointer data)
{
  EbParcel *small = g_steal_pointer (&fixture->parcel);

  fixture->parcel = create_parcel (fixture, 2, 64 * 1024 * 1024); /* more than sockets hold */
  send_one (fixture, fixture->channel);
  fixture->connections[0] = take_request (fixture);
  eb_parcel_unref (fixture->parcel);
  fixture->parcel = small;
  send_one (fixture, fixture->other);
  fixture->connections[1] = take_request (fixture);

  fixture->when_told = refuse_and_reset;
  write_answer (fixture->connections[1]);
  make_room (fixture);
  while (fixture->when_told != NULL)
    g_main_context_iteration (NULL, TRUE);
  eb_answer_record_wait (&fixture->answer);
  g_assert_cmpint (fixture->answer.kind, ==, EB_ANSWER_RESPONSE);
  g_assert_cmpuint (fixture->answer.status, ==, 503);
}

/* Where nothing may be delivered to any more, nothing is on a connection from before either. */
static void
test_new_policy (Fixture *fixture, gconstpointer data)
{
  static const char *const loopback[] = { "127.0.0.0/8", NULL };
  g_autoptr (EbAddressPolicy) policy = eb_address_policy_new (NULL, loopback, NULL, NULL);
  g_autoptr (EbDeliverySettings) settings = eb_delivery_settings_new (policy);
  g_autoptr (EbDeliverySettings) again = create_settings ();

  send_one (fixture, fixture->channel);
  fixture->connections[0] = take_request (fixture);
  eb_transport_configure (fixture->transport, settings);
  answer (fixture, fixture->connections[0]);
  send_one (fixture, fixture->channel);
  eb_answer_record_wait (&fixture->answer);
  g_assert_cmpint (fixture->answer.kind, ==, EB_ANSWER_UNREACHABLE);
  g_assert_nonnull (strstr (fixture->answer.reason, "127.0.0.0/8"));

  eb_transport_configure (fixture->transport, again);
  send_one (fixture, fixture->channel);
  fixture->connections[1] = take_request (fixture);
  answer (fixture, fixture->connections[1]);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add ("/wire-transport/closed-meanwhile", Fixture, NULL, set_up, test_closed_meanwhile,
              tear_down);
  g_test_add ("/wire-transport/closed-in-the-turn", Fixture, NULL, set_up, test_closed_in_the_turn,
              tear_down);
  g_test_add ("/wire-transport/sent-together", Fixture, NULL, set_up, test_sent_together,
              tear_down);
  g_test_add ("/wire-transport/few-connections", Fixture, NULL, set_up, test_few_connections,
              tear_down);
  g_test_add ("/wire-transport/new-origin", Fixture, NULL, set_up, test_new_origin, tear_down);
  g_test_add ("/wire-transport/answered-before-the-end", Fixture, NULL, set_up,
              test_answered_before_the_end, tear_down);
  g_test_add ("/wire-transport/new-policy", Fixture, NULL, set_up, test_new_policy, tear_down);

  return g_test_run ();
}
