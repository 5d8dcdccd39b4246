/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "core/eb-ledger.h"

G_BEGIN_DECLS

/**
 * EbProgress:
 *
 * What the ledger is still to be told of how far the subscriptions got.
 */
typedef struct _EbProgress EbProgress;

EbProgress *eb_progress_new (void);
void eb_progress_free (EbProgress *self);
void eb_progress_add (EbProgress *self, EbSubscription *subscription, const EbChange *change);
void eb_progress_raise_floor (EbProgress *self, guint64 floor);
GPtrArray *eb_progress_list (EbProgress *self, EbSubscription *subscription);
void eb_progress_forget (EbProgress *self, EbSubscription *subscription);
void eb_progress_add_ended (EbProgress *self, const char *id);
gboolean eb_progress_has_ended (EbProgress *self, const char *id);
gboolean eb_progress_take_ended (EbProgress *self, const char *id);
GPtrArray *eb_progress_take (EbProgress *self);
void eb_progress_done (EbProgress *self);
gboolean eb_progress_is_empty (EbProgress *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EbProgress, eb_progress_free)

G_END_DECLS
