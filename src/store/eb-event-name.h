/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "core/eb-draft.h"

G_BEGIN_DECLS

#define EB_EVENT_NAME_SIZE 16

/**
 * EbEventName:
 *
 * A publisher's source and id, in a few bytes: 128 bits of a cryptographic hash, so that two pairs
 * that differ have the same one neither by chance nor by anybody's effort.
 */
typedef struct
{
  guint8 bytes[EB_EVENT_NAME_SIZE];
} EbEventName;

void eb_event_name_init (EbEventName *self, const EbDraft *draft);
guint64 eb_event_name_get_limit (gsize max_bytes);

G_END_DECLS
