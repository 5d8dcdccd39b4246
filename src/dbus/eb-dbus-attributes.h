/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "core/eb-draft.h"

G_BEGIN_DECLS

gboolean eb_dbus_attributes_apply (GVariant *attributes, EbDraft *draft, GError **error);

G_END_DECLS
