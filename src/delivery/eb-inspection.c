/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-inspection.h"

void
eb_inspection_free (EbInspection *self)
{
  g_free (self->last_error);
  g_clear_pointer (&self->attempts, g_ptr_array_unref);
  g_free (self);
}
