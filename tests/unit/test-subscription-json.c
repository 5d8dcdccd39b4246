/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include <string.h>

#include "codec/eb-subscription-json.h"

static EbFilter *
new_filter (EbFilterDialect dialect, const char *name, const char *value)
{
  EbFilter *filter = eb_filter_new (dialect);

  g_assert_true (eb_filter_add_attribute (filter, name, value, NULL));
  return filter;
}

static EbFilter *
combine (EbFilterDialect dialect, EbFilter *a, EbFilter *b)
{
  EbFilter *filter = eb_filter_new (dialect);

  g_assert_true (eb_filter_add_child (filter, a, NULL));
  eb_filter_unref (a);
  if (b != NULL)
    {
      g_assert_true (eb_filter_add_child (filter, b, NULL));
      eb_filter_unref (b);
    }
  return filter;
}

static void
test_plain (void)
{
  g_autoptr (EbSink) sink = eb_sink_new_for_address ("[::1]:8080/a b", NULL);
  EbSubscriptionSpec spec = { .id = "“quoted” \"id\"\n", .sink = sink, .concurrency = 1 };
  g_autoptr (EbSubscription) subscription = NULL;
  g_autoptr (EbSubscription) copy = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  g_autofree char *again = NULL;

  if (sink == NULL)
    spec.sink = sink = eb_sink_new_for_address ("[::1]:8080/a", NULL);
  subscription = eb_subscription_new (&spec, &error);
  g_assert_no_error (error);
  text = eb_subscription_to_json (subscription);
  copy = eb_subscription_from_json (text, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (eb_subscription_get_id (copy), ==, spec.id);
  g_assert_cmpstr (eb_sink_get_uri (eb_subscription_get_sink (copy)), ==, eb_sink_get_uri (sink));
  g_assert_true (eb_subscription_takes_all (copy));
  g_assert_cmpint (eb_subscription_get_lease (copy), ==, 0);
  again = eb_subscription_to_json (copy);
  g_assert_cmpstr (text, ==, again);
}

static void
test_all (void)
{
  g_autoptr (EbSink) sink = eb_sink_new_for_uri ("https://example.org:1/p?q=%20&r", NULL);
  g_autoptr (EbFilter) filter =
      combine (EB_FILTER_ANY,
               combine (EB_FILTER_NOT, new_filter (EB_FILTER_EXACT, "subject", "a\"b\\"), NULL),
               combine (EB_FILTER_ALL, new_filter (EB_FILTER_PREFIX, "source", "/x"),
                        new_filter (EB_FILTER_SUFFIX, "zone", "é")));
  const char *const types[] = { "com.example.*", "org.>", NULL };
  EbSubscriptionSpec spec = { "all", sink, types, filter, 1500001, 7, EB_ORDER_RELAXED, FALSE };
  g_autoptr (EbSubscription) subscription = eb_subscription_new (&spec, NULL);
  g_autofree char *text = eb_subscription_to_json (subscription);
  g_autoptr (GError) error = NULL;
  g_autoptr (EbSubscription) copy = eb_subscription_from_json (text, &error);
  g_autofree char *again = NULL;

  g_assert_no_error (error);
  g_assert_true (g_strv_equal (eb_subscription_get_types (copy), types));
  g_assert_cmpint (eb_subscription_get_lease (copy), ==, 1500001);
  g_assert_cmpuint (eb_subscription_get_concurrency (copy), ==, 7);
  again = eb_subscription_to_json (copy);
  g_assert_cmpstr (text, ==, again);
  g_assert_nonnull (g_strstr_len (text, -1, "{\"any\":[{\"not\":{\"exact\":{\"subject\""));
}

static void
test_strict (void)
{
  g_autoptr (EbSink) sink = eb_sink_new_for_address ("a:1", NULL);
  EbSubscriptionSpec spec = { "s", sink, NULL, NULL, 0, 1, EB_ORDER_STRICT, FALSE };
  g_autoptr (EbSubscription) subscription = eb_subscription_new (&spec, NULL);
  g_autofree char *text = eb_subscription_to_json (subscription);
  g_autoptr (EbSubscription) copy = eb_subscription_from_json (text, NULL);

  g_assert_cmpint (eb_subscription_get_order (copy), ==, EB_ORDER_STRICT);
}

/* All that a subscriber can ask for, and what a rotation and a pause leave. */
static EbSubscription *
new_full (void)
{
  g_autoptr (EbSink) sink = eb_sink_new_for_uri ("http://a/", NULL);
  g_autoptr (EbDeliveryOptions) options = eb_delivery_options_new ();
  g_autofree char *old = eb_secret_generate ();
  g_autofree char *new = eb_secret_generate ();
  EbSubscriptionSpec spec = { .id = "full",
                              .sink = sink,
                              .concurrency = 1,
                              .paused = TRUE,
                              .lease = G_TIME_SPAN_MINUTE,
                              .options = options };
  const guint delays[] = { 0, 2592000 };

  options->mode = EB_MODE_BATCH;
  options->rate = 1000000;
  options->timeout = 3600 * G_TIME_SPAN_SECOND;
  options->resume = TRUE;
  options->handshake = TRUE;
  options->token = g_strdup ("tok\"en");
  options->retry = g_array_new (FALSE, FALSE, sizeof (guint));
  g_array_append_vals (options->retry, delays, G_N_ELEMENTS (delays));
  eb_delivery_options_add_header (options, "X-One", "1");
  eb_delivery_options_add_header (options, "X-Two", "");
  eb_delivery_options_set_secret (options, old);
  eb_delivery_options_rotate (options, new, 1700000000123456);
  return eb_subscription_new (&spec, NULL);
}

static void
test_row (void)
{
  g_autoptr (EbSubscription) subscription = new_full ();
  const EbDeliveryOptions *options = eb_subscription_get_options (subscription);
  const EbSecret *oldest = options->secrets->pdata[1];
  g_autofree char *text = eb_subscription_to_json (subscription);
  g_autofree char *again = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (EbSubscription) copy = eb_subscription_from_json (text, &error);
  const EbDeliveryOptions *copied;

  g_assert_no_error (error);
  g_assert_true (eb_subscription_is_paused (copy));
  copied = eb_subscription_get_options (copy);
  g_assert_cmpuint (copied->secrets->len, ==, 2);
  g_assert_cmpstr (((EbSecret *) copied->secrets->pdata[1])->text, ==, oldest->text);
  g_assert_cmpint (((EbSecret *) copied->secrets->pdata[1])->until_us, ==, oldest->until_us);
  g_assert_cmpstr (copied->token, ==, options->token);
  g_assert_cmpuint (copied->headers->len, ==, 2);
  g_assert_cmpuint (g_array_index (copied->retry, guint, 1), ==, 2592000);
  again = eb_subscription_to_json (copy);
  g_assert_cmpstr (text, ==, again);
}

/* The one control character that json-glib does not escape by itself. */
static void
test_unit_separator (void)
{
  static const char row[] =
      "{\"id\":\"s\",\"sink\":\"http://a/\",\"filters\":[{\"exact\":"
      "{\"subject\":\"a\\u001fb\"}}],\"config\":{\"lease\":60,\"concurrency\":1}}";
  g_autoptr (GError) error = NULL;
  g_autoptr (EbSubscription) subscription = eb_subscription_from_json (row, &error);
  g_autoptr (EbSubscription) copy = NULL;
  g_autofree char *text = NULL;

  g_assert_no_error (error);
  text = eb_subscription_to_json (subscription);
  g_assert_nonnull (strstr (text, "\"a\\u001fb\""));
  copy = eb_subscription_from_json (text, &error);
  g_assert_no_error (error);
}

static void
test_streak (void)
{
  g_autoptr (EbSink) sink = eb_sink_new_for_uri ("http://a/", NULL);
  EbSubscriptionSpec spec = {
    .id = "s", .sink = sink, .concurrency = 1, .streak = { 1700000000123456, EB_STREAK_MAX }
  };
  g_autoptr (EbSubscription) disabled = eb_subscription_new (&spec, NULL);
  g_autofree char *text = eb_subscription_to_json (disabled);
  g_autoptr (EbSubscription) copy = eb_subscription_from_json (text, NULL);
  g_autoptr (EbSubscription) leased = NULL;

  g_assert_true (eb_subscription_is_disabled (copy));
  g_assert_cmpint (eb_subscription_get_streak (copy)->since_us, ==, 1700000000123456);
  g_assert_cmpint (eb_subscription_get_streak (copy)->lasted, ==, EB_STREAK_MAX);

  spec.lease = G_TIME_SPAN_MINUTE;
  leased = eb_subscription_new (&spec, NULL);
  g_assert_false (eb_subscription_is_disabled (leased));
}

static void
test_shown (void)
{
  g_autoptr (EbSubscription) subscription = new_full ();
  g_autoptr (GArray) retry = g_array_new (FALSE, FALSE, sizeof (GTimeSpan));
  EbSubscriptionView view = {
    subscription, "held", 41, 2, 1700000000000000, "a \"reason\"", 15 * G_TIME_SPAN_SECOND, retry
  };
  g_autofree char *text = eb_subscription_view_to_json (&view);
  g_autoptr (GBytes) body = g_bytes_new (text, strlen (text));
  g_autoptr (GError) error = NULL;
  g_autoptr (EbSubscription) copy = NULL;
  guint64 start;

  g_assert_cmpstr (
      text, ==,
      "{\"id\":\"full\",\"sink\":\"http://a/\",\"protocol\":\"HTTP\",\"types\":[\">\"],"
      "\"sinkcredential\":{\"credentialtype\":\"ACCESSTOKEN\",\"accesstokentype\":\"Bearer\"},"
      "\"protocolsettings\":{\"headers\":{\"X-One\":\"1\",\"X-Two\":\"\"}},"
      "\"config\":{\"lease\":60,\"order\":\"relaxed\",\"concurrency\":1,\"mode\":\"batch\","
      "\"rate\":1000000,\"timeout\":3600,\"resume\":true,\"handshake\":true,\"retry\":[0,2592000]},"
      "\"status\":{\"state\":\"held\",\"cursor\":41,\"lag\":2,"
      "\"expires\":\"2023-11-14T22:13:20Z\",\"lasterror\":\"a \\\"reason\\\"\"}}");

  /* It can be sent back as it is. */
  copy = eb_subscription_parse (body, "full", 0, &start, &error);
  g_assert_no_error (error);
  g_assert_null (eb_subscription_get_options (copy)->token);
  g_assert_null (eb_subscription_get_options (copy)->secrets);
}

static void
test_shown_defaults (void)
{
  g_autoptr (EbSink) sink = eb_sink_new_for_address ("a:1", NULL);
  EbSubscriptionSpec spec = { .id = "a:1", .sink = sink, .concurrency = 1 };
  g_autoptr (EbSubscription) subscription = eb_subscription_new (&spec, NULL);
  g_autoptr (GArray) retry = g_array_new (FALSE, FALSE, sizeof (GTimeSpan));
  EbSubscriptionView view = { subscription, "active", 0, 0, 0, NULL, G_TIME_SPAN_MINUTE, retry };
  GTimeSpan delay = 5 * G_TIME_SPAN_SECOND;
  g_autofree char *text = NULL;

  g_array_append_val (retry, delay);
  text = eb_subscription_view_to_json (&view);
  g_assert_cmpstr (text, ==,
                   "{\"id\":\"a:1\",\"sink\":\"http://a:1/event\",\"protocol\":\"HTTP\","
                   "\"types\":[\">\"],\"config\":{\"lease\":0,\"order\":\"relaxed\","
                   "\"concurrency\":1,\"mode\":\"binary\",\"rate\":0,\"resume\":false,"
                   "\"handshake\":false,\"timeout\":60,\"retry\":[5]},"
                   "\"status\":{\"state\":\"active\",\"cursor\":0,\"lag\":0,"
                   "\"expires\":null,\"lasterror\":null}}");
}

static void
test_refused (void)
{
  static const char *const texts[] = {
    "",
    "{",
    "[]",
    "{}",
    "{\"id\":1}",
    "{\"id\":\"a\",\"sink\":\"nothing\",\"types\":[],\"config\":{}}",
    "{\"id\":\"a\",\"sink\":\"http://a/\",\"types\":[1]}",
    "{\"id\":\"a\",\"sink\":\"http://a/\",\"types\":[]}",
    "{\"id\":\"a\",\"sink\":\"http://a/\",\"types\":[],\"filters\":[{}],\"config\":{}}",
    "{\"id\":\"a\",\"sink\":\"http://a/\",\"types\":[],\"filters\":[{\"new\":{}}],\"config\":{}}",
    "{\"id\":\"a\",\"sink\":\"http://a/\",\"types\":[],\"filters\":[{\"all\":[]}],\"config\":{}}",
    "{\"id\":\"a\",\"sink\":\"http://a/\",\"types\":[],\"config\":{\"lease\":1}}",
    ("{\"id\":\"a\",\"sink\":\"http://a/\",\"types\":[],\"config\":"
     "{\"lease\":1,\"order\":\"strict\",\"concurrency\":0}}"),
  };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (eb_subscription_from_json (texts[i], &error));
      g_assert_nonnull (error);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/subscription-json/plain", test_plain);
  g_test_add_func ("/subscription-json/all", test_all);
  g_test_add_func ("/subscription-json/strict", test_strict);
  g_test_add_func ("/subscription-json/row", test_row);
  g_test_add_func ("/subscription-json/streak", test_streak);
  g_test_add_func ("/subscription-json/unit-separator", test_unit_separator);
  g_test_add_func ("/subscription-json/shown", test_shown);
  g_test_add_func ("/subscription-json/shown-defaults", test_shown_defaults);
  g_test_add_func ("/subscription-json/refused", test_refused);

  return g_test_run ();
}
