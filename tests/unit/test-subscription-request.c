/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include <string.h>

#include "codec/eb-subscription-actions-json.h"
#include "codec/eb-subscription-json.h"
#include "core/eb-error.h"

/* What is asked for from outside. In the texts here ' stands for ". */

#define SINK   "'sink':'http://a/'"
#define SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define BEARER "'credentialtype':'ACCESSTOKEN','accesstokentype':'Bearer'"

static GBytes *
new_body (const char *text)
{
  g_autofree char *quoted = g_strdelimit (g_strdup (text), "'", '"');

  return g_bytes_new (quoted, strlen (quoted));
}

static EbSubscription *
parse (const char *text, const char *id, guint64 *start, GError **error)
{
  g_autoptr (GBytes) body = new_body (text);

  return eb_subscription_parse (body, id, 120 * G_TIME_SPAN_SECOND, start, error);
}

static EbSubscription *
parse_fine (const char *text, guint64 *start)
{
  g_autoptr (GError) error = NULL;
  EbSubscription *subscription = parse (text, NULL, start, &error);

  g_assert_no_error (error);
  return subscription;
}

static void
test_least (void)
{
  guint64 start = 0;
  g_autoptr (EbSubscription) subscription = parse_fine ("{" SINK "}", &start);
  g_autoptr (EbSubscription) other = parse_fine ("{" SINK "}", &start);

  g_assert_true (g_uuid_string_is_valid (eb_subscription_get_id (subscription)));
  g_assert_cmpstr (eb_subscription_get_id (subscription), !=, eb_subscription_get_id (other));
  g_assert_cmpuint (start, ==, EB_SUBSCRIPTION_START_NOW);
  g_assert_cmpint (eb_subscription_get_lease (subscription), ==, 120 * G_TIME_SPAN_SECOND);
  g_assert_cmpuint (eb_subscription_get_concurrency (subscription), ==, 1);
  g_assert_true (eb_subscription_takes_all (subscription));
  g_assert_true (eb_delivery_options_are_default (eb_subscription_get_options (subscription)));
  g_assert_false (eb_subscription_is_paused (subscription));
}

static void
test_all (void)
{
  guint64 start = 0;
  g_autoptr (EbSubscription) subscription = parse_fine (
      "{'id':'billing','sink':'https://b/x','protocol':'HTTP','types':['a.*','b.>'],"
      "'filters':[{'prefix':{'subject':'eu/'}}],'sinkcredential':{" BEARER ",'accesstoken':'t'},"
      "'protocolsettings':{'headers':{'X-Team':'billing'}},"
      "'config':{'lease':2592000,'mode':'structured','order':'strict','concurrency':1,'rate':7,"
      "'timeout':1,'start':41,'resume':true,'secret':'" SECRET "','retry':[0,5],'handshake':true},"
      "'status':{'whatever':[1]}}",
      &start);
  const EbDeliveryOptions *options = eb_subscription_get_options (subscription);

  g_assert_cmpuint (start, ==, 41);
  g_assert_cmpstr (eb_subscription_get_id (subscription), ==, "billing");
  g_assert_cmpint (eb_subscription_get_lease (subscription), ==, 30 * G_TIME_SPAN_DAY);
  g_assert_cmpint (eb_subscription_get_order (subscription), ==, EB_ORDER_STRICT);
  g_assert_cmpstr (eb_subscription_get_types (subscription)[1], ==, "b.>");
  g_assert_nonnull (eb_subscription_get_filter (subscription));
  g_assert_cmpint (options->mode, ==, EB_MODE_STRUCTURED);
  g_assert_cmpuint (options->rate, ==, 7);
  g_assert_cmpint (options->timeout, ==, G_TIME_SPAN_SECOND);
  g_assert_true (options->resume && options->handshake);
  g_assert_cmpstr (options->token, ==, "t");
  g_assert_cmpstr (((EbSecret *) options->secrets->pdata[0])->text, ==, SECRET);
  g_assert_cmpuint (options->retry->len, ==, 2);
  g_assert_cmpuint (options->headers->len, ==, 1);
}

/* RFC 6750 and RFC 7235: schemes are compared without regard to case. */
static void
test_token_type (void)
{
  static const char *const types[] = { "bearer", "BEARER", "Bearer" };

  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    {
      g_autofree char *text =
          g_strdup_printf ("{" SINK ",'sinkcredential':{'credentialtype':'ACCESSTOKEN',"
                           "'accesstokentype':'%s','accesstoken':'t'}}",
                           types[i]);
      guint64 start;
      g_autoptr (EbSubscription) subscription = parse_fine (text, &start);

      g_assert_cmpstr (eb_subscription_get_options (subscription)->token, ==, "t");
    }
}

static void
test_fine (void)
{
  static const char *const texts[] = {
    "{" SINK ",'types':[]}",
    "{" SINK ",'types':['>']}",
    "{" SINK ",'filters':[]}",
    "{" SINK ",'config':{}}",
    "{" SINK ",'config':{'lease':0}}",
    "{" SINK ",'config':{'start':'earliest'}}",
    "{" SINK ",'config':{'start':'now'}}",
    "{" SINK ",'config':{'start':0}}",
    "{" SINK ",'config':{'retry':[]}}",
    "{" SINK ",'config':{'concurrency':1000,'order':'relaxed','mode':'batch'}}",
    "{" SINK ",'sinkcredential':{" BEARER "}}",
    "{" SINK ",'protocolsettings':{}}",
    "{" SINK ",'protocolsettings':{'headers':{}}}",
    "{" SINK ",'status':null}",
    " {\n" SINK ", 'id' : '\\u00e9'\t}\r\n",
  };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      guint64 start;
      g_autoptr (EbSubscription) subscription = parse_fine (texts[i], &start);

      g_assert_nonnull (subscription);
    }
}

/* Each with what the error must name. */
static const struct
{
  const char *text;
  const char *says;
} wrong[] = {
  { "", "" },
  { "{" SINK "}x", "" },
  { "{" SINK "," SINK "}", "sink" },
  { "[]", "The body" },
  { "null", "The body" },
  { "{}", "“sink” is missing" },
  { "{" SINK ",'new':1}", "“new”" },
  { "{" SINK ",'source':'/x'}", "“source”" },
  { "{" SINK ",'paused':true}", "“paused”" },
  { "{" SINK ",'id':1}", "“id” is 1" },
  { "{" SINK ",'id':''}", "id" },
  { "{" SINK ",'id':null}", "“id” is null" },
  { "{'sink':1}", "“sink”" },
  { "{'sink':''}", "“sink”" },
  { "{'sink':'ftp://a/'}", "“sink”" },
  { "{'sink':'http://u:p@a/'}", "“sink”" },
  { "{'sink':'http://a/#f'}", "“sink”" },
  { "{" SINK ",'protocol':'MQTT'}", "“protocol” is \"MQTT\"" },
  { "{" SINK ",'protocol':{}}", "“protocol”" },
  { "{" SINK ",'types':'a'}", "“types”" },
  { "{" SINK ",'types':['a',2]}", "“types[1]”" },
  { "{" SINK ",'types':['a..b']}", "“types[0]”" },
  { "{" SINK ",'types':['']}", "“types[0]”" },
  { "{" SINK ",'types':['a','>.a']}", "“types[1]”" },
  { "{" SINK ",'types':['a*']}", "“types[0]”" },
  { "{" SINK ",'filters':{}}", "“filters”" },
  { "{" SINK ",'filters':[1]}", "“filters[0]”" },
  { "{" SINK ",'filters':[{}]}", "“filters[0]”" },
  { "{" SINK ",'filters':[{'exact':{'type':'a'},'prefix':{'type':'a'}}]}", "“filters[0]”" },
  { "{" SINK ",'filters':[{'sql':'1=1'}]}", "“filters[0].sql”" },
  { "{" SINK ",'filters':[{'exact':{}}]}", "“filters[0].exact”" },
  { "{" SINK ",'filters':[{'exact':[]}]}", "“filters[0].exact”" },
  { "{" SINK ",'filters':[{'exact':{'type':1}}]}", "“filters[0].exact.type”" },
  { "{" SINK ",'filters':[{'exact':{'Type':'a'}}]}", "“filters[0].exact.Type”" },
  { "{" SINK ",'filters':[{'suffix':{'type':''}}]}", "“filters[0].suffix.type”" },
  { "{" SINK ",'filters':[{'any':{}}]}", "“filters[0].any”" },
  { "{" SINK ",'filters':[{'any':[]}]}", "“filters[0].any”" },
  { "{" SINK ",'filters':[{'not':[]}]}", "“filters[0].not”" },
  { "{" SINK ",'filters':[{'not':{'any':[{'exact':{}}]}}]}", "“filters[0].not.any[0].exact”" },
  { "{" SINK ",'sinkcredential':[]}", "“sinkcredential”" },
  { "{" SINK ",'sinkcredential':{}}", "“sinkcredential.credentialtype”" },
  { "{" SINK ",'sinkcredential':{'credentialtype':'PLAIN'}}", "“sinkcredential.credentialtype”" },
  { "{" SINK ",'sinkcredential':{'credentialtype':'ACCESSTOKEN'}}",
    "“sinkcredential.accesstokentype”" },
  { "{" SINK ",'sinkcredential':{'credentialtype':'ACCESSTOKEN','accesstokentype':'x'}}",
    "“sinkcredential.accesstokentype”" },
  { "{" SINK ",'sinkcredential':{" BEARER ",'accesstoken':7}}", "“sinkcredential.accesstoken”" },
  { "{" SINK ",'sinkcredential':{" BEARER ",'accesstoken':''}}", "“sinkcredential.accesstoken”" },
  { "{" SINK ",'sinkcredential':{" BEARER ",'accesstoken':'a b'}}",
    "“sinkcredential.accesstoken”" },
  { "{" SINK ",'sinkcredential':{" BEARER ",'user':'a'}}", "“sinkcredential.user”" },
  { "{" SINK ",'protocolsettings':1}", "“protocolsettings”" },
  { "{" SINK ",'protocolsettings':{'method':'PUT'}}", "“protocolsettings.method”" },
  { "{" SINK ",'protocolsettings':{'headers':[]}}", "“protocolsettings.headers”" },
  { "{" SINK ",'protocolsettings':{'headers':{'a':1}}}", "“protocolsettings.headers.a”" },
  { "{" SINK ",'protocolsettings':{'headers':{'a b':'1'}}}", "protocolsettings.headers" },
  { "{" SINK ",'protocolsettings':{'headers':{'Host':'1'}}}", "“Host”" },
  { "{" SINK ",'protocolsettings':{'headers':{'CE-Id':'1'}}}", "“CE-Id”" },
  { "{" SINK ",'protocolsettings':{'headers':{'X':'1','x':'2'}}}", "“x” twice" },
  { "{" SINK ",'protocolsettings':{'headers':{'X':'a\\r\\nb: c'}}}", "“X”" },
  { "{" SINK ",'config':[]}", "“config”" },
  { "{" SINK ",'config':{'leases':1}}", "“config.leases”" },
  { "{" SINK ",'config':{'secrets':[]}}", "“config.secrets”" },
  { "{" SINK ",'config':{'lease':-1}}", "“config.lease” is -1" },
  { "{" SINK ",'config':{'lease':2592001}}", "“config.lease”" },
  { "{" SINK ",'config':{'lease':1.5}}", "“config.lease” is 1.5" },
  { "{" SINK ",'config':{'lease':-18446744073709551615}}", "“config.lease”" },
  { "{" SINK ",'config':{'lease':'1'}}", "“config.lease” is \"1\"" },
  { "{" SINK ",'config':{'mode':'json'}}", "“config.mode”" },
  { "{" SINK ",'config':{'mode':1}}", "“config.mode”" },
  { "{" SINK ",'config':{'order':'any'}}", "“config.order”" },
  { "{" SINK ",'config':{'order':true}}", "“config.order”" },
  { "{" SINK ",'config':{'concurrency':0}}", "“config.concurrency”" },
  { "{" SINK ",'config':{'concurrency':1001}}", "“config.concurrency”" },
  { "{" SINK ",'config':{'concurrency':'2'}}", "“config.concurrency”" },
  { "{" SINK ",'config':{'concurrency':2,'order':'strict'}}", "“config.concurrency”" },
  { "{" SINK ",'config':{'rate':-1}}", "“config.rate”" },
  { "{" SINK ",'config':{'rate':1000001}}", "“config.rate”" },
  { "{" SINK ",'config':{'rate':null}}", "“config.rate”" },
  { "{" SINK ",'config':{'timeout':0}}", "“config.timeout”" },
  { "{" SINK ",'config':{'timeout':3601}}", "“config.timeout”" },
  { "{" SINK ",'config':{'timeout':'15s'}}", "“config.timeout”" },
  { "{" SINK ",'config':{'start':'later'}}", "“config.start”" },
  { "{" SINK ",'config':{'start':-1}}", "“config.start”" },
  { "{" SINK ",'config':{'start':9223372036854775808}}", "“config.start”" },
  { "{" SINK ",'config':{'start':[]}}", "“config.start”" },
  { "{" SINK ",'config':{'resume':1}}", "“config.resume”" },
  { "{" SINK ",'config':{'handshake':'yes'}}", "“config.handshake”" },
  { "{" SINK ",'config':{'secret':1}}", "“config.secret”" },
  { "{" SINK ",'config':{'secret':'hidden'}}", "“config.secret”" },
  { "{" SINK ",'config':{'secret':'whsec_aGlkZGVu'}}", "“config.secret”" },
  { "{" SINK ",'config':{'retry':5}}", "“config.retry”" },
  { "{" SINK ",'config':{'retry':[1,2,-3]}}", "“config.retry[2]”" },
  { "{" SINK ",'config':{'retry':[2592001]}}", "“config.retry[0]”" },
  { "{" SINK ",'config':{'retry':['1']}}", "“config.retry[0]”" },
};

static void
test_wrong (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_autoptr (GError) error = NULL;
      guint64 start;

      g_test_message ("%s", wrong[i].text);
      g_assert_null (parse (wrong[i].text, NULL, &start, &error));
      g_assert_error (error, EB_ERROR, EB_ERROR_INVALID);
      g_test_message ("%s", error->message);
      g_assert_nonnull (strstr (error->message, wrong[i].says));
      g_assert_null (strstr (error->message, "hidden"));
      g_assert_null (strstr (error->message, "aGlkZGVu"));
    }
}

static void
test_many (void)
{
  g_autoptr (GString) text = g_string_new ("{" SINK ",'config':{'retry':[");
  g_autoptr (GError) error = NULL;
  guint64 start;

  for (guint i = 0; i < 101; i++)
    g_string_append (text, i > 0 ? ",1" : "1");
  g_string_append (text, "]}}");
  g_assert_null (parse (text->str, NULL, &start, &error));
  g_assert_nonnull (strstr (error->message, "“config.retry”"));
}

static void
test_deep (void)
{
  g_autoptr (GString) text = g_string_new ("{" SINK ",'filters':[");
  g_autoptr (GError) error = NULL;
  guint64 start;

  for (guint i = 0; i < 40; i++)
    g_string_append (text, "{'not':");
  g_string_append (text, "{'exact':{'type':'a'}}");
  for (guint i = 0; i < 40; i++)
    g_string_append (text, "}");
  g_string_append (text, "]}");
  g_assert_null (parse (text->str, NULL, &start, &error));
  g_assert_error (error, EB_ERROR, EB_ERROR_INVALID);
  g_assert_nonnull (strstr (error->message, "nested"));
}

static void
test_path (void)
{
  g_autoptr (EbSubscription) absent = NULL;
  g_autoptr (EbSubscription) same = NULL;
  g_autoptr (GError) error = NULL;
  guint64 start;

  absent = parse ("{" SINK "}", "a/b", &start, NULL);
  g_assert_cmpstr (eb_subscription_get_id (absent), ==, "a/b");
  same = parse ("{'id':'a/b'," SINK "}", "a/b", &start, NULL);
  g_assert_nonnull (same);
  g_assert_null (parse ("{'id':'c'," SINK "}", "a/b", &start, &error));
  g_assert_nonnull (strstr (error->message, "“id” is “c”"));
}

/* Whatever comes, it is read or refused, and what was read can be kept. */
static void
test_mutations (void)
{
  static const char text[] =
      "{\"id\":\"b\",\"sink\":\"http://b/x\",\"types\":[\"a.*\"],\"filters\":[{\"any\":[{\"not\":"
      "{\"exact\":{\"type\":\"\\u00e9\"}}}]}],\"config\":{\"lease\":60,\"retry\":[1,5],"
      "\"start\":\"now\",\"secret\":\"" SECRET "\"},\"status\":{\"a\":[1.5e3]}}";
  static const char bytes[] = "{}[]\",:\\u0129-.e*> \x80\xff\xc3";

  for (guint i = 0; i < 20000; i++)
    {
      g_autofree char *mutated = g_memdup2 (text, sizeof text);
      g_autoptr (EbSubscription) subscription = NULL;
      g_autoptr (GBytes) body = NULL;
      g_autoptr (GError) error = NULL;
      guint64 start;

      for (int n = g_test_rand_int_range (1, 4); n > 0; n--)
        mutated[g_test_rand_int_range (0, sizeof text - 1)] =
            bytes[g_test_rand_int_range (0, sizeof bytes - 1)];
      body = g_bytes_new (mutated, (gsize) g_test_rand_int_range (sizeof text - 9, sizeof text));
      subscription = eb_subscription_parse (body, NULL, 0, &start, &error);
      g_assert_true ((subscription != NULL) == (error == NULL));
      if (subscription != NULL)
        {
          g_autofree char *row = eb_subscription_to_json (subscription);
          g_autoptr (EbSubscription) copy = eb_subscription_from_json (row, NULL);

          g_assert_nonnull (copy);
        }
    }
}

/* What is in a list comes back as that list, whatever it is. */
static void
test_lists (void)
{
  static const char *const lists[] = {
    "[{'exact':{'type':'a','source':'b'}}]",
    "[{'exact':{'type':'a'}},{'prefix':{'type':'a'}}]",
    "[{'all':[{'exact':{'type':'a'}},{'prefix':{'type':'a'}}]}]",
    "[{'all':[{'all':[{'exact':{'type':'a'}}]}]}]",
    "[{'all':[{'exact':{'type':'a'}}]},{'not':{'suffix':{'type':'a'}}}]",
    "[{'any':[{'exact':{'type':'a'}}]}]",
  };

  for (guint i = 0; i < G_N_ELEMENTS (lists); i++)
    {
      g_autofree char *text = g_strdup_printf ("{" SINK ",'filters':%s}", lists[i]);
      g_autofree char *wanted = g_strdelimit (g_strdup (lists[i]), "'", '"');
      guint64 start;
      g_autoptr (EbSubscription) subscription = parse_fine (text, &start);
      g_autofree char *row = eb_subscription_to_json (subscription);
      g_autoptr (EbSubscription) copy = eb_subscription_from_json (row, NULL);
      g_autofree char *again = eb_subscription_to_json (copy);

      g_assert_nonnull (strstr (row, wanted));
      g_assert_cmpstr (row, ==, again);
    }
}

static gboolean
parse_replay (const char *text, EbReplayRequest *request)
{
  g_autoptr (GBytes) body = new_body (text);
  g_autoptr (GError) error = NULL;
  gboolean fine = eb_replay_request_parse (body, request, &error);

  g_assert_true (fine || error->code == EB_ERROR_INVALID);
  return fine;
}

static void
test_replay (void)
{
  static const char *const refused[] = {
    "",
    "{}",
    "[]",
    "{'after':-1}",
    "{'after':'1'}",
    "{'after':1,'from':'2024-01-31T12:00:00Z'}",
    "{'from':1}",
    "{'from':'2024-01-31'}",
    "{'from':'2024-01-31T12:00:00'}",
    "{'from':'20240131T120000Z'}",
    "{'from':'2024-02-31T12:00:00Z'}",
    "{'from':''}",
    "{'to':1}",
  };
  EbReplayRequest request;

  g_assert_true (parse_replay ("{'after':0}", &request));
  g_assert_false (request.by_time);
  g_assert_true (parse_replay ("{'after':7}", &request));
  g_assert_cmpuint (request.after, ==, 7);
  g_assert_true (parse_replay ("{'from':'2023-11-14t23:13:20.5+01:00'}", &request));
  g_assert_true (request.by_time);
  g_assert_cmpint (request.real_us, ==, 1700000000500000);
  for (guint i = 0; i < G_N_ELEMENTS (refused); i++)
    {
      g_test_message ("%s", refused[i]);
      g_assert_false (parse_replay (refused[i], &request));
    }
}

static void
test_secret (void)
{
  static const char *const refused[] = { "[]", "{'secret':1}", "{'secret':'hidden'}", "{'s':1}" };
  g_autoptr (GBytes) empty = new_body ("");
  g_autoptr (GBytes) given = new_body ("{'secret':'" SECRET "'}");
  g_autofree char *none = NULL;
  g_autofree char *secret = NULL;

  g_assert_true (eb_secret_request_parse (empty, &none, NULL));
  g_assert_null (none);
  g_assert_true (eb_secret_request_parse (given, &secret, NULL));
  g_assert_cmpstr (secret, ==, SECRET);
  for (guint i = 0; i < G_N_ELEMENTS (refused); i++)
    {
      g_autoptr (GBytes) body = new_body (refused[i]);
      g_autoptr (GError) error = NULL;
      g_autofree char *no = NULL;

      g_assert_false (eb_secret_request_parse (body, &no, &error));
      g_assert_error (error, EB_ERROR, EB_ERROR_INVALID);
      g_assert_null (strstr (error->message, "hidden"));
    }
}

static void
test_empty (void)
{
  g_autoptr (GBytes) nothing = new_body ("");
  g_autoptr (GBytes) object = new_body ("{ }");
  g_autoptr (GBytes) more = new_body ("{'all':true}");
  g_autoptr (GError) error = NULL;

  g_assert_true (eb_empty_request_check (nothing, NULL));
  g_assert_true (eb_empty_request_check (object, NULL));
  g_assert_false (eb_empty_request_check (more, &error));
  g_assert_nonnull (strstr (error->message, "“all”"));
}

static void
test_answers (void)
{
  const EbAttemptView attempts[] = {
    { 31, 7, 2, 500, 1700000000123456, 15999, "answered 500" },
    { 30, 6, 1, 204, 1700000000000000, 100, NULL },
  };
  g_autofree char *ping = eb_ping_to_json (0, "nobody \"there\"", 1500);
  g_autofree char *list = eb_attempts_to_json (attempts, G_N_ELEMENTS (attempts));
  g_autofree char *secret = eb_secret_to_json ("s");

  g_assert_cmpstr (ping, ==, "{\"status\":0,\"reason\":\"nobody \\\"there\\\"\",\"duration\":1}");
  g_assert_cmpstr (secret, ==, "{\"secret\":\"s\"}");
  g_assert_cmpstr (
      list, ==,
      "[{\"number\":31,\"sequence\":7,\"attempt\":2,\"started\":\"2023-11-14T22:13:20.123Z\","
      "\"duration\":15,\"status\":500,\"reason\":\"answered 500\"},"
      "{\"number\":30,\"sequence\":6,\"attempt\":1,\"started\":\"2023-11-14T22:13:20.000Z\","
      "\"duration\":0,\"status\":204,\"reason\":null}]");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/subscription-request/least", test_least);
  g_test_add_func ("/subscription-request/all", test_all);
  g_test_add_func ("/subscription-request/token-type", test_token_type);
  g_test_add_func ("/subscription-request/fine", test_fine);
  g_test_add_func ("/subscription-request/wrong", test_wrong);
  g_test_add_func ("/subscription-request/many", test_many);
  g_test_add_func ("/subscription-request/deep", test_deep);
  g_test_add_func ("/subscription-request/path", test_path);
  g_test_add_func ("/subscription-request/mutations", test_mutations);
  g_test_add_func ("/subscription-request/lists", test_lists);
  g_test_add_func ("/subscription-request/replay", test_replay);
  g_test_add_func ("/subscription-request/secret", test_secret);
  g_test_add_func ("/subscription-request/empty", test_empty);
  g_test_add_func ("/subscription-request/answers", test_answers);

  return g_test_run ();
}
