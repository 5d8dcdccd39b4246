/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define EB_PROBLEM_TYPE "application/problem+json"

char *eb_problem_to_json (guint status, const char *title, const char *detail);

G_END_DECLS
