/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

#include "core/eb-deadlines.h"
#include "http/eb-framing.h"
#include "http/eb-gate-stream.h"

G_BEGIN_DECLS

/**
 * EbClientState:
 * @EB_CLIENT_IDLE: between requests
 * @EB_CLIENT_READING: a request has begun
 * @EB_CLIENT_SERVED: its request is being served; nothing is read
 * @EB_CLIENT_LINGERING: it was refused, and may read why
 * @EB_CLIENT_CLOSED: over; only its memory is still there
 */
typedef enum
{
  EB_CLIENT_IDLE,
  EB_CLIENT_READING,
  EB_CLIENT_SERVED,
  EB_CLIENT_LINGERING,
  EB_CLIENT_CLOSED,
} EbClientState;

/**
 * EbClient:
 *
 * A connection that was accepted, and what it has sent of its next requests. It reads and answers;
 * when, is #EbGate's to say, to which the first group of fields belongs.
 */
typedef struct
{
  gpointer gate; /* (unowned) */
  EbClientState state;
  GList link;          /* in the gate's queue for its state */
  EbDeadline deadline; /* of its state */
  gsize charged;       /* bytes of @input that the gate has counted */
  gboolean in_body;    /* while READING: the head is complete */
  gboolean local;      /* it came by a UNIX socket */

  int fd;
  GSocketConnection *connection; /* (owned) (nullable) over fd, from its first request on */
  EbGateStream *stream;          /* (owned) (nullable) while SERVED */
  GByteArray *input;             /* (owned) (nullable) requests, from the one at hand on */
  EbFraming framing;             /* of the request at hand */
  gboolean continued;            /* 100 Continue was sent for it */
} EbClient;

EbClient *eb_client_new (int fd, gboolean local);
EbClient *eb_client_ref (EbClient *self);
void eb_client_unref (EbClient *self);
void eb_client_close (EbClient *self);
gssize eb_client_receive (EbClient *self, guint8 *buffer, gsize buffer_size);
EbFramingResult eb_client_frame (EbClient *self);
void eb_client_continue (EbClient *self);
void eb_client_refuse (EbClient *self, guint status, const char *phrase, const char *reason);
GIOStream *eb_client_lend (EbClient *self, EbGateClosedFunc closed, GError **error);
void eb_client_take_back (EbClient *self);
char *eb_client_dup_slice (EbClient *self, EbSlice slice);

G_END_DECLS
