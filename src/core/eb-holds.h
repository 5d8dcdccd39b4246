/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * EbHolds:
 *
 * Subscriptions whose deliveries wait until their subscriber has been told that it has them.
 * Atomically reference-counted; every function may be called from any thread.
 */
typedef struct _EbHolds EbHolds;

EbHolds *eb_holds_new (void);
EbHolds *eb_holds_ref (EbHolds *self);
void eb_holds_unref (EbHolds *self);
void eb_holds_add (EbHolds *self, const char *id);
void eb_holds_release (EbHolds *self, const char *id);
GCancellable *eb_holds_lookup (EbHolds *self, const char *id);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EbHolds, eb_holds_unref)

G_END_DECLS
