/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

#include "core/eb-event.h"

G_BEGIN_DECLS

/**
 * EbReceipt:
 * @sequence: the event's place in the log
 * @duplicate: the log had it already; @sequence is the first one's
 */
typedef struct
{
  guint64 sequence;
  gboolean duplicate;
} EbReceipt;

/**
 * EbPage:
 *
 * Some consecutive events of the log, as one read answers them. It never changes, and any thread
 * may hold it.
 */
typedef struct
{
  gatomicrefcount ref_count;
  GPtrArray *events;  /* (owned) (element-type EbEvent) in order, without gaps; may be empty */
  guint64 lost_up_to; /* events after the one asked for, up to this one, are gone; 0 for none */
} EbPage;

EbPage *eb_page_new (guint64 lost_up_to);
EbPage *eb_page_ref (EbPage *self);
void eb_page_unref (EbPage *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EbPage, eb_page_unref)

/**
 * EbExtent:
 * @log_id: (array zero-terminated=1): the log's random id; a log that forgot everything has a new
 *   one
 * @first: sequence of the oldest event that can be read; @head + 1 when there is none
 * @head: sequence of the newest committed event; 0 before the first
 */
typedef struct
{
  char log_id[37];
  guint64 first;
  guint64 head;
} EbExtent;

/**
 * EbLogWait:
 * @EB_LOG_NO_WAIT: a read at the head answers an empty page
 * @EB_LOG_WAIT: a read at the head waits for the next event: the tail
 */
typedef enum
{
  EB_LOG_NO_WAIT,
  EB_LOG_WAIT,
} EbLogWait;

#define EB_TYPE_LOG (eb_log_get_type ())
G_DECLARE_INTERFACE (EbLog, eb_log, EB, LOG, GObject)

/**
 * EbLogInterface:
 *
 * The ordered list of accepted events. Sequences begin at 1, have no gaps and are never reused
 * within a log. Every function may be called from any thread; an operation completes in the
 * thread-default context of its caller, as a #GTask that returns what its finish function does.
 */
struct _EbLogInterface
{
  GTypeInterface parent_iface;

  void (*append_async) (EbLog *self,
                        GPtrArray *drafts,
                        GCancellable *cancellable,
                        GAsyncReadyCallback callback,
                        gpointer user_data);
  void (*read_async) (EbLog *self,
                      guint64 after,
                      gsize max_bytes,
                      EbLogWait wait,
                      GCancellable *cancellable,
                      GAsyncReadyCallback callback,
                      gpointer user_data);
  void (*get_extent) (EbLog *self, EbExtent *extent);
};

void eb_log_append_async (EbLog *self,
                          GPtrArray *drafts,
                          GCancellable *cancellable,
                          GAsyncReadyCallback callback,
                          gpointer user_data);
GArray *eb_log_append_finish (EbLog *self, GAsyncResult *result, GError **error);
void eb_log_read_async (EbLog *self,
                        guint64 after,
                        gsize max_bytes,
                        EbLogWait wait,
                        GCancellable *cancellable,
                        GAsyncReadyCallback callback,
                        gpointer user_data);
EbPage *eb_log_read_finish (EbLog *self, GAsyncResult *result, GError **error);
void eb_log_get_extent (EbLog *self, EbExtent *extent);

G_END_DECLS
