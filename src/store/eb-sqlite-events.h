/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "core/eb-log.h"
#include "store/eb-sqlite-database.h"

G_BEGIN_DECLS

/**
 * EbSqliteExtent:
 * @first: of the oldest event; @head + 1 when there is none
 * @head: the highest sequence there ever was
 * @accepted_us: when the newest event was accepted
 */
typedef struct
{
  guint64 first;
  guint64 head;
  gint64 accepted_us;
} EbSqliteExtent;

gboolean
eb_sqlite_events_get_extent (EbSqliteDatabase *database, EbSqliteExtent *extent, GError **error);
gboolean eb_sqlite_events_insert (EbSqliteDatabase *database, EbEvent *event, GError **error);
EbPage *eb_sqlite_events_read (EbSqliteDatabase *database,
                               guint64 start,
                               guint64 end,
                               gsize max_bytes,
                               guint64 *damaged,
                               GError **error);

G_END_DECLS
