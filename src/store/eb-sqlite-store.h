/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "core/eb-clock.h"
#include "core/eb-ledger.h"
#include "core/eb-log.h"

G_BEGIN_DECLS

/**
 * EbDurability:
 * @EB_DURABILITY_FULL: what was acknowledged survives the loss of power
 * @EB_DURABILITY_RELAXED: it survives the end of the process, and mostly the loss of power
 */
typedef enum
{
  EB_DURABILITY_FULL,
  EB_DURABILITY_RELAXED,
} EbDurability;

#define EB_TYPE_SQLITE_STORE (eb_sqlite_store_get_type ())
G_DECLARE_FINAL_TYPE (EbSqliteStore, eb_sqlite_store, EB, SQLITE_STORE, GObject)

EbSqliteStore *
eb_sqlite_store_new (EbClock *clock, const char *path, const char *vfs, GError **error);
void eb_sqlite_store_configure (EbSqliteStore *self,
                                EbDurability durability,
                                gsize max_bytes,
                                GTimeSpan max_age);
void eb_sqlite_store_set_deduplication (EbSqliteStore *self, GTimeSpan window);
void eb_sqlite_store_close (EbSqliteStore *self);

G_END_DECLS
