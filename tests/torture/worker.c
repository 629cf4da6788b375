/*
 * worker URL AS SEED DIR: a worker that does its work honestly and speaks of it badly. It does a line by writing it to DIR/done (struct
 * done_record) and reports after that; but now and then it reports twice, late (after the hub's deadline), over another connection, under a name that
 * is nobody's, or not at all; it refuses lines for good that are doomed, and others with retry (lines.h).
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
#include "link/ack.h"
#include "link/batch.h"
#include "link/link.h"

#include "done.h"
#include "lines.h"

#define LATE (4 * CLOCK_S)	/* the run script of the hub says --deadline 3s */

static struct {
	struct loop *loop;
	const char *url, *as;
	struct link_req *req;
	struct loop_timer timer;
	uint64_t seed, rng;
	int out;
	struct buf question;
	char batch[ACK_NAME_MAX + 1], old[ACK_NAME_MAX + 1];
	struct refusal refused[LINK_BATCH_LINES];
	size_t nrefused;
	struct done_record did[LINK_BATCH_LINES];
	char complaints[512];
} w;

static uint64_t chance(uint64_t n)
{
	w.rng = mix(w.rng);
	return w.rng % n;
}

static void on_reply(void *arg, void *cookie, const char *p, size_t n);

static void dial(void)
{
	struct link_opts o = { .as = w.as };

	if (w.req)
		link_req_close(w.req);
	w.req = link_req_open(w.loop, w.url, &o, on_reply, NULL);
	if (!w.req)
		die(1, "%s: no link", w.url);
}

/* cookie 1: an answer without lines is expected. */
static void ask(const char *done, uint32_t take)
{
	buf_clear(&w.question);
	buf_addc(&w.question, '{');
	if (done) {
		buf_printf(&w.question, "\"done\":\"%s\",\"refused\":[", done);
		for (size_t i = 0; i < w.nrefused; i++)
			buf_printf(&w.question, "%s{\"n\":%u,\"error\":\"%s\"%s}", i ? "," : "", w.refused[i].n, w.refused[i].error,
				w.refused[i].retry ? ",\"retry\":true" : "");
		buf_adds(&w.question, "],");
	}
	if (take)
		buf_printf(&w.question, "\"take\":%u,", take);
	if (buf_printf(&w.question, "\"as\":\"%s\"}", w.as))
		die(1, "no memory");
	if (link_req_send(w.req, w.question.p, w.question.len, 0, take ? NULL : (void *)1) < 0)
		die(1, "ask: %m");
}

static uint32_t take_size(void)
{
	static const uint32_t sizes[] = { 1, 7, 256, 256, 256, 1000, 4096 };

	return sizes[chance(sizeof sizes / sizeof *sizes)];
}

/* Reports the batch, as it ought to be or nearly so. */
static void report(void *arg)
{
	(void)arg;
	switch (chance(300)) {
	case 0:			/* twice */
		ask(w.batch, 0);
		ask(w.batch, take_size());
		break;
	case 1:			/* over another connection: it belongs to nobody any more */
		dial();
		ask(w.batch, take_size());
		break;
	case 2:			/* one that was reported long ago, then this */
		if (w.old[0])
			ask(w.old, 0);
		ask(w.batch, take_size());
		break;
	case 3:			/* nobody's */
		ask("no-such-batch", 0);
		ask(w.batch, take_size());
		break;
	case 4:			/* never */
		dial();
		ask(NULL, take_size());
		break;
	case 5:			/* it asks for more and forgets this one */
		ask(NULL, take_size());
		break;
	default:
		ask(w.batch, take_size());
	}
	memcpy(w.old, w.batch, sizeof w.old);
}

/* Which lines are refused. A line behind one that is to come again waits for it if it has the same key. */
static bool refuses(const char *p, size_t len, uint32_t n, struct done_record *d, uint64_t *held)
{
	const char *id = memmem(p, len, "\"id\":\"", 6);
	unsigned s;
	uint64_t i, h, key;

	if (!id || !line_id(id + 6, p + len, &s, &i)) {
		complain(w.complaints, "worker: a line that nobody sent");
		return true;
	}
	h = line_hash(w.seed, s, i);
	key = mix(s * 1000 + line_tenant(h) * 100 + line_key(h)) % 1024;
	d->source = s;
	d->number = (uint32_t)i;
	if (held[key / 64] >> key % 64 & 1 || (line_reluctant(h) && chance(4) == 0)) {
		held[key / 64] |= 1ull << key % 64;
		w.refused[w.nrefused++] = (struct refusal){ .n = n, .retry = true, .error = "not now" };
		return true;
	}
	if (line_doomed(h)) {
		w.refused[w.nrefused++] = (struct refusal){ .n = n, .error = "doomed" };
		return true;
	}
	return false;
}

static void work(const char *p, const char *end, const struct take_reply *r)
{
	uint64_t held[16] = { 0 };
	const char *line;
	uint32_t n = 0;
	size_t len, did = 0;

	w.nrefused = 0;
	while ((line = batch_next(&p, end, &len)) && n < r->n) {
		n++;
		w.did[did].seq = r->seq ? r->seq[n - 1] : 0;
		if (!refuses(line, len, n, &w.did[did], held))
			did++;
	}
	if (did && write(w.out, w.did, did * sizeof *w.did) != (ssize_t)(did * sizeof *w.did))
		die(1, "done: %m");
}

static void on_reply(void *arg, void *cookie, const char *p, size_t n)
{
	struct take_reply r = { 0 };
	const char *why;

	(void)arg;
	if (cookie)
		return;
	if (take_reply_parse(p, n, &r, &why))
		die(1, "the answer to a take: %s", why);
	if (r.n == 0) {
		ask(NULL, take_size());
		return;
	}
	memcpy(w.batch, r.batch, sizeof w.batch);
	switch (chance(600)) {
	case 0:			/* takes it and goes */
		dial();
		ask(NULL, take_size());
		break;
	case 1:			/* does it, and tells when it is too late */
		work(p + r.head, p + n, &r);
		loop_timer_in(w.loop, &w.timer, LATE);
		break;
	default:
		work(p + r.head, p + n, &r);
		report(NULL);
	}
	take_reply_release(&r);
}

static void stop(void *arg, int signo)
{
	(void)arg, (void)signo;
	loop_stop(w.loop);
}

int main(int argc, char **argv)
{
	char path[512];

	if (argc != 5)
		return fprintf(stderr, "usage: worker URL AS SEED DIR\n"), 2;
	log_init("worker");
	w.url = argv[1];
	w.as = argv[2];
	w.seed = strtoull(argv[3], NULL, 10);
	w.rng = mix(w.seed ^ mix((uint64_t)clock_mono()));
	snprintf(w.complaints, sizeof w.complaints, "%s/complaints", argv[4]);
	snprintf(path, sizeof path, "%s/done", argv[4]);
	w.out = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (w.out < 0)
		die(1, "%s: %m", path);
	buf_init(&w.question, LINK_MESSAGE_BYTES);
	w.timer.fn = report;
	w.loop = loop_new();
	if (!w.loop)
		die(1, "loop: %m");
	dial();
	loop_signal(w.loop, SIGTERM, stop, NULL);
	ask(NULL, 256);
	return loop_run(w.loop) < 0;
}
