/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "store/eb-event-name.h"
#include "store/eb-sqlite-database.h"

G_BEGIN_DECLS

/**
 * EbSqliteNameStep:
 * @sequence: of the event
 * @accepted_us: when it was accepted
 *
 * The newest of the names that go together.
 */
typedef struct
{
  guint64 sequence;
  gint64 accepted_us;
} EbSqliteNameStep;

gboolean eb_sqlite_names_find (EbSqliteDatabase *database,
                               const EbEventName *name,
                               gint64 after_us,
                               guint64 *sequence,
                               GError **error);
gboolean eb_sqlite_names_add (EbSqliteDatabase *database,
                              const EbEventName *name,
                              guint64 sequence,
                              gint64 accepted_us,
                              GError **error);
gboolean
eb_sqlite_names_find_step (EbSqliteDatabase *database, EbSqliteNameStep *last, GError **error);
gboolean eb_sqlite_names_delete (EbSqliteDatabase *database, guint64 last, GError **error);

G_END_DECLS
