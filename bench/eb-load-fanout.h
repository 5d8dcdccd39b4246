/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * EbLoadFanoutOptions:
 * @sinks: how many sinks answer
 * @silent: how many more take connections and never answer
 * @refusing: how many more refuse connections
 * @warmup: the events of the first phase, which includes connecting
 * @events: the events of the second phase
 * @connections: how many connections the publisher has
 * @window: how many events may be under way; 0: any number
 * @rate: events a second in both phases; 0: as fast as they are delivered
 * @give_up_ms: when nothing happens for so long the window is emptied; 0: never
 * @quiet_ms: when everything is published and nothing arrives for so long, the phase is over
 * @deadline_s: the run is over after that time, whatever is missing
 * @drop_every: to try the count: each so many-th delivery is taken for lost; 0: none
 * @late: the sinks refuse connections until everything is published, and keep alive then
 * @passive: nothing is published here: another program sends the deliveries
 * @unregistered: the sinks need not be registered
 * @config: (nullable): JSON, how the sinks want their deliveries; NULL for what the tutorial's API
 *   gives
 */
typedef struct
{
  int sinks;
  int silent;
  int refusing;
  int warmup;
  int events;
  int connections;
  int window;
  double rate;
  int give_up_ms;
  int quiet_ms;
  int deadline_s;
  int drop_every;
  gboolean late;
  gboolean passive;
  gboolean unregistered;
  char *config;
} EbLoadFanoutOptions;

gboolean eb_load_fanout_run (const EbLoadFanoutOptions *options, GError **error);

G_END_DECLS
