/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "core/eb-ledger.h"
#include "store/eb-sqlite-database.h"

G_BEGIN_DECLS

gboolean eb_sqlite_ledger_begin_epoch (EbSqliteDatabase *database, guint64 epoch, GError **error);
GPtrArray *eb_sqlite_ledger_load (EbSqliteDatabase *database, GError **error);
gboolean eb_sqlite_ledger_apply (EbSqliteDatabase *database,
                                 const EbChange *change,
                                 guint64 oldest,
                                 GError **error);
GPtrArray *eb_sqlite_ledger_list_exceptions (EbSqliteDatabase *database,
                                             const char *id,
                                             EbExceptionKinds kinds,
                                             guint64 after,
                                             guint limit,
                                             GError **error);

G_END_DECLS
