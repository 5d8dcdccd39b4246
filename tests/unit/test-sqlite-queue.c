/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "core/eb-draft.h"
#include "core/eb-ledger.h"
#include "store/eb-sqlite-queue.h"

/* What an operation is charged while it waits, and when enough of them do. */

static gsize
get_charge (EbOperationKind kind, gpointer item, GDestroyNotify item_free)
{
  g_autoptr (GPtrArray) items = g_ptr_array_new_with_free_func (item_free);
  EbOperation *operation;
  gsize charge;

  g_ptr_array_add (items, item);
  operation = eb_operation_new (kind, g_task_new (NULL, NULL, NULL, NULL), items);
  charge = operation->charge;
  eb_operation_free (operation);
  return charge;
}

static void
test_draft (void)
{
  g_autofree char *text = g_strnfill (100000, 'x');
  g_autoptr (GBytes) data = g_bytes_new (text, 100000);
  EbDraft *draft = eb_draft_new (data);
  gsize charge = get_charge (EB_OPERATION_APPEND, draft, (GDestroyNotify) eb_draft_free);

  g_assert_cmpuint (charge, >=, 100000);
  g_assert_cmpuint (charge, <, 110000);
}

static gsize
get_put_charge (const char *type, const char *prefix)
{
  g_autoptr (EbSink) sink = eb_sink_new_for_address ("a:1", NULL);
  g_autoptr (EbFilter) filter = eb_filter_new (EB_FILTER_ALL);
  g_autoptr (EbSubscription) subscription = NULL;
  g_autoptr (EbFilter) child = eb_filter_new (EB_FILTER_PREFIX);
  const char *types[] = { type, NULL };
  EbSubscriptionSpec spec = {
    .id = "a:1", .sink = sink, .types = types, .filter = filter, .concurrency = 1
  };

  g_assert_true (eb_filter_add_attribute (child, "subject", prefix, NULL));
  g_assert_true (eb_filter_add_child (filter, child, NULL));
  subscription = eb_subscription_new (&spec, NULL);
  return get_charge (EB_OPERATION_APPLY, eb_change_new_put (subscription, 0),
                     (GDestroyNotify) eb_change_free);
}

static void
test_change (void)
{
  g_autofree char *type = g_strnfill (200, 't');
  g_autofree char *prefix = g_strnfill (5000, 'p');
  EbChange *dead = eb_change_new (EB_CHANGE_DEAD, "a:1", 1);
  gsize charge = get_put_charge ("t", "p");

  g_assert_cmpuint (get_put_charge (type, "p"), ==, charge + 199);
  g_assert_cmpuint (get_put_charge ("t", prefix), ==, charge + 4999);
  dead->exception.reason = g_strnfill (3000, 'r');
  charge = get_charge (EB_OPERATION_APPLY, dead, (GDestroyNotify) eb_change_free);
  g_assert_cmpuint (charge, >=, 3000);
}

static EbOperation *
new_operation (EbOperationKind kind)
{
  g_autoptr (GPtrArray) items = g_ptr_array_new ();

  return eb_operation_new (kind, g_task_new (NULL, NULL, NULL, NULL), items);
}

static gboolean
push (EbSqliteQueue *queue, EbOperationKind kind)
{
  return eb_sqlite_queue_push (queue, new_operation (kind));
}

/* Whoever comes first says that there is something to do, and nobody after. */
static void
test_anything_is_enough (void)
{
  EbSqliteQueue *queue = eb_sqlite_queue_new ();
  g_autoptr (GPtrArray) batch = NULL;

  g_assert_true (push (queue, EB_OPERATION_APPLY));
  g_assert_false (push (queue, EB_OPERATION_APPEND));
  batch = eb_sqlite_queue_take (queue);
  g_assert_cmpuint (batch->len, ==, 2);
  g_assert_true (push (queue, EB_OPERATION_APPEND));
  eb_sqlite_queue_free (queue);
}

/* Publishers count, and who is expected says that there are enough, once. */
static void
test_expected (void)
{
  EbSqliteQueue *queue = eb_sqlite_queue_new ();
  g_autoptr (GPtrArray) batch = NULL;

  g_assert_false (eb_sqlite_queue_expect (queue, 2));
  g_assert_false (push (queue, EB_OPERATION_APPLY));
  g_assert_false (push (queue, EB_OPERATION_APPEND));
  g_assert_true (push (queue, EB_OPERATION_APPEND));
  g_assert_false (push (queue, EB_OPERATION_APPEND));
  g_assert_true (eb_sqlite_queue_expect (queue, 3));
  g_assert_false (eb_sqlite_queue_expect (queue, 4));
  batch = eb_sqlite_queue_take (queue);
  g_assert_cmpuint (batch->len, ==, 4);
  g_assert_false (eb_sqlite_queue_expect (queue, 1));
  eb_sqlite_queue_free (queue);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/sqlite-queue/draft", test_draft);
  g_test_add_func ("/sqlite-queue/change", test_change);
  g_test_add_func ("/sqlite-queue/anything-is-enough", test_anything_is_enough);
  g_test_add_func ("/sqlite-queue/expected", test_expected);

  return g_test_run ();
}
