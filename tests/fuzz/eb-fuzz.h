/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

#include <stddef.h>
#include <stdint.h>

G_BEGIN_DECLS

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* What is wrong must be said, and in a way that can be written into an answer. */
static inline void
eb_fuzz_check_verdict (gboolean accepted, const GError *error)
{
  g_assert_true (accepted == (error == NULL));
  if (error == NULL)
    return;
  g_assert_cmpstr (error->message, !=, "");
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
}

G_END_DECLS
