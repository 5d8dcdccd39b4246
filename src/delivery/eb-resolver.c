/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-resolver.h"

#include <netdb.h>

#include "delivery/eb-lookup-plan.h"

/* Looks up the names of sinks. GLib's own resolver blocks threads that it shares with everything
 * else that runs in threads, asks anew for every connection, and bounds neither; this one has
 * threads of its own, made when they are needed and ended when they are not, asks once for all who
 * want the same name, and remembers the answer for a while. EbLookupPlan says which lookup may take
 * a thread when, so that names that hang leave some to the others.
 *
 * Literal addresses and localhost never come here: GResolver answers them by itself.
 *
 * May be used from any thread; answers come in the context that was the asker's thread-default
 * one. What its threads need is shared with them (EbResolverState), so a lookup that hangs in the
 * C library holds up nobody: it outlives the resolver, and the process may exit under it. */

typedef struct
{
  EbClock *clock;      /* (owned) */
  EbLookupFunc lookup; /* runs without the lock */
  gpointer user_data;
  GMutex lock;        /* guards the plan, what is in it, and each Asker's lookup */
  EbLookupPlan *plan; /* (owned) its lookups' askers are GTasks; (owned); task data: Asker */
} EbResolverState;

/* Lives with its GTask. */
typedef struct
{
  EbResolverState *state; /* (owned) */
  EbLookup *lookup;       /* (unowned) (nullable): NULL once it is answered */
  GResolverNameLookupFlags flags;
  GSource *cancelled; /* (owned) (nullable) */
} Asker;

/* What a thread is given. */
typedef struct
{
  EbResolverState *state; /* (owned) */
  EbLookup *lookup;       /* (unowned) started: stays until it is finished */
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

static EbResolverState *
state_new (EbClock *clock, EbLookupFunc lookup, gpointer user_data)
{
  EbResolverState *self = g_atomic_rc_box_new0 (EbResolverState);

  self->clock = g_object_ref (clock);
  self->lookup = lookup;
  self->user_data = user_data;
  g_mutex_init (&self->lock);
  self->plan = eb_lookup_plan_new ();
  return self;
}

static void
state_clear (gpointer state)
{
  EbResolverState *self = state;

  eb_lookup_plan_free (self->plan);
  g_mutex_clear (&self->lock);
  g_object_unref (self->clock);
}

static void
state_unref (EbResolverState *self)
{
  g_atomic_rc_box_release_full (self, state_clear);
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

/* With the lock held: nobody else answers these any more. */
static GQueue
take_askers (EbLookup *lookup)
{
  GQueue askers = lookup->askers;

  g_queue_init (&lookup->askers);
  for (GList *l = askers.head; l != NULL; l = l->next)
    ((Asker *) g_task_get_task_data (l->data))->lookup = NULL;
  return askers;
}

static void
answer_all (GQueue *askers, GList *addresses, const GError *error)
{
  GTask *task;

  while ((task = g_queue_pop_head (askers)) != NULL)
    {
      Asker *asker = g_task_get_task_data (task);

      if (asker->cancelled != NULL)
        g_source_destroy (asker->cancelled);
      answer (task, addresses, error);
      g_object_unref (task);
    }
}

/* Returns what the thread is to look up next, if there is something. */
static EbLookup *
finish (EbResolverState *state, EbLookup *lookup, GList *addresses, GError *error)
{
  /* Another thread may forget what is remembered as soon as the lock is free. */
  GList *copy = copy_wanted (addresses, G_RESOLVER_NAME_LOOKUP_FLAGS_DEFAULT);
  g_autoptr (GError) error_copy = error != NULL ? g_error_copy (error) : NULL;
  EbLookup *next;
  GQueue askers;
  gint64 now_us;

  g_mutex_lock (&state->lock);
  now_us = eb_clock_get_monotonic (state->clock);
  askers = take_askers (lookup);
  eb_lookup_plan_finish (state->plan, lookup, addresses, error, now_us);
  next = eb_lookup_plan_start_next (state->plan, now_us);
  g_mutex_unlock (&state->lock);

  answer_all (&askers, copy, error_copy);
  free_addresses (copy);
  return next;
}

static void
job_cb (gpointer data, gpointer user_data)
{
  Job *job = data;

  while (job->lookup != NULL)
    {
      GError *error = NULL;
      GList *addresses = job->state->lookup (job->lookup->name, job->state->user_data, &error);

      job->lookup = finish (job->state, job->lookup, addresses, error);
    }
  state_unref (job->state);
  g_free (job);
}

static gboolean
cancelled_cb (GCancellable *cancellable, gpointer user_data)
{
  GTask *task = user_data;
  Asker *asker = g_task_get_task_data (task);
  EbLookup *lookup;

  g_mutex_lock (&asker->state->lock);
  lookup = g_steal_pointer (&asker->lookup);
  if (lookup != NULL)
    {
      g_queue_remove (&lookup->askers, task);
      if (g_queue_is_empty (&lookup->askers))
        eb_lookup_plan_abandon (asker->state->plan, lookup);
    }
  g_mutex_unlock (&asker->state->lock);

  if (lookup != NULL)
    {
      g_task_return_error_if_cancelled (task);
      g_object_unref (task);
    }
  return G_SOURCE_REMOVE;
}

/* With the lock held: gives what may be looked up now, if anything, a thread. */
static void
start_next (EbResolver *self, gint64 now_us)
{
  EbLookup *lookup = eb_lookup_plan_start_next (self->state->plan, now_us);
  Job *job;

  if (lookup == NULL)
    return;
  job = g_new0 (Job, 1);
  job->state = g_atomic_rc_box_acquire (self->state);
  job->lookup = lookup;
  g_thread_pool_push (self->threads, job, NULL);
}

/* With the lock held. */
static void
wait_for (GTask *task, EbLookup *lookup)
{
  Asker *asker = g_task_get_task_data (task);
  GCancellable *cancellable = g_task_get_cancellable (task);

  asker->lookup = lookup;
  g_queue_push_tail (&lookup->askers, g_object_ref (task));
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
  GError *error = NULL;
  EbLookup *lookup;
  gint64 now_us;

  g_mutex_lock (&state->lock);
  now_us = eb_clock_get_monotonic (state->clock);
  lookup = eb_lookup_plan_request (state->plan, key, now_us, &error);
  if (lookup == NULL)
    g_task_return_error (task, error);
  else if (eb_lookup_plan_has_answer (state->plan, lookup))
    answer (task, lookup->addresses, lookup->error);
  else
    {
      wait_for (task, lookup);
      start_next (self, now_us);
    }
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

  if (!g_task_return_error_if_cancelled (task))
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

  /* Without waiting: nobody asks any more, for who does holds a reference. But not at once: GLib
   * would free the jobs that have no thread yet together with numbers of its own in their queue. */
  g_thread_pool_free (self->threads, FALSE, FALSE);
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
  self->threads = g_thread_pool_new (job_cb, NULL, EB_LOOKUP_PLAN_MAX_RUNNING, FALSE, NULL);
  return G_RESOLVER (self);
}
