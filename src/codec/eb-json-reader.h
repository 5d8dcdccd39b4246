/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "codec/eb-json-value.h"

G_BEGIN_DECLS

/**
 * EbJsonRead:
 * @path: where @value stands, such as `config.retry[2]`, for the error
 * @target: what is being read into
 *
 * Reads one value.
 *
 * Returns: FALSE with %EB_ERROR_INVALID, which names @path
 */
typedef gboolean (*EbJsonRead) (const EbJsonValue *value,
                                const char *path,
                                gpointer target,
                                GError **error);

/**
 * EbJsonMember:
 * @name: of a member that an object may have
 * @read: reads it
 */
typedef struct
{
  const char *name;
  EbJsonRead read;
} EbJsonMember;

gboolean eb_json_read_object (const EbJsonValue *value,
                              const char *path,
                              const EbJsonMember *members,
                              gpointer target,
                              GError **error);
gboolean eb_json_read_array (
    const EbJsonValue *value, const char *path, EbJsonRead read, gpointer target, GError **error);
gboolean
eb_json_read_string (const EbJsonValue *value, const char *path, char **string, GError **error);
gboolean eb_json_read_integer (const EbJsonValue *value,
                               const char *path,
                               gint64 min,
                               gint64 max,
                               gint64 *number,
                               GError **error);
gboolean
eb_json_read_boolean (const EbJsonValue *value, const char *path, gboolean *yes, GError **error);
gboolean
eb_json_refuse (const EbJsonValue *value, const char *path, const char *wanted, GError **error);
char *eb_json_path_join (const char *path, const char *name);

G_END_DECLS
