/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "delivery/eb-resolver.h"
#include "support/eb-fake-clock.h"
#include "support/eb-fake-name-servers.h"

G_BEGIN_DECLS

/**
 * EbResolverFixture:
 *
 * A resolver whose name servers and time do what the test says.
 */
typedef struct
{
  EbFakeClock *clock;
  GResolver *resolver;
  EbFakeNameServers servers;
} EbResolverFixture;

/**
 * EbQuestion:
 * @context: (unowned): whose thread was told
 * @addresses: (owned) (nullable): joined with spaces
 * @error: (owned) (nullable)
 *
 * One question, and its answer once that came.
 */
typedef struct
{
  gboolean answered;
  GMainContext *context;
  char *addresses;
  GError *error;
} EbQuestion;

void eb_question_clear (EbQuestion *self);
void eb_question_answer (EbQuestion *self, GList *addresses);
void eb_question_wait (EbQuestion *self);
void eb_question_assert_addresses (EbQuestion *self, const char *addresses);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (EbQuestion, eb_question_clear)

void eb_resolver_fixture_set_up (EbResolverFixture *self, gconstpointer data);
void eb_resolver_fixture_tear_down (EbResolverFixture *self, gconstpointer data);
void eb_resolver_fixture_ask (EbResolverFixture *self,
                              const char *name,
                              GCancellable *cancellable,
                              EbQuestion *question);
void
eb_resolver_fixture_assert_found (EbResolverFixture *self, const char *name, const char *addresses);
void eb_resolver_fixture_assert_missing (EbResolverFixture *self, const char *name);

G_END_DECLS
