/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "core/eb-subscription.h"

G_BEGIN_DECLS

char *eb_subscription_to_json (const EbSubscription *self);
EbSubscription *eb_subscription_from_json (const char *text, GError **error);

G_END_DECLS
