/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "store/eb-sqlite-database.h"
#include "store/eb-sqlite-queue.h"
#include "store/eb-sqlite-events.h"

G_BEGIN_DECLS

/**
 * EbSqliteState:
 * @extent: of the log
 * @epoch: the ledger's last one
 * @names_after_us: a name that was given then or before is not known any more
 *
 * What the database says, for whoever writes it to know without asking.
 */
typedef struct
{
  EbSqliteExtent extent;
  guint64 epoch;
  gint64 names_after_us;
} EbSqliteState;

gboolean eb_sqlite_state_read (EbSqliteState *state, EbSqliteDatabase *database, GError **error);
gboolean eb_sqlite_state_read_log_id (EbSqliteDatabase *database, char log_id[37], GError **error);
gboolean eb_sqlite_transaction_run (EbSqliteDatabase *database,
                                    EbSqliteState *state,
                                    GPtrArray *batch,
                                    GPtrArray *events,
                                    GError **error);
gboolean eb_sqlite_transaction_load (EbSqliteDatabase *database,
                                     EbSqliteState *state,
                                     EbOperation *operation);
gboolean eb_sqlite_transaction_forget (EbSqliteDatabase *database, guint64 first, GError **error);
gboolean
eb_sqlite_transaction_forget_names (EbSqliteDatabase *database, guint64 last, GError **error);
gboolean eb_sqlite_transaction_fence (EbSqliteDatabase *database, gint64 number, GError **error);

G_END_DECLS
