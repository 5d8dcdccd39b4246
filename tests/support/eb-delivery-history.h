/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "support/eb-fake-transport.h"

G_BEGIN_DECLS

/* After so many failed attempts a delivery is given up. */
#define EB_HISTORY_MAX_FAILURES 4

/**
 * EbDeliveryHistory:
 *
 * What arrived for one registration that takes every event, one at a time. Whatever it is told
 * that must not be so ends the program, with what was wrong.
 */
typedef struct _EbDeliveryHistory EbDeliveryHistory;

EbDeliveryHistory *eb_delivery_history_new (const char *id, guint64 after);
void eb_delivery_history_free (EbDeliveryHistory *self);
void eb_delivery_history_owe (EbDeliveryHistory *self, guint64 after);
void eb_delivery_history_arrive (EbDeliveryHistory *self, const EbFakeArrival *arrival);
void eb_delivery_history_release (EbDeliveryHistory *self);
gboolean eb_delivery_history_is_gone (const EbDeliveryHistory *self);
gboolean eb_delivery_history_is_forsaken (const EbDeliveryHistory *self);

void eb_delivery_history_begin_replay (EbDeliveryHistory *self);
void eb_delivery_history_replay (EbDeliveryHistory *self, guint64 after);
void eb_delivery_history_freeze (EbDeliveryHistory *self, gboolean frozen);
guint64 eb_delivery_history_get_first (const EbDeliveryHistory *self);
guint64 eb_delivery_history_get_newest (const EbDeliveryHistory *self);

void eb_delivery_history_pardon (EbDeliveryHistory *self);

void eb_delivery_history_note_answered (EbDeliveryHistory *self);
void eb_delivery_history_seal (EbDeliveryHistory *self);
void eb_delivery_history_break (EbDeliveryHistory *self);
void eb_delivery_history_end_run (EbDeliveryHistory *self);

void eb_delivery_history_begin_change (EbDeliveryHistory *self, GArray *sequences);
void eb_delivery_history_change (EbDeliveryHistory *self, GArray *sequences, gboolean dropped);
void eb_delivery_history_doubt_change (EbDeliveryHistory *self, GArray *sequences);
void eb_delivery_history_begin_change_all (EbDeliveryHistory *self);
void eb_delivery_history_end_change_all (EbDeliveryHistory *self, gboolean dropped);

void eb_delivery_history_check_kept (EbDeliveryHistory *self, GArray *dead);
void eb_delivery_history_check_dead (EbDeliveryHistory *self, GArray *dead);
GArray *eb_delivery_history_get_dead (EbDeliveryHistory *self);
guint64 eb_delivery_history_find_owed (EbDeliveryHistory *self, guint64 head);

G_END_DECLS
