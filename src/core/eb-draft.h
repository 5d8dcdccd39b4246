/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "core/eb-attribute.h"

G_BEGIN_DECLS

/* The bus's own defaults, and what the tutorial's /sendMessage publishes. */
#define EB_DEFAULT_TYPE   "org.example.EventBus.message"
#define EB_DEFAULT_SOURCE "/eventbus"

/**
 * EbDraftValue:
 * @text: the canonical string form
 *
 * What one attribute is.
 */
typedef struct
{
  EbAttributeKind kind;
  char text[];
} EbDraftValue;

/**
 * EbDraft:
 *
 * What somebody wants published: a CloudEvents 1.0 event that has no place in the log yet. It is
 * built by one owner and read, never changed, by the log it is appended to.
 */
typedef struct
{
  char *id;              /* (owned) (nullable) until eb_draft_complete() */
  char *source;          /* (owned) (nullable) until eb_draft_complete() */
  char *type;            /* (owned) (nullable) until eb_draft_complete() */
  char *content_type;    /* (owned) (nullable) not always UTF-8 */
  GTree *attributes;     /* (owned) (element-type utf8 EbDraftValue) all others, sorted by name */
  GBytes *data;          /* (owned) */
  gboolean is_json;      /* the data is JSON because a format says so that needs no content_type */
  gsize size;            /* bytes of all names and values together */
  gboolean has_version;  /* a specversion was given, which is not kept */
  gboolean has_sequence; /* so was a sequence */
  gboolean named;        /* the publisher gave both id and source, so a repeat can be told */
} EbDraft;

EbDraft *eb_draft_new (GBytes *data);
void eb_draft_free (EbDraft *self);
void eb_draft_replace_data (EbDraft *self, GBytes *data);
gboolean eb_draft_set (EbDraft *self, const char *name, const char *value, GError **error);
gboolean eb_draft_set_typed (
    EbDraft *self, const char *name, EbAttributeKind kind, const char *value, GError **error);
gboolean eb_draft_set_content_type (EbDraft *self, const char *value, GError **error);
gboolean eb_draft_complete (EbDraft *self, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EbDraft, eb_draft_free)

G_END_DECLS
