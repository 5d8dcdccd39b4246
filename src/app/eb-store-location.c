/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "app/eb-store-location.h"

#include <string.h>

#include "core/eb-error.h"
#include "core/eb-quote.h"

#define MEMORY        "memory:"
#define SQLITE_PREFIX "sqlite:"
#define FILE_NAME     "events.db"

/**
 * eb_store_location_parse:
 * @value: of store.location: `memory:` or `sqlite:PATH`
 * @path: (out) (transfer full) (nullable): of the database; NULL for memory
 *
 * Returns: FALSE with %EB_ERROR_INVALID
 */
gboolean
eb_store_location_parse (const char *value, char **path, GError **error)
{
  gsize length = strlen (SQLITE_PREFIX);
  g_autofree char *shown = NULL;

  *path = NULL;
  if (g_str_equal (value, MEMORY))
    return TRUE;
  if (g_str_has_prefix (value, SQLITE_PREFIX) && value[length] != '\0')
    {
      /* A whole path: SQLite gives some relative names, such as :memory:, a meaning of their own.
       */
      *path = g_canonicalize_filename (value + length, NULL);
      return TRUE;
    }
  shown = eb_quote_text (value, -1);
  g_set_error (error, EB_ERROR, EB_ERROR_INVALID,
               "store.location is “%s”, neither " MEMORY " nor " SQLITE_PREFIX "PATH", shown);
  return FALSE;
}

/**
 * eb_store_location_dup_default_path:
 *
 * Returns: (transfer full): the database in the folder that systemd made for the service, or else
 *   in the user's
 */
char *
eb_store_location_dup_default_path (void)
{
  const char *folders = g_getenv ("STATE_DIRECTORY");

  if (folders != NULL && *folders != '\0')
    {
      g_autofree char *first = g_strndup (folders, strcspn (folders, ":"));

      return g_build_filename (first, FILE_NAME, NULL);
    }
  return g_build_filename (g_get_user_state_dir (), "eventbus", FILE_NAME, NULL);
}
