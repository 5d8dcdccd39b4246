/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-address-policy.h"

#include <ifaddrs.h>
#include <netinet/in.h>
#include <string.h>

#include "core/eb-error.h"
#include "core/eb-quote.h"

/* Which addresses deliveries may go to.
 *
 * Three rules, in this order: what is never allowed, whatever the configuration says (it would
 * reach a cloud's metadata, nobody in particular, or the bus itself, for ever in a circle); what
 * the configuration denies; and, if the configuration allows anything by name, all the rest.
 *
 * An IPv6 address that stands for an IPv4 one is judged as that, so that no rule is got round by
 * writing an address in another way. */
struct _EbAddressPolicy
{
  gatomicrefcount ref_count;
  GPtrArray *allow;     /* (owned) (element-type GInetAddressMask) empty: everything */
  GPtrArray *deny;      /* (owned) (element-type GInetAddressMask) */
  GPtrArray *listeners; /* (owned) (element-type GInetSocketAddress) the bus's own, plain */
};

/* Where IPv6 addresses hold the IPv4 address that they stand for. */
static const struct
{
  guint8 prefix[12];
  gsize prefix_size;
  gsize offset;
} embeddings[] = {
  { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff }, 12, 12 },    /* mapped, RFC 4291 2.5.5.2 */
  { { 0 }, 12, 12 },                                           /* compatible, 2.5.5.1 */
  { { 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0 }, 12, 12 },    /* translated, RFC 2765 2.1 */
  { { 0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0 }, 12, 12 }, /* NAT64, RFC 6052 2.1 */
  { { 0, 0x64, 0xff, 0x9b, 0, 1 }, 6, 12 },                    /* local NAT64, RFC 8215 */
  { { 0x20, 0x02 }, 2, 2 },                                    /* 6to4, RFC 3056 2 */
};

/* The IPv4 address that @address stands for, else @address. */
static GInetAddress *
dup_plain (GInetAddress *address)
{
  const guint8 *bytes = g_inet_address_to_bytes (address);

  /* These two are no IPv4-compatible addresses, though they look like it. */
  if (g_inet_address_get_family (address) != G_SOCKET_FAMILY_IPV6
      || g_inet_address_get_is_any (address) || g_inet_address_get_is_loopback (address))
    return g_object_ref (address);

  for (gsize i = 0; i < G_N_ELEMENTS (embeddings); i++)
    if (memcmp (bytes, embeddings[i].prefix, embeddings[i].prefix_size) == 0)
      return g_inet_address_new_from_bytes (bytes + embeddings[i].offset, G_SOCKET_FAMILY_IPV4);
  return g_object_ref (address);
}

/* A range of mapped addresses is one of IPv4 addresses, which is what addresses are judged as. */
static GInetAddressMask *
to_plain_mask (GInetAddressMask *mask)
{
  const guint mapped_bits = 96;
  GInetAddress *address = g_inet_address_mask_get_address (mask);
  guint length = g_inet_address_mask_get_length (mask);
  g_autoptr (GInetAddressMask) given = mask;
  g_autoptr (GInetAddress) plain = NULL;

  if (g_inet_address_get_family (address) != G_SOCKET_FAMILY_IPV6 || length < mapped_bits
      || memcmp (g_inet_address_to_bytes (address), embeddings[0].prefix, 12) != 0)
    return g_steal_pointer (&given);
  plain = dup_plain (address);
  return g_inet_address_mask_new (plain, length - mapped_bits, NULL);
}

static GInetAddressMask *
parse_range (const char *range)
{
  g_auto (GStrv) parts = g_strsplit (range, "/", 2);
  g_autoptr (GInetAddress) address = NULL;
  GInetAddressMask *mask;
  guint64 length;

  address = parts[0] != NULL ? g_inet_address_new_from_string (parts[0]) : NULL;
  if (address == NULL)
    return NULL;
  length = 8 * g_inet_address_get_native_size (address);
  /* g_inet_address_mask_new() warns of a length that is too long, instead of failing; and a
   * vertical tab before it is let pass. */
  if (parts[1] != NULL
      && (!g_ascii_isdigit (*parts[1])
          || !g_ascii_string_to_unsigned (parts[1], 10, 0, length, &length, NULL)))
    return NULL;
  mask = g_inet_address_mask_new (address, (guint) length, NULL);
  return mask != NULL ? to_plain_mask (mask) : NULL;
}

static GPtrArray *
parse_ranges (const char *key, const char *const *ranges, GError **error)
{
  g_autoptr (GPtrArray) masks = g_ptr_array_new_with_free_func (g_object_unref);

  for (; ranges != NULL && *ranges != NULL; ranges++)
    {
      GInetAddressMask *mask = parse_range (*ranges);

      if (mask == NULL)
        {
          g_autofree char *shown = eb_quote_text (*ranges, -1);

          g_set_error (error, EB_ERROR, EB_ERROR_INVALID,
                       "%s: “%s” is not a range of addresses such as 10.0.0.0/8, with no bits set "
                       "behind its length",
                       key, shown);
          return NULL;
        }
      g_ptr_array_add (masks, mask);
    }
  return g_steal_pointer (&masks);
}

static GPtrArray *
copy_listeners (GPtrArray *listeners)
{
  GPtrArray *copy = g_ptr_array_new_with_free_func (g_object_unref);

  for (guint i = 0; listeners != NULL && i < listeners->len; i++)
    {
      GInetSocketAddress *listener = listeners->pdata[i];
      g_autoptr (GInetAddress) plain = NULL;

      if (!G_IS_INET_SOCKET_ADDRESS (listener))
        continue;
      plain = dup_plain (g_inet_socket_address_get_address (listener));
      g_ptr_array_add (
          copy, g_inet_socket_address_new (plain, g_inet_socket_address_get_port (listener)));
    }
  return copy;
}

/**
 * eb_address_policy_new:
 * @allow: (nullable) (array zero-terminated=1): ranges such as `10.0.0.0/8`; if there is one,
 *   nothing outside them is allowed. They do not open what is never allowed.
 * @deny: (nullable) (array zero-terminated=1): ranges that are not allowed, even inside @allow
 * @listeners: (nullable) (element-type GSocketAddress): where the bus itself listens; one on every
 *   address means each address of this machine
 *
 * Returns: (transfer full): the policy, or NULL with %EB_ERROR_INVALID, which names the range
 */
EbAddressPolicy *
eb_address_policy_new (const char *const *allow,
                       const char *const *deny,
                       GPtrArray *listeners,
                       GError **error)
{
  g_autoptr (GPtrArray) allowed = parse_ranges ("delivery.allow", allow, error);
  g_autoptr (GPtrArray) denied = NULL;
  EbAddressPolicy *self;

  if (allowed == NULL || (denied = parse_ranges ("delivery.deny", deny, error)) == NULL)
    return NULL;

  self = g_new0 (EbAddressPolicy, 1);
  g_atomic_ref_count_init (&self->ref_count);
  self->allow = g_steal_pointer (&allowed);
  self->deny = g_steal_pointer (&denied);
  self->listeners = copy_listeners (listeners);
  return self;
}

EbAddressPolicy *
eb_address_policy_ref (EbAddressPolicy *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
eb_address_policy_unref (EbAddressPolicy *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  g_ptr_array_unref (self->allow);
  g_ptr_array_unref (self->deny);
  g_ptr_array_unref (self->listeners);
  g_free (self);
}

static const char *
find_never (GInetAddress *plain)
{
  gboolean ipv4 = g_inet_address_get_family (plain) == G_SOCKET_FAMILY_IPV4;
  const guint8 *bytes = g_inet_address_to_bytes (plain);

  /* Linux connects all of 0.0.0.0/8 that it connects at all to this machine. */
  if (ipv4 ? bytes[0] == 0 : g_inet_address_get_is_any (plain))
    return "unspecified";
  if (g_inet_address_get_is_link_local (plain))
    return "link-local";
  if (g_inet_address_get_is_multicast (plain))
    return "multicast";
  if (ipv4 && memcmp (bytes, "\xff\xff\xff\xff", 4) == 0)
    return "broadcast";
  return NULL;
}

static gboolean
is_interface_address (GInetAddress *plain)
{
  struct ifaddrs *interfaces = NULL;
  gboolean found = FALSE;

  /* Asked anew each time, since addresses come and go; but only about a port of our own. */
  if (getifaddrs (&interfaces) != 0)
    return TRUE;
  for (struct ifaddrs *i = interfaces; i != NULL && !found; i = i->ifa_next)
    {
      int family = i->ifa_addr != NULL ? i->ifa_addr->sa_family : AF_UNSPEC;
      g_autoptr (GSocketAddress) address = NULL;

      if (family != AF_INET && family != AF_INET6)
        continue;
      address = g_socket_address_new_from_native (i->ifa_addr, family == AF_INET
                                                                   ? sizeof (struct sockaddr_in)
                                                                   : sizeof (struct sockaddr_in6));
      found = g_inet_address_equal (
          g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (address)), plain);
    }
  freeifaddrs (interfaces);
  return found;
}

static gboolean
is_own (EbAddressPolicy *self, GInetAddress *plain, guint16 port)
{
  for (guint i = 0; i < self->listeners->len; i++)
    {
      GInetSocketAddress *listener = self->listeners->pdata[i];
      GInetAddress *address = g_inet_socket_address_get_address (listener);

      if (g_inet_socket_address_get_port (listener) != port)
        continue;
      /* A socket on :: takes IPv4 connections as well, unless it was told not to. */
      if (g_inet_address_get_is_any (address)
              ? g_inet_address_get_is_loopback (plain) || is_interface_address (plain)
              : g_inet_address_equal (address, plain))
        return TRUE;
    }
  return FALSE;
}

static GInetAddressMask *
find_range (GPtrArray *masks, GInetAddress *address, GInetAddress *plain)
{
  for (guint i = 0; i < masks->len; i++)
    if (g_inet_address_mask_matches (masks->pdata[i], address)
        || g_inet_address_mask_matches (masks->pdata[i], plain))
      return masks->pdata[i];
  return NULL;
}

/**
 * eb_address_policy_check:
 * @address: where a connection is about to go
 *
 * Returns: whether it may; else FALSE with %EB_ERROR_FORBIDDEN, which names the address and the
 *   rule
 */
gboolean
eb_address_policy_check (EbAddressPolicy *self, GInetAddress *address, guint16 port, GError **error)
{
  g_autoptr (GInetAddress) plain = dup_plain (address);
  const char *never = find_never (plain);
  GInetAddressMask *denied = find_range (self->deny, address, plain);
  gboolean own = never == NULL && is_own (self, plain, port);
  g_autofree char *shown = NULL;

  if (never == NULL && !own && denied == NULL
      && (self->allow->len == 0 || find_range (self->allow, address, plain) != NULL))
    return TRUE;

  shown = g_inet_address_to_string (address);
  if (never != NULL)
    g_set_error (error, EB_ERROR, EB_ERROR_FORBIDDEN, "%s is %s; deliveries never go there", shown,
                 never);
  else if (own)
    g_set_error (error, EB_ERROR, EB_ERROR_FORBIDDEN,
                 "%s port %u is this bus itself; deliveries never go there", shown, port);
  else if (denied != NULL)
    {
      g_autofree char *range = g_inet_address_mask_to_string (denied);

      g_set_error (error, EB_ERROR, EB_ERROR_FORBIDDEN, "%s is in %s, which delivery.deny excludes",
                   shown, range);
    }
  else
    g_set_error (error, EB_ERROR, EB_ERROR_FORBIDDEN,
                 "%s is in none of the ranges that delivery.allow names", shown);
  return FALSE;
}
