/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "core/eb-sink.h"

#include <string.h>

#include "core/eb-error.h"

#define LABEL_63 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg"
#define NAME_253 LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_61
#define LABEL_61 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeefffffffffff"

typedef struct
{
  const char *given;
  const char *host;
  guint16 port;
  const char *target;
  const char *authority;
  const char *label; /* (nullable): as given */
} Good;

static const Good good_addresses[] = {
  { "10.0.0.7", "10.0.0.7", 80, "/event", "10.0.0.7" },
  { "10.0.0.7:80", "10.0.0.7", 80, "/event", "10.0.0.7" },
  { "10.0.0.7:8080", "10.0.0.7", 8080, "/event", "10.0.0.7:8080" },
  { "0.0.0.0:1", "0.0.0.0", 1, "/event", "0.0.0.0:1" },
  { "255.255.255.255:65535", "255.255.255.255", 65535, "/event", "255.255.255.255:65535" },
  { "localhost:443", "localhost", 443, "/event", "localhost:443" },
  { "Example.COM", "Example.COM", 80, "/event", "Example.COM" },
  { "my_service.local.", "my_service.local.", 80, "/event", "my_service.local." },
  { "1a", "1a", 80, "/event", "1a" },
  { "1.2.3.4.example", "1.2.3.4.example", 80, "/event", "1.2.3.4.example" },
  { "0xg", "0xg", 80, "/event", "0xg" },
  { LABEL_63, LABEL_63, 80, "/event", LABEL_63 },
  { NAME_253, NAME_253, 80, "/event", NAME_253 },
  { NAME_253 ".", NAME_253 ".", 80, "/event", NAME_253 "." },
  { "[::1]", "::1", 80, "/event", "[::1]" },
  { "[2001:DB8::7]:8080/x", "2001:DB8::7", 8080, "/x/event", "[2001:DB8::7]:8080" },
  { "[::ffff:10.0.0.7]", "::ffff:10.0.0.7", 80, "/event", "[::ffff:10.0.0.7]" },
  { "h/", "h", 80, "//event", "h" },
  { "h/a/b", "h", 80, "/a/b/event", "h" },
  { "h:1/a@b:c%2f%C3%A9", "h", 1, "/a@b:c%2f%C3%A9/event", "h:1" },
  { "h/event", "h", 80, "/event/event", "h" },
};

static const Good good_uris[] = {
  { "http://h/event", "h", 80, "/event", "h", "h" },
  { "http://h:80/event", "h", 80, "/event", "h", "h:80" },
  { "http://h:8080/p/event", "h", 8080, "/p/event", "h:8080", "h:8080/p" },
  { "http://h/event?x=/event", "h", 80, "/event?x=/event", "h" },
  { "http://h/hook", "h", 80, "/hook", "h" },
  { "http://h", "h", 80, "/", "h" },
  { "http://h?q=1&r=[2]", "h", 80, "/?q=1&r=[2]", "h" },
  { "http://h/?", "h", 80, "/?", "h" },
  { "https://h/event", "h", 443, "/event", "h" },
  { "HTTPS://h:443/x", "h", 443, "/x", "h" },
  { "https://h:80/x", "h", 80, "/x", "h:80" },
  { "https://[::1]:8443/x?y", "::1", 8443, "/x?y", "[::1]:8443" },
};

/* What is impossible as an address is so in a URL too. */
static const char *const bad_addresses[] = {
  "",
  ":80",
  "/prefix",
  ".",
  ".h",
  "a..b",
  "h..",
  "user@h",
  "user:password@h:80",
  "h@",
  "h#f",
  "h/p#f",
  "h\\p",
  "h/p\\q",
  "h p",
  " h",
  "h ",
  "h/p q",
  "h\n",
  "h/\r\nHost: x",
  "h\t",
  "h/\x7f",
  "h\x01",
  "b\xc3\xbc"
  "cher",
  "h/b\xc3\xbc"
  "cher",
  "h/\xff",
  "h/a|b",
  "h/<a>",
  "h%41",
  "h/%",
  "h/%4",
  "h/%zz",
  "h/%4g",
  "h:",
  "h:/p",
  "h:0",
  "h:65536",
  "h:99999999999999999999",
  "h:-1",
  "h:+1",
  "h:80a",
  "h:0x50",
  "h:80:80",
  "::1",
  "2130706433",
  "0x7f000001",
  "0x7f.1",
  "0X7F.1",
  "0x",
  "h.0x",
  "h.1",
  "127.1",
  "127.0.1",
  "0177.0.0.1",
  "127.0.0.01",
  "127.0.0.0x1",
  "1.2.3.4.5",
  "1.2.3.4.",
  "256.1.1.1",
  "1.2.3",
  "1.2.3.",
  "00.0.0.0",
  "[::1",
  "[]",
  "[h]",
  "[1.2.3.4]",
  "[::1]x",
  "[::1]:",
  "[::1]80",
  "[::1]]",
  "[[::1]]",
  "[fe80::1%eth0]",
  "[fe80::1%25eth0]",
  "[::1.2.3]",
  "[v1.a]",
  "x[::1]",
  "h;x",
  "h,i",
  LABEL_63 "g",
  NAME_253 "a",
};

static const char *const bad_uris[] = {
  "",
  "h",
  "//h",
  "/event",
  "ftp://h/",
  "dbus::1.5",
  "http:",
  "http:/h",
  "http://",
  "https:///p",
  "http://?q",
  "http://#f",
  "http://h/p?q#f",
  "http://h/p?q r",
  "http:h",
  " http://h",
  "http//h",
  "http://h/?%",
};

static void
check_good (const Good *good, EbSink *sink, const char *uri, EbSinkKind kind)
{
  g_autofree char *authority = eb_sink_dup_authority (sink);
  g_autofree char *label = eb_sink_dup_label (sink);

  g_assert_cmpint (eb_sink_get_kind (sink), ==, kind);
  g_assert_cmpstr (eb_sink_get_uri (sink), ==, uri);
  g_assert_cmpstr (eb_sink_get_host (sink), ==, good->host);
  g_assert_cmpuint (eb_sink_get_port (sink), ==, good->port);
  g_assert_cmpstr (eb_sink_get_target (sink), ==, good->target);
  g_assert_cmpstr (authority, ==, good->authority);
  g_assert_cmpstr (label, ==, good->label != NULL ? good->label : good->given);
}

static void
test_good_addresses (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (good_addresses); i++)
    {
      const Good *good = &good_addresses[i];
      g_autofree char *uri = g_strdup_printf ("http://%s/event", good->given);
      g_autoptr (GError) error = NULL;
      g_autoptr (EbSink) sink = eb_sink_new_for_address (good->given, &error);

      g_assert_no_error (error);
      check_good (good, sink, uri, EB_SINK_HTTP);
    }
}

static void
test_good_uris (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (good_uris); i++)
    {
      const Good *good = &good_uris[i];
      gboolean https = g_ascii_strncasecmp (good->given, "https", 5) == 0;
      g_autoptr (GError) error = NULL;
      g_autoptr (EbSink) sink = eb_sink_new_for_uri (good->given, &error);

      g_assert_no_error (error);
      check_good (good, sink, good->given, https ? EB_SINK_HTTPS : EB_SINK_HTTP);
    }
}

typedef EbSink *(*Constructor) (const char *given, GError **error);

static void
assert_refused (Constructor constructor, const char *given)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (EbSink) sink = constructor (given, &error);

  if (sink != NULL)
    g_error ("“%s” was taken", given);
  g_assert_error (error, EB_ERROR, EB_ERROR_INVALID);
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
  g_assert_cmpuint (strlen (error->message), <, 800);
}

static void
test_bad_addresses (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (bad_addresses); i++)
    {
      const char *given = bad_addresses[i];
      g_autofree char *uri = g_strdup_printf ("http://%s/event", given);

      assert_refused (eb_sink_new_for_address, given);
      assert_refused (eb_sink_new_for_uri, uri);
    }
}

static void
test_bad_uris (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (bad_uris); i++)
    assert_refused (eb_sink_new_for_uri, bad_uris[i]);

  /* The one thing that a URL may have and an address not. */
  assert_refused (eb_sink_new_for_address, "h/p?q");
}

static void
test_length (void)
{
  g_autofree char *prefix = g_strnfill (2048 - strlen ("http://h//event"), 'p');
  g_autofree char *longest = g_strconcat ("h/", prefix, NULL);
  g_autofree char *longer = g_strconcat ("h/p", prefix, NULL);
  g_autofree char *endless = g_strnfill (10 * 1000 * 1000, '\n');
  g_autoptr (GError) error = NULL;
  g_autoptr (EbSink) sink = eb_sink_new_for_address (longest, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (strlen (eb_sink_get_uri (sink)), ==, 2048);
  assert_refused (eb_sink_new_for_address, endless);
  g_assert_null (eb_sink_new_for_address (longer, &error));
  g_assert_nonnull (strstr (error->message, "2,048"));
}

static void
test_literal (void)
{
  static const struct
  {
    const char *address;
    const char *literal;
  } cases[] = {
    { "10.0.0.7:80", "10.0.0.7" }, { "[::1]:80", "::1" },    { "[2001:DB8:0::7]", "2001:db8::7" },
    { "localhost", NULL },         { "example.com.", NULL }, { "abcd", NULL },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (EbSink) sink = eb_sink_new_for_address (cases[i].address, NULL);
      g_autoptr (GInetAddress) literal = eb_sink_dup_literal (sink);
      g_autofree char *shown = literal != NULL ? g_inet_address_to_string (literal) : NULL;

      g_assert_cmpstr (shown, ==, cases[i].literal);
    }
}

static void
test_peer (void)
{
  g_autoptr (EbSink) sink = eb_sink_new_for_peer (":1.42");
  g_autofree char *label = eb_sink_dup_label (sink);
  g_autofree char *authority = eb_sink_dup_authority (sink);

  g_assert_cmpint (eb_sink_get_kind (sink), ==, EB_SINK_PEER);
  g_assert_cmpstr (eb_sink_get_uri (sink), ==, "dbus::1.42");
  g_assert_cmpstr (eb_sink_get_host (sink), ==, ":1.42");
  g_assert_cmpstr (eb_sink_get_target (sink), ==, "");
  g_assert_cmpuint (eb_sink_get_port (sink), ==, 0);
  g_assert_cmpstr (label, ==, ":1.42");
  g_assert_cmpstr (authority, ==, "");
  g_assert_null (eb_sink_dup_literal (sink));
}

static void
test_message (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (eb_sink_new_for_address ("h:99999", &error));
  g_assert_cmpstr (error->message, ==,
                   "“h:99999” is not a possible sink: its port is not a number from 1 to 65535");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sink/good-addresses", test_good_addresses);
  g_test_add_func ("/sink/good-uris", test_good_uris);
  g_test_add_func ("/sink/bad-addresses", test_bad_addresses);
  g_test_add_func ("/sink/bad-uris", test_bad_uris);
  g_test_add_func ("/sink/length", test_length);
  g_test_add_func ("/sink/literal", test_literal);
  g_test_add_func ("/sink/peer", test_peer);
  g_test_add_func ("/sink/message", test_message);
  return g_test_run ();
}
