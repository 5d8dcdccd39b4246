/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "store/eb-sqlite-database.h"

G_BEGIN_DECLS

/**
 * EbSqliteExpiry:
 * @first: sequence of the oldest event that would stay; 0 if there is none
 * @accepted_us: when that one was accepted; G_MININT64 if there is none
 *
 * What one step of retention would leave.
 */
typedef struct
{
  guint64 first;
  gint64 accepted_us;
} EbSqliteExpiry;

/**
 * EbSqliteUsage:
 * @page_size: bytes; 0 while it was never measured
 * @bytes: of all pages that were in use when it was measured
 */
typedef struct
{
  gsize page_size;
  gsize bytes;
} EbSqliteUsage;

gboolean eb_sqlite_retention_get_excess (EbSqliteDatabase *database,
                                         EbSqliteUsage *usage,
                                         gsize max_bytes,
                                         gsize *excess,
                                         GError **error);
gboolean eb_sqlite_retention_find (EbSqliteDatabase *database,
                                   guint64 head,
                                   gsize excess,
                                   gint64 oldest_us,
                                   EbSqliteExpiry *expiry,
                                   GError **error);
gboolean eb_sqlite_retention_delete (EbSqliteDatabase *database, guint64 first, GError **error);

G_END_DECLS
