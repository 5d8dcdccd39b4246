/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/eb-event-name.h"

#include <string.h>

/* What a log pays for a name that it knows, roughly: in its order, and by its hash. */
#define NAME_BYTES 80

/* Of what a log may keep, the part that names may take. At the default of 1 GiB they are known for
 * the whole window, unless there are more than 5,000 events a second all the time. */
#define NAMES_SHARE 4

/**
 * eb_event_name_init:
 * @self: (out caller-allocates)
 * @draft: one that is named
 */
void
eb_event_name_init (EbEventName *self, const EbDraft *draft)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  guint8 digest[32];
  gsize size = sizeof digest;

  /* Neither holds a NUL, so it tells where one ends. */
  g_checksum_update (checksum, (const guchar *) draft->source, (gssize) strlen (draft->source) + 1);
  g_checksum_update (checksum, (const guchar *) draft->id, (gssize) strlen (draft->id));
  g_checksum_get_digest (checksum, digest, &size);
  memcpy (self->bytes, digest, sizeof self->bytes);
}

/**
 * eb_event_name_get_limit:
 * @max_bytes: of the log
 *
 * Returns: how many names it knows at most: the newest ones
 */
guint64
eb_event_name_get_limit (gsize max_bytes)
{
  return max_bytes / NAMES_SHARE / NAME_BYTES;
}
