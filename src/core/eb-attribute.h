/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define EB_MAX_TYPE_LENGTH     256         /* bytes */
#define EB_MAX_ATTRIBUTES_SIZE (16 * 1024) /* bytes of all names and values together */

/* An HTTP Content-Type is not an attribute that the event is described by but goes along with the
 * data; the bound keeps a request head that carries it well below its own limit. */
#define EB_MAX_CONTENT_TYPE_LENGTH 1024

/**
 * EbAttributeKind:
 *
 * What CloudEvents types there are to tell apart where a format has types of its own. Whatever else
 * there is looks like a string there, too.
 */
typedef enum
{
  EB_ATTRIBUTE_STRING,
  EB_ATTRIBUTE_BOOLEAN,
  EB_ATTRIBUTE_INTEGER,
} EbAttributeKind;

/**
 * EbAttribute:
 * @name: a CloudEvents attribute name
 * @value: its canonical string form, UTF-8 without control characters
 * @kind: as what it was published
 */
typedef struct
{
  const char *name;
  const char *value;
  EbAttributeKind kind;
} EbAttribute;

gboolean eb_attribute_check_name (const char *name, GError **error);
gboolean eb_attribute_check (const char *name, const char *value, GError **error);

G_END_DECLS
