/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/eb-table.h"

/* Between two columns. */
#define GAP 2

struct _EbTable
{
  guint n_columns;
  GPtrArray *rows; /* (owned) (element-type GStrv): the heading first */
};

/**
 * eb_table_new:
 * @heading: (array zero-terminated=1): one for each column
 */
EbTable *
eb_table_new (const char *const *heading)
{
  EbTable *self = g_new (EbTable, 1);

  self->n_columns = g_strv_length ((char **) heading);
  self->rows = g_ptr_array_new_with_free_func ((GDestroyNotify) g_strfreev);
  g_ptr_array_add (self->rows, g_strdupv ((char **) heading));
  return self;
}

void
eb_table_free (EbTable *self)
{
  g_ptr_array_unref (self->rows);
  g_free (self);
}

/**
 * eb_table_take_row:
 * @row: (transfer full) (array zero-terminated=1): as many as there are columns, safe to print
 */
void
eb_table_take_row (EbTable *self, char **row)
{
  g_ptr_array_add (self->rows, row);
}

/**
 * eb_table_get_n_rows:
 *
 * Returns: how many there are below the heading
 */
guint
eb_table_get_n_rows (EbTable *self)
{
  return self->rows->len - 1;
}

static glong
get_width (EbTable *self, guint column)
{
  glong width = 0;

  for (guint i = 0; i < self->rows->len; i++)
    {
      char **row = g_ptr_array_index (self->rows, i);

      width = MAX (width, g_utf8_strlen (row[column], -1));
    }
  return width;
}

/**
 * eb_table_format:
 *
 * Returns: (transfer full): a line each, the columns below each other
 */
char *
eb_table_format (EbTable *self)
{
  g_autoptr (GString) out = g_string_new (NULL);
  g_autofree glong *widths = g_new (glong, self->n_columns);

  for (guint column = 0; column < self->n_columns; column++)
    widths[column] = get_width (self, column);
  for (guint i = 0; i < self->rows->len; i++)
    {
      char **row = g_ptr_array_index (self->rows, i);
      guint last = self->n_columns - 1;

      for (guint column = 0; column < last; column++)
        g_string_append_printf (out, "%s%*s", row[column],
                                (int) (widths[column] - g_utf8_strlen (row[column], -1) + GAP), "");
      g_string_append_printf (out, "%s\n", row[last]);
    }
  return g_string_free (g_steal_pointer (&out), FALSE);
}
