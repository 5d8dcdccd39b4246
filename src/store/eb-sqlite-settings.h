/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "store/eb-sqlite-store.h"

G_BEGIN_DECLS

/**
 * EbSqliteSettings:
 * @durability: what a commit survives
 * @max_bytes: of the database's used pages
 * @max_age: of an event since its acceptance
 * @name_age: for how long an event's source and id are known, since its acceptance; 0: they are not
 */
typedef struct
{
  EbDurability durability;
  gsize max_bytes;
  GTimeSpan max_age;
  GTimeSpan name_age;
} EbSqliteSettings;

G_END_DECLS
