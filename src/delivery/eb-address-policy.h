/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * EbAddressPolicy:
 *
 * Which addresses deliveries may go to. Immutable and atomically reference-counted: any thread
 * may ask it.
 */
typedef struct _EbAddressPolicy EbAddressPolicy;

EbAddressPolicy *eb_address_policy_new (const char *const *allow,
                                        const char *const *deny,
                                        GPtrArray *listeners,
                                        GError **error);
EbAddressPolicy *eb_address_policy_ref (EbAddressPolicy *self);
void eb_address_policy_unref (EbAddressPolicy *self);
gboolean eb_address_policy_check (EbAddressPolicy *self,
                                  GInetAddress *address,
                                  guint16 port,
                                  GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EbAddressPolicy, eb_address_policy_unref)

G_END_DECLS
