/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include <glib/gstdio.h>
#include <libsoup/soup.h>
#include <string.h>

#include "delivery/eb-soup-transport.h"
#include "support/eb-answer-record.h"
#include "support/eb-test-wait.h"

/* https:// sinks. What http:// and https:// have in common is tested with whole deliveries. */

typedef struct
{
  char *folder;
  char *certificate; /* path */
  char *key;         /* path */
  SoupServer *server;
  guint port;
  guint n_connections;
  char *body; /* (nullable): of the last request */
  EbClock *clock;
  EbTransport *transport;
  GHashTable *parcels;
  EbAnswerRecord answer;
} Fixture;

static void
make_certificate (Fixture *fixture)
{
  const char *argv[] = { "openssl",  "req",
                         "-x509",    "-newkey",
                         "rsa:2048", "-nodes",
                         "-days",    "2",
                         "-subj",    "/CN=localhost",
                         "-addext",  "subjectAltName=IP:127.0.0.1",
                         "-out",     fixture->certificate,
                         "-keyout",  fixture->key,
                         NULL };
  int status;

  g_assert_true (g_spawn_sync (NULL, (char **) argv, NULL,
                               G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, NULL,
                               NULL, &status, NULL));
  g_assert_cmpint (status, ==, 0);
}

static void
agree (SoupServerMessage *message, Fixture *fixture)
{
  SoupMessageHeaders *asked = soup_server_message_get_request_headers (message);
  SoupMessageHeaders *said = soup_server_message_get_response_headers (message);

  fixture->body =
      g_strdup_printf ("%s %s", soup_message_headers_get_one (asked, "WebHook-Request-Origin"),
                       soup_message_headers_get_one (asked, "WebHook-Request-Rate"));
  soup_message_headers_append (said, "WebHook-Allowed-Origin", "bus.example");
  soup_message_headers_append (said, "WebHook-Allowed-Rate", "90");
  soup_server_message_set_status (message, SOUP_STATUS_METHOD_NOT_ALLOWED, NULL);
}

static void
request_cb (SoupServer *server,
            SoupServerMessage *message,
            const char *path,
            GHashTable *query,
            gpointer user_data)
{
  Fixture *fixture = user_data;
  SoupMessageBody *body = soup_server_message_get_request_body (message);

  g_free (fixture->body);
  if (soup_server_message_get_method (message) == SOUP_METHOD_OPTIONS)
    {
      agree (message, fixture);
      return;
    }
  fixture->body = g_strndup (body->data, (gsize) body->length);
  soup_server_message_set_status (message, SOUP_STATUS_ACCEPTED, NULL);
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GTlsCertificate) certificate = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GSList) uris = NULL;

  fixture->folder = g_dir_make_tmp ("eventbus-XXXXXX", NULL);
  fixture->certificate = g_build_filename (fixture->folder, "certificate.pem", NULL);
  fixture->key = g_build_filename (fixture->folder, "key.pem", NULL);
  make_certificate (fixture);
  certificate = g_tls_certificate_new_from_files (fixture->certificate, fixture->key, &error);
  g_assert_no_error (error);
  fixture->server = soup_server_new ("tls-certificate", certificate, NULL);
  soup_server_add_handler (fixture->server, NULL, request_cb, fixture, NULL);
  g_assert_true (soup_server_listen_local (
      fixture->server, 0, SOUP_SERVER_LISTEN_HTTPS | SOUP_SERVER_LISTEN_IPV4_ONLY, &error));
  uris = soup_server_get_uris (fixture->server);
  fixture->port = (guint) g_uri_get_port (uris->data);
  g_uri_unref (uris->data);
  fixture->clock = eb_system_clock_new ();
  fixture->parcels = eb_parcels_new ();
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_clear_object (&fixture->transport);
  g_object_unref (fixture->server);
  eb_test_run ();
  g_object_unref (fixture->clock);
  g_hash_table_unref (fixture->parcels);
  g_unlink (fixture->certificate);
  g_unlink (fixture->key);
  g_rmdir (fixture->folder);
  g_free (fixture->folder);
  g_free (fixture->certificate);
  g_free (fixture->key);
  g_free (fixture->body);
  eb_answer_record_clear (&fixture->answer);
}

static void
create_transport (Fixture *fixture, const char *ca_file)
{
  g_autoptr (EbAddressPolicy) policy = eb_address_policy_new (NULL, NULL, NULL, NULL);
  g_autoptr (EbDeliverySettings) settings = eb_delivery_settings_new (policy);

  settings->ca_file = g_strdup (ca_file);
  g_free (settings->origin);
  settings->origin = g_strdup ("bus.example");
  fixture->transport = eb_soup_transport_new (fixture->clock, "log", settings);
  eb_transport_set_answer_func (fixture->transport, eb_answer_record_cb, &fixture->answer);
}

static void
deliver (Fixture *fixture, const char *text)
{
  g_autofree char *uri = g_strdup_printf ("https://127.0.0.1:%u/hook?x=1", fixture->port);
  g_autoptr (EbSink) sink = eb_sink_new_for_uri (uri, NULL);
  EbSubscriptionSpec spec = { .id = "s", .sink = sink, .concurrency = 1 };
  g_autoptr (EbSubscription) subscription = eb_subscription_new (&spec, NULL);
  EbChannel *channel = eb_transport_open (fixture->transport, subscription);
  g_autoptr (GBytes) data = g_bytes_new (text, strlen (text));
  g_autoptr (EbDraft) draft = eb_draft_new (data);
  g_autoptr (EbEvent) event = NULL;
  g_autoptr (EbParcel) parcel = NULL;
  EbDelivery *delivery;

  g_assert_true (eb_draft_complete (draft, NULL));
  event = eb_event_new (draft, 1, 0);
  parcel = eb_parcels_obtain (fixture->parcels, event);
  delivery = eb_delivery_new (NULL, parcel, 0);
  delivery->attempt = 1;
  eb_answer_record_clear (&fixture->answer);
  eb_transport_send (fixture->transport, channel, delivery);
  g_assert_false (fixture->answer.arrived); /* never from within the call */
  eb_answer_record_wait (&fixture->answer);
  eb_delivery_free (delivery);
  eb_transport_close (fixture->transport, channel);
}

static void
test_trusted (Fixture *fixture, gconstpointer data)
{
  create_transport (fixture, fixture->certificate);
  deliver (fixture, "secret");
  g_assert_cmpint (fixture->answer.kind, ==, EB_ANSWER_RESPONSE);
  g_assert_cmpuint (fixture->answer.status, ==, 202);
  g_assert_cmpstr (fixture->body, ==, "secret");
}

static void
ask (Fixture *fixture, const char *uri)
{
  g_autoptr (EbDeliveryOptions) options = eb_delivery_options_new ();
  g_autoptr (EbSink) sink = eb_sink_new_for_uri (uri, NULL);
  EbSubscriptionSpec spec = { .id = "s", .sink = sink, .concurrency = 1, .options = options };
  g_autoptr (EbSubscription) subscription = NULL;
  EbDelivery *question = eb_delivery_new_question (NULL);
  EbChannel *channel;

  options->rate = 2;
  subscription = eb_subscription_new (&spec, NULL);
  channel = eb_transport_open (fixture->transport, subscription);
  eb_answer_record_clear (&fixture->answer);
  eb_transport_send (fixture->transport, channel, question);
  eb_answer_record_wait (&fixture->answer);
  eb_transport_close (fixture->transport, channel);
  eb_delivery_free (question);
  g_assert_cmpint (fixture->answer.kind, ==, EB_ANSWER_RESPONSE);
  g_assert_cmpuint (fixture->answer.status, ==, 405);
  g_assert_cmpstr (fixture->body, ==, "bus.example 120");
  g_assert_cmpstr (fixture->answer.allowed, ==, "bus.example 90");
}

/* Whether it wants deliveries; of other answers the fields are nobody's business. */
static void
test_question (Fixture *fixture, gconstpointer data)
{
  g_autofree char *secure = g_strdup_printf ("https://127.0.0.1:%u/hook", fixture->port);
  g_autofree char *plain = NULL;
  g_autoptr (GError) error = NULL;
  GSList *uris;

  g_assert_true (
      soup_server_listen_local (fixture->server, 0, SOUP_SERVER_LISTEN_IPV4_ONLY, &error));
  uris = soup_server_get_uris (fixture->server);
  for (GSList *uri = uris; uri != NULL; uri = uri->next)
    if (g_str_equal (g_uri_get_scheme (uri->data), "http"))
      plain = g_strdup_printf ("http://127.0.0.1:%d/hook", g_uri_get_port (uri->data));
  g_slist_free_full (uris, (GDestroyNotify) g_uri_unref);
  create_transport (fixture, fixture->certificate);
  ask (fixture, secure);
  ask (fixture, plain);
  deliver (fixture, "x");
  g_assert_cmpstr (fixture->answer.allowed, ==, "(null) (null)");
}

/* Nothing is sent to whom we do not know. */
static void
test_unknown_authority (Fixture *fixture, gconstpointer data)
{
  create_transport (fixture, NULL);
  deliver (fixture, "secret");
  g_assert_cmpint (fixture->answer.kind, ==, EB_ANSWER_UNREACHABLE);
  g_assert_nonnull (fixture->answer.reason);
  g_assert_null (fixture->body);
}

static void
test_missing_ca_file (Fixture *fixture, gconstpointer data)
{
  create_transport (fixture, "/nonexistent/ca.pem");
  deliver (fixture, "secret");
  g_assert_cmpint (fixture->answer.kind, ==, EB_ANSWER_UNREACHABLE);
  g_assert_null (fixture->body);
}

#define ADD(path, func) g_test_add ("/soup-transport/" path, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* Warnings are not fatal: a CA file that is missing is warned of. */
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);

  ADD ("trusted", test_trusted);
  ADD ("question", test_question);
  ADD ("unknown-authority", test_unknown_authority);
  ADD ("missing-ca-file", test_missing_ca_file);

  return g_test_run ();
}
