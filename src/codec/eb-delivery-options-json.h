/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <json-glib/json-glib.h>

#include "codec/eb-json-value.h"
#include "core/eb-delivery-options.h"

G_BEGIN_DECLS

gboolean eb_delivery_options_read_config (const EbJsonValue *value,
                                          const char *path,
                                          EbDeliveryOptions *options,
                                          GError **error);
gboolean eb_delivery_options_read_credential (const EbJsonValue *value,
                                              const char *path,
                                              EbDeliveryOptions *options,
                                              GError **error);
gboolean eb_delivery_options_read_protocol_settings (const EbJsonValue *value,
                                                     const char *path,
                                                     EbDeliveryOptions *options,
                                                     GError **error);

void eb_delivery_options_write_config (const EbDeliveryOptions *self, JsonBuilder *builder);
void eb_delivery_options_write_secrets (const EbDeliveryOptions *self, JsonBuilder *builder);
void eb_delivery_options_write_credential (const EbDeliveryOptions *self,
                                           gboolean with_token,
                                           JsonBuilder *builder);
void eb_delivery_options_write_protocol_settings (const EbDeliveryOptions *self,
                                                  JsonBuilder *builder);

G_END_DECLS
