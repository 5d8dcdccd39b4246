/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "core/eb-clock.h"
#include "store/eb-sqlite-events.h"
#include "store/eb-sqlite-queue.h"
#include "store/eb-sqlite-settings.h"
#include "store/eb-window.h"

G_BEGIN_DECLS

typedef struct _EbSqliteWriter EbSqliteWriter;

EbSqliteWriter *
eb_sqlite_writer_new (EbClock *clock, const char *path, const char *vfs, GError **error);
void eb_sqlite_writer_free (EbSqliteWriter *self);
EbSqliteDatabase *eb_sqlite_writer_get_database (EbSqliteWriter *self);
const EbSqliteExtent *eb_sqlite_writer_get_extent (EbSqliteWriter *self);
void eb_sqlite_writer_start (EbSqliteWriter *self, EbWindow *window);
void eb_sqlite_writer_push (EbSqliteWriter *self, EbOperation *operation);
void eb_sqlite_writer_configure (EbSqliteWriter *self, const EbSqliteSettings *settings);
void eb_sqlite_writer_set_name_age (EbSqliteWriter *self, GTimeSpan name_age);
void eb_sqlite_writer_stop (EbSqliteWriter *self);
void eb_sqlite_writer_close (EbSqliteWriter *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EbSqliteWriter, eb_sqlite_writer_free)

G_END_DECLS
