/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "app/eb-service-manager.h"

#ifdef HAVE_LIBSYSTEMD
#  include <sys/socket.h>
#  include <systemd/sd-daemon.h>
#endif

/**
 * eb_service_manager_take_sockets:
 *
 * See sd_listen_fds(3): the listening sockets that the service manager opened for us.
 *
 * Returns: (transfer full) (element-type int): their descriptors; mostly none
 */
GArray *
eb_service_manager_take_sockets (void)
{
  GArray *fds = g_array_new (FALSE, FALSE, sizeof (int));

#ifdef HAVE_LIBSYSTEMD
  int n = sd_listen_fds (1);

  for (int fd = SD_LISTEN_FDS_START; fd < SD_LISTEN_FDS_START + n; fd++)
    {
      if (sd_is_socket (fd, AF_UNSPEC, SOCK_STREAM, 1) > 0)
        g_array_append_val (fds, fd);
      else
        g_warning ("Descriptor %d, which was passed in, is not a listening stream socket", fd);
    }
#endif
  return fds;
}

/**
 * eb_service_manager_notify:
 * @state: as sd_notify(3) takes it
 */
void
eb_service_manager_notify (const char *state)
{
#ifdef HAVE_LIBSYSTEMD
  sd_notify (0, state);
#endif
}
