/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "store/eb-sqlite-events.h"
#include "store/eb-sqlite-names.h"
#include "store/eb-sqlite-retention.h"
#include "store/eb-sqlite-settings.h"
#include "store/eb-window.h"

G_BEGIN_DECLS

/**
 * EbSqliteRetainer:
 *
 * What retention has to take away, and what it knows of the time until when there is nothing, so
 * that it need not look. Within the store's thread.
 */
typedef struct
{
  EbSqliteDatabase *database; /* (not owned) */
  EbWindow *window;           /* (not owned) forgets what goes */
  EbSqliteUsage usage;        /* when it was last measured */
  gint64 oldest_us;           /* when the oldest event was accepted; G_MININT64: find out */
  EbSqliteNameStep names;     /* the next to go, or earlier ones; accepted G_MININT64: find out */
} EbSqliteRetainer;

/**
 * EbRetainStep:
 * @EB_RETAINED: all is as it should be
 * @EB_RETAIN_MORE: there may be more to do
 * @EB_RETAIN_FAILED: nothing was taken away
 */
typedef enum
{
  EB_RETAINED,
  EB_RETAIN_MORE,
  EB_RETAIN_FAILED,
} EbRetainStep;

void eb_sqlite_retainer_init (EbSqliteRetainer *self, EbSqliteDatabase *database, EbWindow *window);
EbRetainStep eb_sqlite_retainer_step (EbSqliteRetainer *self,
                                      EbSqliteExtent *extent,
                                      const EbSqliteSettings *settings,
                                      gint64 now_us,
                                      GError **error);

G_END_DECLS
