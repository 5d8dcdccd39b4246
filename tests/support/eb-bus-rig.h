/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bus/eb-bus.h"
#include "support/eb-bus-model.h"
#include "support/eb-log-model.h"
#include "support/eb-shim-vfs.h"
#include "support/eb-store-fixture.h"

G_BEGIN_DECLS

#define EB_RIG_SUBSCRIBERS    6
#define EB_RIG_LEASE          (120 * G_TIME_SPAN_SECOND)
#define EB_RIG_MAX_EVENT_SIZE 1000

/**
 * EbRigEnd:
 * @EB_RIG_DRAIN: what is under way is waited for
 * @EB_RIG_BREAK_OFF: the time for that is over at once
 */
typedef enum
{
  EB_RIG_DRAIN,
  EB_RIG_BREAK_OFF,
} EbRigEnd;

/**
 * EbBusRig:
 * @n_in_flight: what was asked of the bus and not answered yet
 * @head: the log's, before what is asked now; for the model
 *
 * A bus with all that is below it, on a disk that can lose its power; sinks and time do what the
 * test says. What is seen from outside is told to a model.
 */
typedef struct
{
  EbStoreFixture store;
  EbShimVfs *shim;
  EbFakeSinks *sinks;
  EbWorkerPool *workers; /* (nullable): NULL while the bus does not run */
  EbBus *bus;            /* (nullable) */
  EbBusModel *model;
  EbLogModel *log_model;
  guint n_in_flight;
  guint64 head;
  gboolean ending; /* it was told to, or is killed */
  guint n_removed; /* how often the bus said that it has one less */
  guint n_runs;
  guint n_power_cuts;
  struct
  {
    char *address;
    char *uri;
    gboolean busy;   /* something asked about it is in flight */
    gboolean kept;   /* the sink keeps a delivery in this life */
    guint n_arrived; /* so many the model knows */
  } subscribers[EB_RIG_SUBSCRIBERS];
} EbBusRig;

EbBusRig *eb_bus_rig_new (guint32 seed);
void eb_bus_rig_free (EbBusRig *self);

gboolean eb_bus_rig_is_cut (EbBusRig *self);
guint64 eb_bus_rig_get_head (EbBusRig *self);
void eb_bus_rig_collect (EbBusRig *self);
void eb_bus_rig_release (EbBusRig *self);
void eb_bus_rig_for_each (EbBusRig *self, void (*func) (EbDeliveryHistory *history));
gboolean eb_bus_rig_wait_for (EbBusRig *self, gboolean (*condition) (gpointer data), gpointer data);
guint eb_bus_rig_get_serial (EbEvent *event);

void eb_bus_rig_start (EbBusRig *self);
void eb_bus_rig_end (EbBusRig *self, EbRigEnd end);
void eb_bus_rig_crash (EbBusRig *self, EbShimLoss loss);

gboolean eb_bus_rig_settle (EbBusRig *self);
void eb_bus_rig_check_log (EbBusRig *self);
void eb_bus_rig_check_dead (EbBusRig *self,
                            void (*check) (EbDeliveryHistory *history, GArray *dead));

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EbBusRig, eb_bus_rig_free)

G_END_DECLS
