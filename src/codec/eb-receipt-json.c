/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "codec/eb-receipt-json.h"

#include <string.h>

#include "codec/eb-json-value.h"

/* What a publisher is told. */

static void
append_receipt (GString *text, const EbDraft *draft, const EbReceipt *receipt)
{
  g_string_append (text, "{\"id\":");
  eb_json_append_string (text, draft->id, strlen (draft->id));
  g_string_append_printf (text, ",\"sequence\":%" G_GUINT64_FORMAT "}", receipt->sequence);
}

/**
 * eb_receipt_to_json:
 * @draft: what was published
 *
 * Returns: (transfer full): an object
 */
char *
eb_receipt_to_json (const EbDraft *draft, const EbReceipt *receipt)
{
  GString *text = g_string_new (NULL);

  append_receipt (text, draft, receipt);
  return g_string_free (text, FALSE);
}

/**
 * eb_receipts_to_json:
 * @drafts: (element-type EbDraft): what was published
 * @receipts: (element-type EbReceipt): as many
 *
 * Returns: (transfer full): an object with the array `events`
 */
char *
eb_receipts_to_json (GPtrArray *drafts, GArray *receipts)
{
  GString *text = g_string_new ("{\"events\":[");

  for (guint i = 0; i < drafts->len; i++)
    {
      if (i > 0)
        g_string_append_c (text, ',');
      append_receipt (text, g_ptr_array_index (drafts, i), &g_array_index (receipts, EbReceipt, i));
    }
  g_string_append (text, "]}");
  return g_string_free (text, FALSE);
}
