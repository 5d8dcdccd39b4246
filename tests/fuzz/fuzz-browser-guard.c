/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "fuzz/eb-fuzz.h"
#include "http/eb-browser-guard.h"
#include "http/eb-framing.h"

#define NAME   "bus.example"
#define ORIGIN "https://app.example"

/* Returns: (transfer full) (nullable): what @slice is of @request; NULL if it is nothing */
static char *
dup_slice (const GByteArray *request, EbSlice slice)
{
  return slice.length > 0 ? g_strndup ((const char *) request->data + slice.start, slice.length)
                          : NULL;
}

static gboolean
is_own_name (const char *name)
{
  return g_hostname_is_ip_address (name) || g_ascii_strcasecmp (name, "localhost") == 0
         || g_str_has_suffix (name, ".localhost") || g_ascii_strcasecmp (name, NAME) == 0;
}

/* Whatever GLib takes the host for is this bus, or a page that was led here could speak to it. */
static void
check_accepted (const char *host, const char *origin)
{
  g_autofree char *own_origin = g_strconcat ("http://", host, NULL);
  g_autoptr (GSocketConnectable) address = g_network_address_parse (host, 80, NULL);

  g_assert_true (origin == NULL || g_ascii_strcasecmp (origin, own_origin) == 0
                 || g_ascii_strcasecmp (origin, ORIGIN) == 0);
  /* GLib does not read a port that is empty, which RFC 3986 has. */
  g_assert_true (address == NULL
                 || is_own_name (g_network_address_get_hostname (G_NETWORK_ADDRESS (address))));
}

/* Header lines of a request that a browser may send: Host, and Origin. */
int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static const char start[] = "GET / HTTP/1.1\r\n", end[] = "\r\n\r\n";
  static const char *const names[] = { NAME, NULL };
  static const char *const origins[] = { ORIGIN, NULL };
  g_autoptr (GByteArray) request = g_byte_array_new ();
  EbFraming framing = { 0 };
  g_autofree char *host = NULL;
  g_autofree char *origin = NULL;
  g_autoptr (GError) error = NULL;
  gboolean fine;
  gsize n_bytes;

  g_byte_array_append (request, (const guint8 *) start, sizeof start - 1);
  g_byte_array_append (request, data, (guint) size);
  g_byte_array_append (request, (const guint8 *) end, sizeof end - 1);
  n_bytes = request->len;
  if (eb_framing_feed (&framing, request->data, &n_bytes) != EB_FRAMING_COMPLETE)
    return 0;
  host = dup_slice (request, framing.host);
  origin = dup_slice (request, framing.origin);
  fine = eb_browser_guard_check (host, origin, names, origins, &error);
  eb_fuzz_check_verdict (fine, error);
  if (fine && host != NULL)
    check_accepted (host, origin);
  return 0;
}
