/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "core/eb-type-index.h"

#include "core/eb-types.h"

/* The index must find whom eb_types_match() would, asked for everybody: it is the model. */

#define N_HOLDERS    40
#define MAX_PATTERNS 4
#define MAX_TOKENS   5

typedef struct
{
  char *patterns[MAX_PATTERNS + 1]; /* (owned); none while it is not in the index */
} Holder;

static guint
random_below (guint n)
{
  return (guint) g_test_rand_int_range (0, (gint32) n);
}

/* Few tokens, so that patterns share their beginnings, and some that begin like others. */
static const char *
random_token (void)
{
  static const char *const tokens[] = { "a", "b", "ab", "\xc3\xbc" };

  return tokens[random_below (G_N_ELEMENTS (tokens))];
}

static char *
random_pattern (void)
{
  g_autoptr (GString) pattern = g_string_new (NULL);
  guint n_tokens = 1 + random_below (MAX_TOKENS);

  for (guint i = 0; i < n_tokens; i++)
    {
      gboolean last = i + 1 == n_tokens;

      g_string_append (pattern, i > 0 ? "." : "");
      g_string_append (pattern, last && random_below (4) == 0 ? ">"
                                : random_below (3) == 0       ? "*"
                                                              : random_token ());
    }
  return g_string_free (g_steal_pointer (&pattern), FALSE);
}

/* Nobody checks a type's tokens: some are empty, or look like a pattern's. */
static char *
random_type (void)
{
  static const char *const odd[] = { "", "*", ">", "a*" };
  g_autoptr (GString) type = g_string_new (NULL);
  guint n_tokens = 1 + random_below (MAX_TOKENS + 1);

  for (guint i = 0; i < n_tokens; i++)
    {
      g_string_append (type, i > 0 ? "." : "");
      g_string_append (type, random_below (6) == 0 ? odd[random_below (G_N_ELEMENTS (odd))]
                                                   : random_token ());
    }
  return g_string_free (g_steal_pointer (&type), FALSE);
}

static void
holder_clear (Holder *self)
{
  for (guint i = 0; i < MAX_PATTERNS; i++)
    g_clear_pointer (&self->patterns[i], g_free);
}

static void
toggle (EbTypeIndex *index, Holder *holder)
{
  gboolean present = holder->patterns[0] != NULL;
  guint n_patterns = 1 + random_below (MAX_PATTERNS);

  g_assert_cmpint (eb_type_index_remove (index, holder), ==, present);
  holder_clear (holder);
  if (present)
    return;
  for (guint i = 0; i < n_patterns; i++)
    holder->patterns[i] = random_pattern ();
  g_assert_true (eb_types_check ((const char *const *) holder->patterns, NULL));
  eb_type_index_add (index, (const char *const *) holder->patterns, holder);
}

static void
assert_finds (EbTypeIndex *index, Holder *holders, const char *type)
{
  g_autoptr (GPtrArray) found = g_ptr_array_new ();
  guint n_expected = 0;

  eb_type_index_match (index, type, found);
  for (guint i = 0; i < N_HOLDERS; i++)
    {
      const char *const *patterns = (const char *const *) holders[i].patterns;
      gboolean expected = *patterns != NULL && eb_types_match (patterns, type);

      n_expected += expected;
      if (g_ptr_array_find (found, &holders[i], NULL) != expected)
        g_error ("“%s” %s holder %u, whose first pattern is “%s”", type,
                 expected ? "misses" : "finds", i, *patterns);
    }
  g_assert_cmpuint (found->len, ==, n_expected);
}

static void
test_random (void)
{
  g_autoptr (EbTypeIndex) index = eb_type_index_new ();
  Holder holders[N_HOLDERS] = { 0 };

  for (guint turn = 0; turn < 10000; turn++)
    {
      g_autofree char *type = random_type ();
      guint n_patterns = 0;

      toggle (index, &holders[random_below (N_HOLDERS)]);
      assert_finds (index, holders, type);
      for (guint i = 0; i < N_HOLDERS; i++)
        n_patterns += g_strv_length (holders[i].patterns);
      g_assert_cmpuint (eb_type_index_get_size (index), <=, 2 * n_patterns);
    }

  for (guint i = 0; i < N_HOLDERS; i++)
    if (holders[i].patterns[0] != NULL)
      toggle (index, &holders[i]);
  g_assert_cmpuint (eb_type_index_get_size (index), ==, 0);
}

static void
assert_only (EbTypeIndex *index, const char *type, gpointer holder)
{
  g_autoptr (GPtrArray) found = g_ptr_array_new ();

  eb_type_index_match (index, type, found);
  g_assert_cmpuint (found->len, ==, holder != NULL);
  if (holder != NULL)
    g_assert_true (g_ptr_array_index (found, 0) == holder);
}

/* Whoever has several patterns that match, or one of them twice, is still one. */
static void
test_once (void)
{
  g_autoptr (EbTypeIndex) index = eb_type_index_new ();
  const char *const patterns[] = { "a.b", "a.*", "*.b", "a.>", ">", "a.*", "a.b", NULL };
  int holder;

  eb_type_index_add (index, patterns, &holder);
  assert_only (index, "a.b", &holder);
  assert_only (index, "c", &holder);
  g_assert_true (eb_type_index_remove (index, &holder));
  g_assert_false (eb_type_index_remove (index, &holder));
  assert_only (index, "a.b", NULL);
  g_assert_cmpuint (eb_type_index_get_size (index), ==, 0);
}

/* A pattern with many tokens is as cheap to keep as one with few. */
static void
test_size (void)
{
  g_autoptr (EbTypeIndex) index = eb_type_index_new ();
  g_autofree char *deep = g_strnfill (255, '.');
  const char *const patterns[] = { deep, NULL };
  const char *const fork[] = { "a.a.b", NULL };
  int first, second;

  for (guint i = 0; i < 255; i += 2)
    deep[i] = 'a';
  eb_type_index_add (index, patterns, &first);
  g_assert_cmpuint (eb_type_index_get_size (index), ==, 1);

  eb_type_index_add (index, fork, &second);
  g_assert_cmpuint (eb_type_index_get_size (index), ==, 3);
  assert_only (index, deep, &first);
  assert_only (index, "a.a.b", &second);
  assert_only (index, "a.a", NULL);

  g_assert_true (eb_type_index_remove (index, &second));
  g_assert_cmpuint (eb_type_index_get_size (index), ==, 1);
  assert_only (index, deep, &first);
  g_assert_true (eb_type_index_remove (index, &first));
}

/* A type that looks like a pattern goes each way once, not twice at every token. */
static void
test_type_like_pattern (void)
{
  g_autoptr (EbTypeIndex) index = eb_type_index_new ();
  g_autofree char *stars = g_strnfill (255, '.');
  char holders[64];

  for (guint i = 0; i < 255; i += 2)
    stars[i] = '*';
  /* A node at every token. */
  for (guint i = 0; i < sizeof holders; i++)
    {
      g_autofree char *prefix = g_strndup (stars, 2 * i + 1);
      const char *const patterns[] = { prefix, NULL };

      eb_type_index_add (index, patterns, &holders[i]);
    }
  stars[2 * sizeof holders - 1] = '\0';
  assert_only (index, stars, &holders[sizeof holders - 1]);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/type-index/random", test_random);
  g_test_add_func ("/type-index/once", test_once);
  g_test_add_func ("/type-index/size", test_size);
  g_test_add_func ("/type-index/type-like-pattern", test_type_like_pattern);
  return g_test_run ();
}
