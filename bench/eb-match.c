/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bench/eb-load-payload.h"
#include "core/eb-subscription.h"
#include "core/eb-type-index.h"

#include <stdlib.h>

/* What it costs a worker to find out who wants an event: one lookup in the index, and for each that
 * it finds the whole check, filter included. Nothing is delivered.
 *
 * The events' types are drawn at random from all patterns', so that what is looked up is seldom in
 * a cache; --types draws from some of them, to see what the others cost that are only there. */

#define FILTERED_SUBJECT "eu/4711"
#define WANTED_PREFIX    "eu/"
#define N_EVENTS         20000

typedef struct
{
  EbTypeIndex *index;       /* (owned) (element-type EbSubscription) */
  GPtrArray *subscriptions; /* (owned) (element-type EbSubscription) */
  GPtrArray *events;        /* (owned) (element-type EbEvent) */
  GPtrArray *found;         /* (owned) */
} Rig;

/**
 * Shape:
 * @pattern: a format of a type pattern, with the number that makes it distinct
 * @type: and of a type that it matches
 */
typedef struct
{
  const char *name;
  const char *pattern;
  const char *type;
} Shape;

static const Shape shapes[] = {
  { "literal", "com.example.shop%u.order.created", "com.example.shop%u.order.created" },
  { "middle", "com.example.*.order.kind%u", "com.example.shop.order.kind%u" },
  { "rest", "com.example.shop%u.>", "com.example.shop%u.order.created" },
};

static const Shape *
find_shape (const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (shapes); i++)
    if (g_strcmp0 (name, shapes[i].name) == 0)
      return &shapes[i];
  return NULL;
}

/* The formats are constants of this file. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"

static char *
fill_in (const char *format, guint number)
{
  return g_strdup_printf (format, number);
}

#pragma GCC diagnostic pop

static void
add_subscription (Rig *rig, guint number, const char *pattern, EbSink *sink)
{
  g_autofree char *id = g_strdup_printf ("subscription-%u", number);
  g_autoptr (EbFilter) filter = eb_filter_new (EB_FILTER_PREFIX);
  const char *const types[] = { pattern, NULL };
  const EbSubscriptionSpec spec = {
    .id = id, .sink = sink, .types = types, .filter = filter, .concurrency = 1
  };
  EbSubscription *subscription;

  eb_filter_add_attribute (filter, "subject", WANTED_PREFIX, NULL);
  subscription = eb_subscription_new (&spec, NULL);
  g_ptr_array_add (rig->subscriptions, subscription);
  eb_type_index_add (rig->index, eb_subscription_get_types (subscription), subscription);
}

static EbEvent *
create_event (guint64 sequence, const char *type)
{
  g_autoptr (GBytes) data = g_bytes_new_static ("x", 1);
  g_autoptr (EbDraft) draft = eb_draft_new (data);
  g_autoptr (GError) error = NULL;

  if (!eb_draft_set (draft, "type", type, &error)
      || !eb_draft_set (draft, "subject", FILTERED_SUBJECT, &error)
      || !eb_draft_complete (draft, &error))
    g_error ("No event of type %s: %s", type, error->message);
  return eb_event_new (draft, sequence, 0);
}

static void
rig_init (Rig *rig, const Shape *shape, guint n_subscriptions, guint n_patterns, guint n_types)
{
  g_autoptr (EbSink) sink = eb_sink_new_for_address ("127.0.0.1:9", NULL);
  g_autoptr (GRand) random = g_rand_new_with_seed (1);

  rig->index = eb_type_index_new ();
  rig->subscriptions = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_subscription_unref);
  rig->events = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_event_unref);
  rig->found = g_ptr_array_new ();
  for (guint i = 0; i < n_subscriptions; i++)
    {
      g_autofree char *pattern = fill_in (shape->pattern, i % n_patterns);

      add_subscription (rig, i, pattern, sink);
    }
  for (guint i = 0; i < N_EVENTS; i++)
    {
      g_autofree char *type =
          fill_in (shape->type, (guint) g_rand_int_range (random, 0, (gint32) n_types));

      g_ptr_array_add (rig->events, create_event (i + 1, type));
    }
}

static void
rig_clear (Rig *rig)
{
  eb_type_index_free (rig->index);
  g_ptr_array_unref (rig->subscriptions);
  g_ptr_array_unref (rig->events);
  g_ptr_array_unref (rig->found);
}

/* Returns: how many want it */
static guint
match (Rig *rig, const EbEvent *event)
{
  guint n_matches = 0;

  g_ptr_array_set_size (rig->found, 0);
  eb_type_index_match (rig->index, eb_event_get_event_type (event), rig->found);
  for (guint i = 0; i < rig->found->len; i++)
    n_matches += eb_subscription_matches (g_ptr_array_index (rig->found, i), event);
  return n_matches;
}

static int
compare_times (gconstpointer a, gconstpointer b)
{
  const guint64 *first = a, *second = b;

  return (*first > *second) - (*first < *second);
}

/* Returns: FALSE if an event does not match as many as it should */
static gboolean
run (Rig *rig, guint n_expected)
{
  g_autofree guint64 *times = g_new (guint64, N_EVENTS);

  for (guint i = 0; i < N_EVENTS; i++)
    {
      guint64 start = eb_load_now_ns ();
      guint n_matches = match (rig, g_ptr_array_index (rig->events, i));

      times[i] = eb_load_now_ns () - start;
      if (n_matches != n_expected)
        {
          g_printerr ("eb-match: an event matches %u, not %u\n", n_matches, n_expected);
          return FALSE;
        }
    }
  qsort (times, N_EVENTS, sizeof *times, compare_times);
  g_print ("{\"p50_us\": %.3f, \"p99_us\": %.3f}\n", (double) times[N_EVENTS / 2] / 1e3,
           (double) times[N_EVENTS * 99 / 100] / 1e3);
  return TRUE;
}

int
main (int argc, char **argv)
{
  int subscriptions = 10000, patterns = 1000, types = 1000;
  g_autofree char *name = g_strdup (shapes[0].name);
  const GOptionEntry entries[] = {
    { "shape", 0, 0, G_OPTION_ARG_STRING, &name, "literal, middle or rest", "SHAPE" },
    { "subscriptions", 0, 0, G_OPTION_ARG_INT, &subscriptions, "How many", "N" },
    { "patterns", 0, 0, G_OPTION_ARG_INT, &patterns, "How many they share", "N" },
    { "types", 0, 0, G_OPTION_ARG_INT, &types, "How many of them match events", "N" },
    { NULL }
  };
  g_autoptr (GOptionContext) context = g_option_context_new ("- measure matching");
  g_autoptr (GError) error = NULL;
  const Shape *shape;
  Rig rig;
  gboolean right;

  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    {
      g_printerr ("eb-match: %s\n", error->message);
      return 1;
    }
  shape = find_shape (name);
  if (shape == NULL || types < 1 || patterns < types || subscriptions < patterns
      || subscriptions % patterns != 0)
    {
      g_printerr ("eb-match: --shape must be one of those that --help lists, --subscriptions a "
                  "multiple of --patterns, and --types no more than those\n");
      return 1;
    }

  rig_init (&rig, shape, (guint) subscriptions, (guint) patterns, (guint) types);
  right = run (&rig, (guint) (subscriptions / patterns));
  rig_clear (&rig);
  return right ? 0 : 1;
}
