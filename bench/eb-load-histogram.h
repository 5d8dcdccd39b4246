/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* 64 steps for each doubling: a value is known to 1.6 %, and the whole range of a guint64 fits. */
#define EB_LOAD_HISTOGRAM_STEP_BITS 6
#define EB_LOAD_HISTOGRAM_BUCKETS                                                                  \
  ((64 - EB_LOAD_HISTOGRAM_STEP_BITS + 1) << EB_LOAD_HISTOGRAM_STEP_BITS)

/**
 * EbLoadHistogram:
 *
 * Counts of values in buckets that grow with the value. All zero is an empty one.
 */
typedef struct
{
  guint64 total;
  guint64 largest;
  guint64 counts[EB_LOAD_HISTOGRAM_BUCKETS];
} EbLoadHistogram;

void eb_load_histogram_add (EbLoadHistogram *histogram, guint64 value);
guint64 eb_load_histogram_quantile (const EbLoadHistogram *histogram, double quantile);

G_END_DECLS
