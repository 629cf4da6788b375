/* What supervise has beyond runit, as far as it is pure: limits, after, instances, the past, last lines, usage. */
#include "check.h"

#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "supervise/instance.h"
#include "supervise/limits.h"
#include "supervise/lines.h"
#include "supervise/order.h"
#include "supervise/past.h"
#include "supervise/usage.h"

/* ---- limits ---- */

struct bad { unsigned n, last; };

static void count_bad(void *arg, unsigned line, const char *text, const char *why)
{
	struct bad *b = arg;

	b->n++;
	b->last = line;
	if (!text || !why || !*why)
		CHECK(0, "a bad line has a reason");
}

static rlim_t limit_of(const struct limits *l, int resource)
{
	for (unsigned i = 0; i < l->spawn.n; i++)
		if (l->spawn.v[i].resource == resource && l->spawn.v[i].value.rlim_cur == l->spawn.v[i].value.rlim_max)
			return l->spawn.v[i].value.rlim_cur;
	return 0;
}

static void limits(void)
{
	static const char text[] = "# all\n\nfiles = 64\r\n  core=1k # small\nfiles = 65\nmemory = 2m\ncpu = 2m\nnice = -3\nuser = 1234\ngroup = 5 6,7\nenvironment = e n v";
	static const char bad[] = "files\nfiles = 0\nfiles = -1\nx = 1\n = 3\nuser = no such\nnice = 99\nmemory = 9999999999g\ngroup = ,\nfi\0les = 1\n";
	struct limits l;
	struct bad b = { 0 };

	CHECK(limits_parse(text, sizeof text - 1, &l, count_bad, &b) == 0 && b.n == 0, "good lines");
	CHECK(limit_of(&l, RLIMIT_NOFILE) == 65, "the last of two counts");
	CHECK(limit_of(&l, RLIMIT_CORE) == 1024 && limit_of(&l, RLIMIT_AS) == 2 << 20 && limit_of(&l, RLIMIT_DATA) == 2 << 20 &&
		limit_of(&l, RLIMIT_CPU) == 120, "sizes and times");
	CHECK(l.spawn.nice == -3 && l.spawn.user && l.spawn.uid == 1234 && l.spawn.gid == 5 && l.spawn.ngroups == 3 && l.groups[2] == 7,
		"nice, user, groups");
	CHECK(strcmp(l.environment, "e n v") == 0, "environment");
	CHECK(limits_parse(bad, sizeof bad - 1, &l, count_bad, &b) == 10 && b.n == 10 && b.last == 10, "ten bad lines, %u told", b.n);
	CHECK(limits_parse("user = 77", 9, &l, count_bad, &b) == 0 && l.spawn.ngroups == 1, "a user alone has one group");
	CHECK(limits_parse("group = 77", 10, &l, count_bad, &b) == 0 && l.spawn.user && l.spawn.uid == geteuid() && l.spawn.gid == 77, "a group alone");
	CHECK(limits_parse("", 0, &l, count_bad, &b) == 0 && l.spawn.n == 0 && !l.spawn.user, "nothing");
}

/* ---- after ---- */

static char said[1000];
static void say(const char *circle)
{
	strcat(said, circle);
	strcat(said, ";");
}

static unsigned missing_n;
static void missing(const struct order_node *node, const char *name)
{
	(void)node;
	(void)name;
	missing_n++;
}

static bool is_up(const void *owner)
{
	return *(const bool *)owner;
}

static int add(struct order *o, struct order_node *n, const char *name, bool *up, const char *after)
{
	const char *why;
	char *names;
	int count = order_parse(after, strlen(after), &names, &why);

	return count < 0 ? -1 : order_add(o, n, name, up, names, (size_t)count);
}

static void order(void)
{
	static const char *const bad[] = { "a/b", "a\n../x", ".", "a .b" };
	static struct order o;
	struct order_node a, b, c, w1, w2;
	bool up[5] = { false };
	const char *why;
	char *names;
	int n = order_parse(" a\tb # c\n\n#d\ne", 14, &names, &why);

	CHECK(n == 3 && memcmp(names, "a\0b\0e", 6) == 0, "names, blanks, comments");
	free(names);
	CHECK(order_parse("# none\n", 7, &names, &why) == 0 && !names, "no names");
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		CHECK(order_parse(bad[i], strlen(bad[i]), &names, &why) < 0, "\"%s\": %s", bad[i], why);
	CHECK(order_parse("a\0b", 3, &names, &why) < 0, "a NUL");
	CHECK(add(&o, &a, "a", &up[0], "") == 0 && add(&o, &b, "b", &up[1], "a web nobody") == 0 && add(&o, &w1, "web@1", &up[2], "") == 0 &&
		add(&o, &w2, "web@2", &up[3], "web@1") == 0, "four nodes");
	CHECK(!order_circles(&o, say), "no circle");
	CHECK(strcmp(order_waits(&o, &b, is_up, missing), "a") == 0, "b waits for a");
	up[0] = up[2] = true;
	CHECK(strcmp(order_waits(&o, &b, is_up, missing), "web") == 0, "then for all instances of web");
	CHECK(!order_waits(&o, &w2, is_up, missing), "an instance can be named");
	up[3] = true;
	CHECK(!order_waits(&o, &b, is_up, missing) && missing_n > 0, "what is missing is told and not waited for");
	up[1] = true;
	CHECK(order_needed(&o, &a, is_up) && order_needed(&o, &w2, is_up) && order_needed(&o, &w1, is_up) && !order_needed(&o, &b, is_up), "who is needed");
	up[1] = false;
	CHECK(!order_needed(&o, &a, is_up) && order_needed(&o, &w1, is_up), "not by what does not live");
	order_del(&o, &a);
	CHECK(add(&o, &a, "a", &up[0], "c") == 0 && add(&o, &c, "c", &up[4], "b") == 0 && order_circles(&o, say), "a circle");
	CHECK(strcmp(said, "a -> c -> b -> a;") == 0 || strcmp(said, "b -> a -> c -> b;") == 0 || strcmp(said, "c -> b -> a -> c;") == 0, "named: %s", said);
	up[0] = up[4] = false;
	CHECK(!order_waits(&o, &b, is_up, missing) && !order_needed(&o, &b, is_up), "those in it wait for nobody");
	CHECK(!order_circles(&o, say), "told once");
	order_del(&o, &a);
	order_del(&o, &b);
	order_del(&o, &c);
	order_del(&o, &w1);
	order_del(&o, &w2);
	CHECK(o.edges == 0, "nothing is left");
}

/* ---- instances ---- */

static void instances(void)
{
	static const struct { const char *text; int want; } row[] = {
		{ "3", 3 }, { " 0\n", 0 }, { "1000", 1000 }, { "1001", -1 }, { "-1", -1 }, { "", -1 }, { "3 4", -1 }, { "many", -1 },
	};
	static const struct { const char *name; unsigned k, base; } name[] = {
		{ "web@3", 3, 3 }, { "a@b@12", 12, 3 }, { "web", 0, 0 }, { "@3", 0, 0 }, { "web@", 0, 0 }, { "web@0", 0, 0 }, { "web@03", 0, 0 },
		{ "web@x", 0, 0 }, { "web@1001", 0, 0 },
	};
	const char *why = "";

	for (size_t i = 0; i < sizeof row / sizeof *row; i++)
		CHECK(instance_parse(row[i].text, strlen(row[i].text), &why) == row[i].want, "instances \"%s\"", row[i].text);
	for (size_t i = 0; i < sizeof name / sizeof *name; i++) {
		size_t base = 0;

		CHECK(instance_number(name[i].name, &base) == name[i].k && (!name[i].k || base == name[i].base), "name %s", name[i].name);
	}
}

/* ---- the past ---- */

static void past(void)
{
	const int64_t minute = 60 * CLOCK_S;
	struct past p = { 0 };
	struct past_death d = { .pid = 1 };
	int64_t now = 1000000 * minute;

	CHECK(past_hour(&p, now) == 0 && !past_get(&p, 0), "nothing yet");
	for (int i = 0; i < 5; i++)
		past_restart(&p, now);
	past_restart(&p, now + 10 * minute);
	CHECK(past_hour(&p, now + 10 * minute) == 6 && past_hour(&p, now + 59 * minute) == 6, "six within the hour");
	CHECK(past_hour(&p, now + 60 * minute) == 1 && past_hour(&p, now + 70 * minute) == 0, "an hour later they are not");
	past_restart(&p, now + 200 * minute);
	CHECK(past_hour(&p, now + 200 * minute) == 1, "old counts do not come back");
	past_restart(&p, now);
	CHECK(past_hour(&p, now) == 2, "a clock that was set back");
	p.minute = -5;
	past_restart(&p, now);
	p.minute = INT64_MIN;
	CHECK(past_hour(&p, now) == 0, "a number that is none of ours");
	for (unsigned i = 0; i < 20; i++) {
		d.pid = i;
		past_died(&p, &d);
	}
	CHECK(past_get(&p, 0)->pid == 19 && past_get(&p, 7)->pid == 12 && !past_get(&p, 8), "the last eight");
}

/* ---- lines ---- */

static bool is(struct line l, const char *text)
{
	return l.n == strlen(text) && memcmp(l.p, text, l.n) == 0;
}

static void last_lines(void)
{
	static const char text[] =
		"2026-11-20T10:00:00.000Z old\n"
		"2026-11-20T10:00:00.000Z supervise: warning: a: process 7 exited with code 1 after 0.1 s\n"
		"@400000006566cdb3075bcd15 one\nno stamp\n2026-11-20T10:00:00.000Z \n"
		"2026-11-20T10:00:00.000Z supervise: a: process 77 ended\n"
		"2026-11-20T10:00:00.000Z 1\n2\n3\n4\n5\n6\n"
		"supervise: a: process 8 exited with code 0\nlater\n";
	struct line l[LINES_KEPT];

	CHECK(lines_before(text, sizeof text - 1, 77, l) == 3 && is(l[0], "one") && is(l[1], "no stamp") && is(l[2], ""), "between two deaths");
	CHECK(lines_before(text, sizeof text - 1, 7, l) == 1 && is(l[0], "old"), "7 is not 77");
	CHECK(lines_before(text, sizeof text - 1, 8, l) == 5 && is(l[0], "2") && is(l[4], "6"), "the last five");
	CHECK(lines_before(text, sizeof text - 1, 9, l) == 0 && lines_before(text, 0, 7, l) == 0, "none");
	CHECK(is(lines_bare("2026-11-20 x", 12), "2026-11-20 x"), "a date is no stamp");
}

static void usage(void)
{
	static const char text[] = "12 (a) b) S 1 12 12 0 -1 4194304 95 0 0 0 150 50 0 0 20 0 1 0 100 2424832 220 18446744073709551615 1 1";
	struct usage u;

	CHECK(usage_parse(text, sizeof text - 1, &u) == 0 && u.memory == 220u * (unsigned)sysconf(_SC_PAGESIZE), "memory");
	CHECK(u.cpu == 200 * (CLOCK_S / sysconf(_SC_CLK_TCK)), "time");
	CHECK(usage_parse(text, 60, &u) < 0 && usage_parse("", 0, &u) < 0 && usage_parse("1 (", 3, &u) < 0 && usage_parse("1 (x)", 5, &u) < 0, "cut short");
	CHECK(usage_read(getpid(), &u) == 0 && u.memory > 100000, "this process");
}

int main(void)
{
	limits();
	order();
	instances();
	past();
	last_lines();
	usage();
	return check_done();
}
