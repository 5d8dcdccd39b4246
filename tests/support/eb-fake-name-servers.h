/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * EbFakeNameServers:
 * @n_lookups: begun
 * @n_running: of those
 * @held: names that begin with “held” wait until they are let go
 *
 * Name servers that count every lookup. They do not know names that begin with “missing”, and for
 * those that begin with “four” have an IPv4 address alone.
 */
typedef struct
{
  GMutex lock;
  GCond changed;
  guint n_lookups;
  guint n_running;
  gboolean held;
} EbFakeNameServers;

void eb_fake_name_servers_init (EbFakeNameServers *self);
GList *eb_fake_name_servers_look_up (const char *name, gpointer self, GError **error);
void eb_fake_name_servers_wait (EbFakeNameServers *self, guint n);
void eb_fake_name_servers_hold (EbFakeNameServers *self);
void eb_fake_name_servers_let_go (EbFakeNameServers *self);
guint eb_fake_name_servers_count (EbFakeNameServers *self);

G_END_DECLS
