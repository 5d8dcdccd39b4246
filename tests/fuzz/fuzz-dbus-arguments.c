/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include <string.h>

#include "codec/eb-filters-json.h"
#include "codec/eb-json-writer.h"
#include "codec/eb-json.h"
#include "dbus/eb-dbus-attributes.h"
#include "dbus/eb-dbus-options.h"
#include "fuzz/eb-fuzz-event.h"
#include "fuzz/eb-fuzz.h"

/* Returns: (transfer full): what stores and other front ends know of @filter */
static char *
write_filter (const EbFilter *filter)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  eb_filters_write (builder, filter);
  return eb_json_writer_finish (builder);
}

/* It is one that could have come over HTTP, too. */
static void
check_filter (const EbFilter *filter)
{
  g_autofree char *written = write_filter (filter);
  g_autofree char *again = NULL;
  g_autoptr (EbFilter) copy = NULL;
  g_autoptr (GError) error = NULL;
  EbJsonValue value;

  eb_json_scan (written, strlen (written), EB_JSON_STRICT, &value, &error);
  g_assert_no_error (error);
  eb_filters_read (&value, "filters", &copy, &error);
  g_assert_no_error (error);
  again = write_filter (copy);
  g_assert_cmpstr (written, ==, again);
}

static void
check_options (GVariant *options)
{
  g_auto (EbDbusOptions) parsed = { 0 };
  g_autoptr (GError) error = NULL;
  gboolean fine = eb_dbus_options_parse (options, &parsed, &error);

  eb_fuzz_check_verdict (fine, error);
  g_assert_cmpuint (parsed.after, <=, G_MAXINT64);
  if (fine && parsed.filter != NULL)
    check_filter (parsed.filter);
}

static void
check_attributes (GVariant *attributes)
{
  g_autoptr (GBytes) data = g_bytes_new_static ("x", 1);
  g_autoptr (EbDraft) draft = eb_draft_new (data);
  g_autoptr (GError) error = NULL;
  gboolean fine = eb_dbus_attributes_apply (attributes, draft, &error);

  eb_fuzz_check_verdict (fine, error);
  if (fine)
    eb_fuzz_check_event (draft);
}

/* A dictionary of attributes or options: as text, such as {'after': <5>}, or else as bytes that
 * nobody has checked. */
int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *text = eb_fuzz_dup_utf8 (data, size);
  g_autofree guint8 *aligned = g_memdup2 (data, size);
  g_autoptr (GVariant) dictionary =
      text != NULL ? g_variant_parse (G_VARIANT_TYPE_VARDICT, text, NULL, NULL, NULL) : NULL;

  if (dictionary == NULL)
    dictionary = g_variant_ref_sink (
        g_variant_new_from_data (G_VARIANT_TYPE_VARDICT, aligned, size, FALSE, NULL, NULL));
  check_options (dictionary);
  check_attributes (dictionary);
  return 0;
}
