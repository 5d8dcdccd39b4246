/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-handshake.h"
#include "support/eb-failing-sink.h"

/* A sink that must agree first: what its answers mean, and that nothing is delivered before. */

typedef EbDeliveryFixture Fixture;

#define ORIGIN "bus.example"

static void
test_table (void)
{
  static const struct
  {
    EbAnswer answer;
    gboolean given;
    guint per_minute;
    const char *refusal;
  } table[] = {
    { { .status = 200, .allowed_origin = ORIGIN }, TRUE, 0, NULL },
    { { .status = 200, .allowed_origin = "Bus.Example" }, TRUE, 0, NULL },
    { { .status = 200, .allowed_origin = "*" }, TRUE, 0, NULL },
    { { .status = 204, .allowed_origin = "*", .allowed_rate = "*" }, TRUE, 0, NULL },
    { { .status = 200, .allowed_origin = "*", .allowed_rate = "120" }, TRUE, 120, NULL },
    { { .status = 200, .allowed_origin = "*", .allowed_rate = "0" },
      FALSE,
      0,
      "WebHook-Allowed-Rate" },
    { { .status = 200, .allowed_origin = "*", .allowed_rate = "many" },
      FALSE,
      0,
      "WebHook-Allowed-Rate" },
    { { .status = 405, .allowed_origin = ORIGIN }, TRUE, 0, NULL }, /* the status says nothing */
    { { .status = 200 }, FALSE, 0, "answered 200 OK, without WebHook-Allowed-Origin" },
    { { .status = 404 }, FALSE, 0, "answered 404 Not Found, without WebHook-Allowed-Origin" },
    { { .status = 200, .allowed_origin = "" }, FALSE, 0, "is another one" },
    { { .status = 200, .allowed_origin = "other.example" }, FALSE, 0, "is another one" },
    { { .status = 200, .allowed_origin = ORIGIN ".org" }, FALSE, 0, "is another one" },
    { { .kind = EB_ANSWER_UNREACHABLE, .reason = "no such host" }, FALSE, 0, "no such host" },
    { { .kind = EB_ANSWER_FAILED, .reason = "it hung up" }, FALSE, 0, "it hung up" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++)
    {
      g_auto (EbConsent) consent = { 0 };

      eb_consent_read (&consent, &table[i].answer, ORIGIN);
      g_assert_cmpint (consent.given, ==, table[i].given);
      g_assert_cmpuint (consent.per_minute, ==, table[i].per_minute);
      if (table[i].given)
        g_assert_null (consent.refusal);
      else
        g_assert_nonnull (strstr (consent.refusal, table[i].refusal));
    }
}

static EbSubscription *
add (Fixture *fixture, guint rate)
{
  g_autoptr (EbDeliveryOptions) options = eb_delivery_options_new ();
  EbSubscriptionSpec spec = { .options = options };

  options->handshake = TRUE;
  options->rate = rate;
  g_free (fixture->settings->origin);
  fixture->settings->origin = g_strdup (ORIGIN);
  return eb_delivery_fixture_add (fixture, &spec, "sink:1", NULL);
}

static void
assert_questions (Fixture *fixture, guint n)
{
  g_assert_true (eb_delivery_fixture_drain (fixture));
  g_assert_cmpuint (eb_fake_sinks_count_questions (fixture->sinks, SINK), ==, n);
}

/* It is asked before there is anything to deliver, and once. */
static void
test_consent (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EbSubscription) subscription = NULL;
  guint index = 0;

  eb_fake_sinks_set_consent (fixture->sinks, SINK, ORIGIN, NULL);
  subscription = add (fixture, 0);
  assert_questions (fixture, 1);
  eb_delivery_fixture_publish (fixture, "t", 2);
  ASSERT_ARRIVALS (&index, { 1, 1 }, { 2, 1 });
  assert_questions (fixture, 1);
}

/* Asked again after delays that grow, or when it says that it is alive. */
static void
test_refusal (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EbSubscription) subscription = add (fixture, 0);
  guint index = 0;

  eb_delivery_fixture_publish (fixture, "t", 1);
  assert_questions (fixture, 1);
  eb_delivery_fixture_advance (fixture, SHORTEST (SECOND));
  assert_questions (fixture, 1);
  eb_delivery_fixture_advance (fixture, LONGEST (SECOND) - SHORTEST (SECOND));
  assert_questions (fixture, 2);
  eb_delivery_fixture_advance (fixture, SHORTEST (2 * SECOND));
  assert_questions (fixture, 2);
  eb_worker_pool_nudge (fixture->pool, subscription);
  assert_questions (fixture, 3);
  for (guint i = 0; i < 12; i++)
    eb_delivery_fixture_advance (fixture, 5 * G_TIME_SPAN_MINUTE);
  assert_questions (fixture, 15);
  eb_failing_sink_assert_quiet (fixture, 0);

  eb_fake_sinks_set_consent (fixture->sinks, SINK, "*", NULL);
  eb_delivery_fixture_advance (fixture, 5 * G_TIME_SPAN_MINUTE);
  ASSERT_ARRIVALS (&index, { 1, 1 });
  assert_questions (fixture, 16);
  g_assert_cmpuint (fixture->report.failed, ==, 0);
}

/* The lower of what it allows and what was asked for. */
static void
test_rate (Fixture *fixture, gconstpointer data)
{
  gboolean lower = GPOINTER_TO_UINT (data) == 2;
  GTimeSpan interval = lower ? SECOND / 2 : 2 * SECOND;
  g_autoptr (EbSubscription) subscription = NULL;
  guint index = 0;

  eb_fake_sinks_set_consent (fixture->sinks, SINK, "*", lower ? "6000" : "30");
  subscription = add (fixture, GPOINTER_TO_UINT (data));
  eb_delivery_fixture_publish (fixture, "t", 2);
  ASSERT_ARRIVALS (&index, { 1, 1 });
  eb_delivery_fixture_advance (fixture, interval - 1);
  eb_failing_sink_assert_quiet (fixture, index);
  eb_delivery_fixture_advance (fixture, 1);
  ASSERT_ARRIVALS (&index, { 2, 1 });
}

/* It is not remembered: another daemon asks anew. */
static void
test_restart (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EbSubscription) subscription = NULL;

  eb_fake_sinks_set_consent (fixture->sinks, SINK, "*", NULL);
  subscription = add (fixture, 0);
  assert_questions (fixture, 1);
  eb_delivery_fixture_restart (fixture);
  eb_worker_pool_add (fixture->pool, subscription, &(EbStart){ 0 });
  assert_questions (fixture, 2);
}

static void
replace (Fixture *fixture, EbSubscription *subscription, const char *address, guint rate)
{
  g_autoptr (EbDeliveryOptions) options =
      eb_delivery_options_copy (eb_subscription_get_options (subscription));
  g_autoptr (EbSink) sink = eb_sink_new_for_address (address, NULL);
  g_autoptr (EbSubscription) anew = NULL;
  EbSubscriptionSpec spec;

  options->rate = rate;
  eb_subscription_fill_spec (subscription, &spec);
  spec.sink = sink;
  spec.options = options;
  spec.replaces = subscription;
  anew = eb_subscription_new (&spec, NULL);
  eb_worker_pool_replace (fixture->pool, anew);
}

/* Another sink is asked, too; the same one is not asked again, and what it has allowed still
 * counts. */
static void
test_replace (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EbSubscription) subscription = NULL;
  guint index = 0;

  eb_fake_sinks_set_consent (fixture->sinks, SINK, "*", "60");
  subscription = add (fixture, 0);
  assert_questions (fixture, 1);
  replace (fixture, subscription, "sink:1", 50);
  assert_questions (fixture, 1);
  eb_delivery_fixture_publish (fixture, "t", 2);
  ASSERT_ARRIVALS (&index, { 1, 1 });
  eb_delivery_fixture_advance (fixture, SECOND - 1);
  eb_failing_sink_assert_quiet (fixture, index);
  replace (fixture, subscription, "other:1", 0);
  assert_questions (fixture, 1);
  g_assert_cmpuint (eb_fake_sinks_count_questions (fixture->sinks, "http://other:1/event"), ==, 1);
  eb_fake_sinks_set_consent (fixture->sinks, "http://other:1/event", "*", NULL);
  eb_delivery_fixture_advance (fixture, LONGEST (SECOND));
  eb_delivery_fixture_wait (fixture, "http://other:1/event", 1);
  eb_failing_sink_assert_quiet (fixture, index);
}

#define ADD_WITH(path, data, func)                                                                 \
  g_test_add ("/handshake/" path, Fixture, GUINT_TO_POINTER (data), eb_delivery_fixture_set_up,    \
              func, eb_delivery_fixture_tear_down)
#define ADD(path, func) ADD_WITH (path, 0, func)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* Warnings are not fatal: refusals are warnings, and expected. */
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);

  g_test_add_func ("/handshake/table", test_table);
  ADD ("consent", test_consent);
  ADD ("refusal", test_refusal);
  ADD ("rate/allowed", test_rate);
  ADD_WITH ("rate/asked-for-more", 1, test_rate);
  ADD_WITH ("rate/asked-for-less", 2, test_rate);
  ADD ("restart", test_restart);
  ADD ("replace", test_replace);

  return g_test_run ();
}
