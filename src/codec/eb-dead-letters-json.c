/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "codec/eb-dead-letters-json.h"

#include <json-glib/json-glib.h>

#include "codec/eb-json-writer.h"

/* What the HTTP API says about dead letters. */

static void
add_letter (JsonBuilder *builder, const EbDeadLetter *letter)
{
  const EbException *exception = letter->exception;

  json_builder_begin_object (builder);
  eb_json_writer_add_string (builder, "id", letter->event_id);
  eb_json_writer_add_integer (builder, "sequence", (gint64) exception->sequence);
  eb_json_writer_add_string (builder, "reason", exception->reason != NULL ? exception->reason : "");
  eb_json_writer_add_integer (builder, "laststatus", exception->last_status);
  eb_json_writer_add_integer (builder, "attempts", exception->attempts);
  eb_json_writer_add_time (builder, "first", exception->first_us);
  eb_json_writer_add_time (builder, "last", exception->last_us);
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
  eb_json_writer_add_integer (builder, "redriven", redriven);
  eb_json_writer_add_integer (builder, "left", left);
  json_builder_end_object (builder);
  return eb_json_writer_finish (builder);
}
