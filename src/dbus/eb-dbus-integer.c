/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "dbus/eb-dbus-integer.h"

/**
 * eb_dbus_integer_get:
 * @value: of any type
 * @integer: (out): its value; %G_MAXINT64 for a larger one
 *
 * Callers seldom know which of the eight integer types their binding chose, so all are taken.
 *
 * Returns: FALSE if @value is no integer
 */
gboolean
eb_dbus_integer_get (GVariant *value, gint64 *integer)
{
  switch (g_variant_classify (value))
    {
    case G_VARIANT_CLASS_BYTE:
      *integer = g_variant_get_byte (value);
      return TRUE;
    case G_VARIANT_CLASS_INT16:
      *integer = g_variant_get_int16 (value);
      return TRUE;
    case G_VARIANT_CLASS_UINT16:
      *integer = g_variant_get_uint16 (value);
      return TRUE;
    case G_VARIANT_CLASS_INT32:
      *integer = g_variant_get_int32 (value);
      return TRUE;
    case G_VARIANT_CLASS_UINT32:
      *integer = g_variant_get_uint32 (value);
      return TRUE;
    case G_VARIANT_CLASS_INT64:
      *integer = g_variant_get_int64 (value);
      return TRUE;
    case G_VARIANT_CLASS_UINT64:
      *integer = (gint64) MIN (g_variant_get_uint64 (value), G_MAXINT64);
      return TRUE;
    default:
      return FALSE;
    }
}
