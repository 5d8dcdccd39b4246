/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "support/eb-bus-fixture.h"

#include "store/eb-memory-ledger.h"
#include "support/eb-test-wait.h"

static void
added_cb (EbBus *bus, const char *label, EbBusFixture *self)
{
  g_string_append_printf (self->told, "+%s ", label);
}

static void
removed_cb (EbBus *bus, const char *label, const char *reason, EbBusFixture *self)
{
  g_string_append_printf (self->told, "-%s(%s) ", label, reason);
}

static void
start (EbBusFixture *self)
{
  g_autoptr (EbAddressPolicy) policy = eb_address_policy_new (NULL, NULL, NULL, NULL);
  g_autoptr (EbDeliverySettings) settings = eb_delivery_settings_new (policy);
  g_autoptr (GAsyncResult) result = NULL;
  const EbBusLimits limits = { 120 * SECOND, 100, 1000 };

  self->workers = eb_worker_pool_new (2, EB_CLOCK (self->clock), self->log, settings,
                                      eb_fake_transport_create, self->sinks);
  self->bus = eb_bus_new (EB_CLOCK (self->clock), self->log, EB_LEDGER (self->fake), self->workers);
  eb_bus_configure (self->bus, &limits, policy);
  g_signal_connect (self->bus, "subscriber-added", G_CALLBACK (added_cb), self);
  g_signal_connect (self->bus, "subscriber-removed", G_CALLBACK (removed_cb), self);
  eb_bus_start_async (self->bus, eb_test_result_cb, &result);
  g_assert_true (eb_bus_start_finish (self->bus, eb_test_wait_for_result (&result), NULL));
}

static void
stop (EbBusFixture *self)
{
  eb_worker_pool_stop (self->workers);
  eb_bus_fixture_run ();
  g_assert_finalize_object (self->bus);
  g_assert_finalize_object (self->workers);
}

void
eb_bus_fixture_set_up (EbBusFixture *self, gconstpointer data)
{
  g_autoptr (EbLedger) memory = NULL;

  self->clock = eb_fake_clock_new ();
  self->sinks = eb_fake_sinks_new ();
  self->told = g_string_new (NULL);
  self->log = eb_fake_log_new (EB_CLOCK (self->clock));
  memory = eb_memory_ledger_new (self->log);
  self->fake = eb_fake_ledger_new (memory);
  start (self);
}

void
eb_bus_fixture_tear_down (EbBusFixture *self, gconstpointer data)
{
  stop (self);
  g_object_unref (self->fake);
  g_object_unref (self->log);
  g_object_unref (self->clock);
  eb_fake_sinks_free (self->sinks);
  g_string_free (self->told, TRUE);
}

/**
 * eb_bus_fixture_restart:
 *
 * As a daemon that was killed: what was not written is lost.
 */
void
eb_bus_fixture_restart (EbBusFixture *self)
{
  stop (self);
  start (self);
}

EbSubscription *
eb_bus_fixture_create (const char *id, const char *address, const char *const *types)
{
  g_autoptr (EbSink) sink = eb_sink_new_for_address (address, NULL);
  EbSubscriptionSpec spec = {
    .id = id, .sink = sink, .types = types, .lease = 120 * SECOND, .concurrency = 1
  };

  return eb_subscription_new (&spec, NULL);
}

EbSubscriptionInfo *
eb_bus_fixture_put (EbBusFixture *self,
                    EbSubscription *subscription,
                    EbPutMode mode,
                    gboolean *created,
                    GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  eb_bus_put_async (self->bus, subscription, mode, EB_START_NOW, eb_test_result_cb, &result);
  return eb_bus_put_finish (self->bus, eb_test_wait_for_result (&result), created, error);
}

/**
 * eb_bus_fixture_put_sink:
 *
 * Makes or replaces the subscription with that id, with success.
 */
void
eb_bus_fixture_put_sink (EbBusFixture *self,
                         const char *id,
                         const char *address,
                         const char *const *types)
{
  g_autoptr (EbSubscription) subscription = eb_bus_fixture_create (id, address, types);
  g_autoptr (EbSubscriptionInfo) info =
      eb_bus_fixture_put (self, subscription, EB_PUT_REPLACE, NULL, NULL);

  g_assert_nonnull (info);
}

void
eb_bus_fixture_put_paused (EbBusFixture *self, const char *id, gboolean paused)
{
  g_autoptr (GAsyncResult) result = NULL;

  eb_bus_pause_async (self->bus, id, paused, eb_test_result_cb, &result);
  g_assert_true (eb_bus_pause_finish (self->bus, eb_test_wait_for_result (&result), NULL));
}

EbSubscriptionInfo *
eb_bus_fixture_look (EbBusFixture *self, const char *id)
{
  g_autoptr (GAsyncResult) result = NULL;

  eb_bus_get_subscription_async (self->bus, id, eb_test_result_cb, &result);
  return eb_bus_get_subscription_finish (self->bus, eb_test_wait_for_result (&result), NULL);
}

gboolean
eb_bus_fixture_register (EbBusFixture *self, const char *address, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  eb_bus_register_async (self->bus, address, eb_test_result_cb, &result);
  return eb_bus_register_finish (self->bus, eb_test_wait_for_result (&result), error);
}

gboolean
eb_bus_fixture_deregister (EbBusFixture *self, const char *address, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  eb_bus_deregister_async (self->bus, address, eb_test_result_cb, &result);
  return eb_bus_deregister_finish (self->bus, eb_test_wait_for_result (&result), error);
}

/**
 * eb_bus_fixture_load:
 *
 * The bus is fenced by that.
 *
 * Returns: (transfer full) (element-type EbLedgerEntry): what the ledger has
 */
GPtrArray *
eb_bus_fixture_load (EbBusFixture *self)
{
  g_autoptr (GAsyncResult) result = NULL;
  guint64 epoch;

  eb_ledger_load_async (EB_LEDGER (self->fake), NULL, eb_test_result_cb, &result);
  return eb_ledger_load_finish (EB_LEDGER (self->fake), eb_test_wait_for_result (&result), &epoch,
                                NULL);
}

/**
 * eb_bus_fixture_count_stored:
 *
 * The bus is fenced by that, too.
 */
guint
eb_bus_fixture_count_stored (EbBusFixture *self)
{
  g_autoptr (GPtrArray) entries = eb_bus_fixture_load (self);

  return entries->len;
}

void
eb_bus_fixture_publish (EbBusFixture *self, const char *type, guint n)
{
  g_autoptr (GPtrArray) drafts = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_draft_free);
  g_autoptr (GBytes) data = g_bytes_new_static ("x", 1);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GArray) receipts = NULL;

  for (guint i = 0; i < n; i++)
    {
      g_ptr_array_add (drafts, eb_draft_new (data));
      g_assert_true (eb_draft_set (drafts->pdata[i], "type", type, NULL));
    }
  eb_bus_publish_async (self->bus, drafts, eb_test_result_cb, &result);
  receipts = eb_bus_publish_finish (self->bus, eb_test_wait_for_result (&result), NULL);
  g_assert_nonnull (receipts);
}

void
eb_bus_fixture_run (void)
{
  eb_test_run ();
}

/**
 * eb_bus_fixture_drain:
 *
 * Waits until every delivery has ended or waits.
 */
gboolean
eb_bus_fixture_drain (EbBusFixture *self)
{
  g_autoptr (GAsyncResult) result = NULL;
  EbExtent extent;

  eb_log_get_extent (self->log, &extent);
  eb_worker_pool_drain_async (self->workers, extent.head, eb_test_result_cb, &result);
  return eb_worker_pool_drain_finish (self->workers, eb_test_wait_for_result (&result));
}

/**
 * eb_bus_fixture_wait:
 *
 * Waits for that many arrivals in all, and no more.
 */
void
eb_bus_fixture_wait (EbBusFixture *self, const char *uri, guint n_arrivals)
{
  eb_fake_sinks_wait (self->sinks, uri, n_arrivals);
  g_assert_cmpuint (eb_fake_sinks_count (self->sinks, uri), ==, n_arrivals);
}

void
eb_bus_fixture_assert_arrival (
    EbBusFixture *self, const char *uri, guint index, guint64 sequence, guint attempt)
{
  EbFakeArrival arrival = eb_fake_sinks_get (self->sinks, uri, index);

  g_assert_cmpuint (arrival.sequence, ==, sequence);
  g_assert_cmpuint (arrival.attempt, ==, attempt);
}
