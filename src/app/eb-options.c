/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "app/eb-options.h"

#include <glib/gi18n.h>
#include <string.h>

#include "core/eb-error.h"
#include "core/eb-quote.h"

struct _EbOptions
{
  gboolean version;
  char *config;    /* (owned) (nullable) */
  char **listen;   /* (owned) (nullable) */
  char *bus;       /* (owned) (nullable) */
  char *store;     /* (owned) (nullable) */
  char *lease;     /* (owned) (nullable) */
  char *transport; /* (owned) (nullable) */
  char **set;      /* (owned) (nullable) GROUP.KEY=VALUE */
};

static gboolean
parse (EbOptions *self, int *argc, char ***argv, GError **error)
{
  const GOptionEntry entries[] = {
    { "config", 0, 0, G_OPTION_ARG_FILENAME, &self->config, N_ ("Read this configuration file"),
      N_ ("FILE") },
    { "listen", 0, 0, G_OPTION_ARG_STRING_ARRAY, &self->listen,
      N_ ("Serve HTTP here (repeatable; default 127.0.0.1:3000)"), N_ ("ADDRESS:PORT|unix:PATH") },
    { "bus", 0, 0, G_OPTION_ARG_STRING, &self->bus,
      N_ ("The D-Bus to be on (default: session when there is one)"), N_ ("session|system|none") },
    { "store", 0, 0, G_OPTION_ARG_STRING, &self->store, N_ ("Where events are kept"),
      N_ ("memory:|sqlite:PATH") },
    { "lease", 0, 0, G_OPTION_ARG_STRING, &self->lease,
      N_ ("How long a subscriber lives without a keep-alive (default 120)"), N_ ("SECONDS") },
    { "transport", 0, 0, G_OPTION_ARG_STRING, &self->transport, N_ ("How HTTP deliveries are made"),
      N_ ("auto|soup") },
    { "set", 0, 0, G_OPTION_ARG_STRING_ARRAY, &self->set,
      N_ ("Set a key of the configuration file (repeatable)"), N_ ("GROUP.KEY=VALUE") },
    { "version", 0, 0, G_OPTION_ARG_NONE, &self->version, N_ ("Print the version and exit"), NULL },
    { NULL },
  };
  g_autoptr (GOptionContext) context =
      g_option_context_new (_ ("— deliver events to everyone who subscribed"));
  g_autofree char *shown = NULL;

  g_option_context_add_main_entries (context, entries, GETTEXT_PACKAGE);
  if (!g_option_context_parse (context, argc, argv, error))
    return FALSE;
  if (*argc <= 1)
    return TRUE;
  shown = eb_quote_text ((*argv)[1], -1);
  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED, "Unexpected argument “%s”", shown);
  return FALSE;
}

/**
 * eb_options_new:
 * @argc: (inout): as main() got it
 * @argv: (inout): as main() got it
 *
 * Returns: (transfer full): the options; NULL with a #GOptionError
 */
EbOptions *
eb_options_new (int *argc, char ***argv, GError **error)
{
  g_autoptr (EbOptions) self = g_new0 (EbOptions, 1);

  return parse (self, argc, argv, error) ? g_steal_pointer (&self) : NULL;
}

void
eb_options_free (EbOptions *self)
{
  g_free (self->config);
  g_strfreev (self->listen);
  g_free (self->bus);
  g_free (self->store);
  g_free (self->lease);
  g_free (self->transport);
  g_strfreev (self->set);
  g_free (self);
}

gboolean
eb_options_wants_version (EbOptions *self)
{
  return self->version;
}

static gboolean
read_file (EbOptions *self, GKeyFile *keys, GError **error)
{
  const char *path = self->config != NULL ? self->config : EB_CONFIG_FILE;
  g_autoptr (GError) reason = NULL;

  if (g_key_file_load_from_file (keys, path, G_KEY_FILE_NONE, &reason)
      && eb_configuration_check_keys (keys, &reason))
    return TRUE;
  /* The installed one may be missing; one that was asked for may not. */
  if (self->config == NULL && g_error_matches (reason, G_FILE_ERROR, G_FILE_ERROR_NOENT))
    return TRUE;
  g_propagate_prefixed_error (error, g_steal_pointer (&reason), "%s: ", path);
  return FALSE;
}

/* NULL is what was not said. */
static void
put (GKeyFile *keys, const char *group, const char *key, const char *value)
{
  if (value != NULL)
    g_key_file_set_value (keys, group, key, value);
}

static gboolean
put_assignment (GKeyFile *keys, const char *assignment, GError **error)
{
  const char *dot = strchr (assignment, '.');
  const char *equals = dot != NULL ? strchr (dot, '=') : NULL;
  g_autofree char *shown = NULL;

  if (equals != NULL && dot > assignment && equals > dot + 1)
    {
      g_autofree char *group = g_strndup (assignment, (gsize) (dot - assignment));
      g_autofree char *key = g_strndup (dot + 1, (gsize) (equals - dot - 1));

      g_key_file_set_value (keys, group, key, equals + 1);
      return TRUE;
    }
  shown = eb_quote_text (assignment, -1);
  g_set_error (error, EB_ERROR, EB_ERROR_INVALID, "--set=%s is not GROUP.KEY=VALUE", shown);
  return FALSE;
}

/**
 * eb_options_load:
 *
 * Reads the file anew, so it serves to reload it too.
 *
 * Returns: (transfer full): the configuration; NULL with an error that names file or key
 */
EbConfiguration *
eb_options_load (EbOptions *self, GError **error)
{
  g_autoptr (GKeyFile) keys = g_key_file_new ();
  g_autofree char *listen = self->listen != NULL ? g_strjoinv (",", self->listen) : NULL;

  if (!read_file (self, keys, error))
    return NULL;
  put (keys, "http", "listen", listen);
  put (keys, "dbus", "bus", self->bus);
  put (keys, "store", "location", self->store);
  put (keys, "bus", "lease", self->lease);
  put (keys, "delivery", "transport", self->transport);
  for (char **set = self->set; set != NULL && *set != NULL; set++)
    if (!put_assignment (keys, *set, error))
      return NULL;
  return eb_configuration_new (keys, error);
}
