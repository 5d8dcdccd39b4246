/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bench/eb-load-sync.h"

#include "bench/eb-load-payload.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* What the file system itself takes for one durable write after the other: no store that acks each
 * event when it is on disk can be faster for one publisher. */

#define NS_PER_SECOND G_GUINT64_CONSTANT (1000000000)

/* A page of the store's log. */
#define PAGE_SIZE 4096

/* A file without a name: it goes with its descriptor, however the run ends. */
static int
open_file (const char *folder, GError **error)
{
  int fd = open (folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);

  if (fd < 0)
    g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno), "Cannot make a file in %s: %s",
                 folder, g_strerror (errno));
  return fd;
}

/**
 * eb_load_sync_run:
 * @folder: where the file is made
 * @seconds: for how long
 * @error: return location for an error
 *
 * Appends a page to a growing file and syncs it, again and again, and prints the rate as JSON.
 *
 * Returns: whether every write succeeded
 */
gboolean
eb_load_sync_run (const char *folder, guint seconds, GError **error)
{
  static const char page[PAGE_SIZE];
  int fd = open_file (folder, error);
  guint64 start = eb_load_now_ns (), now = start, n_synced = 0;
  gboolean written = fd >= 0;

  if (!written)
    return FALSE;
  for (; written && now < start + seconds * NS_PER_SECOND; now = eb_load_now_ns ())
    {
      written = write (fd, page, sizeof page) == sizeof page && fdatasync (fd) == 0;
      n_synced += written;
    }
  if (!written)
    g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno), "Cannot write in %s: %s", folder,
                 g_strerror (errno));
  close (fd);

  g_print ("{\"rate\": %.1f}\n", (double) n_synced / ((double) (now - start) / 1e9));
  return written;
}
