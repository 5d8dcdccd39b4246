/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-signer.h"

#include <nettle/base64.h>
#include <nettle/hmac.h>
#include <string.h>

/* Signatures by Standard Webhooks 1.0.0. The identifier of each delivery is the first that is
 * signed, so subscriptions share nothing of it, and every attempt is signed anew. What depends on
 * the secret alone is computed once: Nettle goes back to it after each signature. */

typedef struct
{
  struct hmac_sha256_ctx context;
  gint64 until_us; /* real time up to which it signs; 0 for ever */
} Key;

struct _EbSigner
{
  guint n_keys;
  Key keys[]; /* the newest first */
};

G_STATIC_ASSERT (BASE64_ENCODE_RAW_LENGTH (SHA256_DIGEST_SIZE) == EB_SIGNATURE_SIZE - 4);

/**
 * eb_signer_new:
 * @secrets: (element-type EbSecret): the newest first
 *
 * Returns: (transfer full): what signs with the newest %EB_MAX_OLD_SECRETS + 1 of them
 */
EbSigner *
eb_signer_new (GPtrArray *secrets)
{
  guint n_keys = MIN (secrets->len, 1 + EB_MAX_OLD_SECRETS);
  EbSigner *self = g_malloc (sizeof (EbSigner) + n_keys * sizeof (Key));

  self->n_keys = n_keys;
  for (guint i = 0; i < n_keys; i++)
    {
      const EbSecret *secret = secrets->pdata[i];
      g_autoptr (GBytes) key = eb_secret_get_key (secret);
      gsize size;
      const guint8 *bytes = g_bytes_get_data (key, &size);

      hmac_sha256_set_key (&self->keys[i].context, size, bytes);
      self->keys[i].until_us = secret->until_us;
    }
  return self;
}

void
eb_signer_free (EbSigner *self)
{
  /* What can sign shall not lie about in freed memory. */
  explicit_bzero (self->keys, self->n_keys * sizeof (Key));
  g_free (self);
}

static char *
sign (Key *key, const struct iovec *id, const char *middle, const struct iovec *body, char *end)
{
  guint8 digest[SHA256_DIGEST_SIZE];

  hmac_sha256_update (&key->context, id->iov_len, id->iov_base);
  hmac_sha256_update (&key->context, strlen (middle), (const guint8 *) middle);
  hmac_sha256_update (&key->context, body->iov_len, body->iov_base);
  hmac_sha256_digest (&key->context, sizeof digest, digest);
  end = mempcpy (end, "v1,", 3);
  base64_encode_raw (end, sizeof digest, digest);
  return end + BASE64_ENCODE_RAW_LENGTH (sizeof digest);
}

/**
 * eb_signer_sign:
 * @id: the delivery's `webhook-id`
 * @body: of the request
 * @now_us: real time of the attempt; its seconds are the `webhook-timestamp`
 * @signatures: (out): the value of `webhook-signature`: one for each secret that signs now,
 *   terminated
 *
 * Returns: its length
 */
gsize
eb_signer_sign (EbSigner *self,
                const struct iovec *id,
                const struct iovec *body,
                gint64 now_us,
                char signatures[EB_SIGNATURES_SIZE])
{
  char *end = signatures;
  char middle[24];

  g_snprintf (middle, sizeof middle, ".%" G_GINT64_FORMAT ".", now_us / G_USEC_PER_SEC);
  for (guint i = 0; i < self->n_keys; i++)
    {
      Key *key = &self->keys[i];

      if (key->until_us != 0 && key->until_us <= now_us)
        continue;
      if (end > signatures)
        *end++ = ' ';
      end = sign (key, id, middle, body, end);
    }
  *end = '\0';
  return (gsize) (end - signatures);
}
