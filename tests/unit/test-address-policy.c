/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-address-policy.h"

#include <ifaddrs.h>
#include <netinet/in.h>
#include <string.h>

#include "core/eb-error.h"
#include "delivery/eb-delivery-settings.h"

static const char *const none[] = { NULL };

static void
assert_judged (EbAddressPolicy *policy, const char *text, guint16 port, const char *why)
{
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string (text);
  g_autoptr (GError) error = NULL;
  gboolean allowed;

  g_assert_nonnull (address);
  allowed = eb_address_policy_check (policy, address, port, &error);
  if (allowed != (why == NULL))
    g_error ("%s port %u: %s", text, port, allowed ? "allowed" : error->message);
  if (why == NULL)
    return;
  g_assert_error (error, EB_ERROR, EB_ERROR_FORBIDDEN);
  g_assert_true (g_str_has_prefix (error->message, text));
  if (strstr (error->message, why) == NULL)
    g_error ("“%s” does not say “%s”", error->message, why);
}

static EbAddressPolicy *
new_policy (const char *const *allow, const char *const *deny, GPtrArray *listeners)
{
  g_autoptr (GError) error = NULL;
  EbAddressPolicy *self = eb_address_policy_new (allow, deny, listeners, &error);

  g_assert_no_error (error);
  return self;
}

static EbAddressPolicy *
new_policy_listening_on (const char *address, guint16 port)
{
  g_autoptr (GPtrArray) listeners = g_ptr_array_new_with_free_func (g_object_unref);

  g_ptr_array_add (listeners, g_inet_socket_address_new_from_string (address, port));
  return new_policy (NULL, NULL, listeners);
}

static void
test_defaults (void)
{
  static const struct
  {
    const char *address;
    const char *why; /* NULL: allowed */
  } cases[] = {
    { "127.0.0.1", NULL },
    { "127.255.0.1", NULL },
    { "::1", NULL },
    { "10.0.0.1", NULL },
    { "192.168.1.1", NULL },
    { "172.16.0.1", NULL },
    { "8.8.8.8", NULL },
    { "1.0.0.0", NULL },
    { "169.253.255.255", NULL },
    { "169.255.0.0", NULL },
    { "223.255.255.255", NULL },
    { "fd00::1", NULL },
    { "fe00::1", NULL },
    { "fec0::1", NULL },
    { "2001:db8::1", NULL },
    { "::ffff:10.0.0.1", NULL },
    { "64:ff9b::808:808", NULL },
    { "2002:808:808::1", NULL },
    { "0.0.0.0", "unspecified" },
    { "0.1.2.3", "unspecified" },
    { "::", "unspecified" },
    { "169.254.0.0", "link-local" },
    { "169.254.169.254", "link-local" },
    { "169.254.255.255", "link-local" },
    { "fe80::1", "link-local" },
    { "febf::1", "link-local" },
    { "224.0.0.1", "multicast" },
    { "239.255.255.250", "multicast" },
    { "ff02::1", "multicast" },
    { "255.255.255.255", "broadcast" },
    { "::ffff:169.254.169.254", "link-local" },
    { "::ffff:0.0.0.0", "unspecified" },
    { "::ffff:224.0.0.1", "multicast" },
    { "::ffff:255.255.255.255", "broadcast" },
    { "::169.254.169.254", "link-local" },
    { "::ffff:0:a9fe:a9fe", "link-local" },
    { "64:ff9b::a9fe:a9fe", "link-local" },
    { "64:ff9b:1::a9fe:a9fe", "link-local" },
    { "2002:a9fe:a9fe::1", "link-local" },
    { "2002:a9fe:a9fe:1:2:3:4:5", "link-local" },
  };
  g_autoptr (EbAddressPolicy) policy = new_policy (none, NULL, NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    assert_judged (policy, cases[i].address, 80, cases[i].why);
}

static void
test_message (void)
{
  g_autoptr (EbAddressPolicy) policy = new_policy (NULL, NULL, NULL);
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string ("169.254.169.254");
  g_autoptr (GError) error = NULL;

  g_assert_false (eb_address_policy_check (policy, address, 80, &error));
  g_assert_cmpstr (error->message, ==, "169.254.169.254 is link-local; deliveries never go there");
}

static void
test_deny (void)
{
  const char *const deny[] = { "10.0.0.0/8", "fd00::/8", "192.168.7.7", "2002::/16", NULL };
  g_autoptr (EbAddressPolicy) policy = new_policy (NULL, deny, NULL);

  assert_judged (policy, "10.255.0.1", 80, "in 10.0.0.0/8, which delivery.deny");
  assert_judged (policy, "::ffff:10.1.2.3", 80, "10.0.0.0/8");
  assert_judged (policy, "64:ff9b::a01:203", 80, "10.0.0.0/8");
  assert_judged (policy, "fd12::1", 80, "fd00::/8");
  assert_judged (policy, "192.168.7.7", 80, "192.168.7.7");
  assert_judged (policy, "2002:808:808::1", 80, "2002::/16");
  assert_judged (policy, "192.168.7.8", 80, NULL);
  assert_judged (policy, "11.0.0.1", 80, NULL);
  assert_judged (policy, "::1", 80, NULL);
}

static void
test_deny_mapped (void)
{
  const char *const deny[] = { "::ffff:10.0.0.0/104", NULL };
  g_autoptr (EbAddressPolicy) policy = new_policy (NULL, deny, NULL);

  assert_judged (policy, "10.1.2.3", 80, "10.0.0.0/8");
  assert_judged (policy, "::ffff:10.1.2.3", 80, "10.0.0.0/8");
  assert_judged (policy, "11.1.2.3", 80, NULL);
}

static void
test_allow (void)
{
  const char *const allow[] = { "10.0.0.0/8", "169.254.0.0/16", "fd00::/8", NULL };
  const char *const deny[] = { "10.9.0.0/16", NULL };
  g_autoptr (EbAddressPolicy) policy = new_policy (allow, deny, NULL);

  assert_judged (policy, "10.1.2.3", 80, NULL);
  assert_judged (policy, "::ffff:10.1.2.3", 80, NULL);
  assert_judged (policy, "fd00::1", 80, NULL);
  assert_judged (policy, "10.9.2.3", 80, "delivery.deny");
  assert_judged (policy, "127.0.0.1", 80, "delivery.allow");
  assert_judged (policy, "::1", 80, "delivery.allow");
  assert_judged (policy, "8.8.8.8", 80, "delivery.allow");
  assert_judged (policy, "169.254.169.254", 80, "link-local");
}

static void
test_bad_ranges (void)
{
  const char *const bad[] = { "",     "10.0.0.0/33", "10.0.0.0/\v8", "10.0.0.1/8",
                              "10/8", "h",           "::/129",       "::/-1",
                              "::/",  "/8",          "10.0.0.0/8/8", "\xff" };

  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      const char *const ranges[] = { "10.0.0.0/8", bad[i], NULL };
      g_autoptr (GError) allow_error = NULL, deny_error = NULL;

      g_assert_null (eb_address_policy_new (ranges, NULL, NULL, &allow_error));
      g_assert_error (allow_error, EB_ERROR, EB_ERROR_INVALID);
      g_assert_true (g_str_has_prefix (allow_error->message, "delivery.allow: "));
      g_assert_null (eb_address_policy_new (NULL, ranges, NULL, &deny_error));
      g_assert_error (deny_error, EB_ERROR, EB_ERROR_INVALID);
      g_assert_true (g_str_has_prefix (deny_error->message, "delivery.deny: "));
    }
}

static void
test_own_listener (void)
{
  g_autoptr (EbAddressPolicy) policy = new_policy_listening_on ("127.0.0.1", 3000);
  g_autoptr (EbAddressPolicy) mapped = new_policy_listening_on ("::ffff:127.0.0.1", 3000);

  assert_judged (policy, "127.0.0.1", 3000, "this bus itself");
  assert_judged (policy, "::ffff:127.0.0.1", 3000, "this bus itself");
  assert_judged (policy, "127.0.0.1", 3001, NULL);
  assert_judged (policy, "127.0.0.2", 3000, NULL);
  assert_judged (policy, "::1", 3000, NULL);
  assert_judged (mapped, "127.0.0.1", 3000, "this bus itself");
}

/* (nullable): an IPv4 address of this machine that is not a loopback one */
static char *
dup_interface_address (void)
{
  struct ifaddrs *interfaces = NULL;
  char *found = NULL;

  g_assert_cmpint (getifaddrs (&interfaces), ==, 0);
  for (struct ifaddrs *i = interfaces; i != NULL && found == NULL; i = i->ifa_next)
    {
      g_autoptr (GSocketAddress) address = NULL;
      GInetAddress *inet;

      if (i->ifa_addr == NULL || i->ifa_addr->sa_family != AF_INET)
        continue;
      address = g_socket_address_new_from_native (i->ifa_addr, sizeof (struct sockaddr_in));
      inet = g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (address));
      if (!g_inet_address_get_is_loopback (inet) && !g_inet_address_get_is_link_local (inet))
        found = g_inet_address_to_string (inet);
    }
  freeifaddrs (interfaces);
  return found;
}

static void
test_own_everywhere (gconstpointer any)
{
  g_autoptr (EbAddressPolicy) policy = new_policy_listening_on (any, 3000);
  g_autofree char *local = dup_interface_address ();

  assert_judged (policy, "127.0.0.1", 3000, "this bus itself");
  assert_judged (policy, "127.9.9.9", 3000, "this bus itself");
  assert_judged (policy, "::1", 3000, "this bus itself");
  assert_judged (policy, "127.0.0.1", 3001, NULL);
  assert_judged (policy, "203.0.113.77", 3000, NULL);
  assert_judged (policy, "2001:db8::1", 3000, NULL);
  if (local == NULL)
    {
      g_test_message ("no interface but loopback: its part was left out");
      return;
    }
  assert_judged (policy, local, 3000, "this bus itself");
  assert_judged (policy, local, 3001, NULL);
}

static void
test_settings (void)
{
  g_autoptr (EbAddressPolicy) policy = new_policy (NULL, NULL, NULL);
  g_autoptr (EbDeliverySettings) settings = eb_delivery_settings_new (policy);

  g_assert_cmpint (settings->timeout, ==, 15 * G_TIME_SPAN_SECOND);
  g_assert_cmpint (settings->connect_timeout, ==, 5 * G_TIME_SPAN_SECOND);
  g_assert_cmpuint (settings->max_connections, ==, 4096);
  g_assert_true (settings->policy == policy);
  g_assert_null (settings->ca_file);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/address-policy/defaults", test_defaults);
  g_test_add_func ("/address-policy/message", test_message);
  g_test_add_func ("/address-policy/deny", test_deny);
  g_test_add_func ("/address-policy/deny-mapped", test_deny_mapped);
  g_test_add_func ("/address-policy/allow", test_allow);
  g_test_add_func ("/address-policy/bad-ranges", test_bad_ranges);
  g_test_add_func ("/address-policy/own-listener", test_own_listener);
  g_test_add_data_func ("/address-policy/own-everywhere/ipv4", "0.0.0.0", test_own_everywhere);
  g_test_add_data_func ("/address-policy/own-everywhere/ipv6", "::", test_own_everywhere);
  g_test_add_func ("/address-policy/settings", test_settings);
  return g_test_run ();
}
