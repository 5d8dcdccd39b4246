/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>
#include <netinet/in.h>

G_BEGIN_DECLS

/**
 * EbLoadPostsOptions:
 * @server: whom to publish to
 * @connections: how many requests at the same time
 * @idle: how many idle clients there are meanwhile
 * @seconds: for how long
 * @rate: events a second; 0: as fast as they are answered
 */
typedef struct
{
  struct sockaddr_in server;
  int connections;
  int idle;
  int seconds;
  double rate;
} EbLoadPostsOptions;

void eb_load_posts_run (const EbLoadPostsOptions *options);

G_END_DECLS
