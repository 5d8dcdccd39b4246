/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "store/eb-sqlite-database.h"

G_BEGIN_DECLS

gboolean eb_sqlite_schema_migrate (EbSqliteDatabase *database,
                                   const char *const *steps,
                                   guint n_steps,
                                   GError **error);
gboolean eb_sqlite_schema_prepare (EbSqliteDatabase *database, GError **error);

G_END_DECLS
