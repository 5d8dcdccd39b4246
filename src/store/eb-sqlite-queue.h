/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "store/eb-operation.h"

G_BEGIN_DECLS

typedef struct _EbSqliteQueue EbSqliteQueue;

EbSqliteQueue *eb_sqlite_queue_new (void);
void eb_sqlite_queue_free (EbSqliteQueue *self);
gboolean eb_sqlite_queue_push (EbSqliteQueue *self, EbOperation *operation);
GPtrArray *eb_sqlite_queue_take (EbSqliteQueue *self);
gboolean eb_sqlite_queue_expect (EbSqliteQueue *self, guint n_publishers);
gboolean eb_sqlite_queue_is_empty (EbSqliteQueue *self);
void eb_sqlite_queue_close (EbSqliteQueue *self);

G_END_DECLS
