/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "support/eb-failing-sink.h"

EbSubscription *
eb_failing_sink_add (EbDeliveryFixture *fixture,
                     EbOrder order,
                     guint concurrency,
                     const EbStart *start)
{
  EbSubscriptionSpec spec = { .order = order, .concurrency = concurrency };

  return eb_delivery_fixture_add (fixture, &spec, "sink:1", start);
}

void
eb_failing_sink_script (EbDeliveryFixture *fixture, EbFakeBehaviour behaviour, guint n)
{
  for (guint i = 0; i < n; i++)
    eb_fake_sinks_script (fixture->sinks, SINK, &behaviour, 1);
}

void
eb_failing_sink_set_retry (EbDeliveryFixture *fixture, const GTimeSpan *delays, guint n_delays)
{
  g_autoptr (EbAddressPolicy) policy = eb_address_policy_new (NULL, NULL, NULL, NULL);
  g_autoptr (EbDeliverySettings) settings = eb_delivery_settings_new (policy);

  eb_delivery_settings_set_retry (settings, delays, n_delays);
  eb_worker_pool_configure (fixture->pool, settings);
}

/* Asserts that the next arrivals are these, and that there are no more. */
void
eb_failing_sink_assert_arrivals (EbDeliveryFixture *fixture,
                                 guint *index,
                                 const guint64 (*expected)[2],
                                 guint n)
{
  eb_delivery_fixture_wait (fixture, SINK, *index + n);
  for (guint i = 0; i < n; i++)
    eb_delivery_fixture_assert_next (fixture, SINK, index, expected[i][0], (guint) expected[i][1]);
}

void
eb_failing_sink_assert_quiet (EbDeliveryFixture *fixture, guint index)
{
  g_assert_true (eb_delivery_fixture_drain (fixture));
  g_assert_cmpuint (eb_fake_sinks_count (fixture->sinks, SINK), ==, index);
}

/* The steps so far that are not cursors, each as its kind and sequence. */
static char *
describe_steps (EbDeliveryFixture *fixture)
{
  static const char *const names[] = {
    [EB_CHANGE_ASIDE] = "aside", [EB_CHANGE_DEAD] = "dead", [EB_CHANGE_ENDED] = "ended"
  };
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < fixture->report.steps->len; i++)
    {
      const EbStep *step = g_ptr_array_index (fixture->report.steps, i);

      if (step->change->kind != EB_CHANGE_CURSOR)
        g_string_append_printf (text, "%s %" G_GUINT64_FORMAT ";", names[step->change->kind],
                                step->change->exception.sequence);
    }
  return g_string_free (text, FALSE);
}

void
eb_failing_sink_assert_steps (EbDeliveryFixture *fixture, const char *expected)
{
  g_autofree char *steps = NULL;

  eb_delivery_fixture_collect (fixture);
  steps = describe_steps (fixture);
  g_assert_cmpstr (steps, ==, expected);
}

void
eb_failing_sink_assert_steps_include (EbDeliveryFixture *fixture, const char *expected)
{
  g_autofree char *steps = NULL;

  eb_delivery_fixture_collect (fixture);
  steps = describe_steps (fixture);
  g_assert_nonnull (strstr (steps, expected));
}
