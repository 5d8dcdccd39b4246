/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "support/eb-fake-name-servers.h"

/* Far more than any wait here takes, even under a sanitizer on a busy machine. */
#define DEADLINE (60 * G_TIME_SPAN_SECOND)

void
eb_fake_name_servers_init (EbFakeNameServers *self)
{
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  self->held = TRUE;
}

/**
 * eb_fake_name_servers_look_up:
 *
 * An #EbLookupFunc, whose user data is an #EbFakeNameServers.
 */
GList *
eb_fake_name_servers_look_up (const char *name, gpointer user_data, GError **error)
{
  EbFakeNameServers *self = user_data;
  gboolean held = g_str_has_prefix (name, "held");

  g_mutex_lock (&self->lock);
  self->n_lookups++;
  self->n_running++;
  g_cond_broadcast (&self->changed);
  while (held && self->held)
    g_cond_wait (&self->changed, &self->lock);
  self->n_running--;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);

  if (g_str_has_prefix (name, "missing"))
    {
      g_set_error (error, G_RESOLVER_ERROR, G_RESOLVER_ERROR_NOT_FOUND, "no %s", name);
      return NULL;
    }
  if (g_str_has_prefix (name, "four"))
    return g_list_prepend (NULL, g_inet_address_new_from_string ("192.0.2.4"));
  return g_list_prepend (g_list_prepend (NULL, g_inet_address_new_from_string ("192.0.2.4")),
                         g_inet_address_new_from_string ("2001:db8::6"));
}

/**
 * eb_fake_name_servers_wait:
 *
 * Waits until @n lookups run.
 */
void
eb_fake_name_servers_wait (EbFakeNameServers *self, guint n)
{
  gint64 end = g_get_monotonic_time () + DEADLINE;

  g_mutex_lock (&self->lock);
  while (self->n_running != n)
    if (!g_cond_wait_until (&self->changed, &self->lock, end))
      g_error ("%u lookups run, not %u", self->n_running, n);
  g_mutex_unlock (&self->lock);
}

void
eb_fake_name_servers_let_go (EbFakeNameServers *self)
{
  g_mutex_lock (&self->lock);
  self->held = FALSE;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}

void
eb_fake_name_servers_hold (EbFakeNameServers *self)
{
  g_mutex_lock (&self->lock);
  self->held = TRUE;
  g_mutex_unlock (&self->lock);
}

/**
 * eb_fake_name_servers_count:
 *
 * Returns: how many lookups have begun
 */
guint
eb_fake_name_servers_count (EbFakeNameServers *self)
{
  guint n;

  g_mutex_lock (&self->lock);
  n = self->n_lookups;
  g_mutex_unlock (&self->lock);
  return n;
}
