/*
 * source URL N SEED COUNT DIR RATE: events 0 to COUNT-1 of source N (lines.h) to the hub, in order, one batch under way at a time, RATE
 * a second at most, and never more than DIR/gate says. DIR/source.N is how many were acknowledged, kept so that a killed source goes on with the batch that has no
 * answer. Now and then the batch before is sent again, or holds a line that must be refused. What ought not to happen goes to DIR/complaints.
 * When all are acknowledged it waits for TERM.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "link/link.h"

#include "lines.h"

#define BATCH_MAX 600u

static struct {
	struct loop *loop;
	struct link_put *put;
	struct loop_timer again;
	uint64_t seed, count, rate, at;	/* at: acknowledged */
	int64_t due;			/* of the next batch */
	unsigned number;
	uint64_t before;		/* where the batch before began; repeat: it is under way again */
	bool repeat, waiting;
	uint32_t bad;			/* the line of the batch that must be refused, 0: none */
	uint32_t first, n;		/* lines of the batch, the bad one left out */
	struct buf batch, rest;
	int state, gate;
	char complaints[512];
} s;

static void say(const char *what, const char *why)
{
	char text[1024];

	snprintf(text, sizeof text, "source %u at %llu: %s: %.500s", s.number, (unsigned long long)s.at, what, why);
	complain(s.complaints, text);
	log_error("%s", text);
}

static uint64_t read_number(int fd)
{
	char text[32] = { 0 };

	return pread(fd, text, sizeof text - 1, 0) > 0 ? strtoull(text, NULL, 10) : 0;
}

static void save(void)
{
	char text[32];

	snprintf(text, sizeof text, "%020llu\n", (unsigned long long)s.at);
	if (pwrite(s.state, text, 21, 0) != 21)
		die(1, "state: %m");
}

static void later(int64_t ns)
{
	loop_timer_in(s.loop, &s.again, ns);
}

/* The lines of the batch that begins at i: always the same. */
static uint32_t lines_of(uint64_t i)
{
	uint64_t h = mix(s.seed ^ mix(s.number * 7919u + i * 31)), 
		n = h % 8 == 0 ? 1 + h / 8 % 3 : 1 + h / 8 % (h % 8 < 6 ? 64 : BATCH_MAX);

	return (uint32_t)(i + n > s.count ? s.count - i : n);
}

static void fill(uint64_t from, uint32_t n, uint32_t bad)
{
	static char line[LINE_ROOM];

	buf_clear(&s.batch);
	s.n = 0;
	for (uint32_t k = 0; k < n && s.batch.len < LINK_BATCH_BYTES - LINE_ROOM; k++) {
		if (bad == s.n + 1)
			buf_printf(&s.batch, "{\"specversion\":\"1.0\",\"id\":\"bad-%u-%llu\",\"type\":\"torture.bad\"}\n", s.number,
				(unsigned long long)from);
		if (buf_add(&s.batch, line, line_write(s.seed, s.number, from + k, line)))
			die(1, "no memory");
		s.n++;
	}
}

static void send_batch(void)
{
	if (link_put_send(s.put, s.batch.p, s.batch.len, s.n + (s.bad != 0), NULL) != 1)
		die(1, "put: %m");
}

static void next(void *arg)
{
	uint64_t gate, h = mix(s.seed + s.number * 104729u + s.at);
	uint32_t n;

	(void)arg;
	if (link_put_pending(s.put))
		return;
	if (s.waiting) {		/* what was refused with retry */
		s.waiting = false;
		send_batch();
		return;
	}
	gate = read_number(s.gate);
	if (s.at >= s.count || s.at >= gate) {
		later(20 * CLOCK_MS);
		return;
	}
	if (clock_mono() < s.due) {
		later(s.due - clock_mono());
		return;
	}
	s.repeat = !s.repeat && s.before < s.at && h % 16 == 0;
	n = s.repeat ? (uint32_t)(s.at - s.before) : lines_of(s.at);
	s.bad = !s.repeat && h % 50 == 1 ? 1 + (uint32_t)(h >> 8) % n : 0;
	fill(s.repeat ? s.before : s.at, n, s.bad);
	if (s.bad > s.n)
		s.bad = 0;
	send_batch();
}

/* Lines to be sent again, in their order, into s.rest. */
static uint32_t keep_refused(const struct put_result *r)
{
	const char *p = s.batch.p, *end = p + s.batch.len;
	uint32_t line = 0, kept = 0;

	buf_clear(&s.rest);
	for (const char *lf; p < end && (lf = memchr(p, '\n', (size_t)(end - p))); p = lf + 1) {
		line++;
		for (size_t i = 0; i < r->nrefused; i++) {
			if (r->refused[i].n != line)
				continue;
			if (!r->refused[i].retry) {
				if (line != s.bad)
					say("a good line was refused for good", r->refused[i].error);
				break;
			}
			if (line == s.bad)	/* a full hub looks at nothing: it is left out the next time */
				break;
			if (buf_add(&s.rest, p, (size_t)(lf + 1 - p)))
				die(1, "no memory");
			kept++;
			break;
		}
	}
	return kept;
}

static void result(void *arg, void *cookie, const struct put_result *r)
{
	uint32_t kept = keep_refused(r);

	(void)arg, (void)cookie;
	if (s.bad && r->nrefused == 0)
		say("a bad line was accepted", "");
	s.bad = 0;
	if (kept) {
		buf_clear(&s.batch);
		buf_add(&s.batch, s.rest.p, s.rest.len);
		s.waiting = true;
		/* s.first of the batch are through. */
		s.first += s.n - kept;
		s.n = kept;
		later(50 * CLOCK_MS);
		return;
	}
	if (!s.repeat) {
		s.before = s.at;
		s.at += s.first + s.n;
		save();
		/* What was held up is not made up for at once. */
		if (s.due < clock_mono() - CLOCK_S / 10)
			s.due = clock_mono() - CLOCK_S / 10;
		s.due += (int64_t)((s.first + s.n) * (uint64_t)CLOCK_S / s.rate);
	}
	s.first = 0;
	later(0);
}

static void stop(void *arg, int signo)
{
	(void)arg, (void)signo;
	loop_stop(s.loop);
}

int main(int argc, char **argv)
{
	struct link_opts o = { 0 };
	char path[512];

	if (argc != 7 || (s.rate = strtoull(argv[6], NULL, 10)) == 0)
		return fprintf(stderr, "usage: source URL N SEED COUNT DIR RATE\n"), 2;
	log_init("source");
	s.number = (unsigned)atoi(argv[2]);
	s.seed = strtoull(argv[3], NULL, 10);
	s.count = strtoull(argv[4], NULL, 10);
	snprintf(s.complaints, sizeof s.complaints, "%s/complaints", argv[5]);
	snprintf(path, sizeof path, "%s/gate", argv[5]);
	s.gate = open(path, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof path, "%s/source.%u", argv[5], s.number);
	s.state = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (s.gate < 0 || s.state < 0)
		die(1, "%s: %m", path);
	s.at = s.before = read_number(s.state);
	buf_init(&s.batch, LINK_MESSAGE_BYTES);
	buf_init(&s.rest, LINK_MESSAGE_BYTES);
	s.loop = loop_new();
	s.again.fn = next;
	s.put = s.loop ? link_put_open(s.loop, argv[1], &o, result, NULL, NULL, NULL) : NULL;
	if (!s.put)
		die(1, "%s: no link", argv[1]);
	loop_signal(s.loop, SIGTERM, stop, NULL);
	later(0);
	return loop_run(s.loop) < 0;
}
