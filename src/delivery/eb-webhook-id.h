/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Hexadecimal digits. 128 bits: far more than it takes to tell every subscription of every log
 * apart. */
#define EB_WEBHOOK_ID_PREFIX_LENGTH 32

/* Room for one, its NUL included: the prefix, twice a hyphen and 20 digits, and once with 10. */
#define EB_WEBHOOK_ID_SIZE 96

char *eb_webhook_id_prefix (const char *log_id, const char *subscription_id);

G_END_DECLS
