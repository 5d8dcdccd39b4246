/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "delivery/eb-delivery.h"
#include "delivery/eb-transport.h"

G_BEGIN_DECLS

/**
 * EbConsent:
 * @given: the sink agrees to deliveries
 * @per_minute: how many of them at most; 0 for as many as there are
 * @refusal: (nullable) (owned): why it does not agree, for people
 *
 * What a sink has answered to the question whether it wants deliveries.
 */
typedef struct
{
  gboolean given;
  guint per_minute;
  char *refusal;
} EbConsent;

void eb_consent_clear (EbConsent *self);
void eb_consent_read (EbConsent *self, const EbAnswer *answer, const char *origin);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (EbConsent, eb_consent_clear)

/**
 * EbHandshake:
 * @channel: (owned) (nullable): to the sink, while it is being asked
 * @question: (owned) (nullable): what is under way there
 * @n_asked: how often it was asked without success
 * @refusal: (owned) (nullable): why it has not agreed yet, for people
 *
 * What a consumer has until its sink has agreed to deliveries, if it is to be asked: the abuse
 * protection of HTTP 1.1 Web Hooks for Event Delivery 1.0.
 */
typedef struct
{
  EbTransport *transport; /* (unowned) the channel's */
  EbChannel *channel;
  EbDelivery *question;
  guint n_asked;
  char *refusal;
} EbHandshake;

EbHandshake *eb_handshake_new (void);
void eb_handshake_free (EbHandshake *self);
void eb_handshake_ask (EbHandshake *self,
                       EbTransport *transport,
                       EbSubscription *subscription,
                       gpointer consumer);
void eb_handshake_end_question (EbHandshake *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EbHandshake, eb_handshake_free)

G_END_DECLS
