/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "core/eb-ledger.h"
#include "store/eb-window.h"

G_BEGIN_DECLS

typedef struct _EbSqliteReader EbSqliteReader;

EbSqliteReader *eb_sqlite_reader_new (const char *path, const char *vfs, EbWindow *window);
void eb_sqlite_reader_free (EbSqliteReader *self);
void eb_sqlite_reader_read (EbSqliteReader *self, GTask *task, guint64 after, gsize max_bytes);
void eb_sqlite_reader_list_exceptions (EbSqliteReader *self,
                                       GTask *task,
                                       const char *id,
                                       EbExceptionKinds kinds,
                                       guint64 after,
                                       guint limit);

G_END_DECLS
