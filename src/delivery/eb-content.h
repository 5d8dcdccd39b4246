/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <sys/uio.h>

#include "core/eb-event.h"

G_BEGIN_DECLS

/**
 * EbContent:
 *
 * The part of a request that is the same for every subscriber: header lines and body. It never
 * changes, and is reference-counted within one thread.
 */
typedef struct _EbContent EbContent;

EbContent *eb_content_new_binary (EbEvent *event);
EbContent *eb_content_new_structured (EbEvent *event);
EbContent *eb_content_new_batch (GBytes *array, EbEvent *last);
EbContent *eb_content_ref (EbContent *self);
void eb_content_unref (EbContent *self);

const struct iovec *eb_content_get_head (const EbContent *self);
const struct iovec *eb_content_get_body (const EbContent *self);
GBytes *eb_content_dup_body (const EbContent *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EbContent, eb_content_unref)

G_END_DECLS
