/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "core/eb-ledger.h"
#include "core/eb-log.h"

G_BEGIN_DECLS

#define EB_TYPE_MEMORY_LEDGER (eb_memory_ledger_get_type ())
G_DECLARE_FINAL_TYPE (EbMemoryLedger, eb_memory_ledger, EB, MEMORY_LEDGER, GObject)

EbLedger *eb_memory_ledger_new (EbLog *log);

G_END_DECLS
