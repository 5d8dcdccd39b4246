/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "core/eb-error.h"
#include "core/eb-ledger.h"

G_BEGIN_DECLS

#define EB_TYPE_FAKE_LEDGER (eb_fake_ledger_get_type ())
G_DECLARE_FINAL_TYPE (EbFakeLedger, eb_fake_ledger, EB, FAKE_LEDGER, GObject)

EbFakeLedger *eb_fake_ledger_new (EbLedger *ledger);
void eb_fake_ledger_refuse (EbFakeLedger *self, EbError code);
void eb_fake_ledger_accept (EbFakeLedger *self);
void eb_fake_ledger_hold (EbFakeLedger *self);
void eb_fake_ledger_release (EbFakeLedger *self);
void eb_fake_ledger_set_durable (EbFakeLedger *self);
guint eb_fake_ledger_get_n_calls (EbFakeLedger *self);

G_END_DECLS
