#include "route/intake.h"

#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "line/envelope.h"
#include "line/err.h"
#include "line/id.h"
#include "line/types.h"
#include "link/ack.h"
#include "link/batch.h"
#include "link/refusal_list.h"
#include "route/again.h"
#include "route/decide.h"
#include "route/metrics.h"
#include "route/segment.h"

#define PIPE_AGAIN (500 * CLOCK_MS)

/* One batch until it is answered. */
struct put {
	struct spool_waiter waiter;	/* first: told() gets it */
	struct intake *in;
	struct link_peer *peer;		/* NULL: it went, or the batch is from stdin */
	struct batch *pipe;		/* from stdin: to be done */
	uint32_t lines, kept, repeats;
	const char *why;		/* a line could not be kept, if it was not memory; static */
	struct refusal_list refused;	/* for good, in order */
};

static void put_free(struct put *p)
{
	refusal_list_release(&p->refused);
	free(p);
}

static int refuse(struct put *p, uint32_t n, bool retry, const char *error)
{
	return refusal_list_add(&p->refused, &(struct refusal){ .n = n, .retry = retry, .error = error });
}

/* ---- one line ---- */

static int refuse_bad(struct put *p, uint32_t n, const struct line_err *err)
{
	char text[LINE_ERR_TEXT];

	count(M_REFUSED_IN, 1);
	return refuse(p, n, false, line_err_text(err, text));
}

/* A line that is an event. Its key is looked up one line later: until then its memory has come (repeat_ahead). */
struct checked { const char *p; size_t n; struct envelope e; struct hash128 key; };

/* 1: an event; 0: refused; -1: no memory. */
static int check_line(struct put *p, uint32_t n, const char *line, size_t len, struct checked *out)
{
	struct line_err err;

	if (types_check_line(line, len, LINE_MAX_BYTES, &out->e, &err) < 0)
		return refuse_bad(p, n, &err);
	out->p = line;
	out->n = len;
	out->key = id_key(&out->e, p->in->key);
	repeat_ahead(&p->in->repeat, out->key);
	return 1;
}

/* A line that is to wait stands in the spool as a held one: so it is the same for whoever reads it at whatever time. */
static uint64_t add(struct intake *in, const struct checked *c, struct spool_line *what)
{
	static struct buf text = { .max = SEGMENT_GROUP_MAX };
	struct again held = { .of = spool_next(in->spool), .hold = true, .p = c->p, .n = c->n };

	/* The LF behind the line is part of the batch. */
	if (!what->notbefore || what->notbefore <= clock_wall()) {
		what->notbefore = 0;
		return spool_add(in->spool, c->p, c->n + 1, what);
	}
	what->mask = 0;
	buf_clear(&text);
	return again_write(&text, &held) < 0 ? 0 : spool_add(in->spool, text.p, text.len, what);
}

/* -1: no memory, or p->why. */
static int keep_line(struct put *p, const struct checked *c)
{
	struct intake *in = p->in;
	struct spool_line what;
	int is_new = repeat_add(&in->repeat, c->key);

	if (is_new < 0)
		return -1;
	if (!is_new) {
		p->repeats++;
		return 0;
	}
	if (decide(in->book->now, c->p, c->n, &c->e, &what) < 0) {
		p->why = decide_trouble();
		repeat_undo(&in->repeat, 1);
		return -1;
	}
	if (add(in, c, &what) == 0) {
		repeat_undo(&in->repeat, 1);
		return -1;
	}
	p->kept++;
	return 0;
}

/* The number of the line that could not be kept, and whose fate all behind it share; 0: all went well. */
static uint32_t put_lines(struct put *p, const char *lines, size_t len)
{
	static struct checked two[2];
	const struct checked *before = NULL;
	const char *at = lines, *end = lines + len, *line;
	uint32_t n = 0, number = 0;	/* number: of the line `before` */
	unsigned turn = 0;
	size_t size;

	while ((line = batch_next(&at, end, &size))) {
		int r = check_line(p, ++n, line, size, &two[turn]);
		if (r == 0)
			continue;
		if (before && keep_line(p, before) < 0)
			return number;
		if (r < 0)
			return n;
		before = &two[turn];
		number = n;
		turn = !turn;
	}
	return before && keep_line(p, before) < 0 ? number : 0;
}

/* ---- answers ---- */

static void answer(struct put *p)
{
	struct intake *in = p->in;
	uint32_t acked = p->lines - (uint32_t)p->refused.n;

	if (p->peer) {
		static struct buf out = { .max = LINK_MESSAGE_BYTES };
		buf_clear(&out);
		link_peer_set(p->peer, NULL);
		if (put_reply_write(&out, acked, p->refused.v, p->refused.n) == 0)
			link_reply(p->peer, &(struct iovec){ out.p, out.len }, 1);
		else
			link_drop(p->peer, "no memory for its answer");
	} else if (p->pipe) {
		link_take_done(in->pipe, p->pipe, p->refused.v, p->refused.n);
	}
	put_free(p);
}

/* A pipe cannot be told to send again: its batch waits here, and nothing more is read from it meanwhile. */
static void wait_and_put_again(struct put *p)
{
	refusal_list_cut(&p->refused, 0);
	p->kept = p->repeats = 0;
	p->why = NULL;
	p->in->waiting = p;
	loop_timer_in(p->in->loop, &p->in->again, PIPE_AGAIN);
}

/* All lines that were not refused for good are refused with retry. Repeats too: what they repeat may be what was lost. */
static void answer_retry(struct put *p, const char *why)
{
	struct refusal_list bad = p->refused;
	size_t k = 0;

	if (p->pipe) {
		wait_and_put_again(p);
		return;
	}
	p->refused = (struct refusal_list){ .v = NULL };
	for (uint32_t n = 1; n <= p->lines; n++) {
		bool for_good = k < bad.n && bad.v[k].n == n;
		if (refuse(p, n, for_good ? bad.v[k].retry : true, for_good ? bad.v[k].error : why) < 0) {
			/* An answer that leaves a line out would acknowledge it. */
			if (p->peer)
				link_drop(p->peer, "no memory for its answer");
			p->peer = NULL;
			break;
		}
		k += for_good;
	}
	count(M_BUSY_IN, p->lines - bad.n);
	refusal_list_release(&bad);
	if (p->peer)
		answer(p);
	else
		put_free(p);
}

static void told(struct spool_waiter *w, int err)
{
	struct put *p = (struct put *)w;

	if (err) {
		answer_retry(p, strerror(err));
		return;
	}
	count(M_REPEATS, p->repeats);
	answer(p);
}

/* ---- one batch ---- */

static void put_batch(struct put *p, const char *lines, size_t len)
{
	static const char NO_MEMORY[] = "no memory";
	struct intake *in = p->in;
	const char *why = in->stopped ? "route is stopping" : spool_refuses(in->spool);
	uint32_t failed = why ? 1 : put_lines(p, lines, len);

	if (failed && !why)
		why = p->why ? p->why : NO_MEMORY;
	if (failed && p->kept == 0) {
		answer_retry(p, why);
		return;
	}
	/* In the middle: what was added stays and is acknowledged, the rest is to be sent again. */
	if (failed) {
		while (p->refused.n && p->refused.v[p->refused.n - 1].n >= failed)
			refusal_list_cut(&p->refused, p->refused.n - 1);
		for (uint32_t n = failed; n <= p->lines; n++)
			if (refuse(p, n, true, why) < 0)
				die(1, "%s", NO_MEMORY);
	}
	if (!spool_wait(in->spool, &p->waiter))
		told(&p->waiter, 0);
	intake_flow(in);
}

static struct put *put_new(struct intake *in, uint32_t lines)
{
	struct put *p = calloc(1, sizeof(*p));

	if (p)
		*p = (struct put){ .waiter = { .told = told }, .in = in, .lines = lines };
	return p;
}

static void on_request(void *arg, struct link_peer *peer, const char *lines, size_t len)
{
	struct intake *in = arg;
	int64_t n = batch_count(lines, len);
	struct put *p = n < 0 ? NULL : put_new(in, (uint32_t)n);

	if (!p) {
		link_drop(peer, n < 0 ? "a batch must be at most 4096 lines, each ended by a line feed" : "no memory");
		return;
	}
	p->peer = peer;
	link_peer_set(peer, p);
	put_batch(p, lines, len);
	/* What is kept of them stands in the spool's group. */
	link_release(peer);
	spool_push(in->spool);
}

static void on_gone(void *arg, struct link_peer *peer)
{
	struct put *p = link_peer_get(peer);

	(void)arg;
	if (p)
		p->peer = NULL;
}

static const struct link_handler handler = { .on_request = on_request, .on_gone = on_gone };

/* ---- stdin ---- */

static void on_pipe_batch(void *arg, struct batch *b)
{
	struct intake *in = arg;
	struct put *p = put_new(in, b->n);

	if (!p)
		die(1, "no memory");
	p->pipe = b;
	put_batch(p, b->lines, b->len);
}

static void on_again(void *arg)
{
	struct intake *in = arg;
	struct put *p = in->waiting;

	in->waiting = NULL;
	if (p && !in->stopped)
		put_batch(p, p->pipe->lines, p->pipe->len);
	else if (p)
		in->waiting = p;
}

static void on_pipe_end(void *arg)
{
	struct intake *in = arg;

	in->on_pipe_end(in->arg);
}

/* ---- life ---- */

void intake_init(struct intake *in, struct loop *l, struct spool *s, const struct rules_book *book, const struct link_opts *link,
	uint32_t window)
{
	memset(in, 0, sizeof(*in));
	in->loop = l;
	in->spool = s;
	in->book = book;
	in->link = link;
	in->again = (struct loop_timer){ .fn = on_again, .arg = in };
	in->key[0] = hash_random();
	in->key[1] = hash_random();
	repeat_init(&in->repeat, window);
}

int intake_listen(struct intake *in, const char *url)
{
	if (link_is_pipe(url)) {
		in->pipe = link_take_open(in->loop, url, in->link, on_pipe_batch, on_pipe_end, in);
		return in->pipe ? 0 : -1;
	}
	if (in->nservers == INTAKE_LISTENERS) {
		log_error("-i %s: more than %u intakes", url, INTAKE_LISTENERS);
		return -1;
	}
	struct link_server *s = link_listen(in->loop, url, in->link, &handler, in);
	if (!s)
		return -1;
	in->servers[in->nservers++] = s;
	return 0;
}

void intake_release(struct intake *in)
{
	for (unsigned i = 0; i < in->nservers; i++)
		link_server_close(in->servers[i]);
	in->nservers = 0;
	loop_timer_del(in->loop, &in->again);
	if (in->waiting) {
		log_error("standard input: a batch of %u lines was not kept", in->waiting->lines);
		put_free(in->waiting);
		in->waiting = NULL;
	}
	if (in->pipe)
		link_take_close(in->pipe);
	in->pipe = NULL;
	repeat_release(&in->repeat);
}

void intake_seen(struct intake *in, const struct spool_view *v)
{
	struct envelope e;
	struct again a;

	if (again_open(v->p, v->n, &a) >= 0 && scan_lazy(a.p, a.n, &e) == 0 && repeat_add(&in->repeat, id_key(&e, in->key)) < 0)
		die(1, "no memory for the repeat window");
}

void intake_lost(struct intake *in, uint32_t lines)
{
	repeat_undo(&in->repeat, lines);
}

void intake_flow(struct intake *in)
{
	bool pause = in->stopped || spool_full(in->spool);

	if (pause == in->paused)
		return;
	in->paused = pause;
	for (unsigned i = 0; i < in->nservers; i++)
		link_server_pause(in->servers[i], pause);
}

void intake_stop(struct intake *in)
{
	in->stopped = true;
	intake_flow(in);
}
