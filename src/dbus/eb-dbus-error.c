/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "dbus/eb-dbus-error.h"

#include "core/eb-dbus.h"
#include "core/eb-error.h"

/* The one table from the project's errors to names on the bus. */
#define PREFIX EB_DBUS_INTERFACE ".Error."

static const char *const names[] = {
  [EB_ERROR_INVALID] = PREFIX "Invalid",    [EB_ERROR_FORBIDDEN] = PREFIX "Forbidden",
  [EB_ERROR_TOO_LARGE] = PREFIX "TooLarge", [EB_ERROR_LIMIT] = PREFIX "Limit",
  [EB_ERROR_NOT_FOUND] = PREFIX "NotFound", [EB_ERROR_EXISTS] = PREFIX "Exists",
  [EB_ERROR_BUSY] = PREFIX "Busy",          [EB_ERROR_CLOSED] = PREFIX "Closed",
  [EB_ERROR_FENCED] = PREFIX "Fenced",      [EB_ERROR_IO] = PREFIX "IO",
  [EB_ERROR_NO_SPACE] = PREFIX "NoSpace",
};

/**
 * eb_dbus_return_error:
 * @invocation: (transfer full): the call that failed
 * @error: why; what is not the project's own counts as %EB_ERROR_IO
 *
 * Answers a call with the error's name on the bus, and its message as it is.
 */
void
eb_dbus_return_error (GDBusMethodInvocation *invocation, const GError *error)
{
  EbError code = error->domain == EB_ERROR ? (EbError) error->code : EB_ERROR_IO;

  g_dbus_method_invocation_return_dbus_error (invocation, names[code], error->message);
}
