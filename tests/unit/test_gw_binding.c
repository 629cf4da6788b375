/* binding: requests of all three content modes, good and bad; problem bodies. */
#include "check.h"

#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "gatewayd/binding.h"

static struct buf out;		/* lines, each ended by LF; "!INDEX SLUG ATTRIBUTE HEADER\n" for faults */

static int on_line(void *arg, uint32_t index, const char *line, size_t n)
{
	(void)arg;
	(void)index;
	return buf_add(&out, line, n) || buf_addc(&out, '\n');
}

static int on_fault(void *arg, uint32_t index, const struct problem *p)
{
	(void)arg;
	return buf_printf(&out, "!%u %s %s %s\n", index, p->slug, p->attribute, p->header);
}

static uint64_t fixed(void)
{
	return 0x1122334455667788;
}

static struct binding b = {.tenant = "default", .max_line = 1000, .max_events = 3, .now = 0, .random = fixed,
	.on_line = on_line, .on_fault = on_fault};

/* headers: lines ended by CRLF. What came out, or "STATUS SLUG ATTRIBUTE HEADER OFFSET". */
static const char *ask(const char *headers, const char *body, size_t n)
{
	static char head[4096];
	struct http_head h;
	struct http_fault f;
	struct problem p;

	snprintf(head, sizeof(head), "POST / HTTP/1.1\r\nHost: x\r\n%s\r\n", headers);
	if (http_head_parse(head, strlen(head), &h, &f) <= 0)
		return "no head";
	buf_clear(&out);
	if (binding_read(&b, &h, body, n, &p)) {
		buf_clear(&out);
		buf_printf(&out, "%d %s %s %s %zu", p.status, p.slug, p.attribute, p.header, p.offset);
	}
	return buf_cstr(&out);
}

#define ONE "Content-Type: Application/CloudEvents+JSON; charset=UTF-8\r\n"
#define MANY "Content-Type: application/cloudevents-batch+json\r\n"
#define BIN "ce-specversion: 1.0\r\nce-id: 7\r\nce-source: /s\r\nce-type: t\r\n"
#define REQUIRED "\"specversion\":\"1.0\",\"id\":\"7\",\"source\":\"/s\",\"type\":\"t\""
#define TRACE "00-11223344556677881122334455667788-1122334455667788-03"
#define ADDED ",\"time\":\"1970-01-01T00:00:00.000Z\",\"traceparent\":\"" TRACE "\"}\n"
#define FULL ",\"time\":\"2020-01-01T00:00:00Z\",\"traceparent\":\"x\"}"

static const struct { const char *name, *headers, *body, *want; } rows[] = {
	{"structured", ONE, "{" REQUIRED "}", "{" REQUIRED ADDED},
	{"complete: its bytes", ONE, "{ " REQUIRED " " FULL, "{ " REQUIRED " " FULL "\n"},
	{"spread over lines", ONE, "\n{ " REQUIRED ",\r\n \"data\" : { \"a\\\"\" : \" x  y \\\\\" }\t}\n",
		"{" REQUIRED ",\"data\":{\"a\\\"\":\" x  y \\\\\"}" ADDED},
	{"null says so", ONE, "{" REQUIRED ",\"time\":null,\"traceparent\":null}",
		"{" REQUIRED ",\"time\":null,\"traceparent\":null}\n"},
	{"trace of the request", ONE "traceparent: 00-0123456789abcdef0123456789abcdef-00000000000000ab-00\r\n", "{" REQUIRED "}",
		"{" REQUIRED ",\"time\":\"1970-01-01T00:00:00.000Z\",\"traceparent\":"
		"\"00-0123456789abcdef0123456789abcdef-00000000000000ab-00\"}\n"},
	{"its trace malformed", ONE "traceparent: 00-00000000000000000000000000000000-00000000000000ab-00\r\n", "{" REQUIRED "}",
		"{" REQUIRED ADDED},
	{"not JSON", ONE, "{" REQUIRED ",}", "400 bad-json   55"},
	{"cut short", ONE, "{\"id\":\"", "400 bad-json   7"},
	{"bad UTF-8", ONE, "{\"id\":\"\xff\"}", "400 bad-json   7"},
	{"empty", ONE, "", "400 bad-json   0"},
	{"twice a name", ONE, "{" REQUIRED ",\"id\":\"8\"}", "400 bad-json   55"},
	{"an array", ONE, "[]", "422 bad-event   0"},
	{"no id", ONE, "{\"specversion\":\"1.0\",\"source\":\"/s\",\"type\":\"t\"}", "422 bad-event id  0"},
	{"id a number", ONE, "{\"specversion\":\"1.0\",\"id\":7,\"source\":\"/s\",\"type\":\"t\"}", "422 bad-event id  0"},
	{"bad time", ONE, "{" REQUIRED ",\"time\":\"now\"}", "422 bad-event time  0"},
	{"bad name", ONE, "{" REQUIRED ",\"aB\":\"now\"}", "422 bad-event aB  0"},
	{"known type, field missing", ONE, "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"chat.message\","
		"\"data\":{\"channel\":{\"id\":\"c\"},\"text\":\"x\"}}", "422 bad-data data.user.id  0"},
	{"known type, field of another kind", ONE, "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"chat.message\","
		"\"data\":{\"channel\":{\"id\":\"c\"},\"user\":{\"id\":\"u\"},\"text\":1}}", "422 bad-data data.text  0"},
	{"another tenant", ONE, "{" REQUIRED ",\"tenant\":\"t2\"}", "422 wrong-tenant tenant  0"},
	{"own tenant", ONE, "{" REQUIRED ",\"tenant\":\"default\"" FULL, "{" REQUIRED ",\"tenant\":\"default\"" FULL "\n"},
	{"another format", "Content-Type: application/cloudevents+avro\r\n", "", "415 unsupported-format  content-type 0"},
	{"batch of another format", "Content-Type: application/cloudevents-batch\r\n", "[]", "415 unsupported-format  content-type 0"},
	{"compressed", ONE "Content-Encoding: gzip\r\n", "", "415 unsupported-coding  content-encoding 0"},
	{"batch", MANY, "[{" REQUIRED FULL ",\n7,{\"id\":\"1\"}]", "{" REQUIRED FULL "\n!1 bad-event  \n!2 bad-event specversion \n"},
	{"empty batch", MANY, " [ ] ", ""},
	{"batch too long", MANY, "[1,2,3,4]", "413 too-large   0"},
	{"batch that is none", MANY, "{}", "400 bad-batch   0"},
	{"binary", BIN, "", "{\"specversion\":\"1.0\",\"id\":\"7\",\"source\":\"/s\",\"type\":\"t\"" ADDED},
	{"binary, JSON", "ce-specversion: 1.0\r\nce-id: 7\r\nce-source: /s\r\nce-type: t\r\nContent-Type: application/json\r\n", "[1,\n 2]",
		"{" REQUIRED ",\"datacontenttype\":\"application/json\",\"data\":[1,2]" ADDED},
	{"binary, text", BIN "Content-Type: text/plain\r\n", "a\"\n\xc3\xa9",
		"{" REQUIRED ",\"datacontenttype\":\"text/plain\",\"data\":\"a\\\"\\n\xc3\xa9\"" ADDED},
	{"binary, bytes", BIN, "abcd", "{" REQUIRED ",\"data_base64\":\"YWJjZA==\"" ADDED},
	{"binary, extension", BIN "ce-Thing9: Gr%C3%bc%c3%9Fe%20100%25%20%22ok%22\r\n", "",
		"{" REQUIRED ",\"thing9\":\"Gr\xc3\xbc\xc3\x9f" "e 100% \\\"ok\\\"\"" ADDED},
	{"binary, quoted value", BIN "ce-a: \"x\\\"y%41\"\r\n", "", "{" REQUIRED ",\"a\":\"x\\\"yA\"" ADDED},
	{"binary without id", "ce-specversion: 1.0\r\nce-source: /s\r\nce-type: t\r\n", "", "400 no-event  ce-id 0"},
	{"nothing at all", "", "", "400 no-event  ce-id 0"},
	{"binary, empty id", "ce-id:\r\nce-specversion: 1.0\r\nce-source: /s\r\nce-type: t\r\n", "", "422 bad-event id ce-id 0"},
	{"binary, overlong UTF-8", BIN "ce-a: %C0%A0\r\n", "", "400 bad-header  ce-a 0"},
	{"binary, half an escape", BIN "ce-a: 100%\r\n", "", "400 bad-header  ce-a 0"},
	{"binary, sent twice", BIN "ce-type: u\r\n", "", "400 bad-header  ce-type 0"},
	{"binary, name", BIN "ce-a-b: u\r\n", "", "400 bad-header  ce-a-b 0"},
	{"binary, data as header", BIN "ce-data: u\r\n", "", "400 bad-header  ce-data 0"},
	{"binary, control character", BIN "ce-a: %0A\r\n", "", "422 bad-event a ce-a 0"},
	{"binary, time", BIN "ce-time: now\r\n", "", "422 bad-event time ce-time 0"},
	{"binary, version", "ce-specversion: 0.3\r\nce-id: 7\r\nce-source: /s\r\nce-type: t\r\n", "",
		"422 bad-event specversion ce-specversion 0"},
	{"binary, datacontenttype", BIN "ce-datacontenttype: a/b\r\n", "", "400 bad-header  ce-datacontenttype 0"},
	{"binary, tenant", BIN "ce-tenant: t2\r\n", "", "422 wrong-tenant tenant ce-tenant 0"},
	{"binary, bad JSON", BIN "Content-Type: application/json\r\n", "{\n\"a\"", "400 bad-json   5"},
	{"binary, bad text", BIN "Content-Type: text/plain\r\n", "\xff", "400 bad-text   0"},
};

static void sizes(void)
{
	static char body[2000];
	int n = snprintf(body, sizeof(body), "{" REQUIRED ",\"data\":\"%900d\"" FULL, 0);

	CHECK(strncmp(ask(ONE, body, (size_t)n), "413", 3) == 0, "over the cap");
	n = snprintf(body, sizeof(body), "{" REQUIRED ",\"data\":\"%880d\"}", 0);
	CHECK(strncmp(ask(ONE, body, (size_t)n), "413", 3) == 0, "over the cap with what is added");
	memset(body, 'x', 1001);
	CHECK(strncmp(ask(BIN, body, 1001), "413", 3) == 0, "a binary body over the cap");
	CHECK(strncmp(ask(BIN, body, 740), "413", 3) == 0, "over the cap in Base64");
	CHECK(strncmp(ask(BIN "Content-Type: text/plain\r\n", body, 960), "413", 3) == 0, "text over the cap with its attributes");
}

int main(void)
{
	struct problem p;
	struct buf text;

	buf_init(&out, 1 << 20);
	buf_reserve(&out, 1);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *got = ask(rows[i].headers, rows[i].body, strlen(rows[i].body));

		if (strcmp(got, rows[i].want) != 0)
			printf("# %s\n", got);
		CHECK(strcmp(got, rows[i].want) == 0, "%s", rows[i].name);
	}
	sizes();
	b.tenant = "t1";
	CHECK(strstr(ask(ONE, "{" REQUIRED "}", sizeof(REQUIRED) + 1), ",\"tenant\":\"t1\",") != NULL, "the listener's tenant is added");
	ask(ONE, "{" REQUIRED ",\"tenant\":null}", sizeof(REQUIRED) + 15);
	CHECK(strcmp(out.p, "422 wrong-tenant tenant  0") == 0, "null is the default tenant, which this is not");
	b.tenant = "*";
	CHECK(strstr(ask(ONE, "{" REQUIRED "}", sizeof(REQUIRED) + 1), "tenant") == NULL, "no tenant is added");

	problem_set(&p, 400, "bad-json", "Malformed JSON", "%0318d\xc3\xa9\xc3\xa9", 1);
	CHECK(strlen(p.detail) == 318, "a long text is cut before a character");
	problem_at(&p, "ab\nc\n", 5, 4);
	CHECK(p.line == 2 && p.column == 2 && p.offset == 4, "line and column");
	problem_at(&p, "ab\nc\n", 5, 9);
	CHECK(p.line == 3 && p.column == 1 && p.offset == 5, "behind the end");
	problem_set(&p, 400, "bad-json", "Malformed JSON", "a\"b");
	strcpy(p.header, "x");
	buf_init(&text, 4096);
	CHECK(problem_write(&p, &text) == 0 && strcmp(buf_cstr(&text), "{\"type\":\"urn:penstock:problem:bad-json\","
		"\"title\":\"Malformed JSON\",\"status\":400,\"detail\":\"a\\\"b\",\"header\":\"x\"}\n") == 0, "a problem body");
	buf_release(&text);
	buf_release(&out);
	return check_done();
}
