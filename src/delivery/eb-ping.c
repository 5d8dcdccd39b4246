/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-ping.h"

void
eb_ping_clear (EbPing *self)
{
  g_clear_pointer (&self->reason, g_free);
}

void
eb_ping_free (EbPing *self)
{
  eb_ping_clear (self);
  g_free (self);
}
