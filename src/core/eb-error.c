/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "core/eb-error.h"

G_DEFINE_QUARK (eb - error - quark, eb_error)
