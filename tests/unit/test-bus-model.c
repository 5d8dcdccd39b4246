/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "support/eb-bus-requests.h"
#include "support/eb-test-log.h"
#include "support/eb-test-wait.h"

/* A whole bus, from its use cases down to the disk: whatever sinks, clocks and power do, and
 * whenever the daemon ends, what was acked holds. The seed is printed; `--seed` repeats it, but for
 * how threads take turns. EB_BUS_SEQUENCES says how many databases live and die. */

#define DEFAULT_SEQUENCES 120
#define N_STEPS           80

#define MAX_IN_FLIGHT 12

/* Calls to the system within which the power goes off. */
#define MAX_CALLS 150

/* Turns of a minute at the end. */
#define LONGEST_CONVALESCENCE 200

#define SECOND G_TIME_SPAN_SECOND

static guint
pick (guint n)
{
  return (guint) g_test_rand_int_range (0, (gint32) n);
}

/* What the world does */

static void
change_sink (EbBusRig *rig)
{
  static const EbFakeBehaviour moods[] = {
    EB_FAKE_TAKE,       EB_FAKE_TAKE,  EB_FAKE_TAKE,       EB_FAKE_ANSWER_500,
    EB_FAKE_ANSWER_500, EB_FAKE_BREAK, EB_FAKE_ANSWER_503, EB_FAKE_UNREACHABLE,
  };
  static const EbFakeBehaviour whims[] = {
    EB_FAKE_TAKE,       EB_FAKE_TAKE,        EB_FAKE_TAKE,
    EB_FAKE_TAKE,       EB_FAKE_TAKE,        EB_FAKE_TAKE,
    EB_FAKE_ANSWER_500, EB_FAKE_ANSWER_500,  EB_FAKE_ANSWER_500,
    EB_FAKE_BREAK,      EB_FAKE_UNREACHABLE, EB_FAKE_UNREACHABLE,
    EB_FAKE_ANSWER_503, EB_FAKE_KEEP,        EB_FAKE_ANSWER_429_FOR_30_S,
  };
  const EbFakeBehaviour gone = EB_FAKE_ANSWER_410;
  const char *uri = rig->subscribers[pick (EB_RIG_SUBSCRIBERS)].uri;
  guint n = pick (8);

  eb_fake_sinks_set (rig->sinks, uri, moods[pick (G_N_ELEMENTS (moods))]);
  for (guint i = 0; i < n; i++)
    eb_fake_sinks_script (rig->sinks, uri, &whims[pick (G_N_ELEMENTS (whims))], 1);
  if (pick (20) == 0)
    eb_fake_sinks_script (rig->sinks, uri, &gone, 1);
}

static void
pass_time (EbBusRig *rig)
{
  static const GTimeSpan spans[] = { 1, 1, 2, 6, 6, 36, 36, 125 };

  eb_fake_clock_advance (rig->store.clock,
                         spans[pick (G_N_ELEMENTS (spans))] * SECOND + pick (1000));
  if (pick (6) == 0)
    eb_fake_clock_step_real (rig->store.clock, g_test_rand_int_range (-86400, 86400) * SECOND);
}

static EbShimLoss
pick_loss (void)
{
  return g_test_rand_bit () ? EB_SHIM_LOSE_NOTHING : EB_SHIM_LOSE_UNSYNCED;
}

/* One that ends takes nothing new. */
static void
end (EbBusRig *rig)
{
  EbRigEnd how = g_test_rand_bit () ? EB_RIG_DRAIN : EB_RIG_BREAK_OFF;

  eb_bus_rig_end (rig, how);
  eb_bus_rig_start (rig);
}

static void
crash (EbBusRig *rig)
{
  eb_bus_rig_crash (rig, pick_loss ());
  if (pick (4) == 0)
    eb_shim_vfs_fail_after (rig->shim, pick (MAX_CALLS), EB_SHIM_CUT);
  eb_bus_rig_start (rig);
}

static void
take_step (EbBusRig *rig)
{
  guint what = pick (100);
  guint whose = pick (EB_RIG_SUBSCRIBERS);

  if (what < 27)
    eb_bus_requests_publish (rig);
  else if (what < 37)
    eb_bus_requests_register (rig, whose);
  else if (what < 43)
    eb_bus_requests_put (rig, whose);
  else if (what < 46)
    eb_bus_requests_deregister (rig);
  else if (what < 51)
    eb_bus_requests_pause (rig, whose, pick (3) != 0);
  else if (what < 55)
    eb_bus_requests_replay (rig);
  else if (what < 64)
    change_sink (rig);
  else if (what < 77)
    pass_time (rig);
  else if (what < 83)
    eb_bus_requests_change_dead (rig);
  else if (what < 90)
    eb_bus_rig_settle (rig);
  else if (what < 93)
    end (rig);
  else if (what < 96)
    crash (rig);
  else
    eb_shim_vfs_fail_after (rig->shim, pick (MAX_CALLS), EB_SHIM_CUT);
}

static gboolean
has_room_in_flight (gpointer data)
{
  return ((EbBusRig *) data)->n_in_flight < MAX_IN_FLIGHT || eb_bus_rig_is_cut (data);
}

/* Until nothing more happens, or only until there is room for more. */
static void
step (EbBusRig *rig)
{
  take_step (rig);
  eb_test_wait_for (has_room_in_flight, rig);
  if (g_test_rand_bit ())
    while (g_main_context_iteration (NULL, FALSE))
      continue;
  if (eb_bus_rig_is_cut (rig))
    crash (rig);
}

/* The end of it */

static gboolean
has_nothing_in_flight (gpointer data)
{
  return ((EbBusRig *) data)->n_in_flight == 0;
}

static gboolean
is_alive (EbBusRig *rig, guint subscriber)
{
  return eb_bus_model_get_history (rig->model, rig->subscribers[subscriber].address) != NULL;
}

static void
heal (EbBusRig *rig)
{
  for (guint i = 0; i < EB_RIG_SUBSCRIBERS; i++)
    {
      eb_fake_sinks_heal (rig->sinks, rig->subscribers[i].uri);
      if (is_alive (rig, i) && eb_bus_model_may_be_paused (rig->model, rig->subscribers[i].address))
        eb_bus_requests_pause (rig, i, FALSE);
    }
  eb_bus_rig_wait_for (rig, has_nothing_in_flight, rig);
  for (guint i = 0; i < EB_RIG_SUBSCRIBERS && !eb_bus_rig_is_cut (rig); i++)
    if (is_alive (rig, i))
      eb_bus_requests_register (rig, i);
}

/* Returns: whether something is still owed to anybody */
static gboolean
find_owed (EbBusRig *rig, gboolean fatal)
{
  guint64 head = eb_bus_rig_get_head (rig);

  for (guint i = 0; i < EB_RIG_SUBSCRIBERS; i++)
    {
      const char *id = rig->subscribers[i].address;
      EbDeliveryHistory *history = eb_bus_model_get_history (rig->model, id);
      guint64 owed = history != NULL ? eb_delivery_history_find_owed (history, head) : 0;

      if (owed != 0 && fatal)
        g_error ("%s never got event %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT, id, owed, head);
      if (owed != 0)
        return TRUE;
    }
  return FALSE;
}

static void
convalesce (EbBusRig *rig)
{
  guint n_turns = 0;

  do
    {
      heal (rig);
      if (!eb_bus_rig_settle (rig))
        crash (rig);
      else
        eb_fake_clock_advance (rig->store.clock, 60 * SECOND);
    }
  while (find_owed (rig, n_turns++ == LONGEST_CONVALESCENCE));
}

static guint
count_sequences (void)
{
  const char *wanted = g_getenv ("EB_BUS_SEQUENCES");

  return wanted != NULL ? (guint) g_ascii_strtoull (wanted, NULL, 10) : DEFAULT_SEQUENCES;
}

static void
test_model (void)
{
  guint n_sequences = count_sequences ();
  guint n_runs = 0, n_power_cuts = 0;

  for (guint i = 0; i < n_sequences; i++)
    {
      g_autoptr (EbBusRig) rig = eb_bus_rig_new ((guint32) g_test_rand_int ());

      eb_bus_rig_start (rig);
      eb_bus_requests_register (rig, pick (EB_RIG_SUBSCRIBERS));
      for (guint j = 0; j < N_STEPS; j++)
        step (rig);
      convalesce (rig);
      eb_bus_rig_end (rig, EB_RIG_DRAIN);
      n_runs += rig->n_runs;
      n_power_cuts += rig->n_power_cuts;
    }
  g_test_message ("%u databases, %u lives of a daemon, %u power cuts", n_sequences, n_runs,
                  n_power_cuts);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
  eb_test_drop_log ();

  g_test_add_func ("/bus-model/model", test_model);

  return g_test_run ();
}
