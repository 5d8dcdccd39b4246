/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "codec/eb-dead-letters-json.h"

#include <json-glib/json-glib.h>

#include "codec/eb-json-writer.h"

/* What the HTTP API says about dead letters. */

/* RFC 3339 in UTC, and null for a time that there is not. */
static void
add_time (JsonBuilder *builder, const char *name, gint64 real_us)
{
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_utc (real_us / G_USEC_PER_SEC);
  g_autofree char *text = g_date_time_format (time, "%Y-%m-%dT%H:%M:%SZ");

  json_builder_set_member_name (builder, name);
  if (real_us > 0)
    json_builder_add_string_value (builder, text);
  else
    json_builder_add_null_value (builder);
}

static void
add_letter (JsonBuilder *builder, const EbDeadLetter *letter)
{
  const EbException *exception = letter->exception;

  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "id");
  json_builder_add_string_value (builder, letter->event_id);
  json_builder_set_member_name (builder, "sequence");
  json_builder_add_int_value (builder, (gint64) exception->sequence);
  json_builder_set_member_name (builder, "reason");
  json_builder_add_string_value (builder, exception->reason != NULL ? exception->reason : "");
  json_builder_set_member_name (builder, "laststatus");
  json_builder_add_int_value (builder, exception->last_status);
  json_builder_set_member_name (builder, "attempts");
  json_builder_add_int_value (builder, exception->attempts);
  add_time (builder, "first", exception->first_us);
  add_time (builder, "last", exception->last_us);
  json_builder_end_object (builder);
}

/**
 * eb_dead_letters_to_json:
 * @letters: (element-type EbDeadLetter)
 *
 * Returns: (transfer full): an array of objects
 */
char *
eb_dead_letters_to_json (GPtrArray *letters)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_array (builder);
  for (guint i = 0; i < letters->len; i++)
    add_letter (builder, g_ptr_array_index (letters, i));
  json_builder_end_array (builder);
  return eb_json_writer_finish (builder);
}

/**
 * eb_redriven_to_json:
 * @redriven: how many are delivered again
 * @left: how many dead letters there still are, as far as they are counted
 *
 * Returns: (transfer full): an object
 */
char *
eb_redriven_to_json (guint redriven, guint left)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "redriven");
  json_builder_add_int_value (builder, redriven);
  json_builder_set_member_name (builder, "left");
  json_builder_add_int_value (builder, left);
  json_builder_end_object (builder);
  return eb_json_writer_finish (builder);
}
