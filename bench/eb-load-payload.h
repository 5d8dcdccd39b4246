/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>
#include <netinet/in.h>

G_BEGIN_DECLS

/* Every measured event has this size: small enough that the cost per delivery is what counts. */
#define EB_LOAD_PAYLOAD_SIZE 256

/**
 * EbLoadPayload:
 * @magic: says that the bytes are ours
 * @event: the number of the event in this run, from 0
 * @sent_ns: `CLOCK_MONOTONIC` when its publisher began to send it
 * @filler: fixed bytes, so that a change of any of them is seen
 *
 * The body of a measured event, in the byte order of the machine: it never leaves it.
 */
typedef struct
{
  char magic[8];
  guint64 event;
  guint64 sent_ns;
  char filler[EB_LOAD_PAYLOAD_SIZE - 24];
} EbLoadPayload;

G_STATIC_ASSERT (sizeof (EbLoadPayload) == EB_LOAD_PAYLOAD_SIZE);

void eb_load_payload_init (EbLoadPayload *payload, guint64 event, guint64 sent_ns);
gboolean eb_load_payload_parse (EbLoadPayload *payload,
                                const EbLoadPayload *model,
                                const char *data,
                                gsize size);

guint64 eb_load_now_ns (void);

struct in_addr eb_load_sink_address (guint index);
gboolean eb_load_sink_index (struct in_addr address, guint *index);

void eb_load_raise_descriptor_limit (void);

G_END_DECLS
