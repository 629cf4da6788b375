/* What was made of a load is put; when all of that is acknowledged, the load is reported. */
#include <errno.h>
#include <string.h>

#include "base/hash.h"
#include "base/log.h"
#include "stage/stage.h"

#define FAST (500 * CLOCK_MS)
#define SLOW (5 * CLOCK_S)

/* ---- putting ---- */

/* Puts l's chunk. false: there is no room, or it can't be put at all. */
static bool put_chunk(struct run *r, struct load *l)
{
	struct job *j = l->job;
	struct refusal too_long = { .n = 1, .error = "longer than a message may be" };
	bool again;
	int rc = link_put_send(r->put, job_chunk_bytes(j), j->chunk.len, j->chunk.n, l);

	if (rc > 0) {
		j->put_waits = true;
		return true;
	}
	if (rc < 0 && errno == EMSGSIZE) {
		if (job_answered(j, &(struct put_result){ .refused = &too_long, .nrefused = 1 }, &again))
			run_fail(r);
		j->chunk.n = 0;
		return true;
	}
	if (rc < 0) {
		log_error("putting %u lines: %s", j->chunk.n, strerror(errno));
		run_fail(r);
	}
	return false;
}

static void put_again(void *arg)
{
	struct load *l = arg;

	l->job->put_waits = false;
	run_moved(l->run);
}

void put_result(void *arg, void *cookie, const struct put_result *res)
{
	struct run *r = arg;
	struct load *l = cookie;
	bool again;

	if (job_answered(l->job, res, &again)) {
		log_error("%s", strerror(ENOMEM));
		run_fail(r);
		return;
	}
	if (again) {
		if (l->put_wait.tries == 0)
			log_warn("%s: %u lines are refused for now: putting them again", r->set->out, l->job->chunk.n);
		/* put_waits stays: the timer ends it. */
		l->put_again = (struct loop_timer){ .fn = put_again, .arg = l };
		if (loop_timer_in(r->loop, &l->put_again, backoff_next(&l->put_wait, hash_random())))
			run_fail(r);
		return;
	}
	backoff_reset(&l->put_wait);
	l->job->put_waits = false;
	l->job->chunk.n = 0;
	run_moved(r);
}

/* ---- reporting ---- */

/* A batch that takes long may be taken back by the hub before it is done: better few lines at a time. */
static void adapt(struct run *r, const struct load *l)
{
	int64_t took = loop_now(r->loop) - l->taken;

	if (took < FAST && l->own.n >= r->want / 2)
		r->want *= 2;
	else if (took > SLOW)
		r->want /= 2;
	if (r->want > r->set->link.take)
		r->want = r->set->link.take;
	if (r->want < 1)
		r->want = 1;
	link_take_want(r->take, r->want);
}

/* What nobody can be told is said. */
static void log_refused(const struct run *r, const struct load *l)
{
	const struct job *j = l->job;

	for (size_t i = 0; i < j->refused.n; i++) {
		uint32_t n = j->refused.v[i].n;
		if (!l->own.n)
			log_error("an event that %s made is refused: %s", r->set->program, j->refused.v[i].error);
		else
			log_error("line refused: %s; the line: %.*s", j->refused.v[i].error, (int)(l->at[n] - l->at[n - 1] - 1 > 200 ? 200 :
				l->at[n] - l->at[n - 1] - 1), l->own.lines + l->at[n - 1]);
	}
}

static void report(struct run *r, struct load **at)
{
	struct load *l = *at;

	*at = l->next;
	if (r->last == &l->next)
		r->last = at;
	if (!l->theirs && l->job->refused.n) {
		log_refused(r, l);
		r->failed |= r->in_stream;
	}
	if (l->theirs)
		adapt(r, l);
	if (l->theirs)
		link_take_done(r->take, l->theirs, l->job->refused.v, l->job->refused.n);
	if (l->own.n)
		r->nloads--;
	else
		copies_pause(r, false);
	load_free(l);
	if (r->held && r->nloads < r->window) {
		struct batch *b = r->held;
		r->held = NULL;
		link_take_done(r->take, b, NULL, 0);
	}
}

void put_all(struct run *r)
{
	bool room = true;

	for (struct load **at = &r->first; *at; ) {
		struct load *l = *at;
		struct job *j = l->job;
		if (room && (!r->ordered || l == r->first))
			while (!j->put_waits && (j->chunk.n || job_chunk(j)) && (room = put_chunk(r, l)))
				;
		if (l->done && !j->put_waits && !j->chunk.n && j->put_at == j->counted)
			report(r, at);
		else
			at = &l->next;
	}
}
