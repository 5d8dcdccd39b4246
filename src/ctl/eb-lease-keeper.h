/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

#include "ctl/eb-bus-client.h"

G_BEGIN_DECLS

#define EB_TYPE_LEASE_KEEPER (eb_lease_keeper_get_type ())
G_DECLARE_FINAL_TYPE (EbLeaseKeeper, eb_lease_keeper, EB, LEASE_KEEPER, GObject)

EbLeaseKeeper *eb_lease_keeper_new (EbBusClient *client, const char *address, guint interval_ms);

void eb_lease_keeper_start (EbLeaseKeeper *self);
void
eb_lease_keeper_stop_async (EbLeaseKeeper *self, GAsyncReadyCallback callback, gpointer user_data);
gboolean eb_lease_keeper_stop_finish (EbLeaseKeeper *self, GAsyncResult *result, GError **error);

G_END_DECLS
