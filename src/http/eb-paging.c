/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "http/eb-paging.h"

/**
 * eb_paging_add_next:
 * @after: where the next page begins
 * @limit: how much is on it; 0 for as much as there is
 *
 * Adds to the answer a `Link` to the next page of the list at its path.
 */
void
eb_paging_add_next (EbExchange *exchange, const char *after, guint64 limit)
{
  g_autofree char *escaped = g_uri_escape_string (after, NULL, FALSE);
  g_autofree char *more =
      limit > 0 ? g_strdup_printf ("&limit=%" G_GUINT64_FORMAT, limit) : g_strdup ("");
  g_autofree char *link =
      g_strdup_printf ("<%s?after=%s%s>; rel=\"next\"", exchange->path, escaped, more);

  soup_message_headers_append (eb_exchange_get_answer_headers (exchange), "Link", link);
}

/**
 * eb_paging_add_next_number:
 *
 * eb_paging_add_next() of a list whose pages begin after a number.
 */
void
eb_paging_add_next_number (EbExchange *exchange, guint64 after, guint64 limit)
{
  g_autofree char *text = g_strdup_printf ("%" G_GUINT64_FORMAT, after);

  eb_paging_add_next (exchange, text, limit);
}
