/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/eb-sqlite-retainer.h"

#include "store/eb-sqlite-transaction.h"

void
eb_sqlite_retainer_init (EbSqliteRetainer *self, EbSqliteDatabase *database, EbWindow *window)
{
  *self = (EbSqliteRetainer){
    .database = database, .window = window, .oldest_us = G_MININT64, .names.accepted_us = G_MININT64
  };
}

/* The window forgets before they are gone, lest somebody who reads meanwhile takes it for damage.
 * If they do not go, nobody reads them any more, but retention must find them again. */
static EbRetainStep
forget_events (EbSqliteRetainer *self,
               EbSqliteExtent *extent,
               const EbSqliteExpiry *expiry,
               GError **error)
{
  guint64 first = extent->first;

  extent->first = expiry->first;
  eb_window_forget (self->window, expiry->first);
  if (eb_sqlite_transaction_forget (self->database, expiry->first, error))
    return EB_RETAIN_MORE;
  extent->first = first;
  self->oldest_us = G_MININT64;
  return EB_RETAIN_FAILED;
}

static EbRetainStep
retain_events (EbSqliteRetainer *self,
               EbSqliteExtent *extent,
               const EbSqliteSettings *settings,
               gint64 oldest_us,
               GError **error)
{
  EbSqliteExpiry expiry;
  gsize excess;

  if (!eb_sqlite_retention_get_excess (self->database, &self->usage, settings->max_bytes, &excess,
                                       error))
    return EB_RETAIN_FAILED;
  if (excess == 0 && self->oldest_us >= oldest_us)
    return EB_RETAINED;
  if (!eb_sqlite_retention_find (self->database, extent->head, excess, oldest_us, &expiry, error))
    return EB_RETAIN_FAILED;
  self->oldest_us = expiry.accepted_us;
  return expiry.first > extent->first ? forget_events (self, extent, &expiry, error) : EB_RETAINED;
}

/* As long as too few are there for a step, its last one is yet to come. */
static gboolean
find_names (EbSqliteRetainer *self, const EbSqliteExtent *extent, gint64 now_us, GError **error)
{
  EbSqliteNameStep names = { extent->head + 1, now_us };

  if (!eb_sqlite_names_find_step (self->database, &names, error))
    return FALSE;
  self->names = names;
  return TRUE;
}

static EbRetainStep
retain_names (EbSqliteRetainer *self,
              const EbSqliteExtent *extent,
              const EbSqliteSettings *settings,
              gint64 now_us,
              GError **error)
{
  gint64 after_us = now_us - settings->name_age;
  guint64 limit = eb_event_name_get_limit (settings->max_bytes);
  guint64 last = self->names.sequence;

  if (self->names.accepted_us > after_us && last + limit > extent->head)
    return EB_RETAINED;
  if (!find_names (self, extent, now_us, error))
    return EB_RETAIN_FAILED;
  last = self->names.sequence;
  if (last > extent->head || (self->names.accepted_us > after_us && last + limit > extent->head))
    return EB_RETAINED;
  self->names.accepted_us = G_MININT64;
  return eb_sqlite_transaction_forget_names (self->database, last, error) ? EB_RETAIN_MORE
                                                                          : EB_RETAIN_FAILED;
}

/**
 * eb_sqlite_retainer_step:
 * @extent: (inout): what there is
 * @now_us: real time
 *
 * Takes away some of what is too much or too old, in a transaction.
 */
EbRetainStep
eb_sqlite_retainer_step (EbSqliteRetainer *self,
                         EbSqliteExtent *extent,
                         const EbSqliteSettings *settings,
                         gint64 now_us,
                         GError **error)
{
  /* Names go by the time of acceptance, which does not go back. And first: else events would make
   * room for names that go anyway, where somebody has just allowed less. */
  gint64 accepted_us = MAX (now_us, extent->accepted_us);
  EbRetainStep step = retain_names (self, extent, settings, accepted_us, error);

  if (step != EB_RETAINED)
    return step;
  return retain_events (self, extent, settings, now_us - settings->max_age, error);
}
