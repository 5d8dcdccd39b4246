/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * EbOperationKind:
 * @EB_OPERATION_APPEND: drafts become events
 * @EB_OPERATION_APPLY: changes take place in the ledger
 * @EB_OPERATION_LOAD: a new epoch begins, and the ledger is read
 */
typedef enum
{
  EB_OPERATION_APPEND,
  EB_OPERATION_APPLY,
  EB_OPERATION_LOAD,
} EbOperationKind;

/**
 * EbOperation:
 *
 * What one caller wants written, and what comes of it.
 */
typedef struct
{
  EbOperationKind kind;
  GTask *task;      /* (owned) (nullable): NULL once it was returned */
  GPtrArray *items; /* (owned) (nullable): drafts, or changes; NULL to load */
  guint64 epoch;    /* of what is applied */
  gsize charge;     /* the bytes that it holds while it waits */
  gpointer result;  /* (owned) (nullable): what the task returns if the transaction succeeds */
  GDestroyNotify result_free;
  GError *refusal; /* (owned) (nullable): this one fails alone */
} EbOperation;

EbOperation *eb_operation_new (EbOperationKind kind, GTask *task, GPtrArray *items);
void eb_operation_free (EbOperation *self);
void eb_operation_fail (EbOperation *self, const GError *error);

void eb_operations_succeed (GPtrArray *operations);

G_END_DECLS
