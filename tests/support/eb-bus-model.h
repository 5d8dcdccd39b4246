/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "support/eb-delivery-history.h"

G_BEGIN_DECLS

/**
 * EbBusModel:
 *
 * What a user may expect of a bus's registrations: which there are, and what arrives for each. It
 * is told what was asked, answered and seen; what must not be so ends the program, with what was
 * wrong.
 */
typedef struct _EbBusModel EbBusModel;

EbBusModel *eb_bus_model_new (GTimeSpan lease);
void eb_bus_model_free (EbBusModel *self);

void eb_bus_model_added (EbBusModel *self, const char *id, guint64 head, gint64 now_us);
void eb_bus_model_acked (EbBusModel *self, const char *id, guint64 head);
void eb_bus_model_renewed (EbBusModel *self, const char *id, gint64 now_us);
void eb_bus_model_replaced (EbBusModel *self, const char *id, gint64 asked_us, gint64 now_us);
void eb_bus_model_ask_pause (EbBusModel *self, const char *id);
void eb_bus_model_paused (EbBusModel *self, const char *id, gboolean paused);
gboolean eb_bus_model_may_be_paused (EbBusModel *self, const char *id);
void eb_bus_model_ask_end (EbBusModel *self, const char *id);
void eb_bus_model_removed (EbBusModel *self, const char *id, const char *reason, gint64 now_us);
void eb_bus_model_ended (EbBusModel *self, const char *id);
void eb_bus_model_arrive (EbBusModel *self, const char *id, const EbFakeArrival *arrival);

void eb_bus_model_stopped (EbBusModel *self, gboolean power_cut);
void eb_bus_model_started (EbBusModel *self);
void eb_bus_model_check_quiet (EbBusModel *self, const char *const *ids, gint64 now_us);

gboolean eb_bus_model_is_ending (EbBusModel *self, const char *id);
EbDeliveryHistory *eb_bus_model_get_history (EbBusModel *self, const char *id);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EbBusModel, eb_bus_model_free)

G_END_DECLS
