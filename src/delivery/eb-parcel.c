/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-parcel.h"

#include <string.h>

#include "codec/eb-event-headers.h"

/* Small data goes right behind its head: one piece less for the kernel to gather, for every
 * subscriber. */
#define MAX_COPIED 2048

struct _EbParcel
{
  guint ref_count;     /* one thread only */
  GHashTable *parcels; /* (unowned) where it is listed */
  EbEvent *event;      /* (owned) */
  GString *request;    /* (owned) (nullable): NULL until first asked for */
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
  if (self->request != NULL)
    g_string_free (self->request, TRUE);
  eb_event_unref (self->event);
  g_free (self);
}

EbEvent *
eb_parcel_get_event (EbParcel *self)
{
  return self->event;
}

static void
append_header (const char *name, const char *value, gpointer user_data)
{
  GString *request = user_data;

  g_string_append (request, name);
  g_string_append (request, ": ");
  g_string_append (request, value);
  g_string_append (request, "\r\n");
}

static void
write_request (EbParcel *self)
{
  GBytes *data = eb_event_get_data (self->event);
  gsize size = g_bytes_get_size (data);

  self->request = g_string_sized_new (384 + MIN (size, MAX_COPIED));
  eb_event_foreach_header (self->event, EB_MODE_BINARY, append_header, self->request);
  g_string_append_printf (self->request, "Content-Length: %" G_GSIZE_FORMAT "\r\n\r\n", size);
  if (size <= MAX_COPIED)
    g_string_append_len (self->request, g_bytes_get_data (data, NULL), (gssize) size);
}

/**
 * eb_parcel_get_parts:
 * @parts: (out): one after the other, the header lines that depend on the event alone,
 *   Content-Length and the empty line that ends the head included, and the data; the parcel's own
 *
 * Returns: how many parts there are
 */
guint
eb_parcel_get_parts (EbParcel *self, struct iovec parts[EB_PARCEL_MAX_PARTS])
{
  GBytes *data = eb_event_get_data (self->event);
  gsize size = g_bytes_get_size (data);

  if (self->request == NULL)
    write_request (self);
  parts[0] = (struct iovec){ self->request->str, self->request->len };
  if (size <= MAX_COPIED)
    return 1;
  parts[1] = (struct iovec){ (gpointer) g_bytes_get_data (data, NULL), size };
  return 2;
}
