/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bench/eb-load-payload.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

/* What the load generator, its sinks and the senders agree on: the bytes of an event, the clock,
 * and which loopback address is which sink. No state; used from one thread in each program. */

static const char MAGIC[8] = { 'E', 'B', 'l', 'o', 'a', 'd', '\0', '1' };

/* 250 hosts in a net and 250 nets in a block keep clear of 0 and 255 in the last two bytes. */
#define HOSTS_PER_NET  250
#define NETS_PER_BLOCK 250

static char
filler_at (gsize i)
{
  return (char) (i * 7 + 1);
}

/**
 * eb_load_payload_init:
 * @payload: (out caller-allocates): the bytes to fill
 * @event: the number of the event
 * @sent_ns: when its publisher began to send it
 *
 * Writes the body of an event. The filler holds every byte value but a few, NUL, CR and LF
 * included.
 */
void
eb_load_payload_init (EbLoadPayload *payload, guint64 event, guint64 sent_ns)
{
  memcpy (payload->magic, MAGIC, sizeof MAGIC);
  payload->event = event;
  payload->sent_ns = sent_ns;
  for (gsize i = 0; i < sizeof payload->filler; i++)
    payload->filler[i] = filler_at (i);
}

/**
 * eb_load_payload_parse:
 * @payload: (out caller-allocates): a copy of the body
 * @model: any payload that eb_load_payload_init() made, to compare with
 * @data: (array length=size): a body as it arrived
 * @size: its length in bytes
 *
 * Returns: whether the body is one of ours and whole
 */
gboolean
eb_load_payload_parse (EbLoadPayload *payload,
                       const EbLoadPayload *model,
                       const char *data,
                       gsize size)
{
  if (size != sizeof *payload)
    return FALSE;

  memcpy (payload, data, size);
  return memcmp (payload->magic, model->magic, sizeof model->magic) == 0
         && memcmp (payload->filler, model->filler, sizeof model->filler) == 0;
}

/**
 * eb_load_now_ns:
 *
 * Returns: the monotonic time in nanoseconds, the same for every process of the machine
 */
guint64
eb_load_now_ns (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return (guint64) now.tv_sec * 1000000000u + (guint64) now.tv_nsec;
}

/**
 * eb_load_sink_address:
 * @index: which sink, from 0
 *
 * Returns: the address in 127.0.0.0/8 that is this sink's alone
 */
struct in_addr
eb_load_sink_address (guint index)
{
  guint block = 1 + index / (HOSTS_PER_NET * NETS_PER_BLOCK);
  guint net = index / HOSTS_PER_NET % NETS_PER_BLOCK;
  guint host = 1 + index % HOSTS_PER_NET;

  return (struct in_addr){ htonl (127u << 24 | block << 16 | net << 8 | host) };
}

/**
 * eb_load_sink_index:
 * @address: the local address of an accepted connection
 * @index: (out): which sink it is
 *
 * Returns: whether it is the address of a sink
 */
gboolean
eb_load_sink_index (struct in_addr address, guint *index)
{
  guint32 bytes = ntohl (address.s_addr);
  guint block = bytes >> 16 & 0xff;
  guint net = bytes >> 8 & 0xff;
  guint host = bytes & 0xff;

  if (bytes >> 24 != 127 || block < 1 || host < 1 || host > HOSTS_PER_NET || net >= NETS_PER_BLOCK)
    return FALSE;

  *index = ((block - 1) * NETS_PER_BLOCK + net) * HOSTS_PER_NET + host - 1;
  return TRUE;
}

/**
 * eb_load_raise_descriptor_limit:
 *
 * Raises the soft limit of open files to the hard one: a run may hold ten thousand sockets.
 */
void
eb_load_raise_descriptor_limit (void)
{
  struct rlimit limit;

  if (getrlimit (RLIMIT_NOFILE, &limit) == 0)
    {
      limit.rlim_cur = limit.rlim_max;
      setrlimit (RLIMIT_NOFILE, &limit);
    }
}
