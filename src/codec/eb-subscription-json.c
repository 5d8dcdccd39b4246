/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "codec/eb-subscription-json.h"

#include <json-glib/json-glib.h>
#include <string.h>

#include "codec/eb-delivery-options-json.h"
#include "codec/eb-filters-json.h"
#include "codec/eb-json-writer.h"
#include "codec/eb-json.h"
#include "codec/eb-subscription-reader.h"
#include "core/eb-error.h"
#include "core/eb-quote.h"

/* A subscription as text, in the shape of the CloudEvents Subscriptions API's object: as somebody
 * asks for it, as anybody may see it, and as a store keeps it, secrets and all. */

static void
write_strings (JsonBuilder *builder, const char *const *strings)
{
  json_builder_begin_array (builder);
  for (; strings != NULL && *strings != NULL; strings++)
    json_builder_add_string_value (builder, *strings);
  json_builder_end_array (builder);
}

static void
write_filters (JsonBuilder *builder, const EbSubscription *self)
{
  const EbFilter *filter = eb_subscription_get_filter (self);

  if (filter == NULL)
    return;
  json_builder_set_member_name (builder, "filters");
  eb_filters_write (builder, filter);
}

/* A lease that is not a whole number of seconds has a fraction. */
static void
write_common_config (JsonBuilder *builder, const EbSubscription *self)
{
  GTimeSpan lease = eb_subscription_get_lease (self);

  json_builder_set_member_name (builder, "lease");
  if (lease % G_TIME_SPAN_SECOND == 0)
    json_builder_add_int_value (builder, lease / G_TIME_SPAN_SECOND);
  else
    json_builder_add_double_value (builder, (double) lease / G_TIME_SPAN_SECOND);
  eb_json_writer_add_string (
      builder, "order", eb_subscription_get_order (self) == EB_ORDER_STRICT ? "strict" : "relaxed");
  eb_json_writer_add_integer (builder, "concurrency", eb_subscription_get_concurrency (self));
}

/* For the store */

static void
write_row_config (JsonBuilder *builder, const EbSubscription *self)
{
  const EbDeliveryOptions *options = eb_subscription_get_options (self);

  json_builder_set_member_name (builder, "config");
  json_builder_begin_object (builder);
  write_common_config (builder, self);
  if (!eb_delivery_options_are_default (options))
    {
      eb_delivery_options_write_config (options, builder);
      eb_delivery_options_write_secrets (options, builder);
    }
  json_builder_end_object (builder);
}

static void
write_streak (JsonBuilder *builder, const EbStreak *streak)
{
  if (streak->since_us == 0)
    return;
  json_builder_set_member_name (builder, "failing");
  json_builder_begin_object (builder);
  eb_json_writer_add_integer (builder, "since", streak->since_us);
  eb_json_writer_add_integer (builder, "lasted", streak->lasted);
  json_builder_end_object (builder);
}

/**
 * eb_subscription_to_json:
 * @self: one that is not ephemeral: those are never kept
 *
 * Returns: (transfer full): a JSON object, from which eb_subscription_from_json() makes the same
 *   subscription; for a store alone, since it has the secrets
 */
char *
eb_subscription_to_json (const EbSubscription *self)
{
  const EbDeliveryOptions *options = eb_subscription_get_options (self);
  g_autoptr (JsonBuilder) builder = json_builder_new_immutable ();

  json_builder_begin_object (builder);
  eb_json_writer_add_string (builder, "id", eb_subscription_get_id (self));
  eb_json_writer_add_string (builder, "sink", eb_sink_get_uri (eb_subscription_get_sink (self)));
  json_builder_set_member_name (builder, "types");
  write_strings (builder, eb_subscription_get_types (self));
  write_filters (builder, self);
  eb_delivery_options_write_credential (options, TRUE, builder);
  eb_delivery_options_write_protocol_settings (options, builder);
  write_row_config (builder, self);
  if (eb_subscription_is_paused (self))
    {
      json_builder_set_member_name (builder, "paused");
      json_builder_add_boolean_value (builder, TRUE);
    }
  write_streak (builder, eb_subscription_get_streak (self));
  json_builder_end_object (builder);
  return eb_json_writer_finish (builder);
}

/**
 * eb_subscription_from_json:
 * @text: what eb_subscription_to_json() wrote
 *
 * Returns: (transfer full): the subscription, or NULL with an error that names what is wrong
 */
EbSubscription *
eb_subscription_from_json (const char *text, GError **error)
{
  g_auto (EbSubscriptionReader) reader = { 0 };
  EbJsonValue value;

  /* A row says all three; what is damaged must not become something else. */
  eb_subscription_reader_init (&reader, -1);
  reader.concurrency = 0;
  if (!eb_json_scan (text, strlen (text), EB_JSON_STRICT, &value, error)
      || !eb_subscription_reader_read_row (&reader, &value, error))
    return NULL;
  return eb_subscription_reader_make (&reader, error);
}

/* From outside */

static gboolean
settle_id (EbSubscriptionReader *reader, const char *id_from_path, GError **error)
{
  if (id_from_path != NULL && reader->id != NULL && !g_str_equal (reader->id, id_from_path))
    {
      g_autofree char *id = eb_quote_text (reader->id, -1);
      g_autofree char *path_id = eb_quote_text (id_from_path, -1);

      g_set_error (error, EB_ERROR, EB_ERROR_INVALID, "“id” is “%s”, but the path says “%s”", id,
                   path_id);
      return FALSE;
    }
  if (reader->id == NULL)
    reader->id = id_from_path != NULL ? g_strdup (id_from_path) : g_uuid_string_random ();
  return TRUE;
}

/**
 * eb_subscription_parse:
 * @id_from_path: (nullable): the id that it must have; NULL for whatever it says, or a random one
 * @default_lease: microseconds, if it does not say
 * @start: (out): the event to begin with: a sequence, 0 for the first there is, or
 *   %EB_SUBSCRIPTION_START_NOW
 *
 * Returns: (transfer full): what is asked for; NULL with %EB_ERROR_INVALID, which names the member
 */
EbSubscription *
eb_subscription_parse (
    GBytes *body, const char *id_from_path, GTimeSpan default_lease, guint64 *start, GError **error)
{
  g_auto (EbSubscriptionReader) reader = { 0 };
  gsize length = 0;
  const char *text = g_bytes_get_data (body, &length);
  EbJsonValue value;

  eb_subscription_reader_init (&reader, default_lease);
  if (!eb_json_scan (text != NULL ? text : "", length, EB_JSON_STRICT, &value, error)
      || !eb_subscription_reader_read_request (&reader, &value, error)
      || !settle_id (&reader, id_from_path, error))
    return NULL;
  *start = reader.start;
  return eb_subscription_reader_make (&reader, error);
}

/* For anybody to see */

static void
write_retry (JsonBuilder *builder, GArray *retry)
{
  json_builder_set_member_name (builder, "retry");
  json_builder_begin_array (builder);
  for (guint i = 0; i < retry->len; i++)
    json_builder_add_int_value (builder, g_array_index (retry, GTimeSpan, i) / G_TIME_SPAN_SECOND);
  json_builder_end_array (builder);
}

static void
write_view_config (JsonBuilder *builder, const EbSubscriptionView *view)
{
  const EbDeliveryOptions *options = eb_subscription_get_options (view->subscription);

  json_builder_set_member_name (builder, "config");
  json_builder_begin_object (builder);
  write_common_config (builder, view->subscription);
  eb_delivery_options_write_config (options, builder);
  if (options->timeout == 0)
    eb_json_writer_add_integer (builder, "timeout", view->timeout / G_TIME_SPAN_SECOND);
  if (options->retry == NULL)
    write_retry (builder, view->retry);
  json_builder_end_object (builder);
}

static void
write_status (JsonBuilder *builder, const EbSubscriptionView *view)
{
  json_builder_set_member_name (builder, "status");
  json_builder_begin_object (builder);
  eb_json_writer_add_string (builder, "state", view->state);
  eb_json_writer_add_integer (builder, "cursor", (gint64) view->cursor);
  eb_json_writer_add_integer (builder, "lag", (gint64) view->lag);
  eb_json_writer_add_time (builder, "expires", view->expires_us);
  eb_json_writer_add_string (builder, "lasterror", view->last_error);
  json_builder_end_object (builder);
}

/**
 * eb_subscription_view_to_json:
 *
 * Secrets and tokens are left out.
 *
 * Returns: (transfer full): a JSON object
 */
char *
eb_subscription_view_to_json (const EbSubscriptionView *view)
{
  static const char *const all_types[] = { ">", NULL };
  const EbSubscription *self = view->subscription;
  const EbDeliveryOptions *options = eb_subscription_get_options (self);
  const char *const *types = eb_subscription_get_types (self);
  g_autoptr (JsonBuilder) builder = json_builder_new_immutable ();

  json_builder_begin_object (builder);
  eb_json_writer_add_string (builder, "id", eb_subscription_get_id (self));
  eb_json_writer_add_string (builder, "sink", eb_sink_get_uri (eb_subscription_get_sink (self)));
  eb_json_writer_add_string (builder, "protocol", "HTTP");
  json_builder_set_member_name (builder, "types");
  write_strings (builder, types != NULL ? types : all_types);
  write_filters (builder, self);
  eb_delivery_options_write_credential (options, FALSE, builder);
  eb_delivery_options_write_protocol_settings (options, builder);
  write_view_config (builder, view);
  write_status (builder, view);
  json_builder_end_object (builder);
  return eb_json_writer_finish (builder);
}
