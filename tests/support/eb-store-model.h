/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "support/eb-shim-vfs.h"
#include "support/eb-store-fixture.h"

G_BEGIN_DECLS

typedef struct _EbStoreModel EbStoreModel;

EbStoreModel *eb_store_model_new (EbStoreFixture *fixture, EbShimVfs *shim, GRand *random);
void eb_store_model_free (EbStoreModel *self);
void eb_store_model_step (EbStoreModel *self);
void eb_store_model_settle (EbStoreModel *self);
guint eb_store_model_get_n_refused (EbStoreModel *self);
char *eb_store_model_find_fault (EbStoreModel *self);
char *eb_store_model_find_damage (const char *path);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EbStoreModel, eb_store_model_free)

G_END_DECLS
