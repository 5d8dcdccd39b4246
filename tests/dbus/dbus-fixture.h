/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

#include "bus/eb-bus.h"
#include "dbus/eb-dbus-service.h"
#include "support/eb-fake-clock.h"
#include "support/eb-fake-transport.h"

G_BEGIN_DECLS

/* A connection to the private bus, and what it was sent. */
typedef struct
{
  GDBusConnection *connection;
  guint signals;     /* the subscription to them */
  GPtrArray *events; /* (element-type GVariant) parameters of Event, in order */
  GPtrArray *ended;  /* (element-type GVariant) parameters of SubscriptionEnded */
  GPtrArray *added;  /* (element-type GVariant) parameters of SubscriberAdded */
  GPtrArray *removed;
} Client;

/* A whole EventBus behind its D-Bus front end, in this process, with a clock that stands still. */
typedef struct
{
  EbFakeClock *clock;
  EbLog *log;
  EbBus *bus;
  EbWorkerPool *workers;
  EbFakeSinks *sinks; /* of HTTP subscribers */
  GDBusConnection *connection;
  EbDbusService *service;
  Client client;
  Client other;
  GSource *watchdog;
} Fixture;

/* Turns the main loop until @condition holds; the fixture's watchdog ends a test that hangs. */
#define WAIT_FOR(condition)                                                                        \
  G_STMT_START                                                                                     \
  {                                                                                                \
    while (!(condition))                                                                           \
      g_main_context_iteration (NULL, TRUE);                                                       \
  }                                                                                                \
  G_STMT_END

int run_dbus_tests (void);
void fixture_set_up (Fixture *self, gconstpointer log);
void fixture_tear_down (Fixture *self, gconstpointer unused);
void fixture_advance (Fixture *self, GTimeSpan by);

void client_open (Client *self);
void client_close (Client *self);
void client_clear (Client *self);

GVariant *call_variant (Client *self, const char *method, GVariant *parameters, GError **error);
GVariant *call (Client *self, const char *method, const char *parameters);
void call_fails (Client *self,
                 const char *method,
                 const char *parameters,
                 const char *name,
                 const char *message);
char *subscribe (Client *self, const char *parameters);
guint64 publish (Client *self, const char *type, const char *text, const char *attributes);
guint64 get_count (Client *self, const char *property);
const char *event_text (Client *self, guint index);
GVariant *event_attributes (Client *self, guint index);

G_END_DECLS
