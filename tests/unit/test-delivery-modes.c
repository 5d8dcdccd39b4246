/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include <libsoup/soup.h>
#include <string.h>

#include "codec/eb-event-json.h"
#include "delivery/eb-soup-transport.h"
#include "delivery/eb-wire-transport.h"
#include "support/eb-answer-record.h"
#include "support/eb-fake-clock.h"
#include "support/eb-test-wait.h"

/* How a delivery travels: what a subscriber's options make of it, by each transport. */

#define SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

typedef struct
{
  SoupServer *server;
  char *uri;
  SoupServerMessage *paused;   /* (nullable) */
  gboolean silent;             /* the sink takes requests and does not answer */
  SoupMessageHeaders *headers; /* (nullable): of the last request */
  GBytes *body;                /* (nullable): of the last request */
  EbFakeClock *clock;
  EbTransport *transport;
  GHashTable *parcels;
  GPtrArray *events; /* in order */
  EbDeliveryOptions *options;
  EbAnswerRecord answer;
} Fixture;

static void
copy_header (const char *name, const char *value, gpointer user_data)
{
  soup_message_headers_append (user_data, name, value);
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

  g_clear_pointer (&fixture->headers, soup_message_headers_unref);
  g_clear_pointer (&fixture->body, g_bytes_unref);
  fixture->headers = soup_message_headers_new (SOUP_MESSAGE_HEADERS_REQUEST);
  soup_message_headers_foreach (soup_server_message_get_request_headers (message), copy_header,
                                fixture->headers);
  fixture->body = soup_message_body_flatten (body);
  if (fixture->silent)
    {
      fixture->paused = g_object_ref (message);
      soup_server_message_pause (message);
      return;
    }
  soup_server_message_set_status (message, SOUP_STATUS_NO_CONTENT, NULL);
}

static EbTransport *
create_transport (Fixture *fixture, gboolean soup)
{
  g_autoptr (EbAddressPolicy) policy = eb_address_policy_new (NULL, NULL, NULL, NULL);
  g_autoptr (EbDeliverySettings) settings = eb_delivery_settings_new (policy);
  g_autoptr (GResolver) resolver = g_resolver_get_default ();

  g_free (settings->origin);
  settings->origin = g_strdup ("bus.example.org");
  if (soup)
    return eb_soup_transport_new (EB_CLOCK (fixture->clock), "log", settings);
  return eb_wire_transport_new (EB_CLOCK (fixture->clock), resolver, "log", settings);
}

static void
set_up (Fixture *fixture, gconstpointer soup)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSList) uris = NULL;

  fixture->server = soup_server_new (NULL, NULL);
  soup_server_add_handler (fixture->server, NULL, request_cb, fixture, NULL);
  g_assert_true (
      soup_server_listen_local (fixture->server, 0, SOUP_SERVER_LISTEN_IPV4_ONLY, &error));
  uris = soup_server_get_uris (fixture->server);
  fixture->uri = g_strdup_printf ("http://127.0.0.1:%d/hook", g_uri_get_port (uris->data));
  g_uri_unref (uris->data);
  fixture->clock = eb_fake_clock_new ();
  fixture->transport = create_transport (fixture, soup != NULL);
  eb_transport_set_answer_func (fixture->transport, eb_answer_record_cb, &fixture->answer);
  fixture->parcels = eb_parcels_new ();
  fixture->events = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_event_unref);
  fixture->options = eb_delivery_options_new ();
}

static void
tear_down (Fixture *fixture, gconstpointer soup)
{
  g_clear_object (&fixture->transport);
  soup_server_disconnect (fixture->server);
  g_clear_object (&fixture->paused);
  g_object_unref (fixture->server);
  eb_test_run ();
  g_object_unref (fixture->clock);
  g_ptr_array_unref (fixture->events);
  g_hash_table_unref (fixture->parcels);
  g_clear_pointer (&fixture->headers, soup_message_headers_unref);
  g_clear_pointer (&fixture->body, g_bytes_unref);
  g_clear_pointer (&fixture->options, eb_delivery_options_unref);
  g_free (fixture->uri);
  eb_answer_record_clear (&fixture->answer);
}

static void
add_event (Fixture *fixture, const char *content_type, const char *text, gsize size)
{
  g_autoptr (GBytes) data = g_bytes_new (text, size);
  g_autoptr (EbDraft) draft = eb_draft_new (data);

  g_assert_true (eb_draft_set (draft, "id", "A 1", NULL));
  g_assert_true (eb_draft_set (draft, "type", "com.example.t", NULL));
  g_assert_true (eb_draft_set (draft, "subject", "straße", NULL));
  g_assert_true (eb_draft_set (draft, "traceparent",
                               "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", NULL));
  if (content_type != NULL)
    g_assert_true (eb_draft_set_content_type (draft, content_type, NULL));
  g_assert_true (eb_draft_complete (draft, NULL));
  g_ptr_array_add (fixture->events, eb_event_new (draft, fixture->events->len + 41, 0));
}

static EbDelivery *
create_delivery (Fixture *fixture)
{
  EbDelivery *delivery = NULL;

  for (guint i = 0; i < fixture->events->len; i++)
    {
      g_autoptr (EbParcel) parcel = eb_parcels_obtain (fixture->parcels, fixture->events->pdata[i]);

      if (delivery == NULL)
        delivery = eb_delivery_new (NULL, parcel, 40);
      else
        eb_delivery_add (delivery, parcel, 40 + i);
    }
  delivery->attempt = 3;
  return delivery;
}

static gboolean
has_arrived (gpointer data)
{
  return ((Fixture *) data)->headers != NULL;
}

static EbChannel *
open_channel (Fixture *fixture)
{
  g_autoptr (EbSink) sink = eb_sink_new_for_uri (fixture->uri, NULL);
  EbSubscriptionSpec spec = {
    .id = "s", .sink = sink, .concurrency = 1, .options = fixture->options
  };
  g_autoptr (EbSubscription) subscription = eb_subscription_new (&spec, NULL);

  return eb_transport_open (fixture->transport, subscription);
}

/* All events as one delivery. */
static void
deliver (Fixture *fixture)
{
  EbChannel *channel = open_channel (fixture);
  EbDelivery *delivery = create_delivery (fixture);

  eb_answer_record_clear (&fixture->answer);
  eb_transport_send (fixture->transport, channel, delivery);
  eb_answer_record_wait (&fixture->answer);
  g_assert_cmpint (fixture->answer.kind, ==, EB_ANSWER_RESPONSE);
  eb_delivery_free (delivery);
  eb_transport_close (fixture->transport, channel);
}

static const char *
get (Fixture *fixture, const char *name)
{
  return soup_message_headers_get_one (fixture->headers, name);
}

static void
assert_body (Fixture *fixture, const char *text, gsize size)
{
  g_assert_cmpmem (g_bytes_get_data (fixture->body, NULL), g_bytes_get_size (fixture->body), text,
                   size);
}

static char *
sign (Fixture *fixture, const char *secret)
{
  gsize key_size, digest_size = 32;
  g_autofree guchar *key = g_base64_decode (secret + strlen ("whsec_"), &key_size);
  g_autoptr (GHmac) hmac = g_hmac_new (G_CHECKSUM_SHA256, key, key_size);
  g_autofree char *start =
      g_strdup_printf ("%s.%s.", get (fixture, "webhook-id"), get (fixture, "webhook-timestamp"));
  g_autofree char *encoded = NULL;
  guint8 digest[32];

  g_hmac_update (hmac, (const guchar *) start, -1);
  g_hmac_update (hmac, g_bytes_get_data (fixture->body, NULL),
                 (gssize) g_bytes_get_size (fixture->body));
  g_hmac_get_digest (hmac, digest, &digest_size);
  encoded = g_base64_encode (digest, digest_size);
  return g_strconcat ("v1,", encoded, NULL);
}

static void
assert_signed (Fixture *fixture, const char *secret)
{
  g_autofree char *expected = sign (fixture, secret);

  g_assert_cmpstr (get (fixture, "webhook-signature"), ==, expected);
}

static void
count_event_header (const char *name, const char *value, gpointer user_data)
{
  guint *n = user_data;

  *n += g_ascii_strncasecmp (name, "ce-", 3) == 0;
}

static guint
count_event_headers (Fixture *fixture)
{
  guint n = 0;

  soup_message_headers_foreach (fixture->headers, count_event_header, &n);
  return n;
}

/* Returns: (transfer full): what the `webhook-id` ends with: a batch's has a hash of all sequences
 */
static char *
dup_id_end (Fixture *fixture, const char *sequence)
{
  guint32 hash = 2166136261u;

  if (fixture->events->len == 1)
    return g_strdup_printf ("-%s", sequence);
  for (guint i = 0; i < fixture->events->len; i++)
    hash = (hash ^ (41 + i)) * 16777619u;
  return g_strdup_printf ("-41-%s-%" G_GUINT32_FORMAT, sequence, hash);
}

/* What every delivery says, however it travels. */
static void
assert_attempt (Fixture *fixture, const char *sequence)
{
  g_autofree char *end = dup_id_end (fixture, sequence);
  g_autofree char *padded =
      g_strdup_printf ("%020" G_GUINT64_FORMAT, g_ascii_strtoull (sequence, NULL, 10));

  g_assert_cmpstr (get (fixture, "ce-sequence"), ==, padded);
  g_assert_true (g_str_has_suffix (get (fixture, "webhook-id"), end));
  g_assert_cmpstr (get (fixture, "eventbus-attempt"), ==, "3");
  g_assert_cmpstr (get (fixture, "eventbus-previous"), ==, "40");
  g_assert_true (g_str_has_prefix (get (fixture, "user-agent"), "EventBus/"));
}

static void
test_binary (Fixture *fixture, gconstpointer soup)
{
  add_event (fixture, "text/plain", "hello", 5);
  deliver (fixture);
  assert_attempt (fixture, "41");
  assert_body (fixture, "hello", 5);
  g_assert_cmpstr (get (fixture, "content-type"), ==, "text/plain");
  g_assert_cmpstr (get (fixture, "ce-id"), ==, "A%201");
  g_assert_cmpstr (get (fixture, "ce-subject"), ==, "stra%C3%9Fe");
  g_assert_nonnull (get (fixture, "traceparent"));
  g_assert_null (get (fixture, "webhook-signature"));
  g_assert_null (get (fixture, "authorization"));
  g_assert_null (get (fixture, "webhook-request-origin"));
}

static void
test_own_headers (Fixture *fixture, gconstpointer soup)
{
  eb_delivery_options_add_header (fixture->options, "X-Team", "billing, eu");
  eb_delivery_options_add_header (fixture->options, "x-empty", "");
  fixture->options->token = g_strdup ("t0ken=");
  fixture->options->handshake = TRUE;
  add_event (fixture, NULL, "", 0);
  deliver (fixture);
  assert_attempt (fixture, "41");
  assert_body (fixture, "", 0);
  g_assert_null (get (fixture, "content-type"));
  g_assert_cmpstr (get (fixture, "x-team"), ==, "billing, eu");
  g_assert_cmpstr (get (fixture, "x-empty"), ==, "");
  g_assert_cmpstr (get (fixture, "authorization"), ==, "Bearer t0ken=");
  g_assert_cmpstr (get (fixture, "webhook-request-origin"), ==, "bus.example.org");
}

/* Bodies that are sent with their head, and such that are sent behind it. */
static void
test_signed (Fixture *fixture, gconstpointer soup)
{
  static const gsize sizes[] = { 0, 1, 256, 2048, 2049, 300000 };
  g_autofree char *data = g_malloc (300000);

  memset (data, '\xfe', 300000);
  eb_delivery_options_set_secret (fixture->options, SECRET);
  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_ptr_array_set_size (fixture->events, 0);
      add_event (fixture, "application/octet-stream", data, sizes[i]);
      deliver (fixture);
      assert_body (fixture, data, sizes[i]);
      assert_signed (fixture, SECRET);
    }
}

static void
test_rotated (Fixture *fixture, gconstpointer soup)
{
  g_autofree char *secret = eb_secret_generate ();
  g_autofree char *old = NULL, *new = NULL, *both = NULL;

  eb_delivery_options_set_secret (fixture->options, SECRET);
  eb_delivery_options_rotate (fixture->options, secret,
                              eb_clock_get_real (EB_CLOCK (fixture->clock)));
  add_event (fixture, "text/plain", "hello", 5);
  deliver (fixture);
  old = sign (fixture, SECRET);
  new = sign (fixture, secret);
  both = g_strdup_printf ("%s %s", new, old);
  g_assert_cmpstr (get (fixture, "webhook-signature"), ==, both);

  eb_fake_clock_advance (fixture->clock, EB_SECRET_GRACE);
  deliver (fixture);
  assert_signed (fixture, secret);
}

static void
assert_text (Fixture *fixture, const char *part)
{
  gsize size;
  const char *text = g_bytes_get_data (fixture->body, &size);

  if (g_strstr_len (text, (gssize) size, part) == NULL)
    g_error ("%s is not in %.*s", part, (int) size, text);
}

#define NUMBERS "{\"n\":12345678901234567890,\"x\":1.10}"

static void
test_structured (Fixture *fixture, gconstpointer soup)
{
  fixture->options->mode = EB_MODE_STRUCTURED;
  eb_delivery_options_set_secret (fixture->options, SECRET);
  add_event (fixture, "application/json", NUMBERS, strlen (NUMBERS));
  deliver (fixture);
  assert_attempt (fixture, "41");
  g_assert_cmpstr (get (fixture, "content-type"), ==, "application/cloudevents+json");
  g_assert_cmpuint (count_event_headers (fixture), ==, 1);
  g_assert_nonnull (get (fixture, "traceparent"));
  assert_text (fixture, "\"data\":" NUMBERS);
  assert_text (fixture, "\"sequence\":\"00000000000000000041\"");
  assert_signed (fixture, SECRET);
}

/* The text is larger than what is sent with its head. */
static void
test_structured_bytes (Fixture *fixture, gconstpointer soup)
{
  g_autofree char *data = g_malloc (5000);
  g_autofree char *encoded = NULL, *expected = NULL;

  memset (data, '\xfe', 5000);
  encoded = g_base64_encode ((const guchar *) data, 5000);
  expected = g_strdup_printf ("\"data_base64\":\"%s\"", encoded);
  fixture->options->mode = EB_MODE_STRUCTURED;
  eb_delivery_options_set_secret (fixture->options, SECRET);
  add_event (fixture, "application/octet-stream", data, 5000);
  deliver (fixture);
  assert_text (fixture, expected);
  assert_signed (fixture, SECRET);
}

static void
test_batch (Fixture *fixture, gconstpointer soup)
{
  fixture->options->mode = EB_MODE_BATCH;
  eb_delivery_options_set_secret (fixture->options, SECRET);
  for (guint n = 1; n <= 100; n++)
    {
      g_autofree char *expected = NULL;
      g_autofree char *sequence = g_strdup_printf ("%u", 40 + n);

      add_event (fixture, "application/json", NUMBERS, strlen (NUMBERS));
      if (n > 3 && n < 100)
        continue;
      expected = eb_events_to_json (fixture->events);
      deliver (fixture);
      assert_attempt (fixture, sequence);
      g_assert_cmpstr (get (fixture, "content-type"), ==, "application/cloudevents-batch+json");
      g_assert_cmpuint (count_event_headers (fixture), ==, 1);
      g_assert_null (get (fixture, "traceparent"));
      assert_body (fixture, expected, strlen (expected));
      assert_signed (fixture, SECRET);
    }
}

/* The own one is shorter than the daemon's; nobody answers. */
static void
test_timeout (Fixture *fixture, gconstpointer soup)
{
  EbChannel *channel;
  EbDelivery *delivery;

  fixture->options->timeout = 2 * G_TIME_SPAN_SECOND;
  fixture->silent = TRUE;
  add_event (fixture, NULL, "", 0);
  channel = open_channel (fixture);
  delivery = create_delivery (fixture);
  eb_transport_send (fixture->transport, channel, delivery);
  eb_test_wait_for (has_arrived, fixture);
  g_assert_false (fixture->answer.arrived);
  eb_fake_clock_advance (fixture->clock, 2 * G_TIME_SPAN_SECOND);
  eb_answer_record_wait (&fixture->answer);
  g_assert_cmpint (fixture->answer.kind, ==, EB_ANSWER_FAILED);
  g_assert_nonnull (strstr (fixture->answer.reason, "within 2 s"));
  eb_delivery_free (delivery);
  eb_transport_close (fixture->transport, channel);
}

/* What subscribers have in common is written once. */
static void
test_shared (Fixture *fixture, gconstpointer soup)
{
  static const EbMode modes[] = { EB_MODE_BINARY, EB_MODE_STRUCTURED };
  EbDelivery *one, *other;

  add_event (fixture, "text/plain", "hello", 5);
  one = create_delivery (fixture);
  other = create_delivery (fixture);
  for (gsize i = 0; i < G_N_ELEMENTS (modes); i++)
    {
      g_autoptr (EbContent) first = eb_delivery_get_content (one, modes[i]);
      g_autoptr (EbContent) second = eb_delivery_get_content (other, modes[i]);

      g_assert_true (first == second);
    }
  eb_delivery_free (one);
  eb_delivery_free (other);
}

static void
add (const char *name, void (*test) (Fixture *, gconstpointer))
{
  g_autofree char *wire = g_strdup_printf ("/delivery-modes/wire/%s", name);
  g_autofree char *soup = g_strdup_printf ("/delivery-modes/soup/%s", name);

  g_test_add (wire, Fixture, NULL, set_up, test, tear_down);
  g_test_add (soup, Fixture, GINT_TO_POINTER (1), set_up, test, tear_down);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  add ("binary", test_binary);
  add ("own-headers", test_own_headers);
  add ("signed", test_signed);
  add ("rotated", test_rotated);
  add ("structured", test_structured);
  add ("structured-bytes", test_structured_bytes);
  add ("batch", test_batch);
  add ("timeout", test_timeout);
  add ("shared", test_shared);

  return g_test_run ();
}
