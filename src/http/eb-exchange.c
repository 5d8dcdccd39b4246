/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "http/eb-exchange.h"

#include <string.h>

#include "codec/eb-problem.h"
#include "core/eb-error.h"
#include "core/eb-quote.h"

static const char *
skip_authority (const char *target)
{
  const char *path;

  if (!g_str_has_prefix (target, "http://"))
    return target;
  path = strpbrk (target + strlen ("http://"), "/?");
  return path != NULL ? path : "/";
}

/**
 * eb_exchange_dup_path:
 * @target: a request target, as sent
 *
 * Returns: (transfer full): its path, as sent
 */
char *
eb_exchange_dup_path (const char *target)
{
  const char *path = skip_authority (target);

  return g_strndup (path, strcspn (path, "?"));
}

/**
 * eb_exchange_new:
 * @target: the request target, as sent: a path or an absolute URL
 *
 * Returns: (transfer full): an exchange without an answer
 */
EbExchange *
eb_exchange_new (SoupServerMessage *message, EbBus *bus, const char *target)
{
  EbExchange *self = g_new0 (EbExchange, 1);
  const char *mark = strchr (target, '?');

  self->message = g_object_ref (message);
  self->bus = g_object_ref (bus);
  self->path = eb_exchange_dup_path (target);
  self->query = mark != NULL ? g_strdup (mark + 1) : NULL;
  return self;
}

/**
 * eb_exchange_free:
 *
 * The answer goes out, if it waited.
 */
void
eb_exchange_free (EbExchange *self)
{
  if (self->paused)
    soup_server_message_unpause (self->message);
  g_object_unref (self->message);
  g_object_unref (self->bus);
  g_free (self->path);
  g_free (self->query);
  g_free (self->content_type);
  g_free (self);
}

/**
 * eb_exchange_get_body:
 *
 * Returns: (transfer full): what was sent, maybe nothing. Its Content-Type is no matter where a
 * path takes JSON: people's tools say something else unasked.
 */
GBytes *
eb_exchange_get_body (EbExchange *self)
{
  return soup_message_body_flatten (soup_server_message_get_request_body (self->message));
}

/**
 * eb_exchange_get_answer_headers:
 *
 * Returns: (transfer none): what goes out with the answer
 */
SoupMessageHeaders *
eb_exchange_get_answer_headers (EbExchange *self)
{
  return soup_server_message_get_response_headers (self->message);
}

/**
 * eb_exchange_pause:
 *
 * The answer waits until the exchange is freed.
 */
void
eb_exchange_pause (EbExchange *self)
{
  self->paused = TRUE;
  soup_server_message_pause (self->message);
}

/* What is refused for now may be accepted in a moment. */
static void
set_status (EbExchange *self, guint status)
{
  soup_server_message_set_status (self->message, status, NULL);
  if (status == SOUP_STATUS_SERVICE_UNAVAILABLE)
    soup_message_headers_replace (eb_exchange_get_answer_headers (self), "Retry-After", "1");
}

void
eb_exchange_reply_text (EbExchange *self, guint status, const char *text)
{
  set_status (self, status);
  soup_server_message_set_response (self->message, "text/plain; charset=utf-8", SOUP_MEMORY_COPY,
                                    text, strlen (text));
}

/**
 * eb_exchange_reply_problem:
 * @status: HTTP status
 * @detail: for people; names what is wrong
 *
 * Answers as RFC 9457 has it.
 */
void
eb_exchange_reply_problem (EbExchange *self, guint status, const char *detail)
{
  char *text = eb_problem_to_json (status, soup_status_get_phrase (status), detail);

  set_status (self, status);
  soup_server_message_set_response (self->message, EB_PROBLEM_TYPE, SOUP_MEMORY_TAKE, text,
                                    strlen (text));
}

/**
 * eb_exchange_reply_json:
 * @text: (transfer full): JSON
 *
 * Answers with status 200.
 */
void
eb_exchange_reply_json (EbExchange *self, char *text)
{
  set_status (self, SOUP_STATUS_OK);
  soup_server_message_set_response (self->message, "application/json", SOUP_MEMORY_TAKE, text,
                                    strlen (text));
}

/* Of the headers that libsoup has written it concludes that nothing but the connection's end shows
 * where a 204 ends. */
static void
wrote_headers_cb (SoupServerMessage *message, gpointer user_data)
{
  soup_message_headers_set_encoding (soup_server_message_get_response_headers (message),
                                     SOUP_ENCODING_NONE);
}

/**
 * eb_exchange_reply_nothing:
 *
 * Answers with status 204.
 */
void
eb_exchange_reply_nothing (EbExchange *self)
{
  set_status (self, SOUP_STATUS_NO_CONTENT);
  g_signal_connect (self->message, "wrote-headers", G_CALLBACK (wrote_headers_cb), NULL);
}

/* How the errors of EB_ERROR look from here. */
static const guint statuses[] = {
  [EB_ERROR_INVALID] = SOUP_STATUS_BAD_REQUEST,
  [EB_ERROR_FORBIDDEN] = SOUP_STATUS_BAD_REQUEST,
  [EB_ERROR_TOO_LARGE] = SOUP_STATUS_REQUEST_ENTITY_TOO_LARGE,
  [EB_ERROR_LIMIT] = SOUP_STATUS_SERVICE_UNAVAILABLE,
  [EB_ERROR_NOT_FOUND] = SOUP_STATUS_NOT_FOUND,
  [EB_ERROR_EXISTS] = SOUP_STATUS_CONFLICT,
  [EB_ERROR_BUSY] = SOUP_STATUS_SERVICE_UNAVAILABLE,
  [EB_ERROR_CLOSED] = SOUP_STATUS_SERVICE_UNAVAILABLE,
  [EB_ERROR_FENCED] = SOUP_STATUS_SERVICE_UNAVAILABLE,
  [EB_ERROR_IO] = SOUP_STATUS_SERVICE_UNAVAILABLE,
  [EB_ERROR_NO_SPACE] = SOUP_STATUS_INSUFFICIENT_STORAGE,
};

/**
 * eb_exchange_get_status_for_error:
 *
 * Returns: the HTTP status that says what @error says
 */
guint
eb_exchange_get_status_for_error (const GError *error)
{
  if (error->domain != EB_ERROR || error->code < 0 || error->code >= (int) G_N_ELEMENTS (statuses))
    return SOUP_STATUS_INTERNAL_SERVER_ERROR;
  return statuses[error->code];
}

/**
 * eb_exchange_reply_error:
 *
 * Answers with a problem that says what @error says.
 */
void
eb_exchange_reply_error (EbExchange *self, const GError *error)
{
  eb_exchange_reply_problem (self, eb_exchange_get_status_for_error (error), error->message);
}

/**
 * eb_exchange_refuse_method:
 * @allowed: the methods that the path has, as for `Allow`
 */
void
eb_exchange_refuse_method (EbExchange *self, const char *allowed)
{
  g_autofree char *shown = eb_quote_text (soup_server_message_get_method (self->message), -1);
  g_autofree char *detail =
      g_strdup_printf ("%s is not for this path; there is %s", shown, allowed);

  soup_message_headers_replace (eb_exchange_get_answer_headers (self), "Allow", allowed);
  eb_exchange_reply_problem (self, SOUP_STATUS_METHOD_NOT_ALLOWED, detail);
}

/**
 * eb_exchange_end:
 * @self: (transfer full)
 * @error: (nullable): why it was not done
 *
 * Answers that something was done of which there is nothing to say, or that it was not.
 */
void
eb_exchange_end (EbExchange *self, const GError *error)
{
  if (error == NULL)
    eb_exchange_reply_nothing (self);
  else
    eb_exchange_reply_error (self, error);
  eb_exchange_free (self);
}
