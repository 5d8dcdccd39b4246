/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define EB_PING_EVENT_TYPE "org.example.EventBus.ping"

/**
 * EbPing:
 * @status: the sink's HTTP status; 0 if there was no answer
 * @reason: (owned) (nullable): what went wrong, for people; NULL if the sink took it
 * @duration_us: how long it took
 *
 * What a sink said to a delivery that was only meant to see what it says.
 */
typedef struct
{
  guint status;
  char *reason;
  gint64 duration_us;
} EbPing;

void eb_ping_clear (EbPing *self);
void eb_ping_free (EbPing *self);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (EbPing, eb_ping_clear)

G_END_DECLS
