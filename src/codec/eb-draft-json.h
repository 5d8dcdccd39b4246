/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "core/eb-draft.h"

G_BEGIN_DECLS

EbDraft *eb_draft_from_json (const char *text, gsize length, GError **error);
GPtrArray *eb_drafts_from_json (const char *text, gsize length, guint max, GError **error);

G_END_DECLS
