/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "store/eb-sqlite-store.h"
#include "support/eb-fake-clock.h"

G_BEGIN_DECLS

typedef enum
{
  EB_STORE_MEMORY,
  EB_STORE_SQLITE,
} EbStoreKind;

typedef struct
{
  EbFakeClock *clock;   /* (owned) */
  EbLog *log;           /* (owned) */
  EbLedger *ledger;     /* (owned) */
  EbSqliteStore *store; /* (owned) (nullable): both, if they are */
  char *folder;         /* (owned) (nullable): where that is */
  char *path;           /* (owned) (nullable): its file */
  const char *vfs;      /* (nullable): what it reaches files through */
} EbStoreFixture;

void eb_store_fixture_set_up (EbStoreFixture *fixture, gconstpointer kind);
void eb_store_fixture_tear_down (EbStoreFixture *fixture, gconstpointer kind);
void eb_store_fixture_open (EbStoreFixture *fixture);
void eb_store_fixture_close (EbStoreFixture *fixture);

EbDraft *eb_store_fixture_new_draft (const char *text);
EbDraft *eb_store_fixture_new_named_draft (const char *source, const char *id, const char *text);
GArray *eb_store_fixture_append_drafts (EbStoreFixture *fixture, GPtrArray *drafts);
GArray *eb_store_fixture_append_all (EbStoreFixture *fixture, const char *const *texts);
gboolean eb_store_fixture_try (EbStoreFixture *fixture, const char *text, GError **error);
void eb_store_fixture_recover (EbStoreFixture *fixture);
guint64 eb_store_fixture_append (EbStoreFixture *fixture, const char *text);
EbPage *eb_store_fixture_read (EbStoreFixture *fixture, guint64 after, gsize max_bytes);
void eb_store_fixture_assert_event (EbPage *page, guint index, guint64 sequence, const char *text);

EbSubscription *eb_store_fixture_new_subscription (const char *address);
GPtrArray *eb_store_fixture_load (EbStoreFixture *fixture, guint64 *epoch);
gboolean
eb_store_fixture_apply (EbStoreFixture *fixture, guint64 epoch, EbChange *change, GError **error);
void
eb_store_fixture_put (EbStoreFixture *fixture, guint64 epoch, const char *address, guint64 start);
GPtrArray *eb_store_fixture_list (EbStoreFixture *fixture,
                                  const char *id,
                                  EbExceptionKinds kinds,
                                  guint64 after,
                                  guint limit,
                                  GError **error);

G_END_DECLS
