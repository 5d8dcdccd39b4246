/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-dbus-transport.h"

#include "core/eb-dbus.h"
#include "core/eb-event.h"

/* Deliveries to D-Bus peers: each is a signal to one unique name.
 *
 * A bus takes whatever it is given and buffers it for a peer that does not read. So what a peer was
 * sent stays open until it has answered a ping, which it can only do after it has read that; when
 * a window of signals or bytes is open, nothing more is sent, and a peer that does not answer
 * within the delivery timeout is given up.
 *
 * A window that does not fill is pinged too, a moment after its first signal, so that its
 * deliveries end (they are counted, and draining waits for them). Nobody is given up for not
 * answering that: a peer may sleep for as long as little waits for it.
 *
 * Belongs to its worker and lives in that thread. */
struct _EbDbusTransport
{
  GObject parent_instance;

  GDBusConnection *connection;  /* (owned) */
  EbDeliverySettings *settings; /* (owned) */
  EbDeadlines *deadlines;       /* (owned) */
  EbAnswerFunc answer;
  gpointer answer_data; /* (unowned) */
};

/* The other half of the window, beside EB_DBUS_WINDOW: what a bus holds for a peer that has
 * stopped reading, at the most (and one event more). */
#define WINDOW_BYTES (1024 * 1024)

/* How long a window that does not fill waits for its ping: a steady trickle costs a peer four
 * pings a second, and draining is not held up noticeably. */
#define LULL (250 * G_TIME_SPAN_MILLISECOND)

typedef struct
{
  EbDeadline deadline; /* first, so that one is the other */
  EbChannel *channel;  /* (unowned) whose it is */
} ChannelDeadline;

/* Reference-counted, because a ping may outlive it. */
struct _EbChannel
{
  EbDbusTransport *transport; /* (unowned) (nullable): NULL once closed */
  char *name;                 /* (owned) the peer's unique name */
  char *id;                   /* (owned) the subscription's */
  GQueue waiting;             /* (element-type EbDelivery) not sent yet */
  GQueue sent;                /* (element-type EbDelivery) sent, in order, and not ended */
  gsize sent_bytes;           /* what those cost */
  guint covered;              /* how many of sent the ping under way comes after; 0: no ping */
  gboolean settling;          /* deliveries are being ended: nothing is sent */
  GCancellable *cancellable;  /* (owned) of the ping */
  ChannelDeadline lull;       /* when to ping a window that is not full */
  ChannelDeadline patience;   /* when to give up; set while the window is full */
};

static void eb_dbus_transport_iface_init (EbTransportInterface *iface);
static void pump (EbChannel *channel);

G_DEFINE_FINAL_TYPE_WITH_CODE (EbDbusTransport,
                               eb_dbus_transport,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (EB_TYPE_TRANSPORT,
                                                      eb_dbus_transport_iface_init))

static void
channel_finalize (gpointer data)
{
  EbChannel *channel = data;

  g_free (channel->name);
  g_free (channel->id);
  g_object_unref (channel->cancellable);
}

static void
channel_unref (EbChannel *channel)
{
  g_rc_box_release_full (channel, channel_finalize);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EbChannel, channel_unref)

static gboolean
is_full (const EbChannel *channel)
{
  return channel->sent.length >= EB_DBUS_WINDOW || channel->sent_bytes >= WINDOW_BYTES;
}

static void
end (EbChannel *channel, EbDelivery *delivery, EbAnswerKind kind, const char *reason)
{
  EbDbusTransport *self = channel->transport;
  const EbAnswer answer = {
    .kind = kind,
    .status = kind == EB_ANSWER_RESPONSE ? 200 : 0,
    .reason = reason,
  };

  self->answer (delivery, &answer, self->answer_data);
}

/* Any answer may close the channel. */
static void
give_up (EbChannel *channel, const char *reason)
{
  EbDelivery *delivery;

  g_rc_box_acquire (channel);
  channel->covered = 0;
  channel->settling = TRUE;
  eb_deadlines_clear (channel->transport->deadlines, &channel->lull.deadline);
  eb_deadlines_clear (channel->transport->deadlines, &channel->patience.deadline);
  while (channel->transport != NULL
         && ((delivery = g_queue_pop_head (&channel->sent)) != NULL
             || (delivery = g_queue_pop_head (&channel->waiting)) != NULL))
    end (channel, delivery, EB_ANSWER_GONE, reason);
  channel->settling = FALSE;
  channel_unref (channel);
}

/* Ends what the peer has certainly read. */
static void
settle (EbChannel *channel)
{
  guint covered = channel->covered;

  g_rc_box_acquire (channel);
  channel->covered = 0;
  channel->settling = TRUE;
  eb_deadlines_clear (channel->transport->deadlines, &channel->patience.deadline);
  while (channel->transport != NULL && covered-- > 0)
    {
      EbDelivery *delivery = g_queue_pop_head (&channel->sent);

      channel->sent_bytes -= eb_event_get_charge (eb_parcel_get_event (delivery->parcel));
      end (channel, delivery, EB_ANSWER_RESPONSE, NULL);
    }
  channel->settling = FALSE;

  if (channel->transport != NULL)
    pump (channel);
  channel_unref (channel);
}

/* The bus itself answered the ping. It does so for a peer that has left; or it would not pass the
 * ping on (policy, quota), which says nothing about the peer: ask again. */
static void
handle_refusal (EbChannel *channel, GDBusMessage *reply)
{
  const char *name = g_dbus_message_get_error_name (reply);

  if (g_strcmp0 (name, "org.freedesktop.DBus.Error.ServiceUnknown") == 0
      || g_strcmp0 (name, "org.freedesktop.DBus.Error.NameHasNoOwner") == 0
      || g_strcmp0 (name, "org.freedesktop.DBus.Error.NoReply") == 0)
    {
      give_up (channel, "the peer has left the bus");
      return;
    }
  g_warning ("D-Bus peer %s cannot be pinged: %s", channel->name, name);
  channel->covered = 0;
  eb_deadlines_set (channel->transport->deadlines, &channel->lull.deadline, LULL);
}

static void
ping_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (EbChannel) channel = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GDBusMessage) reply =
      g_dbus_connection_send_message_with_reply_finish (G_DBUS_CONNECTION (source), result, &error);

  if (channel->transport == NULL)
    return;
  if (reply == NULL)
    give_up (channel, error->message);
  else if (g_strcmp0 (g_dbus_message_get_sender (reply), channel->name) == 0)
    settle (channel); /* even an error shows that the peer reads */
  else
    handle_refusal (channel, reply);
}

static void
ping (EbChannel *channel)
{
  EbDbusTransport *self = channel->transport;
  g_autoptr (GDBusMessage) message =
      g_dbus_message_new_method_call (channel->name, "/", "org.freedesktop.DBus.Peer", "Ping");

  /* Nothing must be started for its sake. */
  g_dbus_message_set_flags (message, G_DBUS_MESSAGE_FLAGS_NO_AUTO_START);
  eb_deadlines_clear (self->deadlines, &channel->lull.deadline);
  channel->covered = channel->sent.length;
  g_dbus_connection_send_message_with_reply (
      self->connection, message, G_DBUS_SEND_MESSAGE_FLAGS_NONE,
      G_MAXINT /* no timeout: ours is the clock's */, NULL, channel->cancellable, ping_cb,
      g_rc_box_acquire (channel));
}

/* What the bus itself tells of an event; a publisher's attribute must not pass for it. */
static gboolean
is_ours (const char *name)
{
  return g_str_equal (name, "previous") || g_str_equal (name, "sequence");
}

static GVariant *
describe_attribute (const EbAttribute *attribute)
{
  switch (attribute->kind)
    {
    case EB_ATTRIBUTE_BOOLEAN:
      return g_variant_new_boolean (g_str_equal (attribute->value, "true"));
    case EB_ATTRIBUTE_INTEGER:
      return g_variant_new_int32 ((gint32) g_ascii_strtoll (attribute->value, NULL, 10));
    case EB_ATTRIBUTE_STRING:
    default:
      return g_variant_new_string (attribute->value);
    }
}

static GVariant *
describe_attributes (EbChannel *channel, EbDelivery *delivery, EbEvent *event)
{
  gsize n_attributes;
  const EbAttribute *attributes = eb_event_get_attributes (event, &n_attributes);
  const char *content_type = eb_event_get_media_type (event);
  GVariantBuilder builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);

  if (content_type != NULL) /* which a D-Bus string could not hold, if it is not UTF-8 */
    g_variant_builder_add (&builder, "{sv}", "datacontenttype",
                           g_variant_new_take_string (g_utf8_make_valid (content_type, -1)));
  for (gsize i = 0; i < n_attributes; i++)
    if (!is_ours (attributes[i].name))
      g_variant_builder_add (&builder, "{sv}", attributes[i].name,
                             describe_attribute (&attributes[i]));
  g_variant_builder_add (&builder, "{sv}", "previous", g_variant_new_uint64 (delivery->previous));
  /* The hyphen keeps it apart from every CloudEvents attribute. */
  g_variant_builder_add (&builder, "{sv}", "eventbus-subscription",
                         g_variant_new_string (channel->id));
  return g_variant_builder_end (&builder);
}

static gboolean
emit (EbChannel *channel, EbDelivery *delivery, GError **error)
{
  EbEvent *event = eb_parcel_get_event (delivery->parcel);
  GVariant *data =
      g_variant_new_from_bytes (G_VARIANT_TYPE_BYTESTRING, eb_event_get_data (event), TRUE);

  return g_dbus_connection_emit_signal (
      channel->transport->connection, channel->name, EB_DBUS_PATH, EB_DBUS_INTERFACE, "Event",
      g_variant_new ("(tsss@ay@a{sv})", eb_event_get_sequence (event), eb_event_get_id (event),
                     eb_event_get_event_type (event), eb_event_get_source (event), data,
                     describe_attributes (channel, delivery, event)),
      error);
}

static void
send_waiting (EbChannel *channel)
{
  while (channel->waiting.length > 0 && !is_full (channel))
    {
      g_autoptr (GError) error = NULL;
      EbDelivery *delivery = g_queue_pop_head (&channel->waiting);

      channel->sent_bytes += eb_event_get_charge (eb_parcel_get_event (delivery->parcel));
      g_queue_push_tail (&channel->sent, delivery);
      /* It fails if the connection is closed; then the ping says so, in its own time. */
      if (!emit (channel, delivery, &error))
        g_debug ("Event for D-Bus peer %s: %s", channel->name, error->message);
    }
}

static void
pump (EbChannel *channel)
{
  EbDbusTransport *self = channel->transport;

  if (channel->settling)
    return;
  send_waiting (channel);

  if (is_full (channel))
    {
      if (!eb_deadline_is_set (&channel->patience.deadline))
        eb_deadlines_set (self->deadlines, &channel->patience.deadline, self->settings->timeout);
      if (channel->covered == 0)
        ping (channel);
    }
  else if (channel->sent.length > 0 && channel->covered == 0
           && !eb_deadline_is_set (&channel->lull.deadline))
    eb_deadlines_set (self->deadlines, &channel->lull.deadline, LULL);
}

static void
deadline_cb (EbDeadline *deadline, gpointer user_data)
{
  EbChannel *channel = ((ChannelDeadline *) deadline)->channel;

  if (deadline == &channel->lull.deadline)
    ping (channel);
  else
    give_up (channel, "the peer did not answer a ping in time");
}

static void
eb_dbus_transport_set_answer_func (EbTransport *transport, EbAnswerFunc func, gpointer user_data)
{
  EbDbusTransport *self = EB_DBUS_TRANSPORT (transport);

  self->answer = func;
  self->answer_data = user_data;
}

static void
eb_dbus_transport_configure (EbTransport *transport, EbDeliverySettings *settings)
{
  EbDbusTransport *self = EB_DBUS_TRANSPORT (transport);

  eb_delivery_settings_ref (settings);
  eb_delivery_settings_unref (self->settings);
  self->settings = settings;
}

static EbChannel *
eb_dbus_transport_open (EbTransport *transport, EbSubscription *subscription)
{
  EbChannel *channel = g_rc_box_new0 (EbChannel);

  channel->transport = EB_DBUS_TRANSPORT (transport);
  channel->name = g_strdup (eb_sink_get_host (eb_subscription_get_sink (subscription)));
  channel->id = g_strdup (eb_subscription_get_id (subscription));
  channel->cancellable = g_cancellable_new ();
  channel->lull.channel = channel;
  channel->patience.channel = channel;
  return channel;
}

static void
eb_dbus_transport_send (EbTransport *transport, EbChannel *channel, EbDelivery *delivery)
{
  g_queue_push_tail (&channel->waiting, delivery);
  pump (channel);
}

static void
eb_dbus_transport_close (EbTransport *transport, EbChannel *channel)
{
  EbDbusTransport *self = EB_DBUS_TRANSPORT (transport);

  eb_deadlines_clear (self->deadlines, &channel->lull.deadline);
  eb_deadlines_clear (self->deadlines, &channel->patience.deadline);
  g_queue_clear (&channel->waiting);
  g_queue_clear (&channel->sent);
  channel->transport = NULL;
  g_cancellable_cancel (channel->cancellable);
  channel_unref (channel);
}

static void
eb_dbus_transport_iface_init (EbTransportInterface *iface)
{
  iface->set_answer_func = eb_dbus_transport_set_answer_func;
  iface->configure = eb_dbus_transport_configure;
  iface->open = eb_dbus_transport_open;
  iface->send = eb_dbus_transport_send;
  iface->close = eb_dbus_transport_close;
}

static void
eb_dbus_transport_finalize (GObject *object)
{
  EbDbusTransport *self = EB_DBUS_TRANSPORT (object);

  g_clear_object (&self->connection);
  g_clear_pointer (&self->settings, eb_delivery_settings_unref);
  g_clear_pointer (&self->deadlines, eb_deadlines_free);

  G_OBJECT_CLASS (eb_dbus_transport_parent_class)->finalize (object);
}

static void
eb_dbus_transport_class_init (EbDbusTransportClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = eb_dbus_transport_finalize;
}

static void
eb_dbus_transport_init (EbDbusTransport *self)
{
}

/**
 * eb_dbus_transport_new:
 * @connection: to the bus that the peers are on
 * @clock: what deadlines go by
 * @settings: whose timeout a peer has for reading a full window
 *
 * Returns: (transfer full): a transport for the worker whose context is the thread-default one
 */
EbTransport *
eb_dbus_transport_new (GDBusConnection *connection, EbClock *clock, EbDeliverySettings *settings)
{
  EbDbusTransport *self = g_object_new (EB_TYPE_DBUS_TRANSPORT, NULL);

  self->connection = g_object_ref (connection);
  self->settings = eb_delivery_settings_ref (settings);
  self->deadlines =
      eb_deadlines_new (clock, g_main_context_get_thread_default (), deadline_cb, self);
  return EB_TRANSPORT (self);
}
