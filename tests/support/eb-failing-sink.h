/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "support/eb-delivery-fixture.h"

G_BEGIN_DECLS

/* A subscription whose sink does what a test says, and what came of it. */

#define SECOND G_TIME_SPAN_SECOND
#define SINK   "http://sink:1/event"

/* The longest and the shortest that a delay may become. */
#define LONGEST(delay)  ((delay) *6 / 5 + 1)
#define SHORTEST(delay) ((delay) *4 / 5 - 1)

EbSubscription *eb_failing_sink_add (EbDeliveryFixture *fixture,
                                     EbOrder order,
                                     guint concurrency,
                                     const EbStart *start);
void eb_failing_sink_script (EbDeliveryFixture *fixture, EbFakeBehaviour behaviour, guint n);
void
eb_failing_sink_set_retry (EbDeliveryFixture *fixture, const GTimeSpan *delays, guint n_delays);
void eb_failing_sink_assert_arrivals (EbDeliveryFixture *fixture,
                                      guint *index,
                                      const guint64 (*expected)[2],
                                      guint n);
void eb_failing_sink_assert_quiet (EbDeliveryFixture *fixture, guint index);
void eb_failing_sink_assert_steps (EbDeliveryFixture *fixture, const char *expected);
void eb_failing_sink_assert_steps_include (EbDeliveryFixture *fixture, const char *expected);

#define ASSERT_ARRIVALS(index, ...)                                                                \
  G_STMT_START                                                                                     \
  {                                                                                                \
    const guint64 expected[][2] = { __VA_ARGS__ };                                                 \
    eb_failing_sink_assert_arrivals (fixture, index, expected, G_N_ELEMENTS (expected));           \
  }                                                                                                \
  G_STMT_END

G_END_DECLS
