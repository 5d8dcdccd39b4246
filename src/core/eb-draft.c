/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "core/eb-draft.h"

#include <string.h>

#include "core/eb-error.h"

/* Besides id, source, type and datacontenttype. With all else that a delivery has, 32 headers of
 * the subscription's own included, these are less than the 256 that a careful server reads. */
#define MAX_ATTRIBUTES 200

static int
compare_names (gconstpointer a, gconstpointer b, gpointer user_data)
{
  return strcmp (a, b);
}

/**
 * eb_draft_new:
 * @data: (transfer none): the event's bytes, which nothing ever alters
 *
 * Returns: (transfer full): a draft without attributes
 */
EbDraft *
eb_draft_new (GBytes *data)
{
  EbDraft *self = g_new0 (EbDraft, 1);

  self->data = g_bytes_ref (data);
  self->attributes = g_tree_new_full (compare_names, NULL, g_free, g_free);
  return self;
}

void
eb_draft_free (EbDraft *self)
{
  g_free (self->id);
  g_free (self->source);
  g_free (self->type);
  g_free (self->content_type);
  g_tree_unref (self->attributes);
  g_bytes_unref (self->data);
  g_free (self);
}

/**
 * eb_draft_replace_data:
 * @data: (transfer none): in place of what it had
 */
void
eb_draft_replace_data (EbDraft *self, GBytes *data)
{
  g_bytes_ref (data);
  g_bytes_unref (self->data);
  self->data = data;
}

static char **
lookup_field (EbDraft *self, const char *name)
{
  if (g_str_equal (name, "id"))
    return &self->id;
  if (g_str_equal (name, "source"))
    return &self->source;
  if (g_str_equal (name, "type"))
    return &self->type;
  if (g_str_equal (name, "datacontenttype"))
    return &self->content_type;
  return NULL;
}

static EbDraftValue *
value_new (EbAttributeKind kind, const char *text)
{
  gsize size = strlen (text) + 1;
  EbDraftValue *self = g_malloc (sizeof (EbDraftValue) + size);

  self->kind = kind;
  memcpy (self->text, text, size);
  return self;
}

static gboolean
refuse_repeat (const char *name, GError **error)
{
  g_set_error (error, EB_ERROR, EB_ERROR_INVALID, "Attribute “%s” is given twice", name);
  return FALSE;
}

/* @value has been checked. */
static gboolean
add (EbDraft *self, const char *name, EbAttributeKind kind, const char *value, GError **error)
{
  char **field = lookup_field (self, name);

  if (field != NULL ? *field != NULL : g_tree_lookup (self->attributes, name) != NULL)
    return refuse_repeat (name, error);
  if (field == NULL && g_tree_nnodes (self->attributes) >= MAX_ATTRIBUTES)
    {
      g_set_error (error, EB_ERROR, EB_ERROR_INVALID,
                   "The event has more than %d attributes (at “%s”)", MAX_ATTRIBUTES, name);
      return FALSE;
    }
  if (self->size + strlen (name) + strlen (value) > EB_MAX_ATTRIBUTES_SIZE)
    {
      g_set_error (error, EB_ERROR, EB_ERROR_TOO_LARGE,
                   "The attributes have more than %d bytes together (at “%s”)",
                   EB_MAX_ATTRIBUTES_SIZE, name);
      return FALSE;
    }

  self->size += strlen (name) + strlen (value);
  if (field != NULL)
    *field = g_strdup (value);
  else
    g_tree_insert (self->attributes, g_strdup (name), value_new (kind, value));
  return TRUE;
}

/* What every event has says nothing of this one; and its sequence is the log's to give: a
 * publisher's would be seen by nobody.
 * Returns: (nullable): whether @name was dropped before; NULL if it is one to keep */
static gboolean *
find_dropped (EbDraft *self, const char *name)
{
  if (g_str_equal (name, "specversion"))
    return &self->has_version;
  return g_str_equal (name, "sequence") ? &self->has_sequence : NULL;
}

/**
 * eb_draft_set:
 * @name: a CloudEvents attribute, each at most once
 * @value: its canonical string form
 *
 * Checks the rules of CloudEvents 1.0.2 for that attribute, and the bus's bounds on its size. A
 * `sequence` is checked and not kept, as the log has its own.
 *
 * Returns: FALSE with %EB_ERROR_INVALID or %EB_ERROR_TOO_LARGE, which name the attribute, and the
 *   draft as it was
 */
gboolean
eb_draft_set (EbDraft *self, const char *name, const char *value, GError **error)
{
  return eb_draft_set_typed (self, name, EB_ATTRIBUTE_STRING, value, error);
}

/**
 * eb_draft_set_typed:
 * @kind: another than %EB_ATTRIBUTE_STRING for extensions only
 * @value: the canonical string form, which is one of @kind
 *
 * As eb_draft_set(), for formats that have types.
 */
gboolean
eb_draft_set_typed (
    EbDraft *self, const char *name, EbAttributeKind kind, const char *value, GError **error)
{
  gboolean *dropped = find_dropped (self, name);

  if (!eb_attribute_check (name, value, error))
    return FALSE;
  if (dropped == NULL)
    return add (self, name, kind, value, error);
  if (*dropped)
    return refuse_repeat (name, error);
  *dropped = TRUE;
  return TRUE;
}

static gboolean
is_field_value (const char *value)
{
  for (const char *p = value; *p != '\0'; p++)
    if (((guchar) *p < 0x20 && *p != '\t') || *p == 0x7f)
      return FALSE;
  return TRUE;
}

/**
 * eb_draft_set_content_type:
 * @value: what an HTTP `Content-Type` says, without blanks around it; not empty
 *
 * Sets `datacontenttype` to whatever HTTP lets through, because it goes on to subscribers as it is:
 * tabs, and bytes that are not UTF-8, which CloudEvents does not allow in its attributes.
 *
 * Returns: FALSE with %EB_ERROR_INVALID or %EB_ERROR_TOO_LARGE, and the draft as it was
 */
gboolean
eb_draft_set_content_type (EbDraft *self, const char *value, GError **error)
{
  if (!is_field_value (value))
    g_set_error_literal (error, EB_ERROR, EB_ERROR_INVALID, "Content-Type has a control character");
  else if (strlen (value) > EB_MAX_CONTENT_TYPE_LENGTH)
    g_set_error (error, EB_ERROR, EB_ERROR_TOO_LARGE,
                 "Content-Type has %" G_GSIZE_FORMAT " bytes, more than %d", strlen (value),
                 EB_MAX_CONTENT_TYPE_LENGTH);
  else
    return add (self, "datacontenttype", EB_ATTRIBUTE_STRING, value, error);
  return FALSE;
}

/* Takes and returns @value. */
static char *
add_default (EbDraft *self, const char *name, char *value)
{
  self->size += strlen (name) + strlen (value);
  return value;
}

/**
 * eb_draft_complete:
 *
 * Gives the attributes that are required and were not set their defaults: a random id,
 * %EB_DEFAULT_SOURCE and %EB_DEFAULT_TYPE.
 */
gboolean
eb_draft_complete (EbDraft *self, GError **error)
{
  self->named = self->id != NULL && self->source != NULL;

  /* These keep the rules, so nothing is checked again: most events have all three. */
  if (self->id == NULL)
    self->id = add_default (self, "id", g_uuid_string_random ());
  if (self->source == NULL)
    self->source = add_default (self, "source", g_strdup (EB_DEFAULT_SOURCE));
  if (self->type == NULL)
    self->type = add_default (self, "type", g_strdup (EB_DEFAULT_TYPE));
  if (self->size <= EB_MAX_ATTRIBUTES_SIZE)
    return TRUE;
  g_set_error (error, EB_ERROR, EB_ERROR_TOO_LARGE,
               "The attributes have more than %d bytes together", EB_MAX_ATTRIBUTES_SIZE);
  return FALSE;
}
