/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _EbLoadLoop EbLoadLoop;
typedef struct _EbLoadWatch EbLoadWatch;

/**
 * EbLoadWatch:
 * @fd: the descriptor
 * @ready: called when it can be read, has failed, or (if asked for) can be written
 *
 * The first member of whatever a loop watches. A callback may free its own watch, and no other.
 */
struct _EbLoadWatch
{
  int fd;
  void (*ready) (EbLoadWatch *watch);
};

EbLoadLoop *eb_load_loop_new (void (*turn) (gpointer data), gpointer data);
void eb_load_loop_free (EbLoadLoop *loop);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EbLoadLoop, eb_load_loop_free)

void eb_load_loop_add (EbLoadLoop *loop, EbLoadWatch *watch);
void eb_load_loop_run (EbLoadLoop *loop);
void eb_load_loop_stop (EbLoadLoop *loop);

G_END_DECLS
