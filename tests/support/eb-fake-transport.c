/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "support/eb-fake-transport.h"

typedef struct
{
  EbFakeBehaviour behaviour; /* when the script is over */
  GArray *script;            /* (owned) (element-type EbFakeBehaviour) of the next deliveries */
  GArray *arrivals;          /* (owned) (element-type EbFakeArrival) */
  guint under_way;
  guint max_under_way;
  GMainContext *context; /* (unowned) (nullable) of the worker that delivers here */
  guint n_requests;
  guint n_questions;
  const char *allowed_origin; /* (nullable) what it answers to questions */
  const char *allowed_rate;   /* (nullable) */
  GQueue kept;                /* (element-type EbDelivery) */
  GQueue kept_for_503;        /* (element-type EbDelivery) likewise, to be refused in the end */
  EbTransport *transport;     /* (unowned) (nullable) of that worker */
} Sink;

struct _EbFakeSinks
{
  GMutex lock;
  GHashTable *sinks;  /* (owned) (element-type utf8 Sink) by URI */
  EbFakeIsOff is_off; /* (nullable) */
  gpointer is_off_data;
};

#define EB_TYPE_FAKE_TRANSPORT (eb_fake_transport_get_type ())
G_DECLARE_FINAL_TYPE (EbFakeTransport, eb_fake_transport, EB, FAKE_TRANSPORT, GObject)

struct _EbFakeTransport
{
  GObject parent_instance;

  EbFakeSinks *sinks; /* (unowned) */
  EbAnswerFunc answer;
  gpointer user_data;
};

struct _EbChannel
{
  char *uri;      /* (owned) */
  GQueue answers; /* (element-type GSource) that are to come */
};

typedef struct
{
  EbFakeTransport *transport; /* (unowned) */
  EbChannel *channel;         /* (unowned) */
  EbDelivery *delivery;       /* (unowned) */
  EbFakeBehaviour behaviour;
} Answer;

static void eb_fake_transport_iface_init (EbTransportInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (EbFakeTransport,
                               eb_fake_transport,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (EB_TYPE_TRANSPORT,
                                                      eb_fake_transport_iface_init))

static void
sink_free (Sink *sink)
{
  g_array_unref (sink->script);
  g_array_unref (sink->arrivals);
  g_queue_clear (&sink->kept);
  g_queue_clear (&sink->kept_for_503);
  g_free (sink);
}

static void
arrival_clear (EbFakeArrival *arrival)
{
  eb_event_unref (arrival->event);
}

/* With the lock held. */
static Sink *
get_sink (EbFakeSinks *self, const char *uri)
{
  Sink *sink = g_hash_table_lookup (self->sinks, uri);

  if (sink == NULL)
    {
      sink = g_new0 (Sink, 1);
      sink->script = g_array_new (FALSE, FALSE, sizeof (EbFakeBehaviour));
      sink->arrivals = g_array_new (FALSE, FALSE, sizeof (EbFakeArrival));
      g_array_set_clear_func (sink->arrivals, (GDestroyNotify) arrival_clear);
      g_hash_table_insert (self->sinks, g_strdup (uri), sink);
    }
  return sink;
}

EbFakeSinks *
eb_fake_sinks_new (void)
{
  EbFakeSinks *self = g_new0 (EbFakeSinks, 1);

  g_mutex_init (&self->lock);
  self->sinks = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) sink_free);
  return self;
}

void
eb_fake_sinks_free (EbFakeSinks *self)
{
  g_hash_table_unref (self->sinks);
  g_mutex_clear (&self->lock);
  g_free (self);
}

/**
 * eb_fake_sinks_cut_off:
 * @is_off: (nullable): as long as it says so, deliveries arrive nowhere and are never answered
 *
 * To be called before the first delivery.
 */
void
eb_fake_sinks_cut_off (EbFakeSinks *self, EbFakeIsOff is_off, gpointer user_data)
{
  self->is_off = is_off;
  self->is_off_data = user_data;
}

void
eb_fake_sinks_set (EbFakeSinks *self, const char *uri, EbFakeBehaviour behaviour)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  get_sink (self, uri)->behaviour = behaviour;
}

/**
 * eb_fake_sinks_script:
 * @behaviours: (array length=n_behaviours): what the sink does with the next deliveries, one after
 *   the other, before it behaves as eb_fake_sinks_set() says
 */
void
eb_fake_sinks_script (EbFakeSinks *self,
                      const char *uri,
                      const EbFakeBehaviour *behaviours,
                      guint n_behaviours)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  g_array_append_vals (get_sink (self, uri)->script, behaviours, n_behaviours);
}

/**
 * eb_fake_sinks_heal:
 *
 * From now on the sink takes everything, whatever its script says.
 */
void
eb_fake_sinks_heal (EbFakeSinks *self, const char *uri)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  Sink *sink = get_sink (self, uri);

  g_array_set_size (sink->script, 0);
  sink->behaviour = EB_FAKE_TAKE;
}

/* With the lock held. */
static EbFakeBehaviour
next_behaviour (Sink *sink)
{
  EbFakeBehaviour behaviour = sink->behaviour;

  if (sink->script->len > 0)
    {
      behaviour = g_array_index (sink->script, EbFakeBehaviour, 0);
      g_array_remove_index (sink->script, 0);
    }
  return behaviour;
}

/**
 * eb_fake_sinks_set_consent:
 * @allowed_origin: (nullable): what the sink answers when it is asked whether it wants deliveries;
 *   valid for ever
 * @allowed_rate: (nullable): likewise
 */
void
eb_fake_sinks_set_consent (EbFakeSinks *self,
                           const char *uri,
                           const char *allowed_origin,
                           const char *allowed_rate)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  get_sink (self, uri)->allowed_origin = allowed_origin;
  get_sink (self, uri)->allowed_rate = allowed_rate;
}

guint
eb_fake_sinks_count_questions (EbFakeSinks *self, const char *uri)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return get_sink (self, uri)->n_questions;
}

guint
eb_fake_sinks_count (EbFakeSinks *self, const char *uri)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return get_sink (self, uri)->arrivals->len;
}

EbFakeArrival
eb_fake_sinks_get (EbFakeSinks *self, const char *uri, guint index)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  Sink *sink = get_sink (self, uri);

  g_assert_cmpuint (index, <, sink->arrivals->len);
  return g_array_index (sink->arrivals, EbFakeArrival, index);
}

guint
eb_fake_sinks_max_under_way (EbFakeSinks *self, const char *uri)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return get_sink (self, uri)->max_under_way;
}

static gboolean
answer_cb (gpointer user_data)
{
  static const EbAnswer answers[] = {
    [EB_FAKE_TAKE] = { EB_ANSWER_RESPONSE, 200, NULL, NULL },
    [EB_FAKE_KEEP] = { EB_ANSWER_RESPONSE, 200, NULL, NULL },
    [EB_FAKE_KEEP_FOR_503] = { EB_ANSWER_RESPONSE, 503, NULL, NULL },
    [EB_FAKE_UNREACHABLE] = { EB_ANSWER_UNREACHABLE, 0, NULL, "fake: unreachable" },
    [EB_FAKE_BREAK] = { EB_ANSWER_FAILED, 0, NULL, "fake: broken" },
    [EB_FAKE_ANSWER_500] = { EB_ANSWER_RESPONSE, 500, NULL, NULL },
    [EB_FAKE_ANSWER_503] = { EB_ANSWER_RESPONSE, 503, NULL, NULL },
    [EB_FAKE_ANSWER_429_FOR_30_S] = { EB_ANSWER_RESPONSE, 429, "30", NULL },
    [EB_FAKE_ANSWER_410] = { EB_ANSWER_RESPONSE, 410, NULL, NULL },
    [EB_FAKE_GONE] = { EB_ANSWER_GONE, 0, NULL, "fake: gone" },
  };
  const Answer *answer = user_data;
  EbFakeTransport *self = answer->transport;
  EbAnswer said = answers[answer->behaviour];
  Sink *sink;

  g_queue_remove (&answer->channel->answers, g_main_current_source ());
  g_mutex_lock (&self->sinks->lock);
  sink = get_sink (self->sinks, answer->channel->uri);
  if (eb_delivery_is_question (answer->delivery))
    {
      said.allowed_origin = sink->allowed_origin;
      said.allowed_rate = sink->allowed_rate;
    }
  else
    sink->under_way--;
  g_mutex_unlock (&self->sinks->lock);
  self->answer (answer->delivery, &said, self->user_data);
  return G_SOURCE_REMOVE;
}

static void
answer_soon (EbFakeTransport *self,
             EbChannel *channel,
             EbDelivery *delivery,
             EbFakeBehaviour behaviour)
{
  const Answer answer = { self, channel, delivery, behaviour };
  GSource *source = g_idle_source_new ();

  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, answer_cb, g_memdup2 (&answer, sizeof answer), g_free);
  g_source_attach (source, g_main_context_get_thread_default ());
  g_queue_push_tail (&channel->answers, source);
  g_source_unref (source);
}

/* With the lock held. */
static void
note_arrivals (Sink *sink, const EbDelivery *delivery, EbFakeBehaviour behaviour)
{
  sink->n_requests++;
  for (guint i = 0; i < eb_delivery_get_size (delivery); i++)
    {
      EbEvent *event = eb_parcel_get_event (eb_delivery_get_parcel (delivery, i));
      EbFakeArrival arrival = { .sequence = eb_event_get_sequence (event),
                                .previous = eb_delivery_get_previous (delivery, i),
                                .attempt = delivery->attempt,
                                .request = sink->n_requests,
                                .behaviour = behaviour,
                                .event = eb_event_ref (event) };

      g_array_append_val (sink->arrivals, arrival);
    }
}

static void
fake_ask (EbFakeTransport *self, EbChannel *channel, EbDelivery *question)
{
  Sink *sink;

  g_mutex_lock (&self->sinks->lock);
  sink = get_sink (self->sinks, channel->uri);
  sink->n_questions++;
  g_mutex_unlock (&self->sinks->lock);
  answer_soon (self, channel, question, EB_FAKE_TAKE);
  g_main_context_wakeup (NULL);
}

static void
fake_send (EbTransport *transport, EbChannel *channel, EbDelivery *delivery)
{
  EbFakeTransport *self = EB_FAKE_TRANSPORT (transport);
  EbFakeBehaviour behaviour;
  Sink *sink;

  delivery->transport_data = channel;
  if (self->sinks->is_off != NULL && self->sinks->is_off (self->sinks->is_off_data))
    return;
  if (eb_delivery_is_question (delivery))
    {
      fake_ask (self, channel, delivery);
      return;
    }
  g_mutex_lock (&self->sinks->lock);
  sink = get_sink (self->sinks, channel->uri);
  behaviour = next_behaviour (sink);
  note_arrivals (sink, delivery, behaviour);
  sink->under_way++;
  sink->max_under_way = MAX (sink->max_under_way, sink->under_way);
  sink->context = g_main_context_get_thread_default ();
  sink->transport = transport;
  if (behaviour == EB_FAKE_KEEP)
    g_queue_push_tail (&sink->kept, delivery);
  else if (behaviour == EB_FAKE_KEEP_FOR_503)
    g_queue_push_tail (&sink->kept_for_503, delivery);
  g_mutex_unlock (&self->sinks->lock);

  if (behaviour != EB_FAKE_KEEP && behaviour != EB_FAKE_KEEP_FOR_503)
    answer_soon (self, channel, delivery, behaviour);
  g_main_context_wakeup (NULL);
}

typedef struct
{
  EbFakeSinks *sinks;
  char *uri; /* (owned) */
} Release;

static void
release_free (gpointer user_data)
{
  Release *release = user_data;

  g_free (release->uri);
  g_free (release);
}

static gboolean
release_cb (gpointer user_data)
{
  const Release *release = user_data;
  EbFakeSinks *self = release->sinks;
  EbDelivery *delivery;
  Sink *sink;

  g_mutex_lock (&self->lock);
  sink = get_sink (self, release->uri);
  while ((delivery = g_queue_pop_head (&sink->kept)) != NULL)
    answer_soon (EB_FAKE_TRANSPORT (sink->transport), delivery->transport_data, delivery,
                 EB_FAKE_TAKE);
  while ((delivery = g_queue_pop_head (&sink->kept_for_503)) != NULL)
    answer_soon (EB_FAKE_TRANSPORT (sink->transport), delivery->transport_data, delivery,
                 EB_FAKE_KEEP_FOR_503);
  g_mutex_unlock (&self->lock);
  return G_SOURCE_REMOVE;
}

/**
 * eb_fake_sinks_release:
 * @uri: of a sink that keeps at least one delivery: takes it, or refuses it if it keeps it for
 *   that, and takes every later one; if the subscription has ended, it keeps nothing any more
 */
void
eb_fake_sinks_release (EbFakeSinks *self, const char *uri)
{
  g_autoptr (GMainContext) context = NULL;
  Release *release;

  g_mutex_lock (&self->lock);
  get_sink (self, uri)->behaviour = EB_FAKE_TAKE;
  if (get_sink (self, uri)->context != NULL)
    context = g_main_context_ref (get_sink (self, uri)->context);
  g_mutex_unlock (&self->lock);
  if (context == NULL)
    return;
  release = g_new (Release, 1);
  release->sinks = self;
  release->uri = g_strdup (uri);
  g_main_context_invoke_full (context, G_PRIORITY_DEFAULT, release_cb, release, release_free);
}

static void
fake_set_answer_func (EbTransport *transport, EbAnswerFunc func, gpointer user_data)
{
  EbFakeTransport *self = EB_FAKE_TRANSPORT (transport);

  self->answer = func;
  self->user_data = user_data;
}

static void
fake_configure (EbTransport *transport, EbDeliverySettings *settings)
{
}

static EbChannel *
fake_open (EbTransport *transport, EbSubscription *subscription)
{
  EbChannel *channel = g_new0 (EbChannel, 1);

  channel->uri = g_strdup (eb_sink_get_uri (eb_subscription_get_sink (subscription)));
  return channel;
}

static void
fake_close (EbTransport *transport, EbChannel *channel)
{
  EbFakeTransport *self = EB_FAKE_TRANSPORT (transport);
  GSource *source;
  Sink *sink;

  g_mutex_lock (&self->sinks->lock);
  sink = get_sink (self->sinks, channel->uri);
  g_queue_clear (&sink->kept);
  g_queue_clear (&sink->kept_for_503);
  if (sink->transport == transport)
    {
      sink->transport = NULL;
      sink->context = NULL;
    }
  g_mutex_unlock (&self->sinks->lock);
  while ((source = g_queue_pop_head (&channel->answers)) != NULL)
    g_source_destroy (source);
  g_free (channel->uri);
  g_free (channel);
}

static void
eb_fake_transport_iface_init (EbTransportInterface *iface)
{
  iface->set_answer_func = fake_set_answer_func;
  iface->configure = fake_configure;
  iface->open = fake_open;
  iface->send = fake_send;
  iface->close = fake_close;
}

static void
eb_fake_transport_class_init (EbFakeTransportClass *klass)
{
}

static void
eb_fake_transport_init (EbFakeTransport *self)
{
}

EbTransport *
eb_fake_transport_create (EbSinkKind kind,
                          GMainContext *context,
                          EbDeliverySettings *settings,
                          gpointer user_data)
{
  EbFakeTransport *self = g_object_new (EB_TYPE_FAKE_TRANSPORT, NULL);

  self->sinks = user_data;
  return EB_TRANSPORT (self);
}
