/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * EbShimFault:
 * @EB_SHIM_EIO_ONCE: that call fails, and the next one works
 * @EB_SHIM_ENOSPC: from that call on whatever needs space fails, until eb_shim_vfs_restore()
 * @EB_SHIM_CUT: from that call on everything fails: the power is off
 * @EB_SHIM_CUT_AT_SYNC: so it is from the first sync after those calls on
 */
typedef enum
{
  EB_SHIM_EIO_ONCE,
  EB_SHIM_ENOSPC,
  EB_SHIM_CUT,
  EB_SHIM_CUT_AT_SYNC,
} EbShimFault;

/**
 * EbShimLoss:
 * @EB_SHIM_LOSE_NOTHING: the process was killed: the system still writes what it has
 * @EB_SHIM_LOSE_UNSYNCED: the power was cut: of what was not synced, anything may be lost
 */
typedef enum
{
  EB_SHIM_LOSE_NOTHING,
  EB_SHIM_LOSE_UNSYNCED,
} EbShimLoss;

typedef struct _EbShimVfs EbShimVfs;

EbShimVfs *eb_shim_vfs_new (guint32 seed);
void eb_shim_vfs_free (EbShimVfs *self);
const char *eb_shim_vfs_get_name (EbShimVfs *self);
void eb_shim_vfs_fail_after (EbShimVfs *self, guint n_calls, EbShimFault fault);
void eb_shim_vfs_cut (EbShimVfs *self);
gboolean eb_shim_vfs_has_failed (EbShimVfs *self);
gboolean eb_shim_vfs_is_cut (EbShimVfs *self);
void eb_shim_vfs_restore (EbShimVfs *self, EbShimLoss loss);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EbShimVfs, eb_shim_vfs_free)

G_END_DECLS
