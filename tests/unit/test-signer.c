/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include <string.h>

#include "delivery/eb-signer.h"
#include "support/eb-fake-clock.h"

/* Standard Webhooks 1.0.0: the published vector, and what the HMAC of GLib
 * says of everything else. */

#define SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define ID     "msg_p5jXN8AQM9LWM0D4loKWxJek"
#define BODY   "{\"test\": 2432232314}"
#define NOW    (G_GINT64_CONSTANT (1614265330) * G_USEC_PER_SEC)

static char *
sign (EbDeliveryOptions *options, const char *body, gsize body_size, gint64 now_us)
{
  g_autoptr (EbSigner) signer = eb_signer_new (options->secrets);
  struct iovec id = { (gpointer) ID, strlen (ID) };
  struct iovec body_part = { (gpointer) body, body_size };
  char first[EB_SIGNATURES_SIZE], second[EB_SIGNATURES_SIZE];
  gsize length = eb_signer_sign (signer, &id, &body_part, now_us, first);

  g_assert_cmpuint (length, ==, strlen (first));
  /* Signing leaves nothing behind that would change the next one. */
  eb_signer_sign (signer, &id, &body_part, now_us, second);
  g_assert_cmpstr (first, ==, second);
  return g_strdup (first);
}

static char *
expect (const char *secret, const char *body, gsize body_size, gint64 now_us)
{
  gsize key_size, digest_size = 32;
  g_autofree guchar *key = g_base64_decode (secret + strlen ("whsec_"), &key_size);
  g_autoptr (GHmac) hmac = g_hmac_new (G_CHECKSUM_SHA256, key, key_size);
  g_autofree char *start = g_strdup_printf (ID ".%" G_GINT64_FORMAT ".", now_us / G_USEC_PER_SEC);
  g_autofree char *encoded = NULL;
  guint8 digest[32];

  g_hmac_update (hmac, (const guchar *) start, -1);
  g_hmac_update (hmac, (const guchar *) body, (gssize) body_size);
  g_hmac_get_digest (hmac, digest, &digest_size);
  encoded = g_base64_encode (digest, digest_size);
  return g_strconcat ("v1,", encoded, NULL);
}

static void
test_vector (void)
{
  g_autoptr (EbDeliveryOptions) options = eb_delivery_options_new ();
  g_autofree char *signature = NULL;

  eb_delivery_options_set_secret (options, SECRET);
  signature = sign (options, BODY, strlen (BODY), NOW + 999999);
  g_assert_cmpstr (signature, ==, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

/* Around the sizes of HMAC's blocks, and keys that are longer than one. */
static void
test_sizes (void)
{
  g_autofree char *body = g_malloc (4096);

  for (gsize i = 0; i < 4096; i++)
    body[i] = (char) (i * 7);
  for (gsize key_size = 24; key_size <= 130; key_size += 53)
    {
      g_autofree char *encoded = g_base64_encode ((const guchar *) body + 1, key_size);
      g_autofree char *secret = g_strconcat ("whsec_", encoded, NULL);
      g_autoptr (EbDeliveryOptions) options = eb_delivery_options_new ();

      eb_delivery_options_set_secret (options, secret);
      for (gsize size = 0; size < 200; size++)
        {
          g_autofree char *expected = expect (secret, body, size, NOW);
          g_autofree char *signature = sign (options, body, size, NOW);

          g_assert_cmpstr (signature, ==, expected);
        }
    }
}

/* The newest first; an old one until its time is over; at most two old ones. */
static void
test_rotation (void)
{
  g_autoptr (EbFakeClock) clock = eb_fake_clock_new ();
  g_autoptr (EbDeliveryOptions) options = eb_delivery_options_new ();
  g_autofree char *newer = eb_secret_generate ();
  gint64 now_us = eb_clock_get_real (EB_CLOCK (clock));
  g_autofree char *before = NULL, *both = NULL, *last = NULL, *after = NULL;
  g_autofree char *expected_old = expect (SECRET, BODY, strlen (BODY), now_us);
  g_autofree char *expected_new = expect (newer, BODY, strlen (BODY), now_us);
  g_autofree char *expected_both = g_strdup_printf ("%s %s", expected_new, expected_old);

  eb_delivery_options_set_secret (options, SECRET);
  before = sign (options, BODY, strlen (BODY), now_us);
  g_assert_cmpstr (before, ==, expected_old);
  eb_delivery_options_rotate (options, newer, now_us);
  both = sign (options, BODY, strlen (BODY), now_us);
  g_assert_cmpstr (both, ==, expected_both);

  eb_fake_clock_advance (clock, EB_SECRET_GRACE - 1);
  last = sign (options, BODY, strlen (BODY), eb_clock_get_real (EB_CLOCK (clock)));
  g_assert_nonnull (strchr (last, ' '));
  eb_fake_clock_advance (clock, 1);
  after = sign (options, BODY, strlen (BODY), eb_clock_get_real (EB_CLOCK (clock)));
  g_assert_null (strchr (after, ' '));
  g_assert_cmpuint (strlen (after), ==, EB_SIGNATURE_SIZE - 1);
}

static void
test_three (void)
{
  g_autoptr (EbDeliveryOptions) options = eb_delivery_options_new ();
  g_autofree char *signatures = NULL;
  g_auto (GStrv) list = NULL;

  eb_delivery_options_set_secret (options, SECRET);
  for (guint i = 0; i < 5; i++)
    {
      g_autofree char *secret = eb_secret_generate ();

      eb_delivery_options_rotate (options, secret, NOW);
    }
  signatures = sign (options, BODY, strlen (BODY), NOW);
  list = g_strsplit (signatures, " ", -1);
  g_assert_cmpuint (g_strv_length (list), ==, 1 + EB_MAX_OLD_SECRETS);
  for (guint i = 0; i < g_strv_length (list); i++)
    {
      const EbSecret *secret = options->secrets->pdata[i];
      g_autofree char *expected = expect (secret->text, BODY, strlen (BODY), NOW);

      g_assert_cmpstr (list[i], ==, expected);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/signer/vector", test_vector);
  g_test_add_func ("/signer/sizes", test_sizes);
  g_test_add_func ("/signer/rotation", test_rotation);
  g_test_add_func ("/signer/three", test_three);

  return g_test_run ();
}
