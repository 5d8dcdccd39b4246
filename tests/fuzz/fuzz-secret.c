/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include <string.h>

#include "delivery/eb-signer.h"
#include "fuzz/eb-fuzz.h"

/* What signs with the key has something to say. */
static void
check_signature (const char *text)
{
  static char message[] = "msg";
  const struct iovec id = { message, 1 }, body = { message, strlen (message) };
  g_autoptr (EbDeliveryOptions) options = eb_delivery_options_new ();
  g_autoptr (EbSigner) signer = NULL;
  char signatures[EB_SIGNATURES_SIZE];

  eb_delivery_options_set_secret (options, text);
  signer = eb_signer_new (options->secrets);
  g_assert_cmpuint (eb_signer_sign (signer, &id, &body, 0, signatures), ==, EB_SIGNATURE_SIZE - 1);
  g_assert_true (g_str_has_prefix (signatures, "v1,"));
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *text = eb_fuzz_dup_utf8 (data, size);
  EbSecret secret = { text, 0 };
  g_autoptr (GBytes) key = NULL;
  g_autofree char *encoded = NULL;
  g_autofree char *again = NULL;
  g_autoptr (GError) error = NULL;
  gboolean fine;
  gsize key_size;

  if (text == NULL)
    return 0;
  fine = eb_secret_check (text, &error);
  eb_fuzz_check_verdict (fine, error);
  /* Logs have messages; it must not be in them. */
  g_assert_true (fine || strlen (text) < 8 || strstr (error->message, text) == NULL);
  if (!fine)
    return 0;
  key = eb_secret_get_key (&secret);
  encoded = g_base64_encode (g_bytes_get_data (key, &key_size), g_bytes_get_size (key));
  again = g_strconcat ("whsec_", encoded, NULL);
  g_assert_cmpstr (again, ==, text);
  g_assert_cmpuint (key_size, >=, 24);
  check_signature (text);
  return 0;
}
