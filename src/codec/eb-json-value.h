/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * EbJsonValue:
 * @text: (unowned): where it begins, in a text that eb_json_scan() has let through
 * @length: bytes, without white space around it
 *
 * One value of a JSON text, as it stands there.
 */
typedef struct
{
  const char *text;
  gsize length;
} EbJsonValue;

typedef enum
{
  EB_JSON_OBJECT,
  EB_JSON_ARRAY,
  EB_JSON_STRING,
  EB_JSON_NUMBER,
  EB_JSON_BOOLEAN,
  EB_JSON_NULL,
} EbJsonKind;

EbJsonKind eb_json_value_get_kind (const EbJsonValue *self);
GString *eb_json_value_decode (const EbJsonValue *self);

/**
 * EbJsonIter:
 *
 * Walks over the members of an object or the elements of an array. Its fields are its own.
 */
typedef struct
{
  const char *next;
  const char *end;
  gboolean named;
} EbJsonIter;

void eb_json_iter_init (EbJsonIter *self, const EbJsonValue *container);
gboolean eb_json_iter_next (EbJsonIter *self, EbJsonValue *name, EbJsonValue *value);

void eb_json_append_string (GString *json, const char *string, gsize length);

G_END_DECLS
