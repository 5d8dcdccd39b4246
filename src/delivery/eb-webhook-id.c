/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-webhook-id.h"

#include <nettle/base16.h>
#include <nettle/sha2.h>
#include <string.h>

static void
feed (struct sha256_ctx *context, const char *text)
{
  sha256_update (context, strlen (text), (const guint8 *) text);
}

/**
 * eb_webhook_id_prefix:
 *
 * A `webhook-id` (Standard Webhooks 1.0) is this, a hyphen and the event's sequence in decimal (of
 * a batch the first one's, the last one's and a hash of all, see eb_delivery_write_id()): the same
 * on every attempt, and unique, because a log never reuses a sequence.
 *
 * Returns: (transfer full): 32 hexadecimal digits, which a log and a subscription have to
 * themselves
 */
char *
eb_webhook_id_prefix (const char *log_id, const char *subscription_id)
{
  struct sha256_ctx context;
  guint8 digest[EB_WEBHOOK_ID_PREFIX_LENGTH / 2];
  char *prefix = g_malloc (EB_WEBHOOK_ID_PREFIX_LENGTH + 1);

  sha256_init (&context);
  feed (&context, log_id);
  feed (&context, "\n");
  feed (&context, subscription_id);
  sha256_digest (&context, sizeof digest, digest);
  base16_encode_update (prefix, sizeof digest, digest);
  prefix[EB_WEBHOOK_ID_PREFIX_LENGTH] = '\0';
  return prefix;
}
