/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "support/eb-fake-transport.h"
#include "support/eb-test-wait.h"

typedef struct
{
  EbFakeSinks *sinks;
  const char *uri;
  guint n;
} Arrivals;

static gboolean
have_arrived (gpointer data)
{
  const Arrivals *arrivals = data;

  return eb_fake_sinks_count (arrivals->sinks, arrivals->uri) >= arrivals->n;
}

/**
 * eb_fake_sinks_wait:
 *
 * Waits until that many deliveries, or more, have arrived at @uri.
 */
void
eb_fake_sinks_wait (EbFakeSinks *self, const char *uri, guint n_arrivals)
{
  eb_test_wait_for (have_arrived, &(Arrivals){ self, uri, n_arrivals });
}
