/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * EbError:
 * @EB_ERROR_INVALID: what was given breaks a rule; the message names it
 * @EB_ERROR_FORBIDDEN: a rule of this bus forbids it (an address that policy excludes)
 * @EB_ERROR_TOO_LARGE: over a size limit
 * @EB_ERROR_LIMIT: a count is at its limit (subscriptions)
 * @EB_ERROR_NOT_FOUND: there is no such thing, or it is not the caller's
 * @EB_ERROR_EXISTS: there is one with that id already
 * @EB_ERROR_BUSY: too much is waiting; the same call may succeed in a moment
 * @EB_ERROR_CLOSED: the bus is shutting down
 * @EB_ERROR_FENCED: an epoch older than the ledger's was used
 * @EB_ERROR_IO: the store could not do its work
 * @EB_ERROR_NO_SPACE: the store's disk is full
 *
 * Everything that can go wrong in the project's own code. Each front end maps these in one table
 * of its own (HTTP status, D-Bus error name).
 */
typedef enum
{
  EB_ERROR_INVALID,
  EB_ERROR_FORBIDDEN,
  EB_ERROR_TOO_LARGE,
  EB_ERROR_LIMIT,
  EB_ERROR_NOT_FOUND,
  EB_ERROR_EXISTS,
  EB_ERROR_BUSY,
  EB_ERROR_CLOSED,
  EB_ERROR_FENCED,
  EB_ERROR_IO,
  EB_ERROR_NO_SPACE,
} EbError;

#define EB_ERROR (eb_error_quark ())

GQuark eb_error_quark (void);
GError *eb_error_new_no_subscription (const char *id);

G_END_DECLS
