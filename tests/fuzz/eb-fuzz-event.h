/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "core/eb-draft.h"

G_BEGIN_DECLS

void eb_fuzz_check_event (EbDraft *draft);

G_END_DECLS
