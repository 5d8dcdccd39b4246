/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/eb-lock-file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "core/eb-error.h"

static void
set_error (GError **error, const char *path, int number)
{
  if (number == EWOULDBLOCK)
    g_set_error (error, EB_ERROR, EB_ERROR_IO,
                 "%s is in use by another eventbusd; stop that one, or name another file", path);
  else
    g_set_error (error, EB_ERROR, number == ENOSPC ? EB_ERROR_NO_SPACE : EB_ERROR_IO,
                 "Cannot lock %s: %s", path, g_strerror (number));
}

/**
 * eb_lock_file_take:
 * @path: a file that one process at a time may use; the lock is on `PATH.lock`, which stays
 *
 * Returns: a descriptor whose end is the lock's end, or -1 with %EB_ERROR_IO
 */
int
eb_lock_file_take (const char *path, GError **error)
{
  g_autofree char *lock_path = g_strconcat (path, ".lock", NULL);
  int fd = open (lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

  if (fd >= 0 && flock (fd, LOCK_EX | LOCK_NB) == 0)
    return fd;
  set_error (error, path, errno);
  if (fd >= 0)
    close (fd);
  return -1;
}
