/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "core/eb-draft.h"

G_BEGIN_DECLS

typedef struct _EbEvent EbEvent;

/* 20 digits, for any 64 bits, and a NUL. */
#define EB_EVENT_SEQUENCE_SIZE 21

/**
 * EbEventFields:
 * @content_type: (nullable)
 * @is_json: the data is JSON although there is no @content_type
 * @attributes: (array length=n_attributes): all others, sorted by name
 *
 * What makes an event up, as a store kept it.
 */
typedef struct
{
  const char *id;
  const char *source;
  const char *type;
  const char *content_type;
  gboolean is_json;
  const EbAttribute *attributes;
  gsize n_attributes;
  GBytes *data;
} EbEventFields;

EbEvent *eb_event_new (const EbDraft *draft, guint64 sequence, gint64 accepted_us);
EbEvent *eb_event_new_stored (const EbEventFields *fields, guint64 sequence, gint64 accepted_us);
EbEvent *eb_event_ref (EbEvent *self);
void eb_event_unref (EbEvent *self);

guint64 eb_event_get_sequence (const EbEvent *self);
char *eb_event_format_sequence (const EbEvent *self, char text[EB_EVENT_SEQUENCE_SIZE]);
gint64 eb_event_get_accepted (const EbEvent *self);
const char *eb_event_get_id (const EbEvent *self);
const char *eb_event_get_source (const EbEvent *self);
const char *eb_event_get_event_type (const EbEvent *self);
const char *eb_event_get_content_type (const EbEvent *self);
const char *eb_event_get_media_type (const EbEvent *self);
const char *eb_event_get_attribute (const EbEvent *self, const char *name);
const EbAttribute *eb_event_get_attributes (const EbEvent *self, gsize *n_attributes);
GBytes *eb_event_get_data (const EbEvent *self);
gsize eb_event_get_charge (const EbEvent *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EbEvent, eb_event_unref)

G_END_DECLS
