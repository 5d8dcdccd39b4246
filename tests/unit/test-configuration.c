/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "app/eb-configuration.h"
#include "app/eb-store-location.h"
#include "core/eb-error.h"

static EbConfiguration *
load (const char *text, GError **error)
{
  g_autoptr (GKeyFile) keys = g_key_file_new ();

  g_assert_true (g_key_file_load_from_data (keys, text, (gsize) -1, G_KEY_FILE_NONE, NULL));
  return eb_configuration_new (keys, error);
}

static void
test_store (void)
{
  g_autoptr (EbConfiguration) memory = load ("[store]\nlocation=memory:\n", NULL);
  g_autoptr (EbConfiguration) file =
      load ("[store]\nlocation=sqlite:/x/y.db\ndurability=relaxed\n", NULL);
  g_autoptr (EbConfiguration) usual = load ("", NULL);
  g_autofree char *usual_path = eb_store_location_dup_default_path ();
  g_autoptr (EbConfiguration) limited = load (
      "[store]\nlocation=sqlite:y.db\nretention-size=7\nretention-age=60\ndeduplication-window=0\n",
      NULL);
  g_autofree char *limited_path = g_canonicalize_filename ("y.db", NULL);

  g_assert_cmpstr (usual->store_path, ==, usual_path);
  g_assert_null (memory->store_path);
  g_assert_cmpint (memory->durability, ==, EB_DURABILITY_FULL);
  g_assert_cmpint (memory->retention_age, ==, 7 * G_TIME_SPAN_DAY);
  g_assert_cmpint (memory->deduplication_window, ==, 10 * G_TIME_SPAN_MINUTE);
  g_assert_cmpint (limited->deduplication_window, ==, 0);
  g_assert_cmpstr (file->store_path, ==, "/x/y.db");
  g_assert_cmpint (file->durability, ==, EB_DURABILITY_RELAXED);
  g_assert_cmpuint (file->retention_size, ==, 0);          /* as the store has it */
  g_assert_cmpstr (limited->store_path, ==, limited_path); /* never a name as SQLite knows some */
  g_assert_cmpuint (limited->retention_size, ==, 7);
  g_assert_cmpint (limited->retention_age, ==, G_TIME_SPAN_MINUTE);
}

/* setenv() is safe here: there are no threads. */
static void
test_default_path (void)
{
  g_autofree char *one = NULL;
  g_autofree char *first = NULL;
  g_autofree char *own = NULL;
  g_autofree char *expected =
      g_build_filename (g_get_user_state_dir (), "eventbus", "events.db", NULL);

  g_setenv ("STATE_DIRECTORY", "/var/lib/eventbus", TRUE);
  one = eb_store_location_dup_default_path ();
  g_assert_cmpstr (one, ==, "/var/lib/eventbus/events.db");
  g_setenv ("STATE_DIRECTORY", "/var/lib/a:/var/lib/b", TRUE);
  first = eb_store_location_dup_default_path ();
  g_assert_cmpstr (first, ==, "/var/lib/a/events.db");
  g_unsetenv ("STATE_DIRECTORY");
  own = eb_store_location_dup_default_path ();
  g_assert_cmpstr (own, ==, expected);
}

static void
test_retry (void)
{
  g_autoptr (EbConfiguration) usual = load ("[store]\nlocation=memory:\n", NULL);
  g_autoptr (EbConfiguration) own =
      load ("[store]\nlocation=memory:\n[delivery]\nretry=2, 2592000\n", NULL);

  g_assert_cmpuint (usual->retry->len, ==, 9);
  g_assert_cmpint (g_array_index (usual->retry, GTimeSpan, 0), ==, G_TIME_SPAN_SECOND);
  g_assert_cmpint (g_array_index (usual->retry, GTimeSpan, 8), ==, 12 * G_TIME_SPAN_HOUR);
  g_assert_cmpuint (own->retry->len, ==, 2);
  g_assert_cmpint (g_array_index (own->retry, GTimeSpan, 1), ==, 30 * G_TIME_SPAN_DAY);
}

static void
test_wrong (void)
{
  static const char *const cases[] = {
    "[store]\nlocation=memory\n",
    "[store]\nlocation=sqlite:\n",
    "[http]\nlisten=foo\n",
    "[http]\nlisten=127.0.0.1:70000\n",
    "[http]\nlisten=unix:\n",
    "[delivery]\ndeny=10.0.0.0/40\n",
    "[delivery]\nallow=here\n",
    "[delivery]\nca-file=/dev/null/ca.pem\n",
    "[delivery]\norigin=a b\n",
    "[delivery]\norigin=ö\n",
    "[store]\nlocation=postgres:x\n",
    "[store]\ndurability=maybe\n",
    "[store]\nretention-size=0\n",
    "[delivery]\nretry=\n",
    "[delivery]\nretry=0\n",
    "[delivery]\nretry=1,2592001\n",
    "[delivery]\nretry=1.5\n",
    "[delivery]\nretry=1,-2\n",
    "[http]\ncors-origins=a.example\n",
    "[http]\ncors-origins=*,http://a.example/\n",
    "[http]\ncors-origins=https://*.example\n",
    "[http]\ncors-origins=https://a b\n",
    "[http]\ncors-origins=ht_tp://a.example\n",
    "[http]\ncors-origins=1http://a.example\n",
    "[http]\ncors-origins=://a.example\n",
    "[http]\ncors-origins=https:a.example\n",
    "[http]\ncors-origins=https://\n",
    "[http]\ncors-origins=https://:80\n",
    "[http]\ncors-origins=https://u@a.example\n",
    "[http]\ncors-origins=https://a.example?\n",
    "[http]\ncors-origins=https://a.example#\n",
    "[http]\ncors-origins=https://a.example:\n",
    "[http]\ncors-origins=https://a.example:65536\n",
    "[http]\ncors-origins=https://a.example:080\n",
    "[http]\ncors-origins=https://[::1\n",
    "[http]\ncors-origins=https://[a.example]\n",
    "[http]\ncors-origins=https://[::1]80\n",
    "[http]\ncors-origins=https://ä.example\n",
    "[http]\ncors-origins=https://a%2eexample\n",
    "[http]\nmax-connections=\xff\n",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      const char *key = strchr (cases[i], '\n') + 1;
      g_autofree char *name = g_strndup (key, strcspn (key, "="));
      g_autofree char *shown = g_strescape (cases[i], NULL);

      g_test_message ("%s", shown);
      g_assert_null (load (cases[i], &error));
      g_assert_error (error, EB_ERROR, EB_ERROR_INVALID);
      g_assert_nonnull (strstr (error->message, name));
    }
}

static void
test_cors_origins (void)
{
  static const char text[] = "[http]\ncors-origins=https://a.example;https://b.example:8443, "
                             "http://[::1]:5173;moz-extension://0c1d2e3f-4a5b,HTTP://127.0.0.1\n";
  g_autoptr (GError) error = NULL;
  g_autoptr (EbConfiguration) configuration = load (text, &error);
  g_autofree char *joined = NULL;

  g_assert_no_error (error);
  joined = g_strjoinv (" ", configuration->cors_origins);
  g_assert_cmpstr (joined, ==,
                   "https://a.example https://b.example:8443 http://[::1]:5173 "
                   "moz-extension://0c1d2e3f-4a5b HTTP://127.0.0.1");

  g_clear_pointer (&configuration, eb_configuration_free);
  g_assert_null (load ("[http]\ncors-origins=https://a.example,https://*.example\n", &error));
  g_assert_nonnull (strstr (error->message, "“https://*.example”"));
}

static void
test_too_many_retries (void)
{
  g_autoptr (GString) text = g_string_new ("[delivery]\nretry=1");
  g_autoptr (GError) error = NULL;

  for (guint i = 1; i <= 100; i++)
    g_string_append (text, ",1");
  g_assert_null (load (text->str, &error));
  g_assert_error (error, EB_ERROR, EB_ERROR_INVALID);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/configuration/store", test_store);
  g_test_add_func ("/configuration/default-path", test_default_path);
  g_test_add_func ("/configuration/retry", test_retry);
  g_test_add_func ("/configuration/wrong", test_wrong);
  g_test_add_func ("/configuration/cors-origins", test_cors_origins);
  g_test_add_func ("/configuration/too-many-retries", test_too_many_retries);

  return g_test_run ();
}
