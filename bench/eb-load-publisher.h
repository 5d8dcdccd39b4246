/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bench/eb-load-loop.h"
#include "bench/eb-load-tally.h"

#include <netinet/in.h>

G_BEGIN_DECLS

typedef struct _EbLoadPublisher EbLoadPublisher;

EbLoadPublisher *eb_load_publisher_new (EbLoadLoop *loop,
                                        EbLoadTally *tally,
                                        const struct sockaddr_in *server,
                                        guint n_connections,
                                        guint window,
                                        guint give_up_ms);
void eb_load_publisher_free (EbLoadPublisher *publisher);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EbLoadPublisher, eb_load_publisher_free)

void
eb_load_publisher_start_phase (EbLoadPublisher *publisher, const EbLoadPhase *phase, double rate);
void eb_load_publisher_turn (EbLoadPublisher *publisher);
gboolean eb_load_publisher_is_done (EbLoadPublisher *publisher);
guint64 eb_load_publisher_get_last_answer_ns (EbLoadPublisher *publisher);
guint eb_load_publisher_get_n_refused (EbLoadPublisher *publisher);
guint eb_load_publisher_get_n_broken (EbLoadPublisher *publisher);
guint eb_load_publisher_get_n_late (EbLoadPublisher *publisher);

G_END_DECLS
