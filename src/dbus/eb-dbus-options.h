/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "core/eb-filter.h"

G_BEGIN_DECLS

/**
 * EbDbusOptions:
 * @filter: (owned) (nullable): all of the filters
 * @has_after: whether @after was given; else from now on
 * @after: the sequence to begin after
 *
 * What Subscribe() was given beside the types.
 */
typedef struct
{
  EbFilter *filter;
  gboolean has_after;
  guint64 after;
} EbDbusOptions;

gboolean eb_dbus_options_parse (GVariant *options, EbDbusOptions *parsed, GError **error);
void eb_dbus_options_clear (EbDbusOptions *self);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (EbDbusOptions, eb_dbus_options_clear)

G_END_DECLS
