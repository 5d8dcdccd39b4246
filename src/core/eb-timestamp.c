/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "core/eb-timestamp.h"

/* Times to the letter of RFC 3339. GDateTime reads ISO 8601, which has much besides: week dates,
 * commas, offsets without minutes; and not the year 0 and leap seconds. */

/* What a time says. */
typedef struct
{
  guint year;
  guint month;
  guint day;
  guint hour;
  guint minute;
  guint second;
  guint microsecond;
  int offset; /* minutes east of UTC */
} Fields;

/* Returns: FALSE if @n digits do not stand at @p, or mean a number above @max */
static gboolean
read_number (const char **p, guint n, guint max, guint *number)
{
  for (*number = 0; n > 0; n--, ++*p)
    {
      if (!g_ascii_isdigit (**p))
        return FALSE;
      *number = 10 * *number + (guint) g_ascii_digit_value (**p);
    }
  return *number <= max;
}

static gboolean
read_char (const char **p, char c)
{
  return g_ascii_toupper (*(*p)++) == c;
}

static gboolean
read_date (const char **p, Fields *fields)
{
  if (!read_number (p, 4, 9999, &fields->year) || !read_char (p, '-')
      || !read_number (p, 2, 12, &fields->month) || !read_char (p, '-')
      || !read_number (p, 2, 31, &fields->day) || fields->month == 0 || fields->day == 0)
    return FALSE;
  /* GDate has no year 0, which is a leap year. */
  return fields->day <= g_date_get_days_in_month (
             (GDateMonth) fields->month, (GDateYear) (fields->year > 0 ? fields->year : 4));
}

/* Any number of digits, of which those of the microseconds count. */
static gboolean
read_fraction (const char **p, Fields *fields)
{
  guint unit = G_USEC_PER_SEC;

  fields->microsecond = 0;
  if (**p != '.')
    return TRUE;
  if (!g_ascii_isdigit (*++*p))
    return FALSE;
  for (; g_ascii_isdigit (**p); ++*p)
    {
      unit /= 10;
      fields->microsecond += unit * (guint) g_ascii_digit_value (**p);
    }
  return TRUE;
}

static gboolean
read_time (const char **p, Fields *fields)
{
  return read_number (p, 2, 23, &fields->hour) && read_char (p, ':')
         && read_number (p, 2, 59, &fields->minute) && read_char (p, ':')
         && read_number (p, 2, 60, &fields->second) && read_fraction (p, fields);
}

static gboolean
read_offset (const char **p, Fields *fields)
{
  char sign = *(*p)++;
  guint hour, minute;

  fields->offset = 0;
  if (sign == 'Z' || sign == 'z')
    return TRUE;
  if ((sign != '+' && sign != '-') || !read_number (p, 2, 23, &hour) || !read_char (p, ':')
      || !read_number (p, 2, 59, &minute))
    return FALSE;
  fields->offset = (sign == '-' ? -1 : 1) * (int) (60 * hour + minute);
  return TRUE;
}

/* Returns: from 1970-01-01 */
static gint64
count_days (const Fields *fields)
{
  static const guint before_month[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 };
  const guint days_before_1970 = 719528; /* from the first day of the year 0 */
  /* Up to the end of February it is the years before that have had their leap days. */
  guint last = fields->month > 2 ? fields->year + 1 : fields->year;
  guint leap_days = (last + 3) / 4 - (last + 99) / 100 + (last + 399) / 400;

  return (gint64) 365 * fields->year + leap_days + before_month[fields->month - 1] + fields->day - 1
         - days_before_1970;
}

/* A leap second comes after 23:59:59 UTC. */
static gboolean
has_right_second (const Fields *fields)
{
  int day = 24 * 60;
  int utc = ((int) (60 * fields->hour + fields->minute) - fields->offset + day) % day;

  return fields->second < 60 || utc == day - 1;
}

/**
 * eb_timestamp_parse:
 * @text: such as `2024-01-31T12:00:00.5+01:00`
 * @real_us: (out): microseconds since 1970 in UTC; a leap second is the one after it
 *
 * Returns: FALSE unless @text is a time as RFC 3339, 5.6, has it
 */
gboolean
eb_timestamp_parse (const char *text, gint64 *real_us)
{
  Fields fields;
  gint64 minutes;

  if (!read_date (&text, &fields) || !read_char (&text, 'T') || !read_time (&text, &fields)
      || !read_offset (&text, &fields) || *text != '\0' || !has_right_second (&fields))
    return FALSE;
  minutes = (24 * count_days (&fields) + fields.hour) * 60 + fields.minute - fields.offset;
  *real_us = (60 * minutes + fields.second) * G_USEC_PER_SEC + fields.microsecond;
  return TRUE;
}
