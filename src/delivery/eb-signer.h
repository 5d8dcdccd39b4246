/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <sys/uio.h>

#include "core/eb-delivery-options.h"

G_BEGIN_DECLS

/* `v1,`, the base64 of 32 bytes, and a space or the end. */
#define EB_SIGNATURE_SIZE  (3 + 44 + 1)
#define EB_SIGNATURES_SIZE ((1 + EB_MAX_OLD_SECRETS) * EB_SIGNATURE_SIZE)

/**
 * EbSigner:
 *
 * A subscription's secrets, ready to sign with. For one thread.
 */
typedef struct _EbSigner EbSigner;

EbSigner *eb_signer_new (GPtrArray *secrets);
void eb_signer_free (EbSigner *self);
gsize eb_signer_sign (EbSigner *self,
                      const struct iovec *id,
                      const struct iovec *body,
                      gint64 now_us,
                      char signatures[EB_SIGNATURES_SIZE]);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EbSigner, eb_signer_free)

G_END_DECLS
