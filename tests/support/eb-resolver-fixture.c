/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "support/eb-resolver-fixture.h"

/* Far more than any wait here takes, even under a sanitizer on a busy machine. */
#define DEADLINE_MS (60 * 1000)

void
eb_resolver_fixture_set_up (EbResolverFixture *self, gconstpointer data)
{
  eb_fake_name_servers_init (&self->servers);
  self->clock = eb_fake_clock_new ();
  self->resolver =
      eb_resolver_new (EB_CLOCK (self->clock), eb_fake_name_servers_look_up, &self->servers);
}

void
eb_resolver_fixture_tear_down (EbResolverFixture *self, gconstpointer data)
{
  g_object_unref (self->resolver);
  eb_fake_name_servers_let_go (&self->servers);
  eb_fake_name_servers_wait (&self->servers, 0);
  g_object_unref (self->clock);
}

void
eb_question_clear (EbQuestion *self)
{
  g_clear_pointer (&self->addresses, g_free);
  g_clear_error (&self->error);
}

static char *
join (GList *addresses)
{
  GString *joined = g_string_new (NULL);

  for (GList *l = addresses; l != NULL; l = l->next)
    {
      g_autofree char *address = g_inet_address_to_string (l->data);

      g_string_append_printf (joined, "%s%s", joined->len > 0 ? " " : "", address);
    }
  return g_string_free (joined, FALSE);
}

/**
 * eb_question_answer:
 * @addresses: (transfer full) (nullable): the answer
 */
void
eb_question_answer (EbQuestion *self, GList *addresses)
{
  g_assert_false (self->answered);
  self->answered = TRUE;
  self->context = g_main_context_ref_thread_default ();
  g_main_context_unref (self->context);
  if (addresses != NULL)
    self->addresses = join (addresses);
  g_resolver_free_addresses (addresses);
}

static void
answered_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  EbQuestion *question = user_data;
  GList *addresses =
      g_resolver_lookup_by_name_finish (G_RESOLVER (source), result, &question->error);

  eb_question_answer (question, addresses);
}

/**
 * eb_resolver_fixture_ask:
 * @question: (inout): zero-filled before; is told the answer
 */
void
eb_resolver_fixture_ask (EbResolverFixture *self,
                         const char *name,
                         GCancellable *cancellable,
                         EbQuestion *question)
{
  g_resolver_lookup_by_name_async (self->resolver, name, cancellable, answered_cb, question);
  g_assert_false (question->answered);
}

static gboolean
late_cb (gpointer user_data)
{
  g_error ("no answer came");
  return G_SOURCE_REMOVE;
}

void
eb_question_wait (EbQuestion *self)
{
  GMainContext *context = g_main_context_get_thread_default ();
  g_autoptr (GSource) late = g_timeout_source_new (DEADLINE_MS);

  g_source_set_callback (late, late_cb, NULL, NULL);
  g_source_attach (late, context);
  while (!self->answered)
    g_main_context_iteration (context, TRUE);
  g_source_destroy (late);
}

/**
 * eb_question_assert_addresses:
 * @addresses: the answer that comes, joined with spaces
 */
void
eb_question_assert_addresses (EbQuestion *self, const char *addresses)
{
  eb_question_wait (self);
  g_assert_no_error (self->error);
  g_assert_cmpstr (self->addresses, ==, addresses);
}

void
eb_resolver_fixture_assert_found (EbResolverFixture *self, const char *name, const char *addresses)
{
  g_auto (EbQuestion) question = { 0 };

  eb_resolver_fixture_ask (self, name, NULL, &question);
  eb_question_assert_addresses (&question, addresses);
}

void
eb_resolver_fixture_assert_missing (EbResolverFixture *self, const char *name)
{
  g_auto (EbQuestion) question = { 0 };

  eb_resolver_fixture_ask (self, name, NULL, &question);
  eb_question_wait (&question);
  g_assert_error (question.error, G_RESOLVER_ERROR, G_RESOLVER_ERROR_NOT_FOUND);
}
