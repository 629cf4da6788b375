/* writer and id: what is written passes, what is refused leaves nothing; derived ids and traces are always the same. */
#include "check.h"

#include <string.h>

#include "line/envelope.h"
#include "line/id.h"
#include "line/why.h"
#include "line/writer.h"

static struct buf out;
static struct writer w;
static struct line_err err;

static void begin(void)
{
	buf_clear(&out);
	writer_begin(&w, &out, 1000);
	writer_attr(&w, "specversion", "1.0");
	writer_attr(&w, "id", "1");
	writer_attr(&w, "source", "/s");
	writer_attr(&w, "type", "t");
}

#define HEAD "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\""

static bool wrote(const char *rest)
{
	char want[1024];

	snprintf(want, sizeof want, HEAD "%s}\n", rest);
	return writer_end(&w, &err) == 0 && out.len == strlen(want) && memcmp(out.p, want, out.len) == 0;
}

static bool refused(const char *why)
{
	return writer_end(&w, &err) == -1 && strcmp(err.why, why) == 0 && out.len == 0;
}

static void good(void)
{
	begin();
	CHECK(wrote(""), "the least line");
	begin();
	writer_attr(&w, "subject", "caf\xc3\xa9 \"x\"");
	writer_attr(&w, "time", NULL);
	writer_attr_raw(&w, "tenant", (struct span){ "\"t1\"", 4 });
	writer_attr_raw(&w, "partitionkey", (struct span){ NULL, 0 });
	writer_raw(&w, "n", "-7", 2);
	CHECK(wrote(",\"subject\":\"caf\xc3\xa9 \\\"x\\\"\",\"tenant\":\"t1\",\"n\":-7"), "attributes; absent ones write nothing");
	begin();
	writer_open(&w, "data");
	writer_str(&w, "text", "a\nb\0c", 5);
	writer_int(&w, "i", INT64_MIN);
	writer_real(&w, "r", 0.12345, 3);
	writer_bool(&w, "b", 5);
	writer_open_array(&w, "a");
	writer_int(&w, NULL, 1);
	writer_open(&w, NULL);
	writer_close(&w);
	writer_open_array(&w, NULL);
	writer_str(&w, NULL, "", 0);
	writer_close(&w);
	writer_close(&w);
	writer_value(&w, "v", (struct span){ "[1e999]", 7 });
	writer_value(&w, "no", (struct span){ NULL, 0 });
	writer_raw(&w, "w", " {\r\n\"x\" :\n[ ]}\n", 15);
	writer_close(&w);
	writer_attr(&w, "last", "z");
	CHECK(wrote(",\"data\":{\"text\":\"a\\nb\\u0000c\",\"i\":-9223372036854775808,\"r\":0.123,\"b\":true,"
		"\"a\":[1,{},[\"\"]],\"v\":[1e999],\"w\": {\"x\" :[ ]}},\"last\":\"z\""), "data of all kinds");
	begin();
	writer_str(&w, "data", "text", 4);
	CHECK(wrote(",\"data\":\"text\""), "a string as data");
	begin();
	writer_raw(&w, "data", "null", 4);
	CHECK(wrote(",\"data\":null"), "null as data");
	begin();
	writer_str(&w, "data_base64", "AAEC", 4);
	CHECK(wrote(",\"data_base64\":\"AAEC\""), "bytes as data");
}

static void bad(void)
{
	char longer[1200];

	memset(longer, 'x', sizeof longer);
	begin();
	writer_attr(&w, "subject", "\xff");
	CHECK(refused(WHY_UTF8), "bad UTF-8 in an attribute");
	begin();
	writer_attr(&w, "subject", "a\nb");
	CHECK(refused(WHY_ATTR_CHAR), "a line feed in an attribute");
	begin();
	writer_attr(&w, "Subject", "x");
	CHECK(refused(WHY_ATTR_NAME), "a name that is none");
	begin();
	writer_attr(&w, "data", "x");
	CHECK(refused(WHY_ATTR_NAME), "data is no attribute");
	begin();
	writer_attr(&w, "id", "2");
	CHECK(refused(WHY_REPEATED), "an attribute twice");
	begin();
	writer_attr(&w, "tenant", "../x");
	CHECK(refused(WHY_TENANT), "a tenant that is no name");
	begin();
	writer_str(&w, "data", "", 0);
	writer_raw(&w, "data_base64", "\"\"", 2);
	CHECK(refused(WHY_DATA_TWICE), "two payloads");
	begin();
	writer_raw(&w, "data", "{\"a\":01}", 8);
	CHECK(refused(WHY_NUMBER), "raw JSON that is none");
	begin();
	writer_raw(&w, "x", "[]", 2);
	CHECK(refused(WHY_ATTR_VALUE), "an array as an attribute");
	begin();
	writer_open(&w, "data");
	writer_attr(&w, "x", "y");
	writer_close(&w);
	CHECK(refused(WHY_WRITER_PLACE), "an attribute inside data");
	begin();
	writer_int(&w, "x", 1);
	CHECK(refused(WHY_WRITER_PLACE), "a value outside of data");
	begin();
	writer_open(&w, "data");
	CHECK(refused(WHY_WRITER_PLACE), "an object that was not closed");
	begin();
	writer_close(&w);
	CHECK(refused(WHY_WRITER_PLACE), "one closed too many");
	begin();
	writer_open(&w, "data");
	writer_int(&w, "x", 1);
	writer_int(&w, "x", 1);
	writer_close(&w);
	CHECK(refused(WHY_REPEATED), "a name twice in data");
	begin();
	writer_open(&w, "data");
	writer_int(&w, NULL, 1);
	CHECK(refused(WHY_WRITER_PLACE), "no name in an object");
	begin();
	writer_open(&w, "data");
	writer_real(&w, "x", 1.0 / 0.0, 2);
	CHECK(refused(WHY_NUMBER), "infinity");
	begin();
	writer_str(&w, "data", longer, sizeof longer);
	CHECK(refused(WHY_TOO_LONG) && err.at < 100, "over the cap");
	begin();
	writer_str(&w, "data", longer, 1000 - strlen(HEAD ",\"data\":\"\"}"));
	CHECK(writer_end(&w, &err) == 0 && out.len == 1001, "exactly the cap");
	begin();
	for (int i = 0; i < 100; i++)
		writer_open(&w, i ? "x" : "data");
	CHECK(refused(WHY_WRITER_DEPTH), "too deep");
	buf_clear(&out);
	writer_begin(&w, &out, 1000);
	writer_attr(&w, "id", "1");
	CHECK(refused(WHY_NO_SPECVERSION), "required attributes");

	/* Further lines behind one that stays. */
	begin();
	writer_end(&w, &err);
	writer_begin(&w, &out, 1000);
	writer_attr(&w, "subject", "\xff");
	CHECK(writer_end(&w, &err) == -1 && out.len == strlen(HEAD "}\n"), "a refusal leaves the lines before it");
}

static void envelope_of(const char *line, struct envelope *e)
{
	CHECK(envelope_check(line, strlen(line), LINE_MAX_BYTES, e, &err) == 0, "a cause: %.60s", line);
}

static bool derived(const char *cause, unsigned n, const char *want)
{
	struct envelope e;
	char line[2000];

	envelope_of(cause, &e);
	buf_clear(&out);
	writer_begin(&w, &out, 1000);
	id_derive(&w, &e, "analyze", n);
	id_inherit(&w, &e, "analyze", n);
	writer_attr(&w, "specversion", "1.0");
	writer_attr(&w, "type", "t");
	if (writer_end(&w, &err) != 0)
		return !want;
	snprintf(line, sizeof line, "{%s,\"specversion\":\"1.0\",\"type\":\"t\"}\n", want ? want : "");
	if (out.len == strlen(line) && memcmp(out.p, line, out.len) == 0)
		return true;
	printf("# got %.*s", (int)out.len, out.p);
	return false;
}

static void ids(void)
{
	static const uint64_t key[2] = { 1, 2 }, other[2] = { 1, 3 };
	struct envelope a, b;
	char line[1200], tenant[TENANT_MAX + 1];
	struct hash128 ka, kb;

	CHECK(derived(HEAD "}", 0, "\"id\":\"1.analyze\",\"source\":\"/s\",\"causationid\":\"1\""), "the first of one cause");
	CHECK(derived(HEAD ",\"tenant\":\"t1\",\"partitionkey\":\"k\\u0041\"}", 3,
		"\"id\":\"1.analyze.3\",\"source\":\"/s\",\"tenant\":\"t1\",\"partitionkey\":\"k\\u0041\",\"causationid\":\"1\""), "the third; tenant and key");
	CHECK(derived(HEAD ",\"traceparent\":\"00-0123456789abcdef0123456789abcdef-00000000000000ab-01\",\"tracestate\":\"a=b\"}", 0,
		"\"id\":\"1.analyze\",\"source\":\"/s\",\"causationid\":\"1\",\"traceparent\":\"00-0123456789abcdef0123456789abcdef-d28d076eb3235249-01\",\"tracestate\":\"a=b\""),
		"a trace goes on, always with the same new span");
	CHECK(derived(HEAD ",\"traceparent\":\"00-0123456789abcdef0123456789abcdef-0000000000000000-01\",\"tracestate\":\"a=b\"}", 0,
		"\"id\":\"1.analyze\",\"source\":\"/s\",\"causationid\":\"1\""), "a malformed trace ends");
	CHECK(derived(HEAD ",\"traceparent\":7}", 0, "\"id\":\"1.analyze\",\"source\":\"/s\",\"causationid\":\"1\""), "a trace that is no string");
	snprintf(line, sizeof line, "{\"specversion\":\"1.0\",\"id\":\"%0400d\",\"source\":\"/s\",\"type\":\"t\"}", 7);
	envelope_of(line, &a);
	buf_clear(&out);
	writer_begin(&w, &out, 1000);
	id_derive(&w, &a, "s", 0);
	CHECK(w.why == NULL && out.len == 1 + 5 + 404 + 14 && memcmp(out.p + out.len - 17, ".s\",\"source\":\"/s\"", 17) == 0, "a long id");
	writer_end(&w, &err);
	snprintf(line, sizeof line, "{\"specversion\":\"1.0\",\"id\":\"%0999d\",\"source\":\"/s\",\"type\":\"t\"}", 7);
	CHECK(derived(line, 0, NULL) && strcmp(err.why, WHY_TOO_LONG) == 0, "an id that leaves no room");

	envelope_of(HEAD "}", &a);
	envelope_of("{\"type\":\"x\",\"source\":\"\\/s\",\"id\":\"\\u0031\",\"specversion\":\"1.0\"}", &b);
	ka = id_key(&a, key);
	kb = id_key(&b, key);
	CHECK(ka.a == kb.a && ka.b == kb.b, "the same source and id, written otherwise, have one key");
	kb = id_key(&a, other);
	CHECK(ka.a != kb.a, "another secret, another key");
	envelope_of("{\"specversion\":\"1.0\",\"id\":\"s1\",\"source\":\"/\",\"type\":\"t\"}", &b);
	kb = id_key(&b, key);
	CHECK(ka.a != kb.a, "source and id do not run into each other");
	CHECK(id_lane(&a) != id_lane(&b), "without a partitionkey the id decides the lane");
	envelope_of(HEAD ",\"partitionkey\":\"k\"}", &a);
	envelope_of("{\"specversion\":\"1.0\",\"id\":\"2\",\"source\":\"/x\",\"type\":\"y\",\"tenant\":\"default\",\"partitionkey\":\"\\u006b\"}", &b);
	CHECK(id_lane(&a) == id_lane(&b), "tenant and key decide the lane; no tenant is default");
	CHECK(id_lane(&a) == UINT64_C(0xc035110e6c7d90ff), "lanes are the same in every run: %llx", (unsigned long long)id_lane(&a));
	envelope_tenant(&b, tenant);
	CHECK(strcmp(tenant, "default") == 0, "tenant");
	id_trace_new(line, 1, 2, 3);
	CHECK(strcmp(line, "00-00000000000000010000000000000002-0000000000000003-03") == 0, "a new trace");
	id_trace_new(line, 0, 0, 0);
	CHECK(strcmp(line, "00-00000000000000000000000000000001-0000000000000001-03") == 0, "a new trace is never all zeros");
}

int main(void)
{
	buf_init(&out, 1u << 16);
	good();
	bad();
	ids();
	buf_release(&out);
	return check_done();
}
