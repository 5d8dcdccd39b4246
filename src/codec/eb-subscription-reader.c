/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "codec/eb-subscription-reader.h"

#include "codec/eb-delivery-options-json.h"
#include "codec/eb-filters-json.h"
#include "codec/eb-json-reader.h"
#include "core/eb-error.h"
#include "core/eb-types.h"

/* Reads a subscription's object: what somebody asks for, and what the store keeps. They differ in a
 * few members: nobody asks for old secrets, and nothing that is kept has a place to start at. */

#define MAX_LEASE (30 * 24 * 60 * 60) /* seconds; who is gone for longer had better ask for 0 */

static gboolean
read_id (const EbJsonValue *value, const char *path, gpointer target, GError **error)
{
  EbSubscriptionReader *self = target;

  return eb_json_read_string (value, path, &self->id, error);
}

static gboolean
read_sink (const EbJsonValue *value, const char *path, gpointer target, GError **error)
{
  EbSubscriptionReader *self = target;
  g_autofree char *uri = NULL;

  if (!eb_json_read_string (value, path, &uri, error))
    return FALSE;
  self->sink = eb_sink_new_for_uri (uri, error);
  if (self->sink == NULL)
    g_prefix_error (error, "“%s”: ", path);
  return self->sink != NULL;
}

static gboolean
read_protocol (const EbJsonValue *value, const char *path, gpointer target, GError **error)
{
  g_autofree char *protocol = NULL;

  if (!eb_json_read_string (value, path, &protocol, error))
    return FALSE;
  return g_str_equal (protocol, "HTTP") || eb_json_refuse (value, path, "“HTTP”", error);
}

static gboolean
read_type (const EbJsonValue *value, const char *path, gpointer target, GError **error)
{
  EbSubscriptionReader *self = target;
  g_autofree char *type = NULL;

  if (!eb_json_read_string (value, path, &type, error))
    return FALSE;
  if (!eb_types_check ((const char *const[]){ type, NULL }, error))
    {
      g_prefix_error (error, "“%s”: ", path);
      return FALSE;
    }
  g_ptr_array_add (self->types, g_steal_pointer (&type));
  return TRUE;
}

static gboolean
read_types (const EbJsonValue *value, const char *path, gpointer target, GError **error)
{
  return eb_json_read_array (value, path, read_type, target, error);
}

static gboolean
read_filters (const EbJsonValue *value, const char *path, gpointer target, GError **error)
{
  EbSubscriptionReader *self = target;

  return eb_filters_read (value, path, &self->filter, error);
}

static gboolean
read_credential (const EbJsonValue *value, const char *path, gpointer target, GError **error)
{
  EbSubscriptionReader *self = target;

  return eb_delivery_options_read_credential (value, path, self->options, error);
}

static gboolean
read_protocol_settings (const EbJsonValue *value, const char *path, gpointer target, GError **error)
{
  EbSubscriptionReader *self = target;

  return eb_delivery_options_read_protocol_settings (value, path, self->options, error);
}

static gboolean
read_paused (const EbJsonValue *value, const char *path, gpointer target, GError **error)
{
  EbSubscriptionReader *self = target;

  return eb_json_read_boolean (value, path, &self->paused, error);
}

/* The members of `failing` */

static gboolean
read_since (const EbJsonValue *value, const char *path, gpointer target, GError **error)
{
  EbSubscriptionReader *self = target;

  return eb_json_read_integer (value, path, 0, G_MAXINT64, &self->streak.since_us, error);
}

static gboolean
read_lasted (const EbJsonValue *value, const char *path, gpointer target, GError **error)
{
  EbSubscriptionReader *self = target;

  return eb_json_read_integer (value, path, 0, G_MAXINT64, &self->streak.lasted, error);
}

static const EbJsonMember row_failing[] = {
  { "since", read_since },
  { "lasted", read_lasted },
  { NULL, NULL },
};

static gboolean
read_failing (const EbJsonValue *value, const char *path, gpointer target, GError **error)
{
  return eb_json_read_object (value, path, row_failing, target, error);
}

/* So that an answer can be changed and sent back. */
static gboolean
skip (const EbJsonValue *value, const char *path, gpointer target, GError **error)
{
  return TRUE;
}

/* The members of `config` */

static gboolean
read_lease (const EbJsonValue *value, const char *path, gpointer target, GError **error)
{
  EbSubscriptionReader *self = target;
  gint64 seconds;

  if (!eb_json_read_integer (value, path, 0, MAX_LEASE, &seconds, error))
    return FALSE;
  self->lease = seconds * G_TIME_SPAN_SECOND;
  return TRUE;
}

/* The daemon's own default may be any, and is kept to the microsecond. */
static gboolean
read_kept_lease (const EbJsonValue *value, const char *path, gpointer target, GError **error)
{
  EbSubscriptionReader *self = target;
  g_autofree char *text = g_strndup (value->text, value->length);

  if (eb_json_value_get_kind (value) != EB_JSON_NUMBER)
    return eb_json_refuse (value, path, "a number", error);
  if (!g_ascii_string_to_signed (text, 10, 0, G_MAXINT64 / G_TIME_SPAN_SECOND, &self->lease, NULL))
    self->lease = (GTimeSpan) (g_ascii_strtod (text, NULL) * G_TIME_SPAN_SECOND + 0.5);
  else
    self->lease *= G_TIME_SPAN_SECOND;
  return TRUE;
}

static gboolean
read_order (const EbJsonValue *value, const char *path, gpointer target, GError **error)
{
  EbSubscriptionReader *self = target;
  g_autofree char *order = NULL;

  if (!eb_json_read_string (value, path, &order, error))
    return FALSE;
  self->order = g_str_equal (order, "strict") ? EB_ORDER_STRICT : EB_ORDER_RELAXED;
  return self->order == EB_ORDER_STRICT || g_str_equal (order, "relaxed")
         || eb_json_refuse (value, path, "“strict” or “relaxed”", error);
}

static gboolean
read_concurrency (const EbJsonValue *value, const char *path, gpointer target, GError **error)
{
  EbSubscriptionReader *self = target;
  gint64 number;

  if (!eb_json_read_integer (value, path, 1, EB_MAX_CONCURRENCY, &number, error))
    return FALSE;
  self->concurrency = (guint) number;
  return TRUE;
}

static gboolean
read_start (const EbJsonValue *value, const char *path, gpointer target, GError **error)
{
  EbSubscriptionReader *self = target;
  g_autofree char *word = NULL;
  gint64 sequence;

  if (eb_json_value_get_kind (value) != EB_JSON_STRING)
    {
      if (!eb_json_read_integer (value, path, 0, G_MAXINT64, &sequence, error))
        return FALSE;
      self->start = (guint64) sequence;
      return TRUE;
    }
  eb_json_read_string (value, path, &word, NULL);
  self->start = g_str_equal (word, "now") ? G_MAXUINT64 : 0;
  return self->start > 0 || g_str_equal (word, "earliest")
         || eb_json_refuse (value, path, "“now”, “earliest” or a sequence", error);
}

static gboolean
read_option (const EbJsonValue *value, const char *path, gpointer target, GError **error)
{
  EbSubscriptionReader *self = target;

  return eb_delivery_options_read_config (value, path, self->options, error);
}

static const EbJsonMember request_config[] = {
  { "lease", read_lease },    { "order", read_order },      { "concurrency", read_concurrency },
  { "start", read_start },    { "mode", read_option },      { "rate", read_option },
  { "timeout", read_option }, { "resume", read_option },    { "secret", read_option },
  { "retry", read_option },   { "handshake", read_option }, { NULL, NULL },
};

static const EbJsonMember row_config[] = {
  { "lease", read_kept_lease },
  { "order", read_order },
  { "concurrency", read_concurrency },
  { "mode", read_option },
  { "rate", read_option },
  { "timeout", read_option },
  { "resume", read_option },
  { "secrets", read_option },
  { "retry", read_option },
  { "handshake", read_option },
  { NULL, NULL },
};

static gboolean
read_request_config (const EbJsonValue *value, const char *path, gpointer target, GError **error)
{
  return eb_json_read_object (value, path, request_config, target, error);
}

static gboolean
read_row_config (const EbJsonValue *value, const char *path, gpointer target, GError **error)
{
  return eb_json_read_object (value, path, row_config, target, error);
}

static const EbJsonMember request_members[] = {
  { "id", read_id },
  { "sink", read_sink },
  { "protocol", read_protocol },
  { "types", read_types },
  { "filters", read_filters },
  { "sinkcredential", read_credential },
  { "protocolsettings", read_protocol_settings },
  { "config", read_request_config },
  { "status", skip },
  { NULL, NULL },
};

static const EbJsonMember row_members[] = {
  { "id", read_id },
  { "sink", read_sink },
  { "types", read_types },
  { "filters", read_filters },
  { "sinkcredential", read_credential },
  { "protocolsettings", read_protocol_settings },
  { "config", read_row_config },
  { "paused", read_paused },
  { "failing", read_failing },
  { NULL, NULL },
};

/**
 * eb_subscription_reader_init:
 * @default_lease: microseconds, if none is asked for
 */
void
eb_subscription_reader_init (EbSubscriptionReader *self, GTimeSpan default_lease)
{
  *self = (EbSubscriptionReader){
    .types = g_ptr_array_new_with_free_func (g_free),
    .options = eb_delivery_options_new (),
    .lease = default_lease,
    .concurrency = 1,
    .start = G_MAXUINT64,
  };
}

void
eb_subscription_reader_clear (EbSubscriptionReader *self)
{
  g_clear_pointer (&self->id, g_free);
  g_clear_pointer (&self->sink, eb_sink_unref);
  g_clear_pointer (&self->types, g_ptr_array_unref);
  g_clear_pointer (&self->filter, eb_filter_unref);
  g_clear_pointer (&self->options, eb_delivery_options_unref);
}

/**
 * eb_subscription_reader_read_request:
 * @value: from outside, scanned strictly
 *
 * Returns: FALSE with %EB_ERROR_INVALID, which names the member
 */
gboolean
eb_subscription_reader_read_request (EbSubscriptionReader *self,
                                     const EbJsonValue *value,
                                     GError **error)
{
  return eb_json_read_object (value, "", request_members, self, error);
}

/**
 * eb_subscription_reader_read_row:
 * @value: from the store, scanned strictly
 */
gboolean
eb_subscription_reader_read_row (EbSubscriptionReader *self,
                                 const EbJsonValue *value,
                                 GError **error)
{
  return eb_json_read_object (value, "", row_members, self, error);
}

static gboolean
check (const EbSubscriptionReader *self, GError **error)
{
  if (self->id == NULL || self->sink == NULL)
    g_set_error (error, EB_ERROR, EB_ERROR_INVALID, "“%s” is missing",
                 self->id == NULL ? "id" : "sink");
  else if (self->order == EB_ORDER_STRICT && self->concurrency > 1)
    g_set_error (error, EB_ERROR, EB_ERROR_INVALID,
                 "“config.concurrency” is %u, but with “config.order” “strict” it can only be 1",
                 self->concurrency);
  else
    return TRUE;
  return FALSE;
}

/**
 * eb_subscription_reader_make:
 *
 * Returns: (transfer full): what was read; NULL with %EB_ERROR_INVALID
 */
EbSubscription *
eb_subscription_reader_make (EbSubscriptionReader *self, GError **error)
{
  EbSubscriptionSpec spec = {
    .id = self->id,
    .sink = self->sink,
    .filter = self->filter,
    .lease = self->lease,
    .concurrency = self->concurrency,
    .order = self->order,
    .paused = self->paused,
    .streak = self->streak,
  };

  if (!check (self, error))
    return NULL;
  if (self->types->len > 0)
    {
      g_ptr_array_add (self->types, NULL);
      spec.types = (const char *const *) self->types->pdata;
    }
  if (!eb_delivery_options_are_default (self->options))
    spec.options = self->options;
  return eb_subscription_new (&spec, error);
}
