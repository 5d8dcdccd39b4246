/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bench/eb-load-histogram.h"

#include <math.h>

/* A histogram of latencies: constant memory and a few instructions a value, because the sink that
 * fills it shares the machine with what is measured. A plain value; one thread. */

#define STEPS (1u << EB_LOAD_HISTOGRAM_STEP_BITS)

static guint
bucket_of (guint64 value)
{
  guint shift;

  if (value < STEPS)
    return (guint) value;

  shift = 63 - (guint) __builtin_clzll (value) - EB_LOAD_HISTOGRAM_STEP_BITS;
  return ((shift + 1) << EB_LOAD_HISTOGRAM_STEP_BITS) + (guint) (value >> shift) - STEPS;
}

static guint64
upper_end_of (guint bucket)
{
  guint shift;
  guint64 step;

  if (bucket < STEPS)
    return bucket;

  shift = (bucket >> EB_LOAD_HISTOGRAM_STEP_BITS) - 1;
  step = STEPS + bucket % STEPS;
  return ((step + 1) << shift) - 1;
}

/**
 * eb_load_histogram_add:
 * @histogram: a histogram
 * @value: the value to count
 */
void
eb_load_histogram_add (EbLoadHistogram *histogram, guint64 value)
{
  histogram->counts[bucket_of (value)]++;
  histogram->total++;
  histogram->largest = MAX (histogram->largest, value);
}

/**
 * eb_load_histogram_quantile:
 * @histogram: a histogram
 * @quantile: between 0 and 1
 *
 * Returns: the value that this share of all values does not exceed, rounded up to the end of its
 *   bucket; 0 if the histogram is empty
 */
guint64
eb_load_histogram_quantile (const EbLoadHistogram *histogram, double quantile)
{
  guint64 wanted = (guint64) ceil (quantile * (double) histogram->total);
  guint64 passed = 0;

  for (guint i = 0; i < EB_LOAD_HISTOGRAM_BUCKETS && wanted > 0; i++)
    {
      passed += histogram->counts[i];
      if (passed >= wanted)
        return MIN (upper_end_of (i), histogram->largest);
    }

  return histogram->largest;
}
