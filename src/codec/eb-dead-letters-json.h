/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "core/eb-dead-letter.h"

G_BEGIN_DECLS

char *eb_dead_letters_to_json (GPtrArray *letters);
char *eb_redriven_to_json (guint redriven, guint left);

G_END_DECLS
