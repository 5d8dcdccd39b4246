/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "codec/eb-subscription-actions-json.h"

#include <json-glib/json-glib.h>

#include "codec/eb-json-reader.h"
#include "codec/eb-json-writer.h"
#include "codec/eb-json.h"
#include "core/eb-delivery-options.h"
#include "core/eb-error.h"
#include "core/eb-timestamp.h"

/* What is asked of a subscription, and what is answered. */

static gboolean
scan (GBytes *body, EbJsonValue *value, GError **error)
{
  gsize length = 0;
  const char *text = g_bytes_get_data (body, &length);

  return eb_json_scan (text != NULL ? text : "", length, EB_JSON_STRICT, value, error);
}

/* Replay */

typedef struct
{
  EbReplayRequest request;
  guint n_members;
} Replay;

static gboolean
read_after (const EbJsonValue *value, const char *path, gpointer target, GError **error)
{
  Replay *replay = target;
  gint64 after;

  if (!eb_json_read_integer (value, path, 0, G_MAXINT64, &after, error))
    return FALSE;
  replay->request.after = (guint64) after;
  replay->n_members++;
  return TRUE;
}

static gboolean
read_from (const EbJsonValue *value, const char *path, gpointer target, GError **error)
{
  Replay *replay = target;
  g_autofree char *text = NULL;

  if (!eb_json_read_string (value, path, &text, error))
    return FALSE;
  if (!eb_timestamp_parse (text, &replay->request.real_us))
    return eb_json_refuse (value, path, "an RFC 3339 time such as 2024-01-31T12:00:00Z", error);
  replay->request.by_time = TRUE;
  replay->n_members++;
  return TRUE;
}

static const EbJsonMember replay_members[] = {
  { "after", read_after },
  { "from", read_from },
  { NULL, NULL },
};

/**
 * eb_replay_request_parse:
 * @body: `{"after":SEQUENCE}` or `{"from":TIME}`
 * @request: (out)
 *
 * Returns: FALSE with %EB_ERROR_INVALID, which names the member
 */
gboolean
eb_replay_request_parse (GBytes *body, EbReplayRequest *request, GError **error)
{
  Replay replay = { 0 };
  EbJsonValue value;

  if (!scan (body, &value, error)
      || !eb_json_read_object (&value, "", replay_members, &replay, error))
    return FALSE;
  *request = replay.request;
  if (replay.n_members == 1)
    return TRUE;
  g_set_error_literal (error, EB_ERROR, EB_ERROR_INVALID,
                       "The body needs either “after”, a sequence, or “from”, a time");
  return FALSE;
}

/* Secret */

static gboolean
read_secret (const EbJsonValue *value, const char *path, gpointer target, GError **error)
{
  char **secret = target;

  if (eb_json_value_get_kind (value) == EB_JSON_STRING)
    {
      eb_json_read_string (value, path, secret, NULL);
      if (eb_secret_check (*secret, error))
        return TRUE;
      g_prefix_error (error, "“%s”: ", path);
      return FALSE;
    }
  g_set_error (error, EB_ERROR, EB_ERROR_INVALID, "“%s” is not a string", path);
  return FALSE;
}

static const EbJsonMember secret_members[] = {
  { "secret", read_secret },
  { NULL, NULL },
};

/**
 * eb_secret_request_parse:
 * @body: `{"secret":"whsec_…"}`, `{}` or nothing
 * @secret: (out) (nullable) (transfer full): NULL to have one made
 *
 * Returns: FALSE with %EB_ERROR_INVALID, which names the member and does not show the secret
 */
gboolean
eb_secret_request_parse (GBytes *body, char **secret, GError **error)
{
  g_autofree char *given = NULL;
  EbJsonValue value;

  *secret = NULL;
  if (g_bytes_get_size (body) > 0
      && (!scan (body, &value, error)
          || !eb_json_read_object (&value, "", secret_members, &given, error)))
    return FALSE;
  *secret = g_steal_pointer (&given);
  return TRUE;
}

/**
 * eb_empty_request_check:
 * @body: nothing, or `{}`
 *
 * Returns: FALSE with %EB_ERROR_INVALID, which names the member that has no meaning here
 */
gboolean
eb_empty_request_check (GBytes *body, GError **error)
{
  static const EbJsonMember none[] = { { NULL, NULL } };
  EbJsonValue value;

  return g_bytes_get_size (body) == 0
         || (scan (body, &value, error) && eb_json_read_object (&value, "", none, NULL, error));
}

/* Answers */

/**
 * eb_secret_to_json:
 * @secret: (nullable): NULL for one that is not to be shown
 *
 * Returns: (transfer full): an object
 */
char *
eb_secret_to_json (const char *secret)
{
  g_autoptr (JsonBuilder) builder = json_builder_new_immutable ();

  json_builder_begin_object (builder);
  if (secret != NULL)
    eb_json_writer_add_string (builder, "secret", secret);
  json_builder_end_object (builder);
  return eb_json_writer_finish (builder);
}

/**
 * eb_ping_to_json:
 * @status: the sink's; 0 if there was no answer
 * @reason: (nullable): what went wrong
 *
 * Returns: (transfer full): an object; the duration is in milliseconds
 */
char *
eb_ping_to_json (guint status, const char *reason, gint64 duration_us)
{
  g_autoptr (JsonBuilder) builder = json_builder_new_immutable ();

  json_builder_begin_object (builder);
  eb_json_writer_add_integer (builder, "status", status);
  eb_json_writer_add_string (builder, "reason", reason);
  eb_json_writer_add_integer (builder, "duration", duration_us / 1000);
  json_builder_end_object (builder);
  return eb_json_writer_finish (builder);
}

static void
write_attempt (JsonBuilder *builder, const EbAttemptView *attempt)
{
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_utc (attempt->started_us / G_USEC_PER_SEC);
  g_autofree char *second = g_date_time_format (time, "%Y-%m-%dT%H:%M:%S");
  g_autofree char *started =
      g_strdup_printf ("%s.%03dZ", second, (int) (attempt->started_us / 1000 % 1000));

  json_builder_begin_object (builder);
  eb_json_writer_add_integer (builder, "number", (gint64) attempt->number);
  eb_json_writer_add_integer (builder, "sequence", (gint64) attempt->sequence);
  eb_json_writer_add_integer (builder, "attempt", attempt->attempt);
  eb_json_writer_add_string (builder, "started", started);
  eb_json_writer_add_integer (builder, "duration", attempt->duration_us / 1000);
  eb_json_writer_add_integer (builder, "status", attempt->status);
  eb_json_writer_add_string (builder, "reason", attempt->reason);
  json_builder_end_object (builder);
}

/**
 * eb_attempts_to_json:
 * @attempts: (array length=n_attempts)
 *
 * Returns: (transfer full): an array of objects; durations are in milliseconds
 */
char *
eb_attempts_to_json (const EbAttemptView *attempts, gsize n_attempts)
{
  g_autoptr (JsonBuilder) builder = json_builder_new_immutable ();

  json_builder_begin_array (builder);
  for (gsize i = 0; i < n_attempts; i++)
    write_attempt (builder, &attempts[i]);
  json_builder_end_array (builder);
  return eb_json_writer_finish (builder);
}
