/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

#include "delivery/eb-delivery-settings.h"
#include "delivery/eb-delivery.h"
#include "delivery/eb-wire-head.h"
#include "delivery/eb-wire-response.h"

G_BEGIN_DECLS

/**
 * EbWireState:
 * @EB_WIRE_WAITING: for a free place among the open connections
 * @EB_WIRE_RESOLVING: for its sink's addresses
 * @EB_WIRE_CONNECTING: to one of them
 * @EB_WIRE_READY: with a request that is to be sent
 * @EB_WIRE_BUSY: with a request and its response
 * @EB_WIRE_IDLE: open, with nothing to do
 * @EB_WIRE_FAILED: for its failure to be told
 * @EB_WIRE_CLOSED: over; only its memory is still there
 */
typedef enum
{
  EB_WIRE_WAITING,
  EB_WIRE_RESOLVING,
  EB_WIRE_CONNECTING,
  EB_WIRE_READY,
  EB_WIRE_BUSY,
  EB_WIRE_IDLE,
  EB_WIRE_FAILED,
  EB_WIRE_CLOSED,
} EbWireState;

/**
 * EbWireResult:
 * @EB_WIRE_NOTHING: it goes on
 * @EB_WIRE_CONNECTED: and can carry a request
 * @EB_WIRE_ANSWERED: the response is complete
 * @EB_WIRE_BROKEN: it is of no more use; the error says why
 */
typedef enum
{
  EB_WIRE_NOTHING,
  EB_WIRE_CONNECTED,
  EB_WIRE_ANSWERED,
  EB_WIRE_BROKEN,
} EbWireResult;

/**
 * EbWireConnection:
 *
 * A non-blocking connection to a sink and the request that is on it. It knows HTTP and sockets; who
 * connects where, and when, is #EbWireTransport's, to which the first group of fields belongs.
 */
typedef struct
{
  EbWireState state;
  gpointer channel;             /* (unowned) whose it is */
  EbDeliverySettings *settings; /* (owned) (nullable) that its head was written for */
  EbAddressPolicy *policy;      /* (owned) (nullable) that allows where it leads */
  EbDelivery *delivery;         /* (unowned) (nullable) what is under way */
  GList link;                   /* in the transport's queue for its state, if there is one */
  GList channel_link;           /* in its channel's queue */
  GCancellable *lookup;         /* (owned) (nullable) while RESOLVING */
  GList *addresses;             /* (owned) (element-type GInetAddress) to try yet */
  EbDeadline connecting;        /* until the connection stands */
  GError *error;                /* (owned) (nullable) why it failed */

  int fd;         /* -1 while there is none */
  gboolean used;  /* it has carried a request before this one */
  guint64 n_sent; /* bytes of all requests before this one */
  EbWireHead head;
  EbContent *content; /* (owned) (nullable) of the request at hand */
  gsize length;       /* bytes of the request at hand */
  gsize position;     /* of it were sent */
  EbWireResponse response;
} EbWireConnection;

EbWireConnection *eb_wire_connection_new (void);
void eb_wire_connection_free (EbWireConnection *self);
void eb_wire_connection_close (EbWireConnection *self);
gboolean eb_wire_connection_connect (
    EbWireConnection *self, int epoll_fd, GInetAddress *address, guint16 port, GError **error);
GInetAddress *eb_wire_connection_dup_address (EbWireConnection *self);
void eb_wire_connection_prepare (EbWireConnection *self,
                                 EbContent *content,
                                 EbSigner *signer,
                                 gint64 now_us);
gboolean eb_wire_connection_send (EbWireConnection *self, GError **error);
EbWireResult eb_wire_connection_handle (EbWireConnection *self,
                                        guint32 events,
                                        EbWireParser *parser,
                                        guint8 *buffer,
                                        gsize buffer_size,
                                        GError **error);
void eb_wire_connection_rest (EbWireConnection *self);
gboolean eb_wire_connection_was_ignored (EbWireConnection *self);

G_END_DECLS
