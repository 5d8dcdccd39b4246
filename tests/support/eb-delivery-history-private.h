/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "support/eb-delivery-history.h"

G_BEGIN_DECLS

/* What the files of EbDeliveryHistory share: eb-delivery-history.c has what arrives, and
 * eb-delivery-history-change.c what somebody does to it. */

/* Attempts of one delivery, most of which a busy sink has put off. */
#define MAX_NUMBER 200

/* What one event's delivery is known to be. */
typedef struct
{
  gboolean arrived;
  gboolean taken;    /* the sink has had it, and said so */
  gboolean sealed;   /* the ledger knows that it was taken: it does not arrive again */
  gboolean given_up; /* it may be among the dead letters */
  gboolean dead;     /* it is among the dead letters */
  gboolean dropped;  /* it was one of them, and somebody has dropped it, or may have */
  gboolean changing; /* a redrive or drop was asked for, and it has not arrived since */
  gboolean again;    /* it was replayed, and has not arrived since */
  gboolean loose;    /* it may have been replayed, and have arrived since or not */
  gboolean answered; /* what its last arrival has led to is known to the ledger */
  gboolean heard;    /* that was waited for */
  guint run;         /* in which it last arrived */
  guint number;      /* of its last arrival among all */
  guint attempt;     /* of its last arrival */
  EbFakeBehaviour behaviour;
  guint8 failures[MAX_NUMBER + 2];      /* by attempt: how many before it may count as failed */
  guint8 sure_failures[MAX_NUMBER + 2]; /* of these, how many do: not those that the daemon may have
                                           ended without hearing of */
} EbDeliveryRecord;

struct _EbDeliveryHistory
{
  char *id;           /* (owned) */
  guint64 after;      /* nothing up to this arrives */
  guint64 owed_after; /* everything after it is owed; G_MAXUINT64 until the creation was acked */
  guint64 first;      /* the first that arrived; 0 before */
  guint64 newest;     /* the last of those that arrived for the first time */
  guint run;          /* the daemon's life */
  gboolean gone;      /* in this life the sink has said that nobody is there */
  gboolean forsaken;  /* and the bus must have understood */
  gboolean pardoned;  /* unless somebody changed it, which its worker may not know yet */
  gboolean released;  /* in this life the sink takes what it keeps */
  gboolean frozen;    /* it is paused, and nothing is under way */
  gboolean replayed;  /* once, at least */
  gboolean replaying; /* a replay was asked for, and not answered */
  gboolean changing;  /* a redrive or drop of all was asked for, and not answered */
  guint n_arrived;
  guint n_arrived_before; /* when that was asked for */
  GArray *deliveries; /* (owned) (element-type EbDeliveryRecord) by sequence, from @after + 1 on */
};

EbDeliveryRecord *eb_delivery_history_obtain (EbDeliveryHistory *self, guint64 sequence);
void eb_delivery_history_doubt (EbDeliveryHistory *self);

G_END_DECLS
