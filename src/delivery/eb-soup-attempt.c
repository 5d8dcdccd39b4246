/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-soup-attempt.h"

#include <string.h>

#include "delivery/eb-wire-response.h"

/* A session has timeouts for single reads and writes only, so an attempt has deadlines of its own.
 * A session connects by itself, so the address policy is enforced while it does so: GSocketClient
 * tells of every address before it connects to it, at which point closing the socket makes that
 * connect fail. No packet has gone out by then.
 *
 * An attempt is over at once when its time is, or when it is abandoned; what libsoup still has
 * under way for it then ends by its cancellable and finds it without a channel. */

#define CHUNK 4096

static void
attempt_clear (gpointer data)
{
  EbSoupAttempt *self = data;

  g_clear_pointer (&self->settings, eb_delivery_settings_unref);
  g_object_unref (self->cancellable);
  g_free (self->buffer);
  g_free (self->refusal);
}

static void
attempt_unref (gpointer self)
{
  g_rc_box_release_full (self, attempt_clear);
}

/**
 * eb_soup_attempt_new:
 * @deadlines: of eb_soup_attempt_handle_deadline()
 * @ended: (scope async): called once, unless it is abandoned before
 *
 * Returns: (transfer full): an attempt that has not started
 */
EbSoupAttempt *
eb_soup_attempt_new (EbSoupChannel *channel,
                     EbDelivery *delivery,
                     EbDeadlines *deadlines,
                     EbSoupAttemptFunc ended,
                     gpointer user_data)
{
  EbSoupAttempt *self = g_rc_box_new0 (EbSoupAttempt);

  self->channel = channel;
  self->delivery = delivery;
  self->deadlines = deadlines;
  self->ended = ended;
  self->user_data = user_data;
  self->channel_link.data = self->ready_link.data = self;
  self->connect.attempt = self->total.attempt = self;
  self->cancellable = g_cancellable_new ();
  return self;
}

/**
 * eb_soup_attempt_abandon:
 *
 * It is over, whatever comes. It is still to be released.
 */
void
eb_soup_attempt_abandon (EbSoupAttempt *self)
{
  eb_deadlines_clear (self->deadlines, &self->connect.deadline);
  eb_deadlines_clear (self->deadlines, &self->total.deadline);
  self->channel = NULL;
  self->delivery = NULL;
}

/**
 * eb_soup_attempt_release:
 * @self: (transfer full): one that was abandoned
 *
 * Whatever libsoup still does for it ends.
 */
void
eb_soup_attempt_release (EbSoupAttempt *self)
{
  g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->body);
  g_clear_object (&self->message);
  attempt_unref (self);
}

static void
finish (EbSoupAttempt *self, const EbAnswer *answer)
{
  self->ended (self, answer, self->user_data);
}

/**
 * eb_soup_attempt_fail:
 * @what: went wrong
 *
 * It ends without an answer, and says @what, and where.
 */
void
eb_soup_attempt_fail (EbSoupAttempt *self, const char *what)
{
  const EbSink *sink = eb_subscription_get_sink (self->channel->subscription);
  gboolean ipv6 = strchr (eb_sink_get_host (sink), ':') != NULL;
  g_autofree char *reason = g_strdup_printf (ipv6 ? "%s ([%s]:%u)" : "%s (%s:%u)", what,
                                             eb_sink_get_host (sink), eb_sink_get_port (sink));

  finish (self, &(EbAnswer){ .kind = self->sent ? EB_ANSWER_FAILED : EB_ANSWER_UNREACHABLE,
                             .reason = reason });
}

static void
finish_with_error (EbSoupAttempt *self, const GError *error)
{
  g_autofree char *what = eb_soup_message_dup_reason (self->message, error);

  if (self->refusal != NULL && !self->sent)
    eb_soup_attempt_fail (self, self->refusal);
  else if (self->n_interim > EB_MAX_INTERIM_RESPONSES)
    eb_soup_attempt_fail (self, "What it answered has too long a head");
  else
    eb_soup_attempt_fail (self, what);
}

static const char *
get_allowed (EbSoupAttempt *self, SoupMessageHeaders *headers, const char *name)
{
  return eb_delivery_is_question (self->delivery) ? soup_message_headers_get_one (headers, name)
                                                  : NULL;
}

static void
finish_with_response (EbSoupAttempt *self)
{
  g_autoptr (SoupMessage) message = g_object_ref (self->message);
  SoupMessageHeaders *headers = soup_message_get_response_headers (message);

  finish (self,
          &(EbAnswer){ .kind = EB_ANSWER_RESPONSE,
                       .status = soup_message_get_status (message),
                       .retry_after = soup_message_headers_get_one (headers, "Retry-After"),
                       .allowed_origin = get_allowed (self, headers, "WebHook-Allowed-Origin"),
                       .allowed_rate = get_allowed (self, headers, "WebHook-Allowed-Rate") });
}

/**
 * eb_soup_attempt_handle_deadline:
 * @deadline: of an attempt
 *
 * An #EbDeadlineFunc that ends the attempt.
 */
void
eb_soup_attempt_handle_deadline (EbDeadline *deadline, gpointer user_data)
{
  EbSoupAttempt *self = ((EbSoupDeadline *) deadline)->attempt;
  gboolean connecting = deadline == &self->connect.deadline;
  GTimeSpan length = connecting ? self->settings->connect_timeout
                                : eb_soup_channel_get_timeout (self->channel, self->settings);
  g_autofree char *what = NULL;

  if (self->body != NULL)
    {
      finish_with_response (self); /* which is its status: nobody reads the rest */
      return;
    }
  what = g_strdup_printf ("No %s within %g s", self->sent ? "answer" : "connection",
                          (double) length / G_TIME_SPAN_SECOND);
  eb_soup_attempt_fail (self, what);
}

static void
closed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  EbSoupAttempt *self = user_data;

  /* The answer was complete: whether its connection can be used again is libsoup's affair. */
  g_input_stream_close_finish (G_INPUT_STREAM (source), result, NULL);
  if (self->channel != NULL)
    finish_with_response (self);
}

static void read_body (EbSoupAttempt *self);

static void
read_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  EbSoupAttempt *self = user_data;
  g_autoptr (GError) error = NULL;
  gssize n = g_input_stream_read_finish (G_INPUT_STREAM (source), result, &error);

  if (self->channel == NULL)
    return;
  if (n == 0)
    g_input_stream_close_async (self->body, G_PRIORITY_DEFAULT, self->cancellable, closed_cb, self);
  else if (n < 0 || (self->body_size += (gsize) n) >= EB_MAX_RESPONSE_BODY)
    finish_with_response (self); /* which closes the connection under the rest of the body */
  else
    read_body (self);
}

static void
read_body (EbSoupAttempt *self)
{
  g_input_stream_read_async (self->body, self->buffer, CHUNK, G_PRIORITY_DEFAULT, self->cancellable,
                             read_cb, self);
}

static void
sent_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  EbSoupAttempt *self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GInputStream) body = soup_session_send_finish (SOUP_SESSION (source), result, &error);

  if (self->channel == NULL)
    return;
  if (body == NULL)
    {
      finish_with_error (self, error);
      return;
    }
  /* Whoever reads it needs the attempt, which the message keeps. */
  g_object_set_data_full (G_OBJECT (body), "eb-message", g_object_ref (self->message),
                          g_object_unref);
  self->body = g_steal_pointer (&body);
  self->buffer = g_malloc (CHUNK);
  read_body (self);
}

static void
network_event_cb (SoupMessage *message,
                  GSocketClientEvent event,
                  GIOStream *connection,
                  gpointer user_data)
{
  EbSoupAttempt *self = user_data;
  g_autoptr (GSocketAddress) address = NULL;
  g_autoptr (GError) error = NULL;
  GInetSocketAddress *inet;

  if (event != G_SOCKET_CLIENT_CONNECTING || !G_IS_SOCKET_CONNECTION (connection))
    return;
  address = g_socket_connection_get_remote_address (G_SOCKET_CONNECTION (connection), NULL);
  if (G_IS_INET_SOCKET_ADDRESS (address))
    {
      inet = G_INET_SOCKET_ADDRESS (address);
      if (eb_address_policy_check (self->settings->policy, g_inet_socket_address_get_address (inet),
                                   g_inet_socket_address_get_port (inet), &error))
        return;
    }
  g_free (self->refusal);
  self->refusal =
      g_strdup (error != NULL ? error->message : "The address to connect to is not known");
  g_socket_close (g_socket_connection_get_socket (G_SOCKET_CONNECTION (connection)), NULL);
}

static void
starting_cb (SoupMessage *message, gpointer user_data)
{
  EbSoupAttempt *self = user_data;

  self->sent = TRUE;
  if (self->channel != NULL)
    eb_deadlines_clear (self->deadlines, &self->connect.deadline);
}

/* libsoup would read them for ever. */
static void
informational_cb (SoupMessage *message, gpointer user_data)
{
  EbSoupAttempt *self = user_data;

  if (++self->n_interim > EB_MAX_INTERIM_RESPONSES)
    g_cancellable_cancel (self->cancellable);
}

/**
 * eb_soup_attempt_start:
 * @session: where it is sent
 * @settings: are its own until its end
 * @now_us: real time
 */
void
eb_soup_attempt_start (EbSoupAttempt *self,
                       SoupSession *session,
                       EbDeliverySettings *settings,
                       gint64 now_us)
{
  self->settings = eb_delivery_settings_ref (settings);
  self->message =
      eb_soup_channel_create_message (self->channel, self->delivery, settings->origin, now_us);
  g_object_set_data_full (G_OBJECT (self->message), "eb-attempt", g_rc_box_acquire (self),
                          attempt_unref);
  g_signal_connect (self->message, "network-event", G_CALLBACK (network_event_cb), self);
  g_signal_connect (self->message, "starting", G_CALLBACK (starting_cb), self);
  g_signal_connect (self->message, "got-informational", G_CALLBACK (informational_cb), self);
  eb_deadlines_set (self->deadlines, &self->connect.deadline, settings->connect_timeout);
  eb_deadlines_set (self->deadlines, &self->total.deadline,
                    eb_soup_channel_get_timeout (self->channel, settings));
  soup_session_send_async (session, self->message, G_PRIORITY_DEFAULT, self->cancellable, sent_cb,
                           self);
}
