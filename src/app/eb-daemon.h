/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "app/eb-options.h"

G_BEGIN_DECLS

#define EB_TYPE_DAEMON (eb_daemon_get_type ())
G_DECLARE_FINAL_TYPE (EbDaemon, eb_daemon, EB, DAEMON, GObject)

EbDaemon *eb_daemon_new (EbOptions *options, EbConfiguration *configuration);
gboolean eb_daemon_run (EbDaemon *self, GError **error);

G_END_DECLS
