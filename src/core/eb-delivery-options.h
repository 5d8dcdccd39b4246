/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Bounds of what may be asked for. Those of the daemon's own defaults are the same: a subscription
 * shows these, and may be put back as it is shown. */
#define EB_MAX_RATE             1000000   /* deliveries a second: more than there can be */
#define EB_MAX_DELIVERY_TIMEOUT (60 * 60) /* seconds */
#define EB_MAX_RETRIES          100
#define EB_MAX_RETRY_DELAY      (30 * 24 * 60 * 60) /* seconds: as the longest lease */

/**
 * EbMode:
 * @EB_MODE_BINARY: the data is the body, the attributes are headers
 * @EB_MODE_STRUCTURED: the body is a JSON object with data and attributes
 * @EB_MODE_BATCH: the body is a JSON array of such objects
 *
 * How an event travels, in the terms of the CloudEvents HTTP binding 1.0.2.
 */
typedef enum
{
  EB_MODE_BINARY,
  EB_MODE_STRUCTURED,
  EB_MODE_BATCH,
} EbMode;

gboolean eb_mode_from_string (const char *name, EbMode *mode);
const char *eb_mode_to_string (EbMode mode);

/* How long a secret that was replaced still signs, and how many of those there may be. */
#define EB_SECRET_GRACE    G_TIME_SPAN_DAY
#define EB_MAX_OLD_SECRETS 2

/**
 * EbSecret:
 * @text: `whsec_` and base64, as the subscriber was told
 * @until_us: real time up to which it signs; 0 for the one that was not replaced
 */
typedef struct
{
  char *text;
  gint64 until_us;
} EbSecret;

void eb_secret_free (EbSecret *self);
char *eb_secret_generate (void);
gboolean eb_secret_check (const char *text, GError **error);
GBytes *eb_secret_get_key (const EbSecret *self);

/**
 * EbHeader:
 * @name: an HTTP field name
 * @value: its value, without blanks around it
 */
typedef struct
{
  char *name;
  char *value;
} EbHeader;

void eb_header_free (EbHeader *self);

/**
 * EbDeliveryOptions:
 * @mode: how events travel
 * @rate: deliveries a second at most; 0 for as many as go
 * @timeout: microseconds that an attempt may take; 0 for the daemon's delivery.timeout
 * @resume: its state outlives the lease
 * @handshake: nothing is delivered before the sink has consented
 * @keeps_token: the token is the one of the subscription that this one takes the place of
 * @headers: (owned) (nullable) (element-type EbHeader): sent with every delivery
 * @token: (owned) (nullable): sent as bearer token with every delivery
 * @secrets: (owned) (nullable) (element-type EbSecret): the newest first
 * @retry: (owned) (nullable) (element-type guint): seconds before each retry; NULL for the daemon's
 *   delivery.retry
 *
 * How a subscriber wants its deliveries, where that is not what most want. It is built by one owner
 * and never changes once a subscription has it.
 */
typedef struct
{
  gatomicrefcount ref_count;
  EbMode mode;
  guint rate;
  GTimeSpan timeout;
  gboolean resume;
  gboolean handshake;
  gboolean keeps_token;
  GPtrArray *headers;
  char *token;
  GPtrArray *secrets;
  GArray *retry;
} EbDeliveryOptions;

EbDeliveryOptions *eb_delivery_options_new (void);
EbDeliveryOptions *eb_delivery_options_copy (const EbDeliveryOptions *self);
EbDeliveryOptions *eb_delivery_options_ref (EbDeliveryOptions *self);
void eb_delivery_options_unref (EbDeliveryOptions *self);
void eb_delivery_options_add_header (EbDeliveryOptions *self, const char *name, const char *value);
void eb_delivery_options_set_secret (EbDeliveryOptions *self, const char *text);
void eb_delivery_options_rotate (EbDeliveryOptions *self, const char *text, gint64 now_us);
gboolean eb_delivery_options_are_default (const EbDeliveryOptions *self);
gboolean eb_delivery_options_check (const EbDeliveryOptions *self, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EbDeliveryOptions, eb_delivery_options_unref)

G_END_DECLS
