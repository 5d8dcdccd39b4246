/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "delivery/eb-transport.h"

G_BEGIN_DECLS

/**
 * EbFakeBehaviour:
 *
 * What a fake sink does with a delivery: takes it, keeps it until eb_fake_sinks_release(), or one
 * of the ways in which a delivery fails.
 */
typedef enum
{
  EB_FAKE_TAKE,
  EB_FAKE_KEEP,
  EB_FAKE_KEEP_FOR_503,
  EB_FAKE_UNREACHABLE,
  EB_FAKE_BREAK,
  EB_FAKE_ANSWER_500,
  EB_FAKE_ANSWER_503,
  EB_FAKE_ANSWER_429_FOR_30_S,
  EB_FAKE_ANSWER_410,
  EB_FAKE_GONE,
} EbFakeBehaviour;

typedef struct
{
  guint64 sequence;
  guint64 previous;
  guint attempt;
  guint request;             /* 1 for the sink's first; those of a batch are of the same */
  EbFakeBehaviour behaviour; /* what the sink did with it, or is about to */
  EbEvent *event;            /* (unowned) the sinks' */
} EbFakeArrival;

/**
 * EbFakeSinks:
 *
 * Sinks without a network, for the transports of all workers. Any thread may call.
 */
typedef struct _EbFakeSinks EbFakeSinks;

/**
 * EbFakeIsOff:
 *
 * Returns: whether nothing leaves the machine any more; called from any thread
 */
typedef gboolean (*EbFakeIsOff) (gpointer user_data);

EbFakeSinks *eb_fake_sinks_new (void);
void eb_fake_sinks_free (EbFakeSinks *self);
void eb_fake_sinks_cut_off (EbFakeSinks *self, EbFakeIsOff is_off, gpointer user_data);
void eb_fake_sinks_set (EbFakeSinks *self, const char *uri, EbFakeBehaviour behaviour);
void eb_fake_sinks_set_consent (EbFakeSinks *self,
                                const char *uri,
                                const char *allowed_origin,
                                const char *allowed_rate);
guint eb_fake_sinks_count_questions (EbFakeSinks *self, const char *uri);
void eb_fake_sinks_heal (EbFakeSinks *self, const char *uri);
void eb_fake_sinks_script (EbFakeSinks *self,
                           const char *uri,
                           const EbFakeBehaviour *behaviours,
                           guint n_behaviours);
void eb_fake_sinks_release (EbFakeSinks *self, const char *uri);
guint eb_fake_sinks_count (EbFakeSinks *self, const char *uri);
EbFakeArrival eb_fake_sinks_get (EbFakeSinks *self, const char *uri, guint index);
void eb_fake_sinks_wait (EbFakeSinks *self, const char *uri, guint n_arrivals);
guint eb_fake_sinks_max_under_way (EbFakeSinks *self, const char *uri);

/* An EbTransportFactory, whose user data is an EbFakeSinks. */
EbTransport *eb_fake_transport_create (EbSinkKind kind,
                                       GMainContext *context,
                                       EbDeliverySettings *settings,
                                       gpointer user_data);

G_END_DECLS
