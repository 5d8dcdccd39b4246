/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "codec/eb-draft-json.h"
#include "fuzz/eb-fuzz.h"

#define MAX_EVENTS 8

static void
check_draft (EbDraft *draft)
{
  g_autoptr (GError) error = NULL;
  gboolean complete = eb_draft_complete (draft, &error);

  eb_fuzz_check_verdict (complete, error);
  if (!complete)
    return;
  g_assert_nonnull (draft->id);
  g_assert_nonnull (draft->source);
  g_assert_nonnull (draft->type);
  g_assert_cmpuint (draft->size, <=, EB_MAX_ATTRIBUTES_SIZE);
}

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
    check_draft (draft);
  g_assert_true (drafts == NULL || drafts->len <= MAX_EVENTS);
  for (guint i = 0; drafts != NULL && i < drafts->len; i++)
    check_draft (drafts->pdata[i]);
  return 0;
}
