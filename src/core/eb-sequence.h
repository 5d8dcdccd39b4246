/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * eb_sequence_compare:
 * @a: (type guint64): a sequence
 * @b: (type guint64): another one
 *
 * A #GCompareFunc of pointers to sequences.
 */
static inline gint
eb_sequence_compare (gconstpointer a, gconstpointer b)
{
  guint64 x = *(const guint64 *) a, y = *(const guint64 *) b;

  return x < y ? -1 : x > y;
}

G_END_DECLS
