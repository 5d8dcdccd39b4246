/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "codec/eb-draft-json.h"
#include "fuzz/eb-fuzz-event.h"
#include "fuzz/eb-fuzz.h"

#define MAX_EVENTS 8

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  const char *text = (const char *) data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) batch_error = NULL;
  g_autoptr (EbDraft) draft = eb_draft_from_json (text, size, &error);
  g_autoptr (GPtrArray) drafts = eb_drafts_from_json (text, size, MAX_EVENTS, &batch_error);

  eb_fuzz_check_verdict (draft != NULL, error);
  eb_fuzz_check_verdict (drafts != NULL, batch_error);
  g_assert_true (draft == NULL || drafts == NULL);
  if (draft != NULL)
    eb_fuzz_check_event (draft);
  g_assert_true (drafts == NULL || drafts->len <= MAX_EVENTS);
  for (guint i = 0; drafts != NULL && i < drafts->len; i++)
    eb_fuzz_check_event (drafts->pdata[i]);
  return 0;
}
