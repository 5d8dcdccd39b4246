/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "core/eb-error.h"

#include <string.h>

/* Of what somebody sent: enough to recognise it by. */
#define MAX_QUOTED_SIZE 64

G_DEFINE_QUARK (eb - error - quark, eb_error)

/**
 * eb_error_quote:
 * @text: what is wrong, from outside
 *
 * Returns: (transfer full): its beginning, as a message may have it: valid UTF-8, which precision
 *   in a format would cut anywhere
 */
char *
eb_error_quote (const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  const char *end = valid + MAX_QUOTED_SIZE;

  if (strlen (valid) > MAX_QUOTED_SIZE)
    valid[g_utf8_find_prev_char (valid, end + 1) - valid] = '\0';
  return g_steal_pointer (&valid);
}
