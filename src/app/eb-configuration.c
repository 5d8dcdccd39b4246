/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "app/eb-configuration.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <unistd.h>

#include "app/eb-store-location.h"
#include "core/eb-delivery-options.h"
#include "core/eb-error.h"
#include "core/eb-quote.h"
#include "delivery/eb-address-policy.h"
#include "http/eb-cors.h"
#include "http/eb-listener.h"

/* The configuration's keys are this table: what each is called, what it may be, what it is when
 * nobody says, and where it goes. */

typedef enum
{
  KIND_COUNT,   /* guint */
  KIND_SIZE,    /* gsize, bytes */
  KIND_SECONDS, /* GTimeSpan */
  KIND_LIST,    /* char **, comma-separated */
  KIND_STRING,  /* char * */
  KIND_DELAYS,  /* GArray of GTimeSpan, comma-separated seconds */
  KIND_STORE,   /* char *, a path or NULL */
  KIND_CHOICE,  /* an enum, in the order of the words in initial after its own */
} Kind;

typedef struct
{
  const char *group;
  const char *key;
  Kind kind;
  gsize offset;
  const char *initial; /* (nullable) */
  guint64 min;
  guint64 max;
  const char *choices[5]; /* KIND_CHOICE: by the enum's value */
} Key;

#define FIELD(name) G_STRUCT_OFFSET (EbConfiguration, name)

/* Thirty days, the longest lease there is. */
#define MAX_LEASE_SECONDS (30 * 24 * 3600)
#define YEAR_SECONDS      (365 * 24 * G_GUINT64_CONSTANT (3600))

static const Key key_table[] = {
  { "http", "listen", KIND_LIST, FIELD (listen), "127.0.0.1:3000" },
  { "http", "hosts", KIND_LIST, FIELD (hosts), NULL },
  { "http", "cors-origins", KIND_LIST, FIELD (cors_origins), NULL },
  { "http", "max-connections", KIND_COUNT, FIELD (max_clients), "4096", 1, 1000000 },
  { "http", "header-timeout", KIND_SECONDS, FIELD (header_timeout), "30", 1, 3600 },
  { "http", "body-timeout", KIND_SECONDS, FIELD (body_timeout), "60", 1, 3600 },
  { "http", "idle-timeout", KIND_SECONDS, FIELD (idle_timeout), "75", 1, 86400 },
  { "dbus",
    "bus",
    KIND_CHOICE,
    FIELD (bus),
    "auto",
    0,
    0,
    { "auto", "session", "system", "none" } },
  { "bus", "lease", KIND_SECONDS, FIELD (lease), "120", 1, MAX_LEASE_SECONDS },
  { "limits", "max-subscriptions", KIND_COUNT, FIELD (max_subscriptions), "10000", 1, 10000000 },
  { "limits", "max-event-size", KIND_SIZE, FIELD (max_event_size), "1048576", 1, 8388608 },
  { "store", "location", KIND_STORE, FIELD (store_path), NULL },
  { "store", "durability", KIND_CHOICE, FIELD (durability), "full", 0, 0, { "full", "relaxed" } },
  { "store", "retention-size", KIND_SIZE, FIELD (retention_size), NULL, 1, G_MAXINT64 },
  { "store", "retention-age", KIND_SECONDS, FIELD (retention_age), "604800", 1,
    100 * YEAR_SECONDS },
  { "store", "deduplication-window", KIND_SECONDS, FIELD (deduplication_window), "600", 0,
    30 * 24 * 3600 },
  { "delivery", "transport", KIND_CHOICE, FIELD (transport), "auto", 0, 0, { "auto", "soup" } },
  { "delivery", "workers", KIND_COUNT, FIELD (workers), NULL, 1, 64 },
  { "delivery", "max-connections", KIND_COUNT, FIELD (max_sink_connections), NULL, 1, 1000000 },
  { "delivery", "timeout", KIND_SECONDS, FIELD (timeout), "15", 1, EB_MAX_DELIVERY_TIMEOUT },
  { "delivery", "connect-timeout", KIND_SECONDS, FIELD (connect_timeout), "5", 1, 3600 },
  { "delivery", "retry", KIND_DELAYS, FIELD (retry), "1,5,30,120,300,1800,7200,21600,43200", 1,
    EB_MAX_RETRY_DELAY },
  { "delivery", "allow", KIND_LIST, FIELD (allow), NULL },
  { "delivery", "deny", KIND_LIST, FIELD (deny), NULL },
  { "delivery", "ca-file", KIND_STRING, FIELD (ca_file), NULL },
  { "delivery", "origin", KIND_STRING, FIELD (origin), NULL },
};

static const Key *
find_key (const char *group, const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (key_table); i++)
    if (g_str_equal (key_table[i].group, group) && g_str_equal (key_table[i].key, name))
      return &key_table[i];
  return NULL;
}

static gboolean
parse_number (const Key *key, const char *value, guint64 *number, GError **error)
{
  g_autofree char *shown = NULL;

  if (g_ascii_string_to_unsigned (value, 10, key->min, key->max, number, NULL))
    return TRUE;
  shown = eb_quote_text (value, -1);
  g_set_error (error, EB_ERROR, EB_ERROR_INVALID,
               "%s.%s is “%s”, not a whole number from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT,
               key->group, key->key, shown, key->min, key->max);
  return FALSE;
}

static char **
parse_list (const char *value)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) parts = g_strsplit_set (value, ",;", -1);

  for (char **part = parts; *part != NULL; part++)
    if (*g_strstrip (*part) != '\0')
      g_strv_builder_add (builder, *part);
  return g_strv_builder_end (builder);
}

static gboolean
parse_delays (const Key *key, const char *value, GArray **field, GError **error)
{
  g_autoptr (GArray) delays = g_array_new (FALSE, FALSE, sizeof (GTimeSpan));
  g_auto (GStrv) parts = parse_list (value);
  guint64 seconds = 0;

  for (char **part = parts; *part != NULL; part++)
    {
      GTimeSpan delay;

      if (!parse_number (key, *part, &seconds, error))
        return FALSE;
      delay = (GTimeSpan) seconds * G_TIME_SPAN_SECOND;
      g_array_append_val (delays, delay);
    }
  if (delays->len < 1 || delays->len > EB_MAX_RETRIES)
    {
      g_set_error (error, EB_ERROR, EB_ERROR_INVALID, "%s.%s has %u numbers, not 1 to %d",
                   key->group, key->key, delays->len, EB_MAX_RETRIES);
      return FALSE;
    }
  g_clear_pointer (field, g_array_unref);
  *field = g_steal_pointer (&delays);
  return TRUE;
}

static gboolean
parse_store (const char *value, char **field, GError **error)
{
  g_clear_pointer (field, g_free);
  return eb_store_location_parse (value, field, error);
}

static gboolean
parse_choice (const Key *key, const char *value, int *choice, GError **error)
{
  g_autofree char *choices = NULL;
  g_autofree char *shown = NULL;

  for (*choice = 0; key->choices[*choice] != NULL; ++*choice)
    if (g_str_equal (key->choices[*choice], value))
      return TRUE;
  choices = g_strjoinv (", ", (char **) key->choices);
  shown = eb_quote_text (value, -1);
  g_set_error (error, EB_ERROR, EB_ERROR_INVALID, "%s.%s is “%s”, not one of: %s", key->group,
               key->key, shown, choices);
  return FALSE;
}

static gboolean
set_field (EbConfiguration *self, const Key *key, const char *value, GError **error)
{
  gpointer field = (char *) self + key->offset;
  guint64 number = 0;

  switch (key->kind)
    {
    case KIND_COUNT:
      if (!parse_number (key, value, &number, error))
        return FALSE;
      *(guint *) field = (guint) number;
      return TRUE;
    case KIND_SIZE:
      if (!parse_number (key, value, &number, error))
        return FALSE;
      *(gsize *) field = (gsize) number;
      return TRUE;
    case KIND_SECONDS:
      if (!parse_number (key, value, &number, error))
        return FALSE;
      *(GTimeSpan *) field = (GTimeSpan) number * G_TIME_SPAN_SECOND;
      return TRUE;
    case KIND_LIST:
      g_strfreev (*(char ***) field);
      *(char ***) field = parse_list (value);
      return TRUE;
    case KIND_STRING:
      g_free (*(char **) field);
      *(char **) field = g_strdup (value);
      return TRUE;
    case KIND_DELAYS:
      return parse_delays (key, value, field, error);
    case KIND_STORE:
      return parse_store (value, field, error);
    case KIND_CHOICE:
      return parse_choice (key, value, field, error);
    default:
      g_assert_not_reached ();
    }
}

/* A delivery costs a sink's machine as much as ours, and what is on loopback shares it: with a
 * worker for every processor they would be in each other's way. */
static guint
get_default_workers (void)
{
  return CLAMP (g_get_num_processors () / 2, 1, 8);
}

static gboolean
set_initial (EbConfiguration *self, GError **error)
{
  for (gsize i = 0; i < G_N_ELEMENTS (key_table); i++)
    if (key_table[i].initial != NULL
        && !set_field (self, &key_table[i], key_table[i].initial, error))
      return FALSE;
  self->workers = get_default_workers ();
  self->store_path = eb_store_location_dup_default_path ();
  return TRUE;
}

static gboolean
set_key (EbConfiguration *self, GKeyFile *keys, const char *group, const char *name, GError **error)
{
  g_autofree char *value = g_key_file_get_value (keys, group, name, error);

  if (value == NULL)
    return FALSE;
  if (g_utf8_validate (value, -1, NULL))
    return set_field (self, find_key (group, name), value, error);
  g_set_error (error, EB_ERROR, EB_ERROR_INVALID, "%s.%s is not valid UTF-8", group, name);
  return FALSE;
}

static gboolean
set_group (EbConfiguration *self, GKeyFile *keys, const char *group, GError **error)
{
  g_auto (GStrv) names = g_key_file_get_keys (keys, group, NULL, error);

  if (names == NULL)
    return FALSE;
  for (char **name = names; *name != NULL; name++)
    if (!set_key (self, keys, group, *name, error))
      return FALSE;
  return TRUE;
}

static gboolean
check_group (GKeyFile *keys, const char *group, GError **error)
{
  g_auto (GStrv) names = g_key_file_get_keys (keys, group, NULL, error);

  if (names == NULL)
    return FALSE;
  for (char **name = names; *name != NULL; name++)
    {
      g_autofree char *wanted = NULL, *shown = NULL;

      if (find_key (group, *name) != NULL)
        continue;
      wanted = g_strdup_printf ("%s.%s", group, *name);
      shown = eb_quote_text (wanted, -1);
      g_set_error (error, EB_ERROR, EB_ERROR_INVALID, "There is no key %s", shown);
      return FALSE;
    }
  return TRUE;
}

/**
 * eb_configuration_check_keys:
 *
 * Returns: FALSE with %EB_ERROR_INVALID, which names it, if there is a key that means nothing
 */
gboolean
eb_configuration_check_keys (GKeyFile *keys, GError **error)
{
  g_auto (GStrv) groups = g_key_file_get_groups (keys, NULL);

  for (char **group = groups; *group != NULL; group++)
    if (!check_group (keys, *group, error))
      return FALSE;
  return TRUE;
}

static gboolean
check_addresses (EbConfiguration *self, GError **error)
{
  g_autoptr (EbAddressPolicy) policy = eb_address_policy_new (
      (const char *const *) self->allow, (const char *const *) self->deny, NULL, error);
  gboolean valid = policy != NULL;

  for (char **spec = self->listen; valid && *spec != NULL; spec++)
    valid = eb_listener_check (*spec, error);
  return valid;
}

static gboolean
check_ca_file (EbConfiguration *self, GError **error)
{
  g_autofree char *shown = NULL;
  int reason;

  if (self->ca_file == NULL || g_access (self->ca_file, R_OK) == 0)
    return TRUE;
  reason = errno;
  shown = eb_quote_text (self->ca_file, -1);
  g_set_error (error, EB_ERROR, EB_ERROR_INVALID, "delivery.ca-file: cannot read %s: %s", shown,
               g_strerror (reason));
  return FALSE;
}

/* It is sent as the value of a header, and sinks compare it. */
static gboolean
check_origin (EbConfiguration *self, GError **error)
{
  const char *origin = self->origin;
  gboolean valid = origin == NULL || *origin != '\0';
  g_autofree char *shown = NULL;

  for (; valid && origin != NULL && *origin != '\0'; origin++)
    valid = g_ascii_isgraph (*origin);
  if (valid)
    return TRUE;
  shown = eb_quote_text (self->origin, -1);
  g_set_error (error, EB_ERROR, EB_ERROR_INVALID,
               "delivery.origin is “%s”, not the name of a host: ASCII without blanks", shown);
  return FALSE;
}

static gboolean
check_cors_origins (EbConfiguration *self, GError **error)
{
  for (char **origin = self->cors_origins; origin != NULL && *origin != NULL; origin++)
    {
      g_autofree char *shown = NULL;

      if (eb_cors_check_origin (*origin))
        continue;
      shown = eb_quote_text (*origin, -1);
      g_set_error (error, EB_ERROR, EB_ERROR_INVALID,
                   "http.cors-origins: “%s” is neither * nor an origin such as "
                   "https://app.example.com:8443: scheme, host, maybe a port, nothing behind",
                   shown);
      return FALSE;
    }
  return TRUE;
}

static gboolean
check_together (EbConfiguration *self, GError **error)
{
  if (!check_addresses (self, error) || !check_ca_file (self, error) || !check_origin (self, error)
      || !check_cors_origins (self, error))
    return FALSE;
  if (self->listen[0] != NULL || self->bus != EB_BUS_TYPE_NONE)
    return TRUE;
  g_set_error_literal (error, EB_ERROR, EB_ERROR_INVALID,
                       "http.listen is empty and dbus.bus is none: nobody could reach the bus");
  return FALSE;
}

/**
 * eb_configuration_new:
 * @keys: the file, with what the command line says put over it
 *
 * Returns: (transfer full): the configuration; NULL with %EB_ERROR_INVALID, which names the key
 */
EbConfiguration *
eb_configuration_new (GKeyFile *keys, GError **error)
{
  g_autoptr (EbConfiguration) self = g_new0 (EbConfiguration, 1);
  g_auto (GStrv) groups = g_key_file_get_groups (keys, NULL);

  if (!set_initial (self, error) || !eb_configuration_check_keys (keys, error))
    return NULL;
  for (char **group = groups; *group != NULL; group++)
    if (!set_group (self, keys, *group, error))
      return NULL;
  return check_together (self, error) ? g_steal_pointer (&self) : NULL;
}

static void
note (GPtrArray *keys, gboolean differs, const char *key)
{
  if (differs)
    g_ptr_array_add (keys, (gpointer) key);
}

/**
 * eb_configuration_keep_fixed:
 * @started: what a daemon was started with
 *
 * Takes over what cannot change while the daemon runs.
 *
 * Returns: (transfer full) (nullable): the keys that were different, for people; NULL if none was
 */
char *
eb_configuration_keep_fixed (EbConfiguration *self, const EbConfiguration *started)
{
  g_autoptr (GPtrArray) keys = g_ptr_array_new ();

  note (keys,
        !g_strv_equal ((const char *const *) self->listen, (const char *const *) started->listen),
        "http.listen");
  note (keys, self->bus != started->bus, "dbus.bus");
  note (keys, g_strcmp0 (self->store_path, started->store_path) != 0, "store.location");
  note (keys, self->transport != started->transport, "delivery.transport");
  note (keys, self->workers != started->workers, "delivery.workers");
  g_strfreev (self->listen);
  self->listen = g_strdupv (started->listen);
  g_free (self->store_path);
  self->store_path = g_strdup (started->store_path);
  self->bus = started->bus;
  self->transport = started->transport;
  self->workers = started->workers;
  if (keys->len == 0)
    return NULL;
  g_ptr_array_add (keys, NULL);
  return g_strjoinv (", ", (char **) keys->pdata);
}

void
eb_configuration_free (EbConfiguration *self)
{
  g_strfreev (self->listen);
  g_strfreev (self->hosts);
  g_strfreev (self->cors_origins);
  g_strfreev (self->allow);
  g_strfreev (self->deny);
  g_free (self->ca_file);
  g_free (self->origin);
  g_free (self->store_path);
  g_clear_pointer (&self->retry, g_array_unref);
  g_free (self);
}
