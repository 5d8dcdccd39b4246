/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

guint eb_test_run (void);
void eb_test_wait_for (gboolean (*condition) (gpointer data), gpointer data);
GAsyncResult *eb_test_wait_for_result (GAsyncResult **result);
void eb_test_result_cb (GObject *source, GAsyncResult *result, gpointer user_data);

G_END_DECLS
