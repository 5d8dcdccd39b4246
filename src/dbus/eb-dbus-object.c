/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "dbus/eb-dbus-object.h"

#include <string.h>

#include "core/eb-error.h"
#include "dbus/eb-dbus-attributes.h"
#include "dbus/eb-dbus-calls.h"
#include "dbus/eb-dbus-error.h"

/* The exported object: each method is a use case of the bus, each property one of its counts.
 * Lives in the main thread. */
struct _EbDbusObject
{
  EbDbusEventBusSkeleton parent_instance;

  EbBus *bus;                         /* (owned) */
  EbDbusSubscriptions *subscriptions; /* (owned) */
  EbDbusCalls *calls;                 /* (owned) */
  GDBusInterfaceVTable vtable;        /* the skeleton's, with handle_call() in front */
  gboolean closed;                    /* takes no more calls */
};

enum
{
  PROP_0,
  PROP_VERSION,
  PROP_SUBSCRIPTIONS,
  PROP_PUBLISHED,
  PROP_DELIVERED,
  PROP_FAILED,
  PROP_FAILED_ATTEMPTS,
  PROP_LOST,
  PROP_HEAD,
};

/* What SendText() and PublishText() send. */
#define TEXT_TYPE "text/plain; charset=utf-8"

static void eb_dbus_object_iface_init (EbDbusEventBusIface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (EbDbusObject,
                               eb_dbus_object,
                               EB_DBUS_TYPE_EVENT_BUS_SKELETON,
                               G_IMPLEMENT_INTERFACE (EB_DBUS_TYPE_EVENT_BUS,
                                                      eb_dbus_object_iface_init))

typedef struct _Call Call;

struct _Call
{
  EbDbusEventBus *object;            /* (owned) */
  GDBusMethodInvocation *invocation; /* (owned): the answer takes it */
  GPtrArray *drafts;                 /* (owned) (nullable) (element-type EbDraft) */
  void (*reply) (Call *call, GArray *receipts);
};

static Call *
call_new (EbDbusEventBus *object, GDBusMethodInvocation *invocation)
{
  Call *call = g_new0 (Call, 1);

  call->object = g_object_ref (object);
  call->invocation = invocation;
  return call;
}

static void
call_free (Call *call)
{
  g_object_unref (call->object);
  g_clear_pointer (&call->drafts, g_ptr_array_unref);
  g_free (call);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Call, call_free)

static void
registered_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Call) call = user_data;
  g_autoptr (GError) error = NULL;

  if (eb_bus_register_finish (EB_BUS (source), result, &error))
    eb_dbus_event_bus_complete_register_and_keep_alive (call->object, call->invocation);
  else
    eb_dbus_return_error (call->invocation, error);
}

static gboolean
handle_register_and_keep_alive (EbDbusEventBus *object,
                                GDBusMethodInvocation *invocation,
                                const char *address)
{
  eb_bus_register_async (EB_DBUS_OBJECT (object)->bus, address, registered_cb,
                         call_new (object, invocation));
  return TRUE;
}

static void
deregistered_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Call) call = user_data;
  g_autoptr (GError) error = NULL;

  if (eb_bus_deregister_finish (EB_BUS (source), result, &error))
    eb_dbus_event_bus_complete_deregister (call->object, call->invocation);
  else
    eb_dbus_return_error (call->invocation, error);
}

static gboolean
handle_deregister (EbDbusEventBus *object, GDBusMethodInvocation *invocation, const char *address)
{
  eb_bus_deregister_async (EB_DBUS_OBJECT (object)->bus, address, deregistered_cb,
                           call_new (object, invocation));
  return TRUE;
}

static gboolean
handle_list_subscribers (EbDbusEventBus *object, GDBusMethodInvocation *invocation)
{
  g_autoptr (GPtrArray) subscribers = eb_bus_list_subscribers (EB_DBUS_OBJECT (object)->bus);
  GVariantBuilder builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a(sx)"));

  for (guint i = 0; i < subscribers->len; i++)
    {
      const EbSubscriber *subscriber = g_ptr_array_index (subscribers, i);

      g_variant_builder_add (&builder, "(sx)", subscriber->label,
                             subscriber->renewed_us / G_USEC_PER_SEC);
    }
  eb_dbus_event_bus_complete_list_subscribers (object, invocation,
                                               g_variant_builder_end (&builder));
  return TRUE;
}

static void
reply_nothing (Call *call, GArray *receipts)
{
  g_dbus_method_invocation_return_value (call->invocation, NULL);
}

static void
reply_receipt (Call *call, GArray *receipts)
{
  const EbDraft *draft = g_ptr_array_index (call->drafts, 0);

  g_dbus_method_invocation_return_value (
      call->invocation,
      g_variant_new ("(st)", draft->id, g_array_index (receipts, EbReceipt, 0).sequence));
}

static void
published_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Call) call = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) receipts = eb_bus_publish_finish (EB_BUS (source), result, &error);

  if (receipts != NULL)
    call->reply (call, receipts);
  else
    eb_dbus_return_error (call->invocation, error);
}

typedef struct
{
  const char *type; /* (nullable) for the bus's default */
  GBytes *data;
  GVariant *attributes;     /* (nullable) of type a{sv} */
  const char *content_type; /* (nullable) unless the attributes have one */
} Message;

static EbDraft *
make_draft (const Message *message, GError **error)
{
  g_autoptr (EbDraft) draft = eb_draft_new (message->data);

  if (message->type != NULL && !eb_draft_set (draft, "type", message->type, error))
    return NULL;
  if (message->attributes != NULL && !eb_dbus_attributes_apply (message->attributes, draft, error))
    return NULL;
  if (message->content_type != NULL && draft->content_type == NULL
      && !eb_draft_set (draft, "datacontenttype", message->content_type, error))
    return NULL;
  return g_steal_pointer (&draft);
}

/* What every method that publishes comes to. */
static gboolean
publish (EbDbusEventBus *object,
         GDBusMethodInvocation *invocation,
         const Message *message,
         void (*reply) (Call *call, GArray *receipts))
{
  g_autoptr (GError) error = NULL;
  EbDraft *draft = make_draft (message, &error);
  Call *call;

  if (draft == NULL)
    {
      eb_dbus_return_error (invocation, error);
      return TRUE;
    }

  call = call_new (object, invocation);
  call->drafts = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_draft_free);
  g_ptr_array_add (call->drafts, draft);
  call->reply = reply;
  eb_bus_publish_async (EB_DBUS_OBJECT (object)->bus, call->drafts, published_cb, call);
  return TRUE;
}

static gboolean
handle_send_message (EbDbusEventBus *object, GDBusMethodInvocation *invocation, GVariant *bytes)
{
  g_autoptr (GBytes) data = g_variant_get_data_as_bytes (bytes);
  const Message message = { .data = data };

  return publish (object, invocation, &message, reply_nothing);
}

static gboolean
handle_send_text (EbDbusEventBus *object, GDBusMethodInvocation *invocation, const char *text)
{
  g_autoptr (GBytes) data = g_bytes_new (text, strlen (text));
  const Message message = { .data = data, .content_type = TEXT_TYPE };

  return publish (object, invocation, &message, reply_nothing);
}

static gboolean
handle_publish (EbDbusEventBus *object,
                GDBusMethodInvocation *invocation,
                const char *type,
                GVariant *bytes,
                GVariant *attributes)
{
  g_autoptr (GBytes) data = g_variant_get_data_as_bytes (bytes);
  const Message message = { .type = type, .data = data, .attributes = attributes };

  return publish (object, invocation, &message, reply_receipt);
}

static gboolean
handle_publish_text (EbDbusEventBus *object,
                     GDBusMethodInvocation *invocation,
                     const char *type,
                     const char *text,
                     GVariant *attributes)
{
  g_autoptr (GBytes) data = g_bytes_new (text, strlen (text));
  const Message message = {
    .type = type, .data = data, .attributes = attributes, .content_type = TEXT_TYPE
  };

  return publish (object, invocation, &message, reply_receipt);
}

static gboolean
handle_subscribe (EbDbusEventBus *object,
                  GDBusMethodInvocation *invocation,
                  const char *const *types,
                  GVariant *options)
{
  eb_dbus_subscriptions_subscribe (EB_DBUS_OBJECT (object)->subscriptions, object, invocation,
                                   types, options);
  return TRUE;
}

static gboolean
handle_unsubscribe (EbDbusEventBus *object, GDBusMethodInvocation *invocation, const char *id)
{
  eb_dbus_subscriptions_unsubscribe (EB_DBUS_OBJECT (object)->subscriptions, object, invocation,
                                     id);
  return TRUE;
}

static void
eb_dbus_object_iface_init (EbDbusEventBusIface *iface)
{
  iface->handle_register_and_keep_alive = handle_register_and_keep_alive;
  iface->handle_deregister = handle_deregister;
  iface->handle_list_subscribers = handle_list_subscribers;
  iface->handle_send_message = handle_send_message;
  iface->handle_send_text = handle_send_text;
  iface->handle_publish = handle_publish;
  iface->handle_publish_text = handle_publish_text;
  iface->handle_subscribe = handle_subscribe;
  iface->handle_unsubscribe = handle_unsubscribe;
}

static GDBusInterfaceVTable *
get_skeleton_vtable (GDBusInterfaceSkeleton *skeleton)
{
  return G_DBUS_INTERFACE_SKELETON_CLASS (eb_dbus_object_parent_class)->get_vtable (skeleton);
}

/* Runs before every method. GDBus would have authorize-method for that, but emits it in a pool of
 * threads, after which a caller's calls arrive in any order. */
static void
handle_call (GDBusConnection *connection,
             const char *sender,
             const char *path,
             const char *interface,
             const char *method,
             GVariant *parameters,
             GDBusMethodInvocation *invocation,
             gpointer user_data)
{
  EbDbusObject *self = EB_DBUS_OBJECT (user_data);
  g_autoptr (GError) error = NULL;

  if (self->closed)
    error = g_error_new_literal (EB_ERROR, EB_ERROR_CLOSED, "The bus is shutting down");
  else if (eb_dbus_calls_begin (self->calls, invocation, &error))
    {
      get_skeleton_vtable (G_DBUS_INTERFACE_SKELETON (self))
          ->method_call (connection, sender, path, interface, method, parameters, invocation,
                         user_data);
      return;
    }

  eb_dbus_return_error (invocation, error);
}

static GDBusInterfaceVTable *
eb_dbus_object_get_vtable (GDBusInterfaceSkeleton *skeleton)
{
  return &EB_DBUS_OBJECT (skeleton)->vtable;
}

static void
eb_dbus_object_get_property (GObject *object, guint property_id, GValue *value, GParamSpec *pspec)
{
  EbBusStats stats;

  eb_bus_get_stats (EB_DBUS_OBJECT (object)->bus, &stats);
  switch (property_id)
    {
    case PROP_VERSION:
      g_value_set_static_string (value, PACKAGE_VERSION);
      break;
    case PROP_SUBSCRIPTIONS:
      g_value_set_uint (value, stats.subscriptions);
      break;
    case PROP_PUBLISHED:
      g_value_set_uint64 (value, stats.published);
      break;
    case PROP_DELIVERED:
      g_value_set_uint64 (value, stats.delivered);
      break;
    case PROP_FAILED:
      g_value_set_uint64 (value, stats.dead);
      break;
    case PROP_FAILED_ATTEMPTS:
      g_value_set_uint64 (value, stats.failed);
      break;
    case PROP_LOST:
      g_value_set_uint64 (value, stats.lost);
      break;
    case PROP_HEAD:
      g_value_set_uint64 (value, stats.head);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, property_id, pspec);
    }
}

/* The interface declares them writable for the skeleton that stores them; this one does not. */
static void
eb_dbus_object_set_property (GObject *object,
                             guint property_id,
                             const GValue *value,
                             GParamSpec *pspec)
{
  G_OBJECT_WARN_INVALID_PROPERTY_ID (object, property_id, pspec);
}

static void
eb_dbus_object_finalize (GObject *object)
{
  EbDbusObject *self = EB_DBUS_OBJECT (object);

  g_clear_pointer (&self->calls, eb_dbus_calls_unref);
  g_clear_object (&self->subscriptions);
  g_clear_object (&self->bus);

  G_OBJECT_CLASS (eb_dbus_object_parent_class)->finalize (object);
}

static void
eb_dbus_object_class_init (EbDbusObjectClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->finalize = eb_dbus_object_finalize;
  object_class->get_property = eb_dbus_object_get_property;
  object_class->set_property = eb_dbus_object_set_property;
  G_DBUS_INTERFACE_SKELETON_CLASS (klass)->get_vtable = eb_dbus_object_get_vtable;

  g_object_class_override_property (object_class, PROP_VERSION, "version");
  g_object_class_override_property (object_class, PROP_SUBSCRIPTIONS, "subscriptions");
  g_object_class_override_property (object_class, PROP_PUBLISHED, "published");
  g_object_class_override_property (object_class, PROP_DELIVERED, "delivered");
  g_object_class_override_property (object_class, PROP_FAILED, "failed");
  g_object_class_override_property (object_class, PROP_FAILED_ATTEMPTS, "failed-attempts");
  g_object_class_override_property (object_class, PROP_LOST, "lost");
  g_object_class_override_property (object_class, PROP_HEAD, "head");
}

static void
eb_dbus_object_init (EbDbusObject *self)
{
  self->calls = eb_dbus_calls_new ();
  self->vtable = *get_skeleton_vtable (G_DBUS_INTERFACE_SKELETON (self));
  self->vtable.method_call = handle_call;
}

/**
 * eb_dbus_object_new:
 * @subscriptions: what Subscribe() adds to
 *
 * Returns: (transfer full): an object that is not exported yet
 */
EbDbusObject *
eb_dbus_object_new (EbBus *bus, EbDbusSubscriptions *subscriptions)
{
  EbDbusObject *self = g_object_new (EB_TYPE_DBUS_OBJECT, NULL);

  self->bus = g_object_ref (bus);
  self->subscriptions = g_object_ref (subscriptions);
  return self;
}

/**
 * eb_dbus_object_close:
 *
 * Every call from now on is answered with %EB_ERROR_CLOSED; those under way go on.
 */
void
eb_dbus_object_close (EbDbusObject *self)
{
  self->closed = TRUE;
}
