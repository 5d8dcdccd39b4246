/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "support/eb-store-model.h"

#include <sqlite3.h>
#include <string.h>

#include "core/eb-error.h"
#include "support/eb-test-wait.h"

/* Writes into a store, several operations at a time, and remembers what was said of each: so it
 * knows what must be there, what must not, and what may. What is said after the power was cut,
 * nobody has heard. */
struct _EbStoreModel
{
  EbStoreFixture *fixture;
  EbShimVfs *shim;
  GRand *random;
  guint64 epoch;     /* of the last load; 0 before the first since the store was opened */
  GPtrArray *events; /* (owned) (element-type Published) by serial number */
  guint n_in_flight;
  guint n_refused;
  struct
  {
    int is_there; /* 1 or 0; -1 if nobody knows */
    gboolean is_busy;
  } subscriptions[8];
};

typedef enum
{
  UNKNOWN,
  ACKED,
  REFUSED,
} Fate;

typedef struct
{
  Fate fate;
  guint64 sequence; /* once it is known */
  guint n_open;     /* how often it is being published: no answer was heard yet */
  gsize size;
  gboolean is_seen;
} Published;

#define MAX_EVENTS 4

/* One operation under way. */
typedef struct
{
  EbStoreModel *model;
  guint serials[MAX_EVENTS]; /* of its events, some of which may be repeats */
  guint n_events;            /* 0: it is a change */
  guint subscription;
  gboolean is_put;
} Operation;

#define MAX_IN_FLIGHT 8

EbStoreModel *
eb_store_model_new (EbStoreFixture *fixture, EbShimVfs *shim, GRand *random)
{
  EbStoreModel *self = g_new0 (EbStoreModel, 1);

  self->fixture = fixture;
  self->shim = shim;
  self->random = random;
  self->events = g_ptr_array_new_with_free_func (g_free);
  return self;
}

void
eb_store_model_free (EbStoreModel *self)
{
  g_assert_cmpuint (self->n_in_flight, ==, 0);
  g_ptr_array_unref (self->events);
  g_free (self);
}

/* Every error is a clear one. */
static void
check_error (const GError *error)
{
  g_assert_true (g_error_matches (error, EB_ERROR, EB_ERROR_IO)
                 || g_error_matches (error, EB_ERROR, EB_ERROR_NO_SPACE));
  g_assert_nonnull (strstr (error->message, "events.db"));
}

/* Publishers of half of them say which they are, and publish some of these again. */
static gboolean
is_named (guint serial)
{
  return serial % 2 == 0;
}

/* It was refused only if it was each time. */
static void
hear (Published *published, const EbReceipt *receipt)
{
  published->n_open--;
  if (receipt != NULL)
    {
      g_assert_cmpint (receipt->duplicate, ==, published->fate == ACKED);
      g_assert_true (!receipt->duplicate || receipt->sequence == published->sequence);
      published->fate = ACKED;
      published->sequence = receipt->sequence;
    }
  else if (published->fate != ACKED && published->n_open == 0)
    published->fate = REFUSED;
}

static void
appended_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autofree Operation *operation = user_data;
  EbStoreModel *self = operation->model;
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) receipts = eb_log_append_finish (EB_LOG (source), result, &error);

  self->n_in_flight--;
  if (error != NULL)
    check_error (error);
  if (eb_shim_vfs_is_cut (self->shim))
    return;
  self->n_refused += receipts == NULL;
  for (guint i = 0; i < operation->n_events; i++)
    hear (self->events->pdata[operation->serials[i]],
          receipts != NULL ? &g_array_index (receipts, EbReceipt, i) : NULL);
}

/* The serial number, and so many letters. */
static char *
make_text (guint serial, gsize size)
{
  char *text = g_malloc (size + 1);

  memset (text, (int) ('a' + serial % 26), size);
  g_snprintf (text, 11, "%010u", serial);
  text[10] = ':';
  text[size] = '\0';
  return text;
}

static guint
add_event (EbStoreModel *self)
{
  Published *published = g_new0 (Published, 1);

  /* One in four needs pages of its own. */
  published->size = (gsize) g_rand_int_range (self->random, 12, 400);
  if (g_rand_int_range (self->random, 0, 4) == 0)
    published->size *= 32;
  g_ptr_array_add (self->events, published);
  return self->events->len - 1;
}

/* A new one, or one of the last that can be told from others. */
static guint
choose_event (EbStoreModel *self)
{
  guint n_last = MIN (self->events->len, 64);
  guint serial;

  if (n_last == 0 || g_rand_int_range (self->random, 0, 3) > 0)
    return add_event (self);
  serial = self->events->len - 1 - (guint) g_rand_int_range (self->random, 0, (gint) n_last);
  return is_named (serial) ? serial : add_event (self);
}

static EbDraft *
new_draft (EbStoreModel *self, guint serial)
{
  Published *published = self->events->pdata[serial];
  g_autofree char *text = make_text (serial, published->size);
  g_autofree char *id = g_strdup_printf ("%u", serial);
  EbDraft *draft = is_named (serial) ? eb_store_fixture_new_named_draft ("/model", id, text)
                                     : eb_store_fixture_new_draft (text);

  g_assert_true (eb_draft_set (draft, "subject", "eu/a", NULL));
  published->n_open++;
  if (published->fate == REFUSED)
    published->fate = UNKNOWN;
  return draft;
}

static void
append_some (EbStoreModel *self)
{
  g_autoptr (GPtrArray) drafts = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_draft_free);
  Operation *operation = g_new0 (Operation, 1);

  operation->model = self;
  operation->n_events = (guint) g_rand_int_range (self->random, 1, MAX_EVENTS + 1);
  for (guint i = 0; i < operation->n_events; i++)
    {
      operation->serials[i] = choose_event (self);
      g_ptr_array_add (drafts, new_draft (self, operation->serials[i]));
    }
  self->n_in_flight++;
  eb_log_append_async (self->fixture->log, drafts, NULL, appended_cb, operation);
}

static void
applied_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autofree Operation *operation = user_data;
  EbStoreModel *self = operation->model;
  g_autoptr (GError) error = NULL;
  gboolean is_applied = eb_ledger_apply_finish (EB_LEDGER (source), result, &error);

  self->n_in_flight--;
  self->subscriptions[operation->subscription].is_busy = FALSE;
  if (error != NULL)
    check_error (error);
  if (eb_shim_vfs_is_cut (self->shim))
    self->subscriptions[operation->subscription].is_there = -1;
  else if (is_applied)
    self->subscriptions[operation->subscription].is_there = operation->is_put;
}

static void
change_one (EbStoreModel *self)
{
  guint which =
      (guint) g_rand_int_range (self->random, 0, (gint) G_N_ELEMENTS (self->subscriptions));
  g_autoptr (GPtrArray) changes = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_change_free);
  g_autofree char *id = g_strdup_printf ("s%u:1", which);
  g_autoptr (EbSubscription) subscription = eb_store_fixture_new_subscription (id);
  Operation *operation;

  if (self->subscriptions[which].is_busy || self->epoch == 0)
    return;
  operation = g_new0 (Operation, 1);
  operation->model = self;
  operation->subscription = which;
  operation->is_put = g_rand_boolean (self->random);
  if (operation->is_put)
    g_ptr_array_add (changes, eb_change_new_put (subscription, 0));
  else
    g_ptr_array_add (changes, eb_change_new (EB_CHANGE_REMOVE, id, 0));
  g_ptr_array_add (changes, eb_change_new (EB_CHANGE_FLOOR, NULL, self->events->len));
  self->subscriptions[which].is_busy = TRUE;
  self->n_in_flight++;
  eb_ledger_apply_async (self->fixture->ledger, self->epoch, changes, NULL, applied_cb, operation);
}

/**
 * eb_store_model_step:
 *
 * Begins something, and waits for an answer if much is under way.
 */
void
eb_store_model_step (EbStoreModel *self)
{
  if (g_rand_int_range (self->random, 0, 4) == 0)
    change_one (self);
  else
    append_some (self);
  while (g_main_context_iteration (NULL, self->n_in_flight >= MAX_IN_FLIGHT))
    continue;
}

static gboolean
is_settled (gpointer data)
{
  return ((EbStoreModel *) data)->n_in_flight == 0;
}

/**
 * eb_store_model_settle:
 *
 * Waits until nothing is under way.
 */
void
eb_store_model_settle (EbStoreModel *self)
{
  eb_test_wait_for (is_settled, self);
}

guint
eb_store_model_get_n_refused (EbStoreModel *self)
{
  return self->n_refused;
}

static char *
check_event (EbStoreModel *self, EbEvent *event)
{
  gsize size;
  const char *data = g_bytes_get_data (eb_event_get_data (event), &size);
  guint64 sequence = eb_event_get_sequence (event);
  guint serial = size > 11 ? (guint) strtoul (data, NULL, 10) : G_MAXUINT;
  Published *published;
  g_autofree char *text = NULL;

  if (serial >= self->events->len)
    return g_strdup_printf ("event %" G_GUINT64_FORMAT " was never published", sequence);
  published = self->events->pdata[serial];
  text = make_text (serial, published->size);
  if (published->fate == REFUSED)
    return g_strdup_printf ("event %" G_GUINT64_FORMAT " was refused", sequence);
  if (published->is_seen || (published->fate == ACKED && published->sequence != sequence))
    return g_strdup_printf ("event %" G_GUINT64_FORMAT " has another place", sequence);
  if (size != published->size || memcmp (data, text, size) != 0
      || g_strcmp0 (eb_event_get_attribute (event, "subject"), "eu/a") != 0)
    return g_strdup_printf ("event %" G_GUINT64_FORMAT " is not what was published", sequence);
  published->is_seen = TRUE;
  published->sequence = sequence;
  return NULL;
}

static char *
check_page (EbStoreModel *self, EbPage *page, guint64 *after)
{
  if (page->lost_up_to > 0)
    return g_strdup_printf ("events up to %" G_GUINT64_FORMAT " are lost", page->lost_up_to);
  for (guint i = 0; i < page->events->len; i++)
    {
      char *fault = check_event (self, page->events->pdata[i]);

      if (fault != NULL)
        return fault;
      if (eb_event_get_sequence (page->events->pdata[i]) != ++*after)
        return g_strdup_printf ("event %" G_GUINT64_FORMAT " is missing", *after);
    }
  return NULL;
}

static char *
check_log (EbStoreModel *self)
{
  EbExtent extent;
  guint64 after = 0;
  char *fault = NULL;

  eb_log_get_extent (self->fixture->log, &extent);
  while (fault == NULL && after < extent.head)
    {
      g_autoptr (EbPage) page = eb_store_fixture_read (self->fixture, after, 1024 * 1024);

      fault = check_page (self, page, &after);
    }
  return fault;
}

/* What nobody knew is known from here on. */
static char *
resolve_events (EbStoreModel *self)
{
  for (guint i = 0; i < self->events->len; i++)
    {
      Published *published = self->events->pdata[i];

      if (published->fate == ACKED && !published->is_seen)
        return g_strdup_printf ("event %" G_GUINT64_FORMAT " was acknowledged and is lost",
                                published->sequence);
      published->fate = published->is_seen ? ACKED : REFUSED;
      published->is_seen = FALSE;
      published->n_open = 0;
    }
  return NULL;
}

static char *
check_subscriptions (EbStoreModel *self)
{
  g_autoptr (GPtrArray) entries = eb_store_fixture_load (self->fixture, &self->epoch);
  gboolean found[G_N_ELEMENTS (self->subscriptions)] = { FALSE };

  for (guint i = 0; i < entries->len; i++)
    {
      const EbLedgerEntry *entry = entries->pdata[i];

      found[eb_subscription_get_id (entry->subscription)[1] - '0'] = TRUE;
    }
  for (guint i = 0; i < G_N_ELEMENTS (found); i++)
    {
      if (self->subscriptions[i].is_there != -1 && self->subscriptions[i].is_there != found[i])
        return g_strdup_printf ("subscription s%u is %sthere", i, found[i] ? "" : "not ");
      self->subscriptions[i].is_there = found[i];
    }
  return NULL;
}

/**
 * eb_store_model_find_fault:
 *
 * Compares what the store has with what it said, and learns what happened to the rest.
 *
 * Returns: (nullable) (transfer full): what is wrong
 */
char *
eb_store_model_find_fault (EbStoreModel *self)
{
  char *fault = check_log (self);

  if (fault == NULL)
    fault = resolve_events (self);
  return fault != NULL ? fault : check_subscriptions (self);
}

static int
take_text_cb (void *user_data, int n_columns, char **values, char **names)
{
  g_string_append (user_data, values[0]);
  return 0;
}

/**
 * eb_store_model_find_damage:
 * @path: a database that nobody has open; its log is written back
 *
 * Returns: (nullable) (transfer full): what SQLite finds wrong with it
 */
char *
eb_store_model_find_damage (const char *path)
{
  g_autoptr (GString) said = g_string_new (NULL);
  sqlite3 *handle;

  g_assert_cmpint (sqlite3_open (path, &handle), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_exec (handle, "PRAGMA integrity_check", take_text_cb, said, NULL), ==,
                   SQLITE_OK);
  sqlite3_close (handle);
  return g_str_equal (said->str, "ok") ? NULL : g_strdup (said->str);
}
