/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "core/eb-sink.h"

#include <arpa/inet.h>
#include <string.h>

#include "core/eb-error.h"
#include "core/eb-quote.h"

/* Where a subscription's deliveries go. It never changes, so any thread may read it and hold
 * references to it.
 *
 * Made by the million, so it is one allocation: the URI, then only those strings that are not a
 * tail of it. Whoever parsed the URI here need not be trusted again: host, port and target are
 * what the transports use, and they do not look at the URI. */
struct _EbSink
{
  gatomicrefcount ref_count;
  guint16 port;          /* 0 for a peer */
  guint16 host_offset;   /* in strings: without brackets; a peer's name */
  guint16 target_offset; /* in strings: path and query; empty for a peer */
  guint8 kind;           /* EbSinkKind */
  char strings[];        /* the URI, then the others */
};

/* Longer ones are refused by common servers, and every subscription holds one. */
#define MAX_URI_LENGTH 2048

/* RFC 1035, 2.3.4; the length of a name is without its final dot. */
#define MAX_LABEL_LENGTH 63
#define MAX_NAME_LENGTH  253

#define ADDRESS_SCHEME "http://"
#define ADDRESS_PATH   "/event"
#define PEER_SCHEME    "dbus:"

#define DIGITS     "0123456789"
#define HEX_DIGITS DIGITS "abcdefABCDEF"
#define LETTERS    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

typedef struct
{
  const char *given; /* what the caller gave, for messages */
  const char *uri;
  EbSinkKind kind;
  char *host;       /* (owned) without brackets */
  guint port;       /* as given, else the scheme's */
  const char *tail; /* what follows the authority, in uri */
} Parts;

static gboolean
fail (const Parts *parts, GError **error, const char *fault)
{
  g_autofree char *shown = eb_quote_text (parts->given, -1);

  g_set_error (error, EB_ERROR, EB_ERROR_INVALID, "“%s” is not a possible sink: %s", shown, fault);
  return FALSE;
}

/* RFC 3986, 2: everything else must be percent-encoded. */
static gboolean
check_characters (const Parts *parts, GError **error)
{
  for (const char *p = parts->uri; *p != '\0'; p++)
    {
      if (strchr (LETTERS DIGITS "-._~:/?[]@!$&'()*+,;=", *p) != NULL)
        continue;
      if (*p == '%' && g_ascii_isxdigit (p[1]) && g_ascii_isxdigit (p[2]))
        continue;
      if (*p == '%')
        return fail (parts, error, "“%” is not followed by two hexadecimal digits");
      if (*p == '#')
        return fail (parts, error, "a sink has no fragment (“#”)");
      return fail (parts, error,
                   *p == ' ' ? "it has a space"
                             : "it has a character that must be percent-encoded in a URL");
    }
  return TRUE;
}

/* Whether some resolver would take a host with this last label for a number: “2130706433”,
 * “0x7f.1”. Such hosts slip past checks that know dotted quads only. */
static gboolean
is_numeric (const char *label)
{
  if (label[0] == '0' && (label[1] == 'x' || label[1] == 'X'))
    return label[2 + strspn (label + 2, HEX_DIGITS)] == '\0';
  return label[strspn (label, DIGITS)] == '\0';
}

static gboolean
check_label (const Parts *parts, const char *label, GError **error)
{
  gsize length = strlen (label);

  if (length == 0)
    return fail (parts, error, "its host has an empty label");
  if (length > MAX_LABEL_LENGTH)
    return fail (parts, error, "its host has a label of more than 63 bytes");
  /* Underscores are in no host name by the book, but in those of many a container. */
  if (label[strspn (label, LETTERS DIGITS "-_")] != '\0')
    return fail (parts, error, "its host has a character that names do not have");
  return TRUE;
}

static gboolean
check_name (const Parts *parts, GError **error)
{
  g_autofree char *name = g_strdup (parts->host);
  g_auto (GStrv) labels = NULL;
  guint n_labels;

  if (g_str_has_suffix (name, "."))
    name[strlen (name) - 1] = '\0';
  if (strlen (name) > MAX_NAME_LENGTH)
    return fail (parts, error, "its host has more than 253 bytes");

  labels = g_strsplit (name, ".", -1);
  n_labels = g_strv_length (labels);
  if (n_labels == 0)
    return fail (parts, error, "its host is missing");
  for (guint i = 0; i < n_labels; i++)
    if (!check_label (parts, labels[i], error))
      return FALSE;

  if (is_numeric (labels[n_labels - 1]))
    {
      struct in_addr address;

      /* inet_pton() takes four decimal numbers without leading zeros, nothing else. */
      if (inet_pton (AF_INET, parts->host, &address) != 1)
        return fail (parts, error,
                     "its host is a number that is not four decimal numbers without leading "
                     "zeros, each up to 255");
    }
  return TRUE;
}

static gboolean
check_ipv6 (const Parts *parts, GError **error)
{
  struct in6_addr address;

  if (strchr (parts->host, '%') != NULL)
    return fail (parts, error, "an IPv6 address with a zone means nothing elsewhere");
  if (inet_pton (AF_INET6, parts->host, &address) != 1)
    return fail (parts, error, "there is no IPv6 address between its brackets");
  return TRUE;
}

static gboolean
parse_port (Parts *parts, const char *text, GError **error)
{
  guint64 port;

  if (!g_ascii_string_to_unsigned (text, 10, 1, G_MAXUINT16, &port, NULL)
      || text[strspn (text, DIGITS)] != '\0')
    return fail (parts, error, "its port is not a number from 1 to 65535");
  parts->port = (guint) port;
  return TRUE;
}

static gboolean
parse_authority (Parts *parts, const char *authority, GError **error)
{
  gboolean bracketed = authority[0] == '[';
  const char *host = authority + bracketed;
  const char *end = host + strcspn (host, bracketed ? "]" : ":");
  const char *after = end + (bracketed && *end == ']');

  if (strchr (authority, '@') != NULL)
    return fail (parts, error, "it has user information (“@”)");
  if (bracketed && after == end)
    return fail (parts, error, "the bracket before its host is not closed");
  parts->host = g_strndup (host, (gsize) (end - host));
  if (!(bracketed ? check_ipv6 (parts, error) : check_name (parts, error)))
    return FALSE;

  if (*after == '\0')
    return TRUE;
  if (*after != ':')
    return fail (parts, error, "something other than a port follows its host");
  return parse_port (parts, after + 1, error);
}

static gboolean
parse_scheme (Parts *parts, const char **authority, GError **error)
{
  if (g_ascii_strncasecmp (parts->uri, "http://", 7) == 0)
    {
      parts->kind = EB_SINK_HTTP;
      parts->port = 80;
      *authority = parts->uri + 7;
      return TRUE;
    }
  if (g_ascii_strncasecmp (parts->uri, "https://", 8) == 0)
    {
      parts->kind = EB_SINK_HTTPS;
      parts->port = 443;
      *authority = parts->uri + 8;
      return TRUE;
    }
  return fail (parts, error, "it does not begin with http:// or https://");
}

static gboolean
parse (Parts *parts, GError **error)
{
  const char *start = NULL;
  g_autofree char *authority = NULL;

  if (strlen (parts->uri) > MAX_URI_LENGTH)
    return fail (parts, error, "its URL has more than 2,048 bytes");
  if (!parse_scheme (parts, &start, error) || !check_characters (parts, error))
    return FALSE;

  parts->tail = start + strcspn (start, "/?");
  authority = g_strndup (start, (gsize) (parts->tail - start));
  return parse_authority (parts, authority, error);
}

static EbSink *
pack (const Parts *parts)
{
  gsize uri_size = strlen (parts->uri) + 1;
  gsize host_size = strlen (parts->host) + 1;
  /* RFC 9112, 3.2.1: a target begins with a slash even if the URL has none. */
  gboolean needs_slash = parts->tail[0] != '/';
  gsize target_size = needs_slash ? strlen (parts->tail) + 2 : 0;
  EbSink *self = g_malloc (sizeof *self + uri_size + host_size + target_size);

  g_atomic_ref_count_init (&self->ref_count);
  self->kind = (guint8) parts->kind;
  self->port = (guint16) parts->port;
  memcpy (self->strings, parts->uri, uri_size);
  self->host_offset = (guint16) uri_size;
  memcpy (self->strings + uri_size, parts->host, host_size);
  self->target_offset = (guint16) (parts->tail - parts->uri);
  if (needs_slash)
    {
      self->target_offset = (guint16) (uri_size + host_size);
      self->strings[self->target_offset] = '/';
      strcpy (self->strings + self->target_offset + 1, parts->tail);
    }
  return self;
}

/**
 * eb_sink_new_for_address:
 * @address: `HOST[:PORT][/PREFIX]`, percent-decoded once
 *
 * Returns: (transfer full): the sink `http://ADDRESS/event`, or NULL with %EB_ERROR_INVALID, which
 *   says why there cannot be one
 */
EbSink *
eb_sink_new_for_address (const char *address, GError **error)
{
  g_autofree char *uri = g_strconcat (ADDRESS_SCHEME, address, ADDRESS_PATH, NULL);
  Parts parts = { .given = address, .uri = uri };
  EbSink *self = NULL;

  if (strchr (address, '?') != NULL)
    fail (&parts, error, "an address has no query (“?”)");
  else if (parse (&parts, error))
    self = pack (&parts);
  g_free (parts.host);
  return self;
}

/**
 * eb_sink_new_for_uri:
 * @uri: an absolute http:// or https:// URL without user information or fragment
 *
 * Returns: (transfer full): the sink, or NULL with %EB_ERROR_INVALID, which says why there cannot
 *   be one
 */
EbSink *
eb_sink_new_for_uri (const char *uri, GError **error)
{
  Parts parts = { .given = uri, .uri = uri };
  EbSink *self = NULL;

  if (parse (&parts, error))
    self = pack (&parts);
  g_free (parts.host);
  return self;
}

/**
 * eb_sink_new_for_peer:
 * @unique_name: a D-Bus connection's
 *
 * Returns: (transfer full): the sink that stands for that peer
 */
EbSink *
eb_sink_new_for_peer (const char *unique_name)
{
  gsize uri_size = strlen (PEER_SCHEME) + strlen (unique_name) + 1;
  EbSink *self;

  /* Only a bus hands them out, which bounds them to 255 bytes. */
  g_return_val_if_fail (g_dbus_is_unique_name (unique_name), NULL);

  self = g_malloc (sizeof *self + uri_size);
  g_atomic_ref_count_init (&self->ref_count);
  self->kind = EB_SINK_PEER;
  self->port = 0;
  self->host_offset = (guint16) strlen (PEER_SCHEME);
  self->target_offset = (guint16) (uri_size - 1);
  stpcpy (stpcpy (self->strings, PEER_SCHEME), unique_name);
  return self;
}

EbSink *
eb_sink_ref (EbSink *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
eb_sink_unref (EbSink *self)
{
  if (g_atomic_ref_count_dec (&self->ref_count))
    g_free (self);
}

EbSinkKind
eb_sink_get_kind (const EbSink *self)
{
  return (EbSinkKind) self->kind;
}

/**
 * eb_sink_get_uri:
 *
 * Returns: its URL as it was given; for a peer `dbus:` and its name
 */
const char *
eb_sink_get_uri (const EbSink *self)
{
  return self->strings;
}

/**
 * eb_sink_get_host:
 *
 * Returns: a name, a dotted quad, or an IPv6 address without brackets; for a peer its unique name
 */
const char *
eb_sink_get_host (const EbSink *self)
{
  return self->strings + self->host_offset;
}

/**
 * eb_sink_get_port:
 *
 * Returns: the port to connect to, also if the URL leaves it out; 0 for a peer
 */
guint16
eb_sink_get_port (const EbSink *self)
{
  return self->port;
}

/**
 * eb_sink_get_target:
 *
 * Returns: path and query, as they stand in a request line; empty for a peer
 */
const char *
eb_sink_get_target (const EbSink *self)
{
  return self->strings + self->target_offset;
}

/**
 * eb_sink_dup_literal:
 *
 * Returns: (transfer full) (nullable): the address that the host is; NULL if it is a name
 */
GInetAddress *
eb_sink_dup_literal (const EbSink *self)
{
  if (self->kind == EB_SINK_PEER)
    return NULL;
  return g_inet_address_new_from_string (eb_sink_get_host (self));
}

/**
 * eb_sink_dup_authority:
 *
 * Returns: (transfer full): the value of a request's Host field; empty for a peer
 */
char *
eb_sink_dup_authority (const EbSink *self)
{
  const char *host = eb_sink_get_host (self);
  gboolean ipv6 = strchr (host, ':') != NULL;
  const char *before = ipv6 ? "[" : "", *after = ipv6 ? "]" : "";

  if (self->kind == EB_SINK_PEER)
    return g_strdup ("");
  if (self->port == (self->kind == EB_SINK_HTTPS ? 443 : 80))
    return g_strconcat (before, host, after, NULL);
  return g_strdup_printf ("%s%s%s:%u", before, host, after, self->port);
}

/**
 * eb_sink_dup_label:
 *
 * Returns: (transfer full): how people are shown it: the address if there is one for which
 *   eb_sink_new_for_address() makes the same sink, else the URL; a peer's name
 */
char *
eb_sink_dup_label (const EbSink *self)
{
  const char *uri = self->strings;

  if (self->kind == EB_SINK_PEER)
    return g_strdup (eb_sink_get_host (self));
  if (g_str_has_prefix (uri, ADDRESS_SCHEME) && g_str_has_suffix (uri, ADDRESS_PATH)
      && strchr (uri, '?') == NULL)
    return g_strndup (uri + strlen (ADDRESS_SCHEME),
                      strlen (uri) - strlen (ADDRESS_SCHEME) - strlen (ADDRESS_PATH));
  return g_strdup (uri);
}
