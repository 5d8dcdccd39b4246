/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _EbDiskImage EbDiskImage;

EbDiskImage *eb_disk_image_new (const char *path);
void eb_disk_image_free (EbDiskImage *self);
void eb_disk_image_write (EbDiskImage *self, gint64 offset, gconstpointer bytes, gsize size);
void eb_disk_image_truncate (EbDiskImage *self, gint64 size);
void eb_disk_image_sync (EbDiskImage *self);
void eb_disk_image_lose (EbDiskImage *self, GRand *random);

G_END_DECLS
