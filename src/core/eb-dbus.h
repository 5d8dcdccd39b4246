/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

/* What the daemon is on a bus; org.example.EventBus.xml is the contract. */
#define EB_DBUS_NAME      "org.example.EventBus"
#define EB_DBUS_PATH      "/org/example/EventBus"
#define EB_DBUS_INTERFACE "org.example.EventBus"

/* Signals that a peer may be sent before it must show that it still reads them. A bus buffers
 * without limit for a peer that does not. */
#define EB_DBUS_WINDOW 64
