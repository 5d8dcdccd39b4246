/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "core/eb-ledger.h"
#include "store/eb-sqlite-database.h"

G_BEGIN_DECLS

/* The part of the ledger that says what batches consist of. */

gboolean eb_sqlite_batches_fix (EbSqliteDatabase *database, const EbChange *change, GError **error);
gboolean eb_sqlite_batches_forget (EbSqliteDatabase *database, const char *id, GError **error);
GArray *
eb_sqlite_batches_load (EbSqliteDatabase *database, const char *id, guint64 cursor, GError **error);

G_END_DECLS
