/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bench/eb-send.h"

#include <sys/resource.h>
#include <unistd.h>

/* Programs of a few lines that deliver as eventbusd does and do nothing else, to have something to
 * compare it with: `eb-send epoll` and `eb-send soup`. In a process of their own, as eventbusd is.
 */

/* After the last answer of the first phase the sinks note that it is over; the next may then begin
 * without being counted to it. */
#define BETWEEN_PHASES_US 50000

/**
 * eb_send_plan_get_event:
 * @plan: a phase
 * @i: which of its events
 *
 * Returns: (transfer none): the body, stamped now if it is sent for the first time
 */
const EbLoadPayload *
eb_send_plan_get_event (const EbSendPlan *plan, guint i)
{
  EbLoadPayload *event = &plan->events[i];

  if (event->sent_ns == 0)
    eb_load_payload_init (event, plan->first_event + i,
                          i == 0 ? plan->start_ns : eb_load_now_ns ());
  return event;
}

static gboolean
run_phases (const char *kind, EbSendPlan *plan, int warmup, int events)
{
  const int counts[] = { warmup, events };
  g_autofree EbLoadPayload *bodies = g_new0 (EbLoadPayload, warmup + events);
  g_autoptr (EbSendEpoll) epoll = NULL;
  g_autoptr (EbSendSoup) soup = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (counts); i++)
    {
      plan->events = bodies + plan->first_event;
      plan->n_events = (guint) counts[i];
      plan->start_ns = eb_load_now_ns ();
      if (g_str_equal (kind, "epoll"))
        {
          if (epoll == NULL)
            epoll = eb_send_epoll_new (plan);
          eb_send_epoll_run (epoll, plan);
        }
      else if (g_str_equal (kind, "soup"))
        {
          if (soup == NULL)
            soup = eb_send_soup_new (plan);
          eb_send_soup_run (soup, plan);
        }
      else
        return FALSE;
      plan->first_event += plan->n_events;
      g_usleep (BETWEEN_PHASES_US);
    }

  return TRUE;
}

static void
print_cost (void)
{
  struct rusage usage;

  getrusage (RUSAGE_SELF, &usage);
  g_print ("{\"cpu_seconds\": %.3f}\n",
           (double) (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
               + (double) (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
}

int
main (int argc, char **argv)
{
  int sinks = 100, port = 0, warmup = 20, events = 1000, head_bytes = 420, deadline = 60;
  const GOptionEntry entries[] = {
    { "sinks", 0, 0, G_OPTION_ARG_INT, &sinks, "How many sinks", "N" },
    { "port", 0, 0, G_OPTION_ARG_INT, &port, "Where they listen", "PORT" },
    { "warmup", 0, 0, G_OPTION_ARG_INT, &warmup, "Events of the cold phase", "N" },
    { "events", 0, 0, G_OPTION_ARG_INT, &events, "Events of the warm phase", "N" },
    { "head-bytes", 0, 0, G_OPTION_ARG_INT, &head_bytes, "Length of a request's head", "N" },
    { "deadline", 0, 0, G_OPTION_ARG_INT, &deadline, "The longest it may take", "S" },
    { NULL }
  };
  g_autoptr (GOptionContext) context = g_option_context_new ("epoll|soup - deliver to sinks");
  g_autoptr (GError) error = NULL;
  EbSendPlan plan = { 0 };

  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    {
      g_printerr ("eb-send: %s\n", error->message);
      return 1;
    }

  eb_load_raise_descriptor_limit ();
  /* Its default action ends the program. */
  alarm ((guint) deadline);
  plan.n_sinks = (guint) sinks;
  plan.port = (guint16) port;
  plan.head_bytes = (guint) head_bytes;
  if (argc != 2 || !run_phases (argv[1], &plan, warmup, events))
    {
      g_printerr ("eb-send: Name what is to send: epoll or soup\n");
      return 1;
    }

  print_cost ();
  return 0;
}
