/*
 * work: the skeleton of a stage.
 *
 * Batches are worked on as they come and put one after the other, one chunk on its way at a time: so lines keep the order in which
 * they came (batches of two connections may overtake each other: the hub deals lines of one lane one batch at a time), and a
 * next hop that is full holds everything up behind it. A batch that makes nothing is reported at once.
 */
#include "link/work.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/backoff.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/notify.h"
#include "link/alone.h"
#include "link/batch.h"
#include "link/job.h"

#define RETRY_FIRST (50 * CLOCK_MS)
#define RETRY_MAX (5 * CLOCK_S)

struct stage {
	const struct work *w;
	struct loop *loop;
	struct link_take *take;
	struct link_put *put;
	bool pass;			/* lines go on to the output */
	bool in_stream;			/* the input can't be asked to send a line again */
	bool ready, draining, failed;
	struct job *first, **last;	/* in the order they came */
	struct loop_timer put_again, work_again;
	struct alone alone;
	struct backoff put_wait, work_wait;
};

static void go_on(struct stage *s);

/* ---- working on a batch ---- */

/* Why a batch or a line can't be done now. The whole rest of a batch of a stream waits; the hub is told to send it again. */
struct later { bool is, hold; const char *why; };

static int refuse_rest(struct job *j, uint32_t from, bool retry, const char *why)
{
	for (uint32_t n = from; n <= j->batch->n; n++)
		if (job_refuse(j, n, retry, why))
			return -1;
	return 0;
}

static int one_line(struct stage *s, struct job *j, struct later *later)
{
	const struct work *w = s->w;
	const char *end = j->batch->lines + j->batch->len, *next = j->at, *why = "refused", *line;
	bool retry = false;
	size_t n;

	line = batch_next(&next, end, &n);
	if ((s->pass && (buf_add(&j->out, line, n) || buf_addc(&j->out, '\n'))) ||
	    w->line(w->arg, line, n, j->batch->seq ? j->batch->seq[j->lines] : 0, &j->out, &why, &retry)) {
		j->out.len = j->counted;
		if (retry && s->in_stream && !s->draining) {
			*later = (struct later){ .is = true, .why = why };
			return 0;
		}
		if (job_refuse(j, j->lines + 1, retry, why))
			return -1;
	}
	j->at = next;
	if (!w->out)
		j->out.len = 0;
	if (!job_made(j)) {
		log_error("a stage made a line without its line feed");
		return -1;
	}
	return 0;
}

/* Works on the lines of j that are left. -1: this program can't go on. */
static int work_on(struct stage *s, struct job *j)
{
	const struct work *w = s->w;
	struct job_mark mark = job_mark(j);
	struct later later = { .is = false };

	if (w->begin && w->begin(w->arg, j->batch)) {
		later = (struct later){ .is = true, .hold = w->hold, .why = "the batch can't be begun" };
	} else {
		while (j->lines < j->batch->n && !later.is)
			if (one_line(s, j, &later))
				return -1;
		if (w->commit && w->commit(w->arg)) {
			job_undo(j, &mark);
			later = (struct later){ .is = true, .why = "the batch can't be committed" };
		}
	}
	if (!later.is) {
		backoff_reset(&s->work_wait);
		return 0;
	}
	if ((s->in_stream || later.hold) && !s->draining) {
		if (s->work_wait.tries == 0)
			log_warn("line %u of the batch: %s: trying again", j->lines + 1, later.why);
		return loop_timer_in(s->loop, &s->work_again, backoff_next(&s->work_wait, hash_random()));
	}
	if (refuse_rest(j, j->lines + 1, true, later.why))
		return -1;
	while (j->lines < j->batch->n)
		job_made(j);
	return 0;
}

/* ---- putting and reporting ---- */

static void stop(struct stage *s, bool failed)
{
	s->failed |= failed;
	loop_stop(s->loop);
}

static void report(struct stage *s, struct job **at)
{
	struct job *j = *at;

	*at = j->next;
	if (s->last == &j->next)
		s->last = at;
	link_take_done(s->take, j->batch, j->refused.v, j->refused.n);
	job_free(j);
}

/* Puts j's chunk. false: there is no room, or it can't be put at all. */
static bool put_chunk(struct stage *s, struct job *j)
{
	int rc = link_put_send(s->put, j->chunk.p, j->chunk.len, j->chunk.n, j);

	if (rc > 0) {
		j->put_waits = true;
		return true;
	}
	if (rc < 0 && errno != EMSGSIZE) {
		log_error("putting %u lines: %s", j->chunk.n, strerror(errno));
		stop(s, true);
		return false;
	}
	if (rc < 0) {
		/* One line larger than any message: its cause is refused. */
		struct refusal r = { .n = 1, .error = "longer than a message may be" };
		bool again;
		if (job_answered(j, &(struct put_result){ .refused = &r, .nrefused = 1 }, &again))
			stop(s, true);
		return job_chunk(j) ? put_chunk(s, j) : true;
	}
	return false;
}

/* Moves everything on as far as it goes. */
static void go_on(struct stage *s)
{
	for (struct job **at = &s->first; *at; ) {
		struct job *j = *at;
		bool head = j == s->first;
		if (head && !j->put_waits && (j->chunk.n || job_chunk(j)) && !put_chunk(s, j))
			return;
		if (j->lines == j->batch->n && !j->put_waits && !j->chunk.n && j->put_at == j->counted)
			report(s, at);
		else
			at = &j->next;
	}
}

static void on_result(void *arg, void *cookie, const struct put_result *r)
{
	struct stage *s = arg;
	struct job *j = cookie;
	bool again;

	if (job_answered(j, r, &again)) {
		log_error("%s", strerror(ENOMEM));
		stop(s, true);
		return;
	}
	if (again) {
		if (s->put_wait.tries == 0)
			log_warn("%s: %u lines are refused for now: putting them again", s->w->out, j->chunk.n);
		/* put_waits stays: the timer ends it. */
		if (loop_timer_in(s->loop, &s->put_again, backoff_next(&s->put_wait, hash_random())))
			stop(s, true);
		return;
	}
	backoff_reset(&s->put_wait);
	j->put_waits = false;
	j->chunk.n = 0;
	go_on(s);
}

static void put_again(void *arg)
{
	struct stage *s = arg;

	s->first->put_waits = false;
	go_on(s);
}

static void on_room(void *arg)
{
	go_on(arg);
}

static void on_dead(void *arg)
{
	stop(arg, true);
}

/* ---- taking ---- */

static void work_again(void *arg)
{
	struct stage *s = arg;

	/* A stream has one batch; those that are held may be several. */
	for (struct job *j = s->first; j; j = j->next)
		if (j->lines < j->batch->n && work_on(s, j))
			stop(s, true);
	go_on(s);
}

static void on_batch(void *arg, struct batch *b)
{
	struct stage *s = arg;
	struct job *j = job_new(b);

	if (!j) {
		log_error("%s", strerror(ENOMEM));
		stop(s, true);
		return;
	}
	*s->last = j;
	s->last = &j->next;
	if (work_on(s, j))
		stop(s, true);
	else
		go_on(s);
}

static void on_end(void *arg)
{
	stop(arg, false);
}

/* ---- the outside ---- */

static bool connected(void *arg)
{
	const struct stage *s = arg;

	return link_take_connected(s->take) && (!s->put || link_put_connected(s->put));
}

static void on_gone(void *arg)
{
	stop(arg, true);
}

static void on_terminate(void *arg, int signo)
{
	struct stage *s = arg;

	(void)signo;
	if (s->draining)
		return;
	s->draining = true;
	notify_stopping();
	if (!s->in_stream)
		alone_watch(&s->alone, s->loop);
	link_take_drain(s->take, on_end);
	/* A stream's line that waited to be tried again is tried once more and then refused. */
	if (s->work_again.due)
		loop_timer_in(s->loop, &s->work_again, 0);
}

static void on_hangup(void *arg, int signo)
{
	struct stage *s = arg;

	(void)signo;
	if (s->w->reload)
		s->w->reload(s->w->arg);
}

static void on_round(void *arg)
{
	struct stage *s = arg;

	if (s->ready || !connected(s))
		return;
	s->ready = true;
	notify_ready();
}

static int open_all(struct stage *s)
{
	const struct work *w = s->w;
	struct link_opts out = w->opts;

	if (loop_signal(s->loop, SIGTERM, on_terminate, s) || loop_signal(s->loop, SIGINT, on_terminate, s) ||
	    loop_signal(s->loop, SIGHUP, on_hangup, s)) {
		log_error("signals: %s", strerror(errno));
		return -1;
	}
	if (w->start)
		w->start(w->arg, s->loop);
	out.conns = 1;		/* more would mix up the order */
	if (w->out && !(s->put = link_put_open(s->loop, w->out, &out, on_result, on_room, on_dead, s)))
		return -1;
	s->take = link_take_open(s->loop, w->in, &w->opts, on_batch, on_end, s);
	if (!s->take)
		return -1;
	loop_each_round(s->loop, on_round, s);
	on_round(s);		/* pipes are there at once, and may stay silent */
	return 0;
}

int work_run(const struct work *w)
{
	struct stage s = {
		.w = w,
		.loop = loop_new(),
		.pass = w->filter && (link_is_pipe(w->in) || link_is_pipe(w->out)),
		.in_stream = link_is_pipe(w->in),
		.put_wait = { .base = RETRY_FIRST, .max = RETRY_MAX },
		.work_wait = { .base = RETRY_FIRST, .max = RETRY_MAX },
	};

	s.last = &s.first;
	s.put_again = (struct loop_timer){ .fn = put_again, .arg = &s };
	s.work_again = (struct loop_timer){ .fn = work_again, .arg = &s };
	s.alone = (struct alone){ .connected = connected, .gone = on_gone, .arg = &s };
	if (!s.loop) {
		log_error("%s", strerror(errno));
		return 1;
	}
	if (open_all(&s)) {
		s.failed = true;
	} else if (loop_run(s.loop)) {
		log_error("waiting: %s", strerror(errno));
		s.failed = true;
	}
	if (s.take) {
		s.failed |= link_take_dropped(s.take) > 0;
		link_take_close(s.take);
	}
	if (s.put)
		link_put_close(s.put);
	while (s.first) {
		struct job *j = s.first;
		s.first = j->next;
		job_free(j);
	}
	if (w->stop)
		w->stop(w->arg);
	loop_timer_del(s.loop, &s.put_again);
	loop_timer_del(s.loop, &s.work_again);
	alone_end(&s.alone);
	loop_free(s.loop);
	return s.failed ? 1 : 0;
}
