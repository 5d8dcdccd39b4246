/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "app/eb-configuration.h"

G_BEGIN_DECLS

/**
 * EbDescriptors:
 * @clients: connections of clients
 * @sinks: connections to sinks, of each worker
 *
 * How the file descriptors are shared out.
 */
typedef struct
{
  guint clients;
  guint sinks;
} EbDescriptors;

void eb_descriptors_raise_limit (void);
EbDescriptors eb_descriptors_share (const EbConfiguration *configuration);

G_END_DECLS
