/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

#include <stddef.h>
#include <stdint.h>
#include <string.h>

G_BEGIN_DECLS

int LLVMFuzzerInitialize (int *argc, char ***argv);
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

/* Returns: (transfer full) (nullable): the input as a string, for what is given strings; NULL if it
 * has a NUL */
static inline char *
eb_fuzz_dup_string (const uint8_t *data, size_t size)
{
  return size == 0 || memchr (data, '\0', size) == NULL ? g_strndup ((const char *) data, size)
                                                        : NULL;
}

/* Returns: (transfer full) (nullable): the same for what is given UTF-8 */
static inline char *
eb_fuzz_dup_utf8 (const uint8_t *data, size_t size)
{
  return g_utf8_validate_len ((const char *) data, size, NULL)
             ? g_strndup ((const char *) data, size)
             : NULL;
}

G_END_DECLS
