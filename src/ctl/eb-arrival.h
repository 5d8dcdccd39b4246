/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <libsoup/soup.h>

#include "ctl/eb-received-event.h"

G_BEGIN_DECLS

typedef struct _EbArrival EbArrival;

EbArrival *eb_arrival_new (SoupServerMessage *message);
const EbReceivedEvent *eb_arrival_get_event (const EbArrival *self);
SoupServerMessage *eb_arrival_get_message (const EbArrival *self);
void eb_arrival_accept (EbArrival *self);
void eb_arrival_refuse (EbArrival *self);

G_END_DECLS
