/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "codec/eb-draft-json.h"

#include <string.h>

#include "codec/eb-json.h"
#include "core/eb-error.h"
#include "core/eb-media-type.h"
#include "core/eb-quote.h"

/* Structured CloudEvents (JSON format 1.0.2) as drafts. Whatever rule of the specification is
 * broken, nothing is published. The data is cut out of the text, never written anew, so that its
 * digits stay. */

/* An object on its way to a draft. */
typedef struct
{
  EbDraft *draft;   /* (owned) (nullable) */
  GTree *names;     /* (owned) (element-type utf8 gboolean) of the members so far; FALSE for null */
  gsize names_size; /* bytes of them */
  EbJsonValue data; /* its text is NULL if there is none */
  EbJsonValue data_base64; /* its text is NULL if there is none */
} Reader;

/* All that are there and are no extensions. */
static const char *const own_names[] = { "specversion", "id",   "source",     "type",
                                         "subject",     "time", "dataschema", "datacontenttype",
                                         NULL };
static const char *const required_names[] = { "specversion", "id", "source", "type", NULL };

static int
compare_names (gconstpointer a, gconstpointer b, gpointer user_data)
{
  return strcmp (a, b);
}

static void
reader_init (Reader *self)
{
  g_autoptr (GBytes) empty = g_bytes_new_static ("", 0);

  *self = (Reader){ .draft = eb_draft_new (empty) };
  self->names = g_tree_new_full (compare_names, NULL, g_free, NULL);
}

static void
reader_clear (Reader *self)
{
  g_clear_pointer (&self->draft, eb_draft_free);
  g_tree_unref (self->names);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Reader, reader_clear)

static gboolean
fail (GError **error, const char *name, const char *fault)
{
  g_set_error (error, EB_ERROR, EB_ERROR_INVALID, "Member “%s” %s", name, fault);
  return FALSE;
}

/* Returns: (transfer full) (nullable): what a string says, if C can hold it */
static char *
dup_string (const EbJsonValue *value)
{
  g_autoptr (GString) string = eb_json_value_decode (value);

  if (strlen (string->str) != string->len)
    return NULL;
  return g_string_free (g_steal_pointer (&string), FALSE);
}

/* Attributes */

/* A CloudEvents integer has 32 bits, and neither fraction nor exponent. */
static char *
dup_integer (const EbJsonValue *value)
{
  g_autofree char *text = g_strndup (value->text, value->length);
  gint64 integer;

  if (!g_ascii_string_to_signed (text, 10, G_MININT32, G_MAXINT32, &integer, NULL))
    return NULL;
  return g_strdup_printf ("%" G_GINT64_FORMAT, integer);
}

static EbAttributeKind
get_attribute_kind (EbJsonKind kind)
{
  switch (kind)
    {
    case EB_JSON_BOOLEAN:
      return EB_ATTRIBUTE_BOOLEAN;
    case EB_JSON_NUMBER:
      return EB_ATTRIBUTE_INTEGER;
    case EB_JSON_STRING:
    case EB_JSON_OBJECT:
    case EB_JSON_ARRAY:
    case EB_JSON_NULL:
    default:
      return EB_ATTRIBUTE_STRING;
    }
}

/* Returns: (transfer full) (nullable): the attribute's canonical string form */
static char *
dup_value (const char *name, EbJsonKind kind, const EbJsonValue *value, GError **error)
{
  char *string = NULL;

  if (kind == EB_JSON_STRING)
    {
      string = dup_string (value);
      if (string == NULL)
        fail (error, name, "has a U+0000");
    }
  else if (g_strv_contains (own_names, name))
    fail (error, name, "is not a string");
  else if (kind == EB_JSON_BOOLEAN)
    string = g_strndup (value->text, value->length);
  else if (kind == EB_JSON_NUMBER)
    {
      string = dup_integer (value);
      if (string == NULL)
        fail (error, name, "is a number, but not a 32-bit integer");
    }
  else
    fail (error, name, "is neither a string nor a boolean nor an integer");
  return string;
}

static gboolean
read_attribute (Reader *self, const char *name, const EbJsonValue *value, GError **error)
{
  EbJsonKind kind = eb_json_value_get_kind (value);
  g_autofree char *string = NULL;

  if (!eb_attribute_check_name (name, error))
    return FALSE;
  /* As if it were not there: JSON format, 2.2. */
  if (kind == EB_JSON_NULL)
    return TRUE;
  string = dup_value (name, kind, value, error);
  return string != NULL
         && eb_draft_set_typed (self->draft, name, get_attribute_kind (kind), string, error);
}

/* Takes @name. The bound is that of the attributes, as otherwise nulls would not be counted. */
static gboolean
add_name (Reader *self, char *name, EbJsonKind kind, GError **error)
{
  self->names_size += strlen (name);
  g_tree_insert (self->names, name, GINT_TO_POINTER (kind != EB_JSON_NULL));
  if (self->names_size <= EB_MAX_ATTRIBUTES_SIZE)
    return TRUE;
  g_set_error (error, EB_ERROR, EB_ERROR_TOO_LARGE,
               "The members' names have more than %d bytes together", EB_MAX_ATTRIBUTES_SIZE);
  return FALSE;
}

static gboolean
read_member (Reader *self, const EbJsonValue *written, const EbJsonValue *value, GError **error)
{
  g_autofree char *name = dup_string (written);
  const char *kept = name;

  if (name == NULL)
    {
      g_set_error_literal (error, EB_ERROR, EB_ERROR_INVALID, "A member's name has a U+0000");
      return FALSE;
    }
  if (g_tree_lookup_node (self->names, name) != NULL)
    {
      g_autofree char *shown = eb_quote_text (name, -1);

      return fail (error, shown, "is given twice");
    }
  if (!add_name (self, g_steal_pointer (&name), eb_json_value_get_kind (value), error))
    return FALSE;
  if (g_str_equal (kept, "data"))
    self->data = *value;
  else if (!g_str_equal (kept, "data_base64"))
    return read_attribute (self, kept, value, error);
  else if (eb_json_value_get_kind (value) != EB_JSON_NULL)
    self->data_base64 = *value;
  return TRUE;
}

/* Data */

/* The standard alphabet with its padding and nothing else, which is what is written for the bytes
 * (RFC 4648, 4). */
static GBytes *
decode_base64 (const EbJsonValue *value, GError **error)
{
  g_autofree char *text = NULL;
  g_autofree char *again = NULL;
  g_autofree guchar *data = NULL;
  gsize size = 0;

  if (eb_json_value_get_kind (value) == EB_JSON_STRING)
    text = dup_string (value);
  if (text != NULL)
    {
      data = g_base64_decode (text, &size);
      again = g_base64_encode (data, size);
      if (g_str_equal (text, again))
        return g_bytes_new (data, size);
    }
  fail (error, "data_base64", "is not a string in base64 (RFC 4648, with padding)");
  return NULL;
}

static GBytes *
dup_text (const EbJsonValue *value)
{
  GString *string = eb_json_value_decode (value);

  return g_string_free_to_bytes (string);
}

/* JSON is kept as JSON, a string with its quotes; of another type only a string can be. */
static GBytes *
dup_data (Reader *self, GError **error)
{
  const char *content_type = self->draft->content_type;

  if (content_type == NULL || eb_media_type_is_json (content_type))
    return g_bytes_new (self->data.text, self->data.length);
  if (eb_json_value_get_kind (&self->data) == EB_JSON_STRING)
    return dup_text (&self->data);
  fail (error, "data", "is not a string, although “datacontenttype” is not JSON");
  return NULL;
}

static gboolean
read_data (Reader *self, GError **error)
{
  g_autoptr (GBytes) data = NULL;

  if (self->data.text != NULL && self->data_base64.text != NULL)
    return fail (error, "data", "and “data_base64” exclude each other");
  if (self->data_base64.text != NULL)
    data = decode_base64 (&self->data_base64, error);
  else if (self->data.text != NULL)
    data = dup_data (self, error);
  else
    return TRUE;
  if (data == NULL)
    return FALSE;
  eb_draft_replace_data (self->draft, data);
  self->draft->is_json = self->data.text != NULL && self->draft->content_type == NULL;
  return TRUE;
}

/* Events */

static gboolean
check_required (Reader *self, GError **error)
{
  for (const char *const *name = required_names; *name != NULL; name++)
    if (g_tree_lookup (self->names, *name) == NULL)
      return fail (error, *name, "is missing");
  return TRUE;
}

static EbDraft *
read_event (const EbJsonValue *object, GError **error)
{
  g_auto (Reader) reader;
  EbJsonValue name, value;
  EbJsonIter iter;

  reader_init (&reader);
  if (eb_json_value_get_kind (object) != EB_JSON_OBJECT)
    {
      g_set_error_literal (error, EB_ERROR, EB_ERROR_INVALID, "An event is not a JSON object");
      return NULL;
    }
  for (eb_json_iter_init (&iter, object); eb_json_iter_next (&iter, &name, &value);)
    if (!read_member (&reader, &name, &value, error))
      return NULL;
  if (!check_required (&reader, error) || !read_data (&reader, error))
    return NULL;
  return g_steal_pointer (&reader.draft);
}

/**
 * eb_draft_from_json:
 * @text: bytes from outside: one structured CloudEvent
 *
 * Returns: (transfer full): the draft; NULL with %EB_ERROR_INVALID or %EB_ERROR_TOO_LARGE, which
 *   name the member
 */
EbDraft *
eb_draft_from_json (const char *text, gsize length, GError **error)
{
  EbJsonValue object;

  if (!eb_json_scan (text, length, EB_JSON_GRAMMAR, &object, error))
    return NULL;
  return read_event (&object, error);
}

static GPtrArray *
read_batch (const EbJsonValue *array, guint max, GError **error)
{
  g_autoptr (GPtrArray) drafts = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_draft_free);
  EbJsonValue value;
  EbJsonIter iter;

  for (eb_json_iter_init (&iter, array); eb_json_iter_next (&iter, NULL, &value);)
    {
      EbDraft *draft;

      if (drafts->len == max)
        {
          g_set_error (error, EB_ERROR, EB_ERROR_TOO_LARGE, "A batch has more than %u events", max);
          return NULL;
        }
      draft = read_event (&value, error);
      if (draft == NULL)
        {
          g_prefix_error (error, "Event %u of the batch: ", drafts->len);
          return NULL;
        }
      g_ptr_array_add (drafts, draft);
    }
  return g_steal_pointer (&drafts);
}

/**
 * eb_drafts_from_json:
 * @text: bytes from outside: an array of structured CloudEvents
 * @max: how many there may be
 *
 * Returns: (transfer full) (element-type EbDraft): all of them; NULL with %EB_ERROR_INVALID or
 *   %EB_ERROR_TOO_LARGE, which say which event, from 0, and name the member
 */
GPtrArray *
eb_drafts_from_json (const char *text, gsize length, guint max, GError **error)
{
  EbJsonValue array;

  if (!eb_json_scan (text, length, EB_JSON_GRAMMAR, &array, error))
    return NULL;
  if (eb_json_value_get_kind (&array) == EB_JSON_ARRAY)
    return read_batch (&array, max, error);
  g_set_error_literal (error, EB_ERROR, EB_ERROR_INVALID, "A batch is not a JSON array");
  return NULL;
}
