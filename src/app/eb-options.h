/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "app/eb-configuration.h"

G_BEGIN_DECLS

/**
 * EbOptions:
 *
 * The command line: which file to read, and what to put over it.
 */
typedef struct _EbOptions EbOptions;

EbOptions *eb_options_new (int *argc, char ***argv, GError **error);
void eb_options_free (EbOptions *self);
gboolean eb_options_wants_version (EbOptions *self);
EbConfiguration *eb_options_load (EbOptions *self, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EbOptions, eb_options_free)

G_END_DECLS
