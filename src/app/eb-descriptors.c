/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "app/eb-descriptors.h"

#include <sys/resource.h>

/* Descriptors that are neither clients nor sinks: listeners, epolls, buses, logs, the store, name
 * look-ups. At most a quarter of all, where there are few. */
#define RESERVED 128

static guint
get_limit (void)
{
  struct rlimit limit;

  if (getrlimit (RLIMIT_NOFILE, &limit) < 0)
    return 1024;
  return (guint) MIN (limit.rlim_cur, G_MAXINT);
}

/**
 * eb_descriptors_raise_limit:
 *
 * The soft limit is low for the sake of select(), which nothing here uses.
 */
void
eb_descriptors_raise_limit (void)
{
  struct rlimit limit;

  if (getrlimit (RLIMIT_NOFILE, &limit) < 0)
    return;
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit (RLIMIT_NOFILE, &limit) < 0)
    g_debug ("Cannot raise the limit of open files");
}

/**
 * eb_descriptors_share:
 *
 * Clients get what is configured, but never more than half, so that they cannot take from the
 * sinks what an event needs to arrive.
 *
 * Returns: how many each may have
 */
EbDescriptors
eb_descriptors_share (const EbConfiguration *configuration)
{
  guint limit = get_limit ();
  guint usable = limit - MIN (RESERVED, limit / 4);
  guint clients = MIN (configuration->max_clients, MAX (usable / 2, 1));
  guint sinks = configuration->max_sink_connections;

  if (sinks == 0)
    sinks = usable - clients;
  return (EbDescriptors){ clients, MAX (sinks / configuration->workers, 1) };
}
