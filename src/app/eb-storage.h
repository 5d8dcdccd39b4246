/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "app/eb-configuration.h"
#include "core/eb-clock.h"
#include "core/eb-ledger.h"
#include "core/eb-log.h"

G_BEGIN_DECLS

typedef struct _EbStorage EbStorage;

EbStorage *eb_storage_new (EbClock *clock, const char *path, GError **error);
void eb_storage_free (EbStorage *self);
EbLog *eb_storage_get_log (EbStorage *self);
EbLedger *eb_storage_get_ledger (EbStorage *self);
gboolean eb_storage_is_durable (EbStorage *self);
void eb_storage_configure (EbStorage *self, const EbConfiguration *configuration);
void eb_storage_close (EbStorage *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EbStorage, eb_storage_free)

G_END_DECLS
