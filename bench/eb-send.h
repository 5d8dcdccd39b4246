/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bench/eb-load-payload.h"

G_BEGIN_DECLS

/**
 * EbSendPlan:
 * @n_sinks: how many sinks
 * @port: where they listen
 * @first_event: the first event to send
 * @n_events: how many events each sink gets
 * @head_bytes: how long a request's head is made, to move the same bytes as what is compared with
 * it
 * @events: (array length=n_events): the bodies; each is stamped when it is first sent
 * @start_ns: the stamp of the first event: before connecting
 *
 * One phase of sending.
 */
typedef struct
{
  guint n_sinks;
  guint16 port;
  guint first_event;
  guint n_events;
  guint head_bytes;
  EbLoadPayload *events;
  guint64 start_ns;
} EbSendPlan;

typedef struct _EbSendEpoll EbSendEpoll;
typedef struct _EbSendSoup EbSendSoup;

EbSendEpoll *eb_send_epoll_new (const EbSendPlan *plan);
void eb_send_epoll_run (EbSendEpoll *sender, const EbSendPlan *plan);
void eb_send_epoll_free (EbSendEpoll *sender);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EbSendEpoll, eb_send_epoll_free)

EbSendSoup *eb_send_soup_new (const EbSendPlan *plan);
void eb_send_soup_run (EbSendSoup *sender, const EbSendPlan *plan);
void eb_send_soup_free (EbSendSoup *sender);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EbSendSoup, eb_send_soup_free)

const EbLoadPayload *eb_send_plan_get_event (const EbSendPlan *plan, guint i);

G_END_DECLS
