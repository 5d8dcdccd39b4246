/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/eb-memory-log.h"
#include "support/eb-store-fixture.h"

/* What is particular to the log in memory. */

static void
test_retention_size (EbStoreFixture *fixture, gconstpointer data)
{
  g_autoptr (EbPage) one = NULL;
  g_autoptr (EbPage) rest = NULL;
  g_autoptr (GArray) receipts = NULL;
  EbExtent extent;

  eb_store_fixture_append (fixture, "one");
  one = eb_store_fixture_read (fixture, 0, 1);
  eb_memory_log_configure (EB_MEMORY_LOG (fixture->log),
                           3 * eb_event_get_charge (g_ptr_array_index (one->events, 0)),
                           G_TIME_SPAN_DAY);
  receipts = eb_store_fixture_append_all (
      fixture, (const char *const[]){ "two", "six", "ten", "1st", NULL });

  eb_log_get_extent (fixture->log, &extent);
  g_assert_cmpuint (extent.first, ==, 3);
  g_assert_cmpuint (extent.head, ==, 5);
  rest = eb_store_fixture_read (fixture, 0, 100000);
  g_assert_cmpuint (rest->lost_up_to, ==, 2);
  g_assert_cmpuint (rest->events->len, ==, 3);
  eb_store_fixture_assert_event (rest, 0, 3, "six");
  eb_store_fixture_assert_event (one, 0, 1, "one"); /* who holds it has it still */
}

static void
test_retention_age (EbStoreFixture *fixture, gconstpointer data)
{
  g_autoptr (EbPage) page = NULL;
  EbExtent extent;

  eb_memory_log_configure (EB_MEMORY_LOG (fixture->log), G_MAXSIZE, G_TIME_SPAN_MINUTE);
  eb_store_fixture_append (fixture, "one");
  eb_fake_clock_advance (fixture->clock, 50 * G_TIME_SPAN_SECOND);
  eb_store_fixture_append (fixture, "two");
  eb_fake_clock_advance (fixture->clock, 50 * G_TIME_SPAN_SECOND);
  page = eb_store_fixture_read (fixture, 0, 1000);
  g_assert_cmpuint (page->lost_up_to, ==, 1);
  g_assert_cmpuint (page->events->len, ==, 1);
  eb_log_get_extent (fixture->log, &extent);
  g_assert_cmpuint (extent.first, ==, 2);

  eb_fake_clock_advance (fixture->clock, 50 * G_TIME_SPAN_SECOND);
  g_clear_pointer (&page, eb_page_unref);
  page = eb_store_fixture_read (fixture, 0, 1000);
  g_assert_cmpuint (page->lost_up_to, ==, 2);
  g_assert_cmpuint (page->events->len, ==, 0);
  g_assert_cmpuint (eb_store_fixture_append (fixture, "three"), ==, 3);
}

static void
test_log_id (EbStoreFixture *fixture, gconstpointer data)
{
  g_autoptr (EbLog) other = eb_memory_log_new (EB_CLOCK (fixture->clock));
  EbExtent mine, others;

  eb_log_get_extent (fixture->log, &mine);
  eb_log_get_extent (other, &others);
  g_assert_cmpstr (mine.log_id, !=, others.log_id);
}

static const EbStoreKind memory = EB_STORE_MEMORY;

#define ADD(path, func)                                                                            \
  g_test_add ("/memory-log/" path, EbStoreFixture, &memory, eb_store_fixture_set_up, func,         \
              eb_store_fixture_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  ADD ("retention-size", test_retention_size);
  ADD ("retention-age", test_retention_age);
  ADD ("id", test_log_id);

  return g_test_run ();
}
