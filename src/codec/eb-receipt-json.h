/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "core/eb-draft.h"
#include "core/eb-log.h"

G_BEGIN_DECLS

char *eb_receipt_to_json (const EbDraft *draft, const EbReceipt *receipt);
char *eb_receipts_to_json (GPtrArray *drafts, GArray *receipts);

G_END_DECLS
