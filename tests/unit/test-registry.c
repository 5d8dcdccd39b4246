/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "core/eb-registry.h"
#include "support/eb-fake-clock.h"
#include "support/eb-test-wait.h"

#define SECOND G_TIME_SPAN_SECOND

typedef struct
{
  EbFakeClock *clock;
  EbRegistry *registry;
  GPtrArray *expired; /* (element-type utf8) ids */
} Fixture;

static void
expired_cb (EbRegistry *registry, EbSubscription *subscription, Fixture *fixture)
{
  const char *id = eb_subscription_get_id (subscription);

  g_assert_null (eb_registry_lookup (registry, id));
  g_ptr_array_add (fixture->expired, g_strdup (id));
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->clock = eb_fake_clock_new ();
  fixture->registry = eb_registry_new (EB_CLOCK (fixture->clock), NULL);
  fixture->expired = g_ptr_array_new_with_free_func (g_free);
  g_signal_connect (fixture->registry, "expired", G_CALLBACK (expired_cb), fixture);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_object_unref (fixture->registry);
  g_object_unref (fixture->clock);
  g_ptr_array_unref (fixture->expired);
}

static EbSubscription *
add (Fixture *fixture, const char *address, GTimeSpan lease)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (EbSink) sink = eb_sink_new_for_address (address, &error);
  EbSubscriptionSpec spec = { .id = address, .sink = sink, .lease = lease, .concurrency = 1 };
  g_autoptr (EbSubscription) subscription = eb_subscription_new (&spec, &error);

  g_assert_no_error (error);
  g_assert_true (eb_registry_add (fixture->registry, subscription));
  return eb_registry_lookup (fixture->registry, address);
}

static void
advance (Fixture *fixture, GTimeSpan by)
{
  eb_fake_clock_advance (fixture->clock, by);
  eb_test_run ();
}

static void
test_expiry (Fixture *fixture, gconstpointer data)
{
  add (fixture, "a:1", 120 * SECOND);
  advance (fixture, 120 * SECOND - 1);
  g_assert_cmpuint (eb_registry_get_size (fixture->registry), ==, 1);
  advance (fixture, 1);
  g_assert_cmpuint (eb_registry_get_size (fixture->registry), ==, 0);
  g_assert_cmpuint (fixture->expired->len, ==, 1);
  g_assert_cmpstr (fixture->expired->pdata[0], ==, "a:1");
}

static void
test_renewal (Fixture *fixture, gconstpointer data)
{
  add (fixture, "a:1", 120 * SECOND);
  add (fixture, "b:1", 120 * SECOND);
  advance (fixture, 100 * SECOND);
  g_assert_true (eb_registry_renew (fixture->registry, "a:1"));
  advance (fixture, 100 * SECOND);
  g_assert_cmpuint (fixture->expired->len, ==, 1);
  g_assert_cmpstr (fixture->expired->pdata[0], ==, "b:1");
  advance (fixture, 20 * SECOND);
  g_assert_cmpuint (fixture->expired->len, ==, 2);
  g_assert_false (eb_registry_renew (fixture->registry, "a:1"));
}

static void
test_never (Fixture *fixture, gconstpointer data)
{
  add (fixture, "for-ever:1", 0);
  advance (fixture, 365 * G_TIME_SPAN_DAY);
  g_assert_cmpuint (eb_registry_get_size (fixture->registry), ==, 1);
}

static void
test_remove (Fixture *fixture, gconstpointer data)
{
  add (fixture, "a:1", 120 * SECOND);
  g_assert_true (eb_registry_remove (fixture->registry, "a:1"));
  g_assert_false (eb_registry_remove (fixture->registry, "a:1"));
  advance (fixture, 500 * SECOND);
  g_assert_cmpuint (fixture->expired->len, ==, 0);
}

static void
test_same_id (Fixture *fixture, gconstpointer data)
{
  EbSubscription *first = add (fixture, "a:1", 120 * SECOND);

  g_assert_false (eb_registry_add (fixture->registry, first));
  g_assert_true (eb_registry_lookup (fixture->registry, "a:1") == first);
}

static void
check_renewed (EbSubscription *subscription, gint64 renewed_us, gpointer user_data)
{
  *(gint64 *) user_data = renewed_us;
}

/* The list shows real time, which may step; the lease runs on monotonic time, which does not. */
static void
test_real_clock_steps (Fixture *fixture, gconstpointer data)
{
  gint64 shown_us = 0;

  add (fixture, "a:1", 120 * SECOND);
  eb_fake_clock_step_real (fixture->clock, 10 * G_TIME_SPAN_DAY);
  eb_test_run ();
  g_assert_cmpuint (eb_registry_get_size (fixture->registry), ==, 1);
  eb_registry_renew (fixture->registry, "a:1");
  eb_registry_foreach (fixture->registry, check_renewed, &shown_us);
  g_assert_cmpint (shown_us, ==, eb_clock_get_real (EB_CLOCK (fixture->clock)));
  eb_fake_clock_step_real (fixture->clock, -20 * G_TIME_SPAN_DAY);
  advance (fixture, 120 * SECOND);
  g_assert_cmpuint (eb_registry_get_size (fixture->registry), ==, 0);
}

#define ADD(path, func) g_test_add ("/registry/" path, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  ADD ("expiry", test_expiry);
  ADD ("renewal", test_renewal);
  ADD ("never", test_never);
  ADD ("remove", test_remove);
  ADD ("same-id", test_same_id);
  ADD ("real-clock-steps", test_real_clock_steps);

  return g_test_run ();
}
