/* event: lines that a program wrote, against the lines it was given. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "line/envelope.h"
#include "stage/event.h"

static const char lines[] =
	"{\"specversion\":\"1.0\",\"id\":\"a\",\"source\":\"/s\",\"type\":\"t\",\"tenant\":\"t1\",\"partitionkey\":\"k\"}\n"
	"{\"specversion\":\"1.0\",\"id\":\"b\",\"source\":\"/s\",\"type\":\"t\"}\n"
	"{\"specversion\":\"1.0\",\"id\":\"a\",\"source\":\"/other\",\"type\":\"t\"}\n"
	"no event\n";
static uint32_t at[5];
static struct events v;
static struct buf out;
static uint32_t cause;
static char why[EVENT_WHY];
static int failed;

static void is(const char *name, const char *p, uint32_t from, uint32_t to, bool answers, enum event_is want, uint32_t want_cause, const char *want_out)
{
	enum event_is got;

	buf_clear(&out);
	*why = '\0';
	got = event_look(&v, from, to, answers, p, strlen(p), &out, &cause, why);
	if (got == want && cause == want_cause && out.len == strlen(want_out) && memcmp(out.p ? out.p : "", want_out, out.len) == 0)
		return;
	fprintf(stderr, "%s: got %d, cause %u, %.*s (%s)\n", name, got, cause, (int)out.len, out.p ? out.p : "", why);
	failed = 1;
}

int main(void)
{
	static const uint64_t key[2] = { 7, 9 };
	const char *p = lines;

	for (unsigned i = 0; i < 4; i++, p = strchr(p, '\n') + 1)
		at[i] = (uint32_t)(p - lines);
	at[4] = (uint32_t)(p - lines);
	buf_init(&out, 1 << 20);
	events_init(&v, lines, at, 4, "st", 1 << 20, true, key);

	is("same", "{\"specversion\":\"1.0\",\"id\":\"b\",\"source\":\"/s\",\"type\":\"t\"}", 0, 4, false, EVENT_SAME, 2, "");
	is("same, backwards", "no event", 0, 4, false, EVENT_SAME, 4, "");
	is("same, again from the start", "{\"specversion\":\"1.0\",\"id\":\"b\",\"source\":\"/s\",\"type\":\"t\"}", 0, 4, false, EVENT_SAME, 2, "");
	is("not in the task", "{\"specversion\":\"1.0\",\"id\":\"b\",\"source\":\"/s\",\"type\":\"t\"}", 2, 4, false, EVENT_NEW, 0, "");
	is("changed", "{\"id\":\"a\",\"source\":\"\\/other\",\"specversion\":\"1.0\",\"type\":\"u\"}", 0, 4, false, EVENT_CHANGED, 3, "");
	is("changed answer", "{\"id\":\"a\",\"source\":\"/s\",\"specversion\":\"1.0\",\"type\":\"u\"}", 0, 4, true, EVENT_CHANGED, 1, "");
	is("twice", "{\"specversion\":\"1.0\",\"id\":\"b\",\"source\":\"/s\",\"type\":\"t\"}", 2, 4, true, EVENT_TWICE, 0, "");
	is("the answer to a line behind it", "{\"specversion\":\"1.0\",\"id\":\"b\",\"source\":\"/s\",\"type\":\"t\"}", 0, 4, true, EVENT_OTHER, 1, "");
	is("stray", "hello", 0, 4, false, EVENT_STRAY, 0, "");
	is("stray array", "[{}]", 0, 4, false, EVENT_STRAY, 0, "");
	is("answer", "{\"type\":\"x\"}", 0, 4, true, EVENT_NEW, 1,
		"{\"specversion\":\"1.0\",\"id\":\"a.st\",\"source\":\"/s\",\"tenant\":\"t1\",\"partitionkey\":\"k\",\"causationid\":\"a\",\"type\":\"x\"}\n");
	is("second answer", " { \"type\":\"x\"}", 0, 4, true, EVENT_NEW, 1,
		"{\"specversion\":\"1.0\",\"id\":\"a.st.1\",\"source\":\"/s\",\"tenant\":\"t1\",\"partitionkey\":\"k\",\"causationid\":\"a\", \"type\":\"x\"}\n");
	events_again(&v, 0);
	is("made again", "{\"type\":\"x\"}", 0, 4, true, EVENT_NEW, 1,
		"{\"specversion\":\"1.0\",\"id\":\"a.st\",\"source\":\"/s\",\"tenant\":\"t1\",\"partitionkey\":\"k\",\"causationid\":\"a\",\"type\":\"x\"}\n");
	is("named", "{\"type\":\"x\",\"causationid\":\"b\"}", 0, 4, false, EVENT_NEW, 2,
		"{\"specversion\":\"1.0\",\"id\":\"b.st\",\"source\":\"/s\",\"type\":\"x\",\"causationid\":\"b\"}\n");
	is("named, whole but for the tenant", "{\"specversion\":\"1.0\",\"id\":\"z\",\"source\":\"/z\",\"type\":\"x\",\"causationid\":\"a\"}", 0, 4, false, EVENT_NEW, 1,
		"{\"tenant\":\"t1\",\"partitionkey\":\"k\",\"specversion\":\"1.0\",\"id\":\"z\",\"source\":\"/z\",\"type\":\"x\",\"causationid\":\"a\"}\n");
	is("whole", "{\"specversion\":\"1.0\",\"id\":\"z\",\"source\":\"/z\",\"type\":\"x\"}", 0, 4, false, EVENT_NEW, 0, "");
	is("whole, of a single line", "{\"specversion\":\"1.0\",\"id\":\"z\",\"source\":\"/z\",\"type\":\"x\"}", 0, 1, false, EVENT_NEW, 0, "");
	is("alone", "{\"type\":\"x\"}", 0, 4, false, EVENT_ALONE, 0, "");
	is("alone, names a stranger", "{\"type\":\"x\",\"causationid\":\"q\"}", 0, 4, false, EVENT_ALONE, 0, "");
	is("of a single line", "{\"type\":\"x\"}", 1, 2, false, EVENT_NEW, 2,
		"{\"specversion\":\"1.0\",\"id\":\"b.st.1\",\"source\":\"/s\",\"causationid\":\"b\",\"type\":\"x\"}\n");
	is("with nothing given", "{\"type\":\"x\"}", 0, 0, false, EVENT_ALONE, 0, "");
	is("the cause is no event", "{\"type\":\"x\"}", 3, 4, true, EVENT_BAD, 4, "");
	is("no type", "{\"data\":{}}", 0, 4, true, EVENT_BAD, 1, "");
	is("bad JSON", "{\"type\":\"x\"", 0, 4, true, EVENT_BAD, 1, "");
	is("bad attribute", "{\"type\":\"x\",\"Name\":1}", 0, 4, true, EVENT_BAD, 1, "");
	is("null where something is added", "{\"type\":\"x\",\"tenant\":null}", 0, 4, true, EVENT_BAD, 1, "");
	if (!strstr(why, "null"))
		failed = 1;
	is("empty object", "{}", 0, 4, true, EVENT_STRAY, 1, "");
	is("python's print", "{'type': 1}", 0, 4, false, EVENT_STRAY, 0, "");
	is("a log line", "{\"level\":\"info\"}", 0, 4, false, EVENT_STRAY, 0, "");
	is("an event on several lines", " {\r", 0, 4, false, EVENT_BAD, 0, "");
	events_release(&v);
	buf_release(&out);
	puts(failed ? "not ok" : "ok");
	return failed;
}
