/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "core/eb-event.h"

G_BEGIN_DECLS

/**
 * EbFilterDialect:
 * @EB_FILTER_EXACT: each named attribute has exactly that value
 * @EB_FILTER_PREFIX: … begins with it
 * @EB_FILTER_SUFFIX: … ends with it
 * @EB_FILTER_ALL: every child matches
 * @EB_FILTER_ANY: at least one child matches
 * @EB_FILTER_NOT: its one child does not match
 *
 * The dialects of the CloudEvents Subscriptions API 1.0.
 */
typedef enum
{
  EB_FILTER_EXACT,
  EB_FILTER_PREFIX,
  EB_FILTER_SUFFIX,
  EB_FILTER_ALL,
  EB_FILTER_ANY,
  EB_FILTER_NOT,
} EbFilterDialect;

/* Far above what a person writes; bounds the recursion of every function here. */
#define EB_MAX_FILTER_DEPTH 16

typedef struct _EbFilter EbFilter;

gboolean eb_filter_dialect_from_string (const char *name, EbFilterDialect *dialect);
const char *eb_filter_dialect_to_string (EbFilterDialect dialect);
EbFilter *eb_filter_new (EbFilterDialect dialect);
EbFilter *eb_filter_ref (EbFilter *self);
void eb_filter_unref (EbFilter *self);
gboolean
eb_filter_add_attribute (EbFilter *self, const char *name, const char *value, GError **error);
gboolean eb_filter_add_child (EbFilter *self, EbFilter *child, GError **error);
gboolean eb_filter_check (const EbFilter *self, GError **error);
EbFilterDialect eb_filter_get_dialect (const EbFilter *self);
guint eb_filter_get_n_attributes (const EbFilter *self);
EbAttribute eb_filter_get_attribute (const EbFilter *self, guint index);
guint eb_filter_get_n_children (const EbFilter *self);
EbFilter *eb_filter_get_child (const EbFilter *self, guint index);
gboolean eb_filter_match (const EbFilter *self, const EbEvent *event);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EbFilter, eb_filter_unref)

G_END_DECLS
