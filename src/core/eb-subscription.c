/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "core/eb-subscription.h"

#include <string.h>

#include "core/eb-error.h"
#include "core/eb-types.h"

/* What few subscriptions have. */
typedef struct
{
  char **types;               /* (owned) (nullable): NULL for all */
  EbFilter *filter;           /* (owned) (nullable) */
  EbDeliveryOptions *options; /* (owned) (nullable) */
  EbStreak streak;
  EbSubscription *first; /* (owned) (nullable): the one that the first replacement replaced */
} Details;

/* Who wants what. It never changes (one that is asked for anew is a new one, which may take the
 * place of this one), so any thread may read it and hold references to it.
 *
 * Made by the hundred thousand: one that takes every type, in the way that most want, is a single
 * allocation with its id. */
struct _EbSubscription
{
  gatomicrefcount ref_count;
  guint concurrency : 29;
  guint strict : 1;
  guint ephemeral : 1;
  guint paused : 1;
  GTimeSpan lease;
  EbSink *sink;     /* (owned) */
  Details *details; /* (owned) (nullable): NULL when there is nothing in it */
  char id[];
};

/* Room for the longest address of a tutorial's subscriber, which is its id. */
#define MAX_ID_LENGTH 2100

static const char *const all_types[] = { ">", NULL };

static const EbDeliveryOptions default_options = { 0 };

static const EbStreak no_streak = { 0 };

static gboolean
check_id (const char *id, GError **error)
{
  if (*id == '\0')
    g_set_error_literal (error, EB_ERROR, EB_ERROR_INVALID, "The subscription's id is empty");
  else if (strlen (id) > MAX_ID_LENGTH)
    g_set_error (error, EB_ERROR, EB_ERROR_INVALID,
                 "The subscription's id has %" G_GSIZE_FORMAT " bytes, more than %d", strlen (id),
                 MAX_ID_LENGTH);
  else if (!g_utf8_validate (id, -1, NULL))
    g_set_error_literal (error, EB_ERROR, EB_ERROR_INVALID,
                         "The subscription's id is not valid UTF-8");
  else if (g_str_equal (id, ".") || g_str_equal (id, ".."))
    /* RFC 3986 5.2.4: clients take such a segment out of a path before they send it. */
    g_set_error (error, EB_ERROR, EB_ERROR_INVALID,
                 "The subscription's id is “%s”, which no URL can name", id);
  else
    return TRUE;
  return FALSE;
}

static gboolean
check_spec (const EbSubscriptionSpec *spec, GError **error)
{
  if (!check_id (spec->id, error) || !eb_types_check (spec->types, error)
      || (spec->filter != NULL && !eb_filter_check (spec->filter, error))
      || (spec->options != NULL && !eb_delivery_options_check (spec->options, error)))
    return FALSE;
  if (spec->lease < 0)
    g_set_error_literal (error, EB_ERROR, EB_ERROR_INVALID, "The lease is negative");
  else if (spec->concurrency == 0 || spec->concurrency > EB_MAX_CONCURRENCY)
    g_set_error (error, EB_ERROR, EB_ERROR_INVALID, "The concurrency is not between 1 and %d",
                 EB_MAX_CONCURRENCY);
  else if (spec->order == EB_ORDER_STRICT && spec->concurrency > 1)
    g_set_error_literal (error, EB_ERROR, EB_ERROR_INVALID,
                         "Strict order and a concurrency above 1 exclude each other");
  else
    return TRUE;
  return FALSE;
}

static gboolean
wants_all_types (const char *const *types)
{
  return types == NULL || types[0] == NULL || g_strv_equal (types, all_types);
}

/* Returns: (transfer full) (nullable) */
static Details *
new_details (const EbSubscriptionSpec *spec)
{
  gboolean all = wants_all_types (spec->types);
  gboolean failing = spec->streak.since_us != 0 && spec->lease == 0 && !spec->ephemeral;
  Details *details;

  if (all && spec->filter == NULL && spec->options == NULL && spec->replaces == NULL && !failing)
    return NULL;
  details = g_new0 (Details, 1);
  if (!all)
    details->types = g_strdupv ((char **) spec->types);
  if (spec->filter != NULL)
    details->filter = eb_filter_ref (spec->filter);
  if (spec->options != NULL)
    details->options = eb_delivery_options_ref (spec->options);
  if (failing)
    details->streak = spec->streak;
  if (spec->replaces != NULL)
    details->first = eb_subscription_ref (eb_subscription_get_identity (spec->replaces));
  return details;
}

static void
details_free (Details *details)
{
  g_strfreev (details->types);
  g_clear_pointer (&details->filter, eb_filter_unref);
  g_clear_pointer (&details->options, eb_delivery_options_unref);
  g_clear_pointer (&details->first, eb_subscription_unref);
  g_free (details);
}

/**
 * eb_subscription_new:
 * @spec: what it is; everything in it is copied or referenced
 *
 * Returns: (transfer full): the subscription, or NULL with %EB_ERROR_INVALID, which names what is
 *   wrong with @spec
 */
EbSubscription *
eb_subscription_new (const EbSubscriptionSpec *spec, GError **error)
{
  EbSubscription *self;
  gsize id_size;

  g_return_val_if_fail (spec->id != NULL && spec->sink != NULL, NULL);

  if (!check_spec (spec, error))
    return NULL;

  id_size = strlen (spec->id) + 1;
  self = g_malloc (sizeof *self + id_size);
  g_atomic_ref_count_init (&self->ref_count);
  self->concurrency = spec->concurrency & 0x1fffffff;
  self->strict = spec->order == EB_ORDER_STRICT;
  self->ephemeral = spec->ephemeral != FALSE;
  self->paused = spec->paused != FALSE;
  self->lease = spec->lease;
  self->sink = eb_sink_ref (spec->sink);
  self->details = new_details (spec);
  memcpy (self->id, spec->id, id_size);

  return self;
}

EbSubscription *
eb_subscription_ref (EbSubscription *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
eb_subscription_unref (EbSubscription *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  eb_sink_unref (self->sink);
  g_clear_pointer (&self->details, details_free);
  g_free (self);
}

const char *
eb_subscription_get_id (const EbSubscription *self)
{
  return self->id;
}

/**
 * eb_subscription_get_sink:
 *
 * Returns: (transfer none): where its deliveries go
 */
EbSink *
eb_subscription_get_sink (const EbSubscription *self)
{
  return self->sink;
}

/**
 * eb_subscription_get_lease:
 *
 * Returns: microseconds without a keep-alive after which it ends; 0 for never
 */
GTimeSpan
eb_subscription_get_lease (const EbSubscription *self)
{
  return self->lease;
}

/**
 * eb_subscription_get_concurrency:
 *
 * Returns: how many deliveries may be under way at once, 1 or more
 */
guint
eb_subscription_get_concurrency (const EbSubscription *self)
{
  return self->concurrency;
}

EbOrder
eb_subscription_get_order (const EbSubscription *self)
{
  return self->strict ? EB_ORDER_STRICT : EB_ORDER_RELAXED;
}

/**
 * eb_subscription_get_types:
 *
 * Returns: (nullable) (transfer none) (array zero-terminated=1): the type patterns; NULL for all
 */
const char *const *
eb_subscription_get_types (const EbSubscription *self)
{
  return self->details != NULL ? (const char *const *) self->details->types : NULL;
}

/**
 * eb_subscription_get_filter:
 *
 * Returns: (nullable) (transfer none): what else must match
 */
EbFilter *
eb_subscription_get_filter (const EbSubscription *self)
{
  return self->details != NULL ? self->details->filter : NULL;
}

/**
 * eb_subscription_get_options:
 *
 * Returns: (transfer none): how it wants its deliveries
 */
const EbDeliveryOptions *
eb_subscription_get_options (const EbSubscription *self)
{
  return self->details != NULL && self->details->options != NULL ? self->details->options
                                                                 : &default_options;
}

/**
 * eb_subscription_is_paused:
 *
 * Returns: whether nothing is to be sent
 */
gboolean
eb_subscription_is_paused (const EbSubscription *self)
{
  return self->paused;
}

/**
 * eb_subscription_get_streak:
 *
 * Returns: (transfer none): how its attempts had failed when it was made
 */
const EbStreak *
eb_subscription_get_streak (const EbSubscription *self)
{
  return self->details != NULL ? &self->details->streak : &no_streak;
}

/**
 * eb_subscription_is_disabled:
 *
 * Returns: whether nothing is to be sent because its attempts have failed for too long
 */
gboolean
eb_subscription_is_disabled (const EbSubscription *self)
{
  return eb_subscription_get_streak (self)->lasted >= EB_STREAK_MAX;
}

/**
 * eb_subscription_may_be_disabled:
 *
 * Returns: whether its failures count: one with a lease ends by itself, if nobody is behind it
 */
gboolean
eb_subscription_may_be_disabled (const EbSubscription *self)
{
  return self->lease == 0 && !self->ephemeral;
}

/**
 * eb_subscription_get_identity:
 *
 * Tables are keyed by it: what was said about a subscription before it was replaced is true of the
 * one that took its place, and not of another one that has its id after its end.
 *
 * Returns: (transfer none): what a subscription and all that replace it have in common, for as long
 *   as there is a reference to one of them
 */
gpointer
eb_subscription_get_identity (EbSubscription *self)
{
  return self->details != NULL && self->details->first != NULL ? self->details->first : self;
}

/**
 * eb_subscription_fill_spec:
 * @spec: (out caller-allocates): of one that takes its place and is like it; what it points to is
 *   valid as long as @self
 */
void
eb_subscription_fill_spec (EbSubscription *self, EbSubscriptionSpec *spec)
{
  *spec = (EbSubscriptionSpec){
    .id = self->id,
    .sink = self->sink,
    .types = eb_subscription_get_types (self),
    .filter = eb_subscription_get_filter (self),
    .lease = self->lease,
    .concurrency = self->concurrency,
    .order = eb_subscription_get_order (self),
    .ephemeral = self->ephemeral,
    .paused = self->paused,
    .options = self->details != NULL ? self->details->options : NULL,
    .streak = *eb_subscription_get_streak (self),
    .replaces = self,
  };
}

/**
 * eb_subscription_takes_all:
 *
 * Returns: whether every event matches
 */
gboolean
eb_subscription_takes_all (const EbSubscription *self)
{
  return self->details == NULL || (self->details->types == NULL && self->details->filter == NULL);
}

/**
 * eb_subscription_is_ephemeral:
 *
 * Returns: whether it is never stored, and ends with its peer or the daemon
 */
gboolean
eb_subscription_is_ephemeral (const EbSubscription *self)
{
  return self->ephemeral;
}

/**
 * eb_subscription_matches:
 *
 * Returns: whether @event is of a wanted type and passes the filter
 */
gboolean
eb_subscription_matches (const EbSubscription *self, const EbEvent *event)
{
  const Details *details = self->details;

  return details == NULL
         || (eb_types_match ((const char *const *) details->types, eb_event_get_event_type (event))
             && (details->filter == NULL || eb_filter_match (details->filter, event)));
}
