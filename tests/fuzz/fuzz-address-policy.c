/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include <string.h>

#include "delivery/eb-address-policy.h"
#include "fuzz/eb-fuzz.h"

static gboolean
is_number (const char *text)
{
  return *text != '\0' && text[strspn (text, "0123456789")] == '\0' && strlen (text) < 9;
}

/* GLib takes lengths with signs and blanks, too, and warns of those that are too long.
 * Returns: (transfer full) (nullable) */
static GInetAddressMask *
read_range (const char *range)
{
  const char *slash = strchr (range, '/');

  if (slash != NULL && (!is_number (slash + 1) || atoi (slash + 1) > 128))
    return NULL;
  if (slash != NULL && strchr (range, ':') == NULL && atoi (slash + 1) > 32)
    return NULL;
  return g_inet_address_mask_new_from_string (range, NULL);
}

static gboolean
is_plain (GInetAddress *address)
{
  return g_inet_address_get_family (address) == G_SOCKET_FAMILY_IPV4
         || (g_inet_address_to_bytes (address)[0] != 0
             && g_inet_address_to_bytes (address)[0] != 0x20);
}

/* A range of addresses that stand for no others is what GLib takes it for. */
static void
check_address (EbAddressPolicy *allowing,
               EbAddressPolicy *denying,
               GInetAddressMask *mask,
               GInetAddress *address)
{
  g_autoptr (EbAddressPolicy) open = eb_address_policy_new (NULL, NULL, NULL, NULL);
  gboolean possible = eb_address_policy_check (open, address, 80, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) deny_error = NULL;
  gboolean allowed = eb_address_policy_check (allowing, address, 80, &error);
  gboolean passed = eb_address_policy_check (denying, address, 80, &deny_error);

  eb_fuzz_check_verdict (allowed, error);
  eb_fuzz_check_verdict (passed, deny_error);
  g_assert_true (possible || (!allowed && !passed));
  if (!possible)
    return;
  g_assert_true (allowed != passed);
  if (is_plain (address) && is_plain (g_inet_address_mask_get_address (mask)))
    g_assert_true (allowed == g_inet_address_mask_matches (mask, address));
}

/* Lines: a range, then addresses. */
int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *text = eb_fuzz_dup_string (data, size);
  g_auto (GStrv) lines = text != NULL ? g_strsplit (text, "\n", 16) : NULL;
  const char *range[] = { lines != NULL ? lines[0] : NULL, NULL };
  g_autoptr (GInetAddressMask) mask = NULL;
  g_autoptr (EbAddressPolicy) allowing = NULL;
  g_autoptr (EbAddressPolicy) denying = NULL;
  g_autoptr (GError) error = NULL;

  if (range[0] == NULL)
    return 0;
  mask = read_range (range[0]);
  allowing = eb_address_policy_new (range, NULL, NULL, &error);
  eb_fuzz_check_verdict (allowing != NULL, error);
  g_assert_true ((allowing != NULL) == (mask != NULL));
  if (mask == NULL)
    return 0;
  denying = eb_address_policy_new (NULL, range, NULL, NULL);
  g_assert_nonnull (denying);
  for (char **line = lines + 1; *line != NULL; line++)
    {
      g_autoptr (GInetAddress) address = g_inet_address_new_from_string (*line);

      if (address != NULL)
        check_address (allowing, denying, mask, address);
    }
  return 0;
}
