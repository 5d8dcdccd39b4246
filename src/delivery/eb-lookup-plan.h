/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Lookups that run at once, and so threads that names that hang can take. A thread that waits for a
 * name server costs some 20 KiB. */
#define EB_LOOKUP_PLAN_MAX_RUNNING 64

/**
 * EbLookupRank:
 * @EB_LOOKUP_RANK_SLOW: it hung when it was looked up last
 * @EB_LOOKUP_RANK_NEW: nothing is known of it, or it had no address
 * @EB_LOOKUP_RANK_PROVEN: it was found when it was looked up last
 *
 * How sure it is that looking up a name takes no thread for long; the surer, the more threads there
 * are for it.
 */
typedef enum
{
  EB_LOOKUP_RANK_SLOW,
  EB_LOOKUP_RANK_NEW,
  EB_LOOKUP_RANK_PROVEN,
  EB_LOOKUP_N_RANKS
} EbLookupRank;

/**
 * EbLookup:
 * @name: (owned): a host name
 * @askers: (owned): who waits for it; the owner of the plan fills and empties this
 * @addresses: (owned) (nullable) (element-type GInetAddress): what was found last
 * @error: (owned) (nullable): why there are no addresses
 *
 * A name and what is known of it. Only #EbLookupPlan writes it, but for @askers.
 */
typedef struct
{
  char *name;
  GQueue askers;
  GList *addresses;
  GError *error;

  /*< private >*/
  gint64 expires_us;    /* when what is known must be asked again */
  gint64 started_us;    /* of the lookup that runs */
  gint64 slow_until_us; /* 0 for a name that answers */
  EbLookupRank rank;    /* while it waits or runs */
  GQueue *queue;        /* (unowned) which of the plan's it is in */
  GList link;           /* there */
} EbLookup;

typedef struct _EbLookupPlan EbLookupPlan;

EbLookupPlan *eb_lookup_plan_new (void);
void eb_lookup_plan_free (EbLookupPlan *self);

EbLookup *
eb_lookup_plan_request (EbLookupPlan *self, const char *name, gint64 now_us, GError **error);
gboolean eb_lookup_plan_has_answer (EbLookupPlan *self, const EbLookup *lookup);
EbLookup *eb_lookup_plan_start_next (EbLookupPlan *self, gint64 now_us);
void eb_lookup_plan_finish (
    EbLookupPlan *self, EbLookup *lookup, GList *addresses, GError *error, gint64 now_us);
void eb_lookup_plan_abandon (EbLookupPlan *self, EbLookup *lookup);

G_END_DECLS
