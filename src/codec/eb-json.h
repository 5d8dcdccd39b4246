/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "codec/eb-json-value.h"

G_BEGIN_DECLS

#define EB_JSON_MAX_DEPTH 128 /* objects and arrays around a value */

/**
 * EbJsonLevel:
 * @EB_JSON_GRAMMAR: RFC 8259 to the letter, in UTF-8, without lone surrogates, and bounded
 * @EB_JSON_STRICT: besides, no name twice in an object, and no U+0000 in a string
 */
typedef enum
{
  EB_JSON_GRAMMAR,
  EB_JSON_STRICT,
} EbJsonLevel;

gboolean eb_json_scan (
    const char *text, gsize length, EbJsonLevel level, EbJsonValue *value, GError **error);

G_END_DECLS
