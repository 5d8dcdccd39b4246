/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-webhook-id.h"

/**
 * eb_webhook_id_prefix:
 *
 * A `webhook-id` (Standard Webhooks 1.0) is this, a hyphen and the event's sequence in decimal (of
 * a batch the first one's, a hyphen and the last one's, see eb_delivery_write_id()): the same on
 * every attempt, and unique, because a log never reuses a sequence.
 *
 * Returns: (transfer full): 32 hexadecimal digits, which a log and a subscription have to
 * themselves
 */
char *
eb_webhook_id_prefix (const char *log_id, const char *subscription_id)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);

  g_checksum_update (checksum, (const guchar *) log_id, -1);
  g_checksum_update (checksum, (const guchar *) "\n", 1);
  g_checksum_update (checksum, (const guchar *) subscription_id, -1);
  return g_strndup (g_checksum_get_string (checksum), EB_WEBHOOK_ID_PREFIX_LENGTH);
}
