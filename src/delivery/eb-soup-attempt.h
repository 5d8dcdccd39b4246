/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "core/eb-deadlines.h"
#include "delivery/eb-soup-channel.h"

G_BEGIN_DECLS

typedef struct _EbSoupAttempt EbSoupAttempt;

/**
 * EbSoupAttemptFunc:
 * @attempt: is to be released
 * @answer: what became of it
 */
typedef void (*EbSoupAttemptFunc) (EbSoupAttempt *attempt,
                                   const EbAnswer *answer,
                                   gpointer user_data);

/**
 * EbSoupDeadline:
 * @deadline: first: a deadline that passed is one of these
 * @attempt: (unowned)
 */
typedef struct
{
  EbDeadline deadline;
  EbSoupAttempt *attempt;
} EbSoupDeadline;

/* One delivery on its way through a session. Reference-counted: its transport holds one until it is
 * over, and so does its message, which is alive as long as libsoup may call back.
 *
 * The first group of fields is the transport's. */
struct _EbSoupAttempt
{
  EbSoupChannel *channel; /* (unowned) (nullable): NULL once it is over */
  EbDelivery *delivery;   /* (unowned) while it has a channel */
  GList channel_link;     /* in the channel's attempts */
  GList ready_link;       /* in the transport's queue, until it is started */
  gboolean started;

  EbSoupAttemptFunc ended;
  gpointer user_data;
  EbDeadlines *deadlines;       /* (unowned) while it has a channel */
  EbSoupDeadline connect;       /* until it is sent */
  EbSoupDeadline total;         /* until it is over */
  gboolean sent;                /* the connection stands: the request is on its way */
  EbDeliverySettings *settings; /* (owned) (nullable): those of when it was started */
  SoupMessage *message;         /* (owned) (nullable): from its start until it is over */
  GCancellable *cancellable;    /* (owned) */
  GInputStream *body;           /* (owned) (nullable): the answer's */
  char *buffer;                 /* (owned) (nullable): for pieces of the body */
  gsize body_size;              /* read so far */
  guint n_interim;              /* interim responses so far */
  char *refusal;                /* (owned) (nullable): why an address was not connected to */
};

EbSoupAttempt *eb_soup_attempt_new (EbSoupChannel *channel,
                                    EbDelivery *delivery,
                                    EbDeadlines *deadlines,
                                    EbSoupAttemptFunc ended,
                                    gpointer user_data);
void eb_soup_attempt_start (EbSoupAttempt *self,
                            SoupSession *session,
                            EbDeliverySettings *settings,
                            gint64 now_us);
void eb_soup_attempt_fail (EbSoupAttempt *self, const char *what);
void eb_soup_attempt_abandon (EbSoupAttempt *self);
void eb_soup_attempt_release (EbSoupAttempt *self);
void eb_soup_attempt_handle_deadline (EbDeadline *deadline, gpointer user_data);

G_END_DECLS
