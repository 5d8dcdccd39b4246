/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "support/eb-disk-image.h"

#include <string.h>

/* What of a file is on the disk for sure, and what was written since and may or may not be. */
struct _EbDiskImage
{
  char *path;         /* (owned) */
  GByteArray *synced; /* (owned) */
  GPtrArray *pending; /* (owned) (element-type Change) in order */
};

typedef struct
{
  gint64 offset;
  GBytes *bytes; /* (owned) (nullable): NULL makes the file @offset long */
} Change;

/* What a disk writes whole or not at all. */
#define SECTOR 512

static void
change_free (Change *change)
{
  g_clear_pointer (&change->bytes, g_bytes_unref);
  g_free (change);
}

/**
 * eb_disk_image_new:
 * @path: a file; what it has now is on the disk
 */
EbDiskImage *
eb_disk_image_new (const char *path)
{
  EbDiskImage *self = g_new0 (EbDiskImage, 1);
  g_autofree char *contents = NULL;
  gsize size;

  self->path = g_strdup (path);
  self->pending = g_ptr_array_new_with_free_func ((GDestroyNotify) change_free);
  self->synced = g_byte_array_new ();
  if (g_file_get_contents (path, &contents, &size, NULL))
    g_byte_array_append (self->synced, (const guint8 *) contents, (guint) size);
  return self;
}

void
eb_disk_image_free (EbDiskImage *self)
{
  g_free (self->path);
  g_byte_array_unref (self->synced);
  g_ptr_array_unref (self->pending);
  g_free (self);
}

static void
add (EbDiskImage *self, gint64 offset, GBytes *bytes)
{
  Change *change = g_new0 (Change, 1);

  change->offset = offset;
  change->bytes = bytes;
  g_ptr_array_add (self->pending, change);
}

void
eb_disk_image_write (EbDiskImage *self, gint64 offset, gconstpointer bytes, gsize size)
{
  add (self, offset, g_bytes_new (bytes, size));
}

void
eb_disk_image_truncate (EbDiskImage *self, gint64 size)
{
  add (self, size, NULL);
}

static void
resize (EbDiskImage *self, gsize size)
{
  gsize before = self->synced->len;

  g_byte_array_set_size (self->synced, (guint) size);
  if (size > before)
    memset (self->synced->data + before, 0, size - before);
}

static void
put (EbDiskImage *self, gsize offset, const guint8 *bytes, gsize size)
{
  if (self->synced->len < offset + size)
    resize (self, offset + size);
  memcpy (self->synced->data + offset, bytes, size);
}

static void
apply (EbDiskImage *self, const Change *change)
{
  gsize size;
  const guint8 *bytes;

  if (change->bytes == NULL)
    {
      resize (self, (gsize) change->offset);
      return;
    }
  bytes = g_bytes_get_data (change->bytes, &size);
  put (self, (gsize) change->offset, bytes, size);
}

/* Some sectors of it. */
static void
apply_torn (EbDiskImage *self, const Change *change, GRand *random)
{
  gsize size;
  const guint8 *bytes = g_bytes_get_data (change->bytes, &size);

  for (gsize at = 0; at < size; at += SECTOR)
    if (g_rand_boolean (random))
      put (self, (gsize) change->offset + at, bytes + at, MIN (SECTOR, size - at));
}

/**
 * eb_disk_image_sync:
 *
 * From now on all of it is on the disk.
 */
void
eb_disk_image_sync (EbDiskImage *self)
{
  for (guint i = 0; i < self->pending->len; i++)
    apply (self, self->pending->pdata[i]);
  g_ptr_array_set_size (self->pending, 0);
}

/**
 * eb_disk_image_lose:
 *
 * The power was cut: of each write since the last sync all, nothing, or some sectors are there.
 */
void
eb_disk_image_lose (EbDiskImage *self, GRand *random)
{
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < self->pending->len; i++)
    {
      const Change *change = self->pending->pdata[i];
      gint fate = g_rand_int_range (random, 0, 3);

      if (fate == 0)
        apply (self, change);
      else if (fate == 1 && change->bytes != NULL)
        apply_torn (self, change, random);
    }
  g_ptr_array_set_size (self->pending, 0);
  g_file_set_contents_full (self->path, (const char *) self->synced->data, self->synced->len,
                            G_FILE_SET_CONTENTS_NONE, 0600, &error);
  g_assert_no_error (error);
}
