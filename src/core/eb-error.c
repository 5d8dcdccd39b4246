/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "core/eb-error.h"

#include "core/eb-quote.h"

G_DEFINE_QUARK (eb - error - quark, eb_error)

/**
 * eb_error_new_no_subscription:
 * @id: what was asked for, which may be any text
 *
 * Returns: (transfer full): an %EB_ERROR_NOT_FOUND
 */
GError *
eb_error_new_no_subscription (const char *id)
{
  g_autofree char *shown = eb_quote_text (id, -1);

  return g_error_new (EB_ERROR, EB_ERROR_NOT_FOUND, "There is no subscription “%s”", shown);
}
