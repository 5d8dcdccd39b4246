/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * EbReplayRequest:
 * @by_time: whether @real_us counts, and not @after
 * @after: a sequence
 * @real_us: real time of acceptance
 */
typedef struct
{
  gboolean by_time;
  guint64 after;
  gint64 real_us;
} EbReplayRequest;

gboolean eb_replay_request_parse (GBytes *body, EbReplayRequest *request, GError **error);
gboolean eb_secret_request_parse (GBytes *body, char **secret, GError **error);
gboolean eb_empty_request_check (GBytes *body, GError **error);

char *eb_secret_to_json (const char *secret);
char *eb_ping_to_json (guint status, const char *reason, gint64 duration_us);

/**
 * EbAttemptView:
 * @number: counts the subscription's attempts, from 1
 * @sequence: of the event
 * @attempt: 1 for the first
 * @status: the sink's; 0 if there was no answer
 * @started_us: real time
 * @reason: (unowned) (nullable): what went wrong; NULL if it was delivered
 */
typedef struct
{
  guint64 number;
  guint64 sequence;
  guint attempt;
  guint status;
  gint64 started_us;
  gint64 duration_us;
  const char *reason;
} EbAttemptView;

char *eb_attempts_to_json (const EbAttemptView *attempts, gsize n_attempts);

G_END_DECLS
