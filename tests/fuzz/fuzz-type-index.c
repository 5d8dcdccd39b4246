/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "core/eb-type-index.h"
#include "core/eb-types.h"
#include "fuzz/eb-fuzz.h"

/* Lines: a type, then the patterns of one holder each. The index finds whom eb_types_match() does.
 */
int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *text = g_strndup ((const char *) data, size);
  g_auto (GStrv) lines = g_strsplit (text, "\n", 64);
  g_autoptr (EbTypeIndex) index = eb_type_index_new ();
  g_autoptr (GPtrArray) found = g_ptr_array_new ();

  if (lines[0] == NULL)
    return 0;
  for (char **line = lines + 1; *line != NULL; line++)
    {
      const char *patterns[] = { *line, NULL };
      g_autoptr (GError) error = NULL;
      gboolean fine = eb_types_check (patterns, &error);

      eb_fuzz_check_verdict (fine, error);
      if (fine)
        eb_type_index_add (index, patterns, *line);
    }
  eb_type_index_match (index, lines[0], found);
  for (char **line = lines + 1; *line != NULL; line++)
    {
      const char *patterns[] = { *line, NULL };
      gboolean held = eb_types_check (patterns, NULL);

      g_assert_true (g_ptr_array_find (found, *line, NULL)
                     == (held && eb_types_match (patterns, lines[0])));
      g_assert_true (eb_type_index_remove (index, *line) == held);
    }
  g_assert_cmpuint (eb_type_index_get_size (index), ==, 0);
  return 0;
}
