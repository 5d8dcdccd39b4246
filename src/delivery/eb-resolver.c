/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-resolver.h"

#include <netdb.h>
#include <string.h>

/* Looks up the names of sinks. GLib's own resolver blocks threads that it shares with everything
 * else that runs in threads, asks anew for every connection, and bounds neither; this one has
 * threads of its own, asks once for all who want the same name, and remembers the answer for a
 * while.
 *
 * Literal addresses and localhost never come here: GResolver answers them by itself.
 *
 * May be used from any thread; answers come in the context that was the asker's thread-default
 * one. What its threads need is shared with them (EbResolverState), so a lookup that hangs in the
 * C library holds up nobody: it outlives the resolver, and the process may exit under it. */

/* A name that hangs takes one of these for as long as the C library tries (10 s and more). */
#define MAX_THREADS 8

/* Lookups that wait or run. More can only mean that the name servers do not answer. */
#define MAX_WAITING 1000

/* Names remembered: enough for 4,096 sinks, all of them by name. */
#define MAX_CACHED 4096

/* An address that changed is found after this; name servers give less than their names' TTLs. */
#define POSITIVE_AGE (30 * G_TIME_SPAN_SECOND)

/* Long enough to answer a burst of deliveries at once, short enough that a name that was just
 * created is found by the next probe. */
#define NEGATIVE_AGE (2 * G_TIME_SPAN_SECOND)

typedef struct
{
  EbClock *clock;      /* (owned) */
  EbLookupFunc lookup; /* runs without the lock */
  gpointer user_data;
  GMutex lock;       /* guards what follows, the names in it, and each Asker's name */
  GHashTable *names; /* (owned) (element-type utf8 EbName) */
  GQueue cached;     /* (element-type EbName) those that were looked up, oldest first */
  guint n_waiting;   /* those that were not yet */
} EbResolverState;

typedef struct
{
  char *name;       /* (owned) in lower case */
  GQueue askers;    /* (element-type GTask) (owned) while it is not looked up; task data: Asker */
  GList link;       /* in cached, once it is looked up */
  GList *addresses; /* (owned) (element-type GInetAddress) */
  GError *error;    /* (owned) (nullable) why there are no addresses */
  gint64 expires_us;
} EbName;

/* Lives with its GTask. */
typedef struct
{
  EbResolverState *state; /* (owned) */
  EbName *name;           /* (unowned) (nullable): NULL once it is answered */
  GResolverNameLookupFlags flags;
  GSource *cancelled; /* (owned) (nullable) */
} Asker;

/* What a thread is given. */
typedef struct
{
  EbResolverState *state; /* (owned) */
  EbName *name;           /* (unowned): stays in the table, as it is not looked up yet */
} Job;

struct _EbResolver
{
  GResolver parent_instance;

  EbResolverState *state; /* (owned) */
  GThreadPool *threads;   /* (owned) (element-type Job) */
};

G_DEFINE_FINAL_TYPE (EbResolver, eb_resolver, G_TYPE_RESOLVER)

static void
free_addresses (GList *addresses)
{
  g_list_free_full (addresses, g_object_unref);
}

static void
name_free (EbName *self)
{
  g_free (self->name);
  free_addresses (self->addresses);
  g_clear_error (&self->error);
  g_free (self);
}

static EbResolverState *
state_new (EbClock *clock, EbLookupFunc lookup, gpointer user_data)
{
  EbResolverState *self = g_atomic_rc_box_new0 (EbResolverState);

  self->clock = g_object_ref (clock);
  self->lookup = lookup;
  self->user_data = user_data;
  g_mutex_init (&self->lock);
  self->names = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify) name_free);
  return self;
}

static void
state_clear (gpointer state)
{
  EbResolverState *self = state;

  g_hash_table_unref (self->names);
  g_mutex_clear (&self->lock);
  g_object_unref (self->clock);
}

static void
state_unref (EbResolverState *self)
{
  g_atomic_rc_box_release_full (self, state_clear);
}

static void
job_free (gpointer data)
{
  Job *job = data;

  state_unref (job->state);
  g_free (job);
}

static void
asker_free (gpointer data)
{
  Asker *asker = data;

  g_clear_pointer (&asker->cancelled, g_source_unref);
  state_unref (asker->state);
  g_free (asker);
}

static GError *
error_from_status (const char *name, int status)
{
  GResolverError code = G_RESOLVER_ERROR_INTERNAL;

  if (status == EAI_NONAME || status == EAI_NODATA)
    code = G_RESOLVER_ERROR_NOT_FOUND;
  else if (status == EAI_AGAIN)
    code = G_RESOLVER_ERROR_TEMPORARY_FAILURE;
  return g_error_new (G_RESOLVER_ERROR, code, "Looking up “%s”: %s", name, gai_strerror (status));
}

static GList *
look_up (const char *name, gpointer user_data, GError **error)
{
  /* Without AI_ADDRCONFIG, which hides ::1 on a machine that has no other IPv6 address. */
  const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
  struct addrinfo *found = NULL;
  GList *addresses = NULL;
  int status = getaddrinfo (name, NULL, &hints, &found);

  if (status != 0)
    {
      g_propagate_error (error, error_from_status (name, status));
      return NULL;
    }
  for (struct addrinfo *i = found; i != NULL; i = i->ai_next)
    {
      g_autoptr (GSocketAddress) address =
          g_socket_address_new_from_native (i->ai_addr, i->ai_addrlen);

      if (G_IS_INET_SOCKET_ADDRESS (address))
        addresses = g_list_prepend (addresses, g_object_ref (g_inet_socket_address_get_address (
                                                   G_INET_SOCKET_ADDRESS (address))));
    }
  freeaddrinfo (found);
  if (addresses == NULL)
    g_propagate_error (error, error_from_status (name, EAI_NODATA));
  return g_list_reverse (addresses);
}

static gboolean
is_wanted (GInetAddress *address, GResolverNameLookupFlags flags)
{
  if (flags & G_RESOLVER_NAME_LOOKUP_FLAGS_IPV4_ONLY)
    return g_inet_address_get_family (address) == G_SOCKET_FAMILY_IPV4;
  if (flags & G_RESOLVER_NAME_LOOKUP_FLAGS_IPV6_ONLY)
    return g_inet_address_get_family (address) == G_SOCKET_FAMILY_IPV6;
  return TRUE;
}

static GList *
copy_wanted (GList *addresses, GResolverNameLookupFlags flags)
{
  GList *copy = NULL;

  for (GList *l = addresses; l != NULL; l = l->next)
    if (is_wanted (l->data, flags))
      copy = g_list_prepend (copy, g_object_ref (l->data));
  return g_list_reverse (copy);
}

/* Completes @task later, in its own context. */
static void
answer (GTask *task, GList *addresses, const GError *error)
{
  Asker *asker = g_task_get_task_data (task);
  GList *wanted = copy_wanted (addresses, asker->flags);

  if (error != NULL)
    g_task_return_error (task, g_error_copy (error));
  else if (wanted == NULL)
    g_task_return_new_error (task, G_RESOLVER_ERROR, G_RESOLVER_ERROR_NOT_FOUND,
                             "The name has no address of the kind that was asked for");
  else
    g_task_return_pointer (task, wanted, (GDestroyNotify) free_addresses);
}

/* With the lock held. */
static void
forget (EbResolverState *state, EbName *name)
{
  if (name->link.data != NULL)
    g_queue_unlink (&state->cached, &name->link);
  else
    state->n_waiting--;
  g_hash_table_remove (state->names, name->name);
}

/* With the lock held: the result is known from here on. */
static void
remember (EbResolverState *state, EbName *name, GList *addresses, GError *error)
{
  name->addresses = addresses;
  name->error = error;
  name->expires_us =
      eb_clock_get_monotonic (state->clock) + (error == NULL ? POSITIVE_AGE : NEGATIVE_AGE);
  name->link.data = name;
  g_queue_push_tail_link (&state->cached, &name->link);
  state->n_waiting--;
  if (state->cached.length > MAX_CACHED)
    forget (state, g_queue_peek_head (&state->cached));
}

/* With the lock held: nobody else answers these any more. */
static GQueue
take_askers (EbName *name)
{
  GQueue askers = name->askers;

  g_queue_init (&name->askers);
  for (GList *l = askers.head; l != NULL; l = l->next)
    ((Asker *) g_task_get_task_data (l->data))->name = NULL;
  return askers;
}

static void
finish_job (Job *job, GList *addresses, GError *error)
{
  GList *copy = copy_wanted (addresses, G_RESOLVER_NAME_LOOKUP_FLAGS_DEFAULT);
  g_autoptr (GError) error_copy = error != NULL ? g_error_copy (error) : NULL;
  GQueue askers;
  GTask *task;

  g_mutex_lock (&job->state->lock);
  askers = take_askers (job->name);
  remember (job->state, job->name, addresses, error);
  g_mutex_unlock (&job->state->lock);

  while ((task = g_queue_pop_head (&askers)) != NULL)
    {
      Asker *asker = g_task_get_task_data (task);

      if (asker->cancelled != NULL)
        g_source_destroy (asker->cancelled);
      answer (task, copy, error_copy);
      g_object_unref (task);
    }
  free_addresses (copy);
}

/* Whether nobody waits for it any more; it is forgotten then. */
static gboolean
is_abandoned (Job *job)
{
  gboolean abandoned;

  g_mutex_lock (&job->state->lock);
  abandoned = job->name->askers.length == 0;
  if (abandoned)
    forget (job->state, job->name);
  g_mutex_unlock (&job->state->lock);
  return abandoned;
}

static void
job_cb (gpointer data, gpointer user_data)
{
  Job *job = data;

  if (!is_abandoned (job))
    {
      GError *error = NULL;
      /* Its name does not change, and it stays in the table until it is remembered. */
      GList *addresses = job->state->lookup (job->name->name, job->state->user_data, &error);

      finish_job (job, addresses, error);
    }
  job_free (job);
}

static gboolean
cancelled_cb (GCancellable *cancellable, gpointer user_data)
{
  GTask *task = user_data;
  Asker *asker = g_task_get_task_data (task);
  gboolean waiting;

  g_mutex_lock (&asker->state->lock);
  waiting = asker->name != NULL && g_queue_remove (&asker->name->askers, task);
  asker->name = NULL;
  g_mutex_unlock (&asker->state->lock);

  if (waiting)
    {
      g_task_return_error_if_cancelled (task);
      g_object_unref (task);
    }
  return G_SOURCE_REMOVE;
}

/* With the lock held. */
static EbName *
lookup_cached (EbResolverState *state, const char *key)
{
  EbName *name = g_hash_table_lookup (state->names, key);

  if (name == NULL || name->link.data == NULL
      || eb_clock_get_monotonic (state->clock) < name->expires_us)
    return name;
  forget (state, name);
  return NULL;
}

/* With the lock held. */
static EbName *
start_lookup (EbResolver *self, const char *key)
{
  EbName *name = g_new0 (EbName, 1);
  Job *job = g_new0 (Job, 1);

  name->name = g_strdup (key);
  g_hash_table_insert (self->state->names, name->name, name);
  self->state->n_waiting++;

  job->state = g_atomic_rc_box_acquire (self->state);
  job->name = name;
  g_thread_pool_push (self->threads, job, NULL);
  return name;
}

/* With the lock held. */
static void
wait_for (GTask *task, EbName *name)
{
  Asker *asker = g_task_get_task_data (task);
  GCancellable *cancellable = g_task_get_cancellable (task);

  asker->name = name;
  g_queue_push_tail (&name->askers, g_object_ref (task));
  if (cancellable != NULL)
    {
      asker->cancelled = g_cancellable_source_new (cancellable);
      g_task_attach_source (task, asker->cancelled, G_SOURCE_FUNC (cancelled_cb));
    }
}

static void
ask (EbResolver *self, const char *key, GTask *task)
{
  EbResolverState *state = self->state;
  EbName *name;

  g_mutex_lock (&state->lock);
  name = lookup_cached (state, key);
  if (name != NULL && name->link.data != NULL)
    answer (task, name->addresses, name->error);
  else if (name == NULL && state->n_waiting >= MAX_WAITING)
    g_task_return_new_error (task, G_RESOLVER_ERROR, G_RESOLVER_ERROR_TEMPORARY_FAILURE,
                             "Looking up “%s”: %d other names are waiting", key, MAX_WAITING);
  else
    wait_for (task, name != NULL ? name : start_lookup (self, key));
  g_mutex_unlock (&state->lock);
}

static void
lookup_by_name_with_flags_async (GResolver *resolver,
                                 const char *hostname,
                                 GResolverNameLookupFlags flags,
                                 GCancellable *cancellable,
                                 GAsyncReadyCallback callback,
                                 gpointer user_data)
{
  EbResolver *self = EB_RESOLVER (resolver);
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);
  g_autofree char *key = g_ascii_strdown (hostname, -1);
  Asker *asker = g_new0 (Asker, 1);

  g_task_set_source_tag (task, lookup_by_name_with_flags_async);
  asker->state = g_atomic_rc_box_acquire (self->state);
  asker->flags = flags;
  g_task_set_task_data (task, asker, asker_free);

  ask (self, key, task);
}

static GList *
lookup_by_name_with_flags_finish (GResolver *resolver, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

static void
lookup_by_name_async (GResolver *resolver,
                      const char *hostname,
                      GCancellable *cancellable,
                      GAsyncReadyCallback callback,
                      gpointer user_data)
{
  lookup_by_name_with_flags_async (resolver, hostname, G_RESOLVER_NAME_LOOKUP_FLAGS_DEFAULT,
                                   cancellable, callback, user_data);
}

static void
result_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GAsyncResult **kept = user_data;

  *kept = g_object_ref (result);
}

static GList *
lookup_by_name_with_flags (GResolver *resolver,
                           const char *hostname,
                           GResolverNameLookupFlags flags,
                           GCancellable *cancellable,
                           GError **error)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GAsyncResult) result = NULL;

  g_main_context_push_thread_default (context);
  lookup_by_name_with_flags_async (resolver, hostname, flags, cancellable, result_cb, &result);
  while (result == NULL)
    g_main_context_iteration (context, TRUE);
  g_main_context_pop_thread_default (context);
  return lookup_by_name_with_flags_finish (resolver, result, error);
}

static GList *
lookup_by_name (GResolver *resolver,
                const char *hostname,
                GCancellable *cancellable,
                GError **error)
{
  return lookup_by_name_with_flags (resolver, hostname, G_RESOLVER_NAME_LOOKUP_FLAGS_DEFAULT,
                                    cancellable, error);
}

static void
eb_resolver_finalize (GObject *object)
{
  EbResolver *self = EB_RESOLVER (object);

  /* At once and without waiting: nobody asks any more, for who does holds a reference. */
  g_thread_pool_free (self->threads, TRUE, FALSE);
  state_unref (self->state);

  G_OBJECT_CLASS (eb_resolver_parent_class)->finalize (object);
}

static void
eb_resolver_class_init (EbResolverClass *klass)
{
  GResolverClass *resolver_class = G_RESOLVER_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = eb_resolver_finalize;

  /* Names to addresses is all that connections need: no services, no records. */
  resolver_class->lookup_by_name = lookup_by_name;
  resolver_class->lookup_by_name_async = lookup_by_name_async;
  resolver_class->lookup_by_name_finish = lookup_by_name_with_flags_finish;
  resolver_class->lookup_by_name_with_flags = lookup_by_name_with_flags;
  resolver_class->lookup_by_name_with_flags_async = lookup_by_name_with_flags_async;
  resolver_class->lookup_by_name_with_flags_finish = lookup_by_name_with_flags_finish;
}

static void
eb_resolver_init (EbResolver *self)
{
}

/**
 * eb_resolver_new:
 * @clock: tells how old an answer is
 * @lookup: (nullable) (scope forever): what finds addresses; NULL for the C library. It may still
 *   be running when the resolver is gone.
 * @user_data: for @lookup
 *
 * Returns: (transfer full): a resolver that remembers nothing yet
 */
GResolver *
eb_resolver_new (EbClock *clock, EbLookupFunc lookup, gpointer user_data)
{
  EbResolver *self = g_object_new (EB_TYPE_RESOLVER, NULL);

  self->state = state_new (clock, lookup != NULL ? lookup : look_up, user_data);
  self->threads = g_thread_pool_new_full (job_cb, NULL, job_free, MAX_THREADS, FALSE, NULL);
  return G_RESOLVER (self);
}
