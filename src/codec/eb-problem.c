/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "codec/eb-problem.h"

#include <json-glib/json-glib.h>

#include "codec/eb-json-writer.h"

/**
 * eb_problem_to_json:
 * @status: HTTP status
 * @title: what the status means
 * @detail: for people; names what is wrong
 *
 * Returns: (transfer full): a problem document (RFC 9457)
 */
char *
eb_problem_to_json (guint status, const char *title, const char *detail)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_object (builder);
  eb_json_writer_add_string (builder, "title", title);
  eb_json_writer_add_integer (builder, "status", status);
  eb_json_writer_add_string (builder, "detail", detail);
  json_builder_end_object (builder);
  return eb_json_writer_finish (builder);
}
