/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-parcel.h"

#include "codec/eb-event-json.h"

struct _EbParcel
{
  guint ref_count;       /* one thread only */
  GHashTable *parcels;   /* (unowned) where it is listed */
  EbEvent *event;        /* (owned) */
  EbContent *binary;     /* (owned) (nullable): NULL until first asked for */
  EbContent *structured; /* (owned) (nullable): NULL until first asked for */
  GString *json;         /* (owned) (nullable): NULL until first asked for */
};

/**
 * eb_parcels_new:
 *
 * Returns: (transfer full) (element-type EbEvent EbParcel): a worker's parcels by their event; it
 *   holds no references to them, and must outlive them
 */
GHashTable *
eb_parcels_new (void)
{
  return g_hash_table_new (NULL, NULL);
}

/**
 * eb_parcels_obtain:
 * @self: from eb_parcels_new()
 * @event: is referenced
 *
 * Returns: (transfer full): the parcel of @event: the one there is, or a new one
 */
EbParcel *
eb_parcels_obtain (GHashTable *self, EbEvent *event)
{
  EbParcel *parcel = g_hash_table_lookup (self, event);

  if (parcel != NULL)
    return eb_parcel_ref (parcel);

  parcel = g_new0 (EbParcel, 1);
  parcel->ref_count = 1;
  parcel->parcels = self;
  parcel->event = eb_event_ref (event);
  g_hash_table_insert (self, event, parcel);
  return parcel;
}

EbParcel *
eb_parcel_ref (EbParcel *self)
{
  self->ref_count++;
  return self;
}

void
eb_parcel_unref (EbParcel *self)
{
  if (--self->ref_count > 0)
    return;
  g_hash_table_remove (self->parcels, self->event);
  g_clear_pointer (&self->binary, eb_content_unref);
  g_clear_pointer (&self->structured, eb_content_unref);
  if (self->json != NULL)
    g_string_free (self->json, TRUE);
  eb_event_unref (self->event);
  g_free (self);
}

EbEvent *
eb_parcel_get_event (EbParcel *self)
{
  return self->event;
}

/**
 * eb_parcel_get_content:
 * @mode: not %EB_MODE_BATCH
 *
 * Returns: (transfer none): the event in that mode; written when it is first asked for
 */
EbContent *
eb_parcel_get_content (EbParcel *self, EbMode mode)
{
  if (mode == EB_MODE_BINARY)
    {
      if (self->binary == NULL)
        self->binary = eb_content_new_binary (self->event);
      return self->binary;
    }
  if (self->structured == NULL)
    self->structured = eb_content_new_structured (self->event);
  return self->structured;
}

/**
 * eb_parcel_get_json:
 *
 * Returns: (transfer none): the event as a JSON object; written when it is first asked for
 */
const GString *
eb_parcel_get_json (EbParcel *self)
{
  if (self->json == NULL)
    {
      self->json = g_string_sized_new (384 + g_bytes_get_size (eb_event_get_data (self->event)));
      eb_event_append_json (self->event, self->json);
    }
  return self->json;
}
