#include "supervise/state.h"

#include <stddef.h>
#include <string.h>
#include <sys/wait.h>

struct event { enum sv_event ev; int status; const struct state_now *now; };
typedef unsigned step(struct state *s, const struct event *e);

void state_init(struct state *s, bool want_up, bool logger, const struct state_now *now)
{
	memset(s, 0, sizeof *s);
	s->at = SV_DOWN;
	s->want = want_up ? WANT_UP : WANT_DOWN;
	s->logger = logger;
	s->since = now->wall;
	s->backoff = (struct backoff){ .base = STATE_BACKOFF_BASE, .max = STATE_BACKOFF_MAX };
}

static unsigned prepare(struct state *s)
{
	s->at = SV_PREP;
	s->loop = s->failed = false;
	s->due = 0;
	return ACT_PREPARE;
}

static unsigned start(struct state *s, const struct state_now *now)
{
	s->at = SV_RUN;
	s->paused = s->term_sent = s->ready = s->stopping = false;
	s->died_asked = false;
	s->started = now->mono;
	s->since = now->wall;
	s->starts++;
	return ACT_START | ACT_SHOW;
}

static unsigned gone(struct state *s)
{
	s->at = SV_GONE;
	s->want = WANT_EXIT;
	s->paused = s->loop = false;
	return ACT_GONE | ACT_SHOW;
}

/* How long a run that ended now, wanted up, has to wait for its successor. */
static int64_t wait_after(struct state *s, const struct state_now *now)
{
	bool failed = s->died != 0 && !s->died_asked;

	if (now->mono - s->started >= STATE_SECOND) {
		s->failures = 0;
		backoff_reset(&s->backoff);
		return 0;
	}
	if (!failed)
		return STATE_SECOND;
	if (s->failures++ == 0)
		return STATE_SECOND;
	s->loop = true;
	return backoff_next(&s->backoff, now->random);
}

/* Run is dead and finish done. */
static unsigned settle(struct state *s, const struct state_now *now)
{
	int64_t wait;

	s->at = SV_DOWN;
	s->since = now->wall;
	if (s->want == WANT_EXIT)
		return gone(s);
	if (s->want == WANT_DOWN)
		return ACT_SHOW;
	wait = wait_after(s, now);
	if (wait == 0)
		return prepare(s);
	s->at = SV_WAIT;
	s->due = now->mono + wait;
	return ACT_WAIT | ACT_SHOW;
}

static unsigned none(struct state *s, const struct event *e)
{
	(void)s;
	(void)e;
	return 0;
}

/* ---- down ---- */

static unsigned down_up(struct state *s, const struct event *e)
{
	(void)e;
	s->want = WANT_UP;
	return prepare(s);
}

static unsigned down_stop(struct state *s, const struct event *e)
{
	(void)e;
	s->want = WANT_DOWN;
	return ACT_SHOW;
}

static unsigned down_once(struct state *s, const struct event *e)
{
	(void)e;
	s->want = WANT_DOWN;
	return prepare(s);
}

static unsigned down_exit(struct state *s, const struct event *e)
{
	(void)e;
	return s->logger ? 0 : gone(s);
}

static unsigned down_eof(struct state *s, const struct event *e)
{
	(void)e;
	return gone(s);
}

/* ---- wait: a command ends it ---- */

static unsigned wait_up(struct state *s, const struct event *e)
{
	return ACT_UNWAIT | down_up(s, e);
}

static unsigned wait_stop(struct state *s, const struct event *e)
{
	s->at = SV_DOWN;
	s->loop = false;
	return ACT_UNWAIT | down_stop(s, e);
}

static unsigned wait_once(struct state *s, const struct event *e)
{
	return ACT_UNWAIT | down_once(s, e);
}

static unsigned wait_exit(struct state *s, const struct event *e)
{
	(void)e;
	return s->logger ? 0 : ACT_UNWAIT | gone(s);
}

static unsigned wait_due(struct state *s, const struct event *e)
{
	(void)e;
	return ACT_UNWAIT | prepare(s);
}

/* What is in the pipe still has to be read: one more run, which then meets the end of its input. */
static unsigned wait_eof(struct state *s, const struct event *e)
{
	(void)e;
	s->want = WANT_EXIT;
	return ACT_UNWAIT | prepare(s);
}

/* ---- a start that is held ---- */

static unsigned prep_stop(struct state *s, const struct event *e)
{
	s->at = SV_DOWN;
	return down_stop(s, e);
}

static unsigned prep_exit(struct state *s, const struct event *e)
{
	(void)e;
	return s->logger ? 0 : gone(s);
}

static unsigned prep_go(struct state *s, const struct event *e)
{
	return start(s, e->now);
}

/* ---- run and finish ---- */

static unsigned live_up(struct state *s, const struct event *e)
{
	(void)e;
	s->want = WANT_UP;
	return ACT_SHOW;
}

static unsigned live_once(struct state *s, const struct event *e)
{
	(void)e;
	s->want = WANT_DOWN;
	return ACT_SHOW;
}

static unsigned stop(struct state *s, enum sv_want want)
{
	s->want = want;
	s->stopping = s->died_asked = true;
	return ACT_STOP | ACT_WAKE | ACT_AFTER | ACT_SHOW;
}

static unsigned run_stop(struct state *s, const struct event *e)
{
	(void)e;
	return stop(s, WANT_DOWN);
}

static unsigned run_exit(struct state *s, const struct event *e)
{
	(void)e;
	if (s->logger)
		return 0;
	return stop(s, WANT_EXIT);
}

static unsigned run_term(struct state *s, const struct event *e)
{
	(void)e;
	s->died_asked = true;
	return ACT_TERM | (s->want == WANT_UP ? 0 : ACT_WAKE | ACT_AFTER) | ACT_SHOW;
}

static unsigned run_again(struct state *s, const struct event *e)
{
	(void)e;
	s->died_asked = true;
	return ACT_AGAIN | ACT_SHOW;
}

static unsigned run_kill(struct state *s, const struct event *e)
{
	(void)e;
	s->died_asked = true;
	return ACT_KILL;
}

static unsigned run_signal(struct state *s, const struct event *e)
{
	static const unsigned bit[SV_EVENTS] = {
		[SV_ALRM] = ACT_ALRM, [SV_HUP] = ACT_HUP, [SV_INT] = ACT_INT,
		[SV_QUIT] = ACT_QUIT, [SV_USR1] = ACT_USR1, [SV_USR2] = ACT_USR2,
		[SV_ABRT] = ACT_ABRT, [SV_WINCH] = ACT_WINCH,
	};

	(void)s;
	return bit[e->ev];
}

static unsigned run_pause(struct state *s, const struct event *e)
{
	(void)e;
	s->paused = true;
	return ACT_PAUSE | ACT_SHOW;
}

static unsigned run_cont(struct state *s, const struct event *e)
{
	(void)e;
	s->paused = false;
	return ACT_CONT | ACT_SHOW;
}

static unsigned run_died(struct state *s, const struct event *e)
{
	s->died = e->status;
	s->died_at = e->now->wall;
	s->term_sent = s->ready = s->stopping = false;
	if (s->logger)
		return ACT_UNWAIT | settle(s, e->now);
	s->at = SV_FINISH;
	return ACT_UNWAIT | ACT_FINISH | ACT_SHOW;
}

static unsigned run_ready(struct state *s, const struct event *e)
{
	if (s->ready)
		return 0;
	s->ready = true;
	s->ready_since = e->now->wall;
	return ACT_SHOW;
}

static unsigned live_eof(struct state *s, const struct event *e)
{
	(void)e;
	s->want = WANT_EXIT;
	return ACT_SHOW;
}

static unsigned finish_exit(struct state *s, const struct event *e)
{
	(void)e;
	if (s->logger)
		return 0;
	s->want = WANT_EXIT;
	return ACT_SHOW;
}

static unsigned finish_kill(struct state *s, const struct event *e)
{
	(void)s;
	(void)e;
	return ACT_KILL;
}

static unsigned finish_died(struct state *s, const struct event *e)
{
	if (s->want == WANT_UP && e->status != STATE_UNKNOWN && WIFEXITED(e->status) && WEXITSTATUS(e->status) == STATE_PERMANENT) {
		s->want = WANT_DOWN;
		s->failed = true;
	}
	return ACT_UNWAIT | settle(s, e->now);
}

/* Where no process lives, p and c change the flag that sv shows, as in runit. */
static unsigned idle_pause(struct state *s, const struct event *e)
{
	(void)e;
	s->paused = true;
	return ACT_SHOW;
}

static unsigned idle_cont(struct state *s, const struct event *e)
{
	(void)e;
	s->paused = false;
	return ACT_SHOW;
}

static step *const table[SV_STATES][SV_EVENTS] = {
	[SV_DOWN] = {
		[SV_UP] = down_up, [SV_STOP] = down_stop, [SV_ONCE] = down_once, [SV_EXIT] = down_exit,
		[SV_TERM] = none, [SV_KILL] = none, [SV_PAUSE] = idle_pause, [SV_CONT] = idle_cont,
		[SV_ALRM] = none, [SV_HUP] = none, [SV_INT] = none, [SV_QUIT] = none, [SV_USR1] = none, [SV_USR2] = none,
		[SV_ABRT] = none, [SV_WINCH] = none, [SV_AGAIN] = none, [SV_AT_MOST] = down_stop,
		[SV_DIED] = none, [SV_DUE] = none, [SV_GO] = none, [SV_READY] = none, [SV_EOF] = down_eof,
	},
	[SV_WAIT] = {
		[SV_UP] = wait_up, [SV_STOP] = wait_stop, [SV_ONCE] = wait_once, [SV_EXIT] = wait_exit,
		[SV_TERM] = none, [SV_KILL] = none, [SV_PAUSE] = idle_pause, [SV_CONT] = idle_cont,
		[SV_ALRM] = none, [SV_HUP] = none, [SV_INT] = none, [SV_QUIT] = none, [SV_USR1] = none, [SV_USR2] = none,
		[SV_ABRT] = none, [SV_WINCH] = none, [SV_AGAIN] = none, [SV_AT_MOST] = wait_stop,
		[SV_DIED] = none, [SV_DUE] = wait_due, [SV_GO] = none, [SV_READY] = none, [SV_EOF] = wait_eof,
	},
	[SV_PREP] = {
		[SV_UP] = live_up, [SV_STOP] = prep_stop, [SV_ONCE] = live_once, [SV_EXIT] = prep_exit,
		[SV_TERM] = none, [SV_KILL] = none, [SV_PAUSE] = idle_pause, [SV_CONT] = idle_cont,
		[SV_ALRM] = none, [SV_HUP] = none, [SV_INT] = none, [SV_QUIT] = none, [SV_USR1] = none, [SV_USR2] = none,
		[SV_ABRT] = none, [SV_WINCH] = none, [SV_AGAIN] = none, [SV_AT_MOST] = prep_stop,
		[SV_DIED] = none, [SV_DUE] = none, [SV_GO] = prep_go, [SV_READY] = none, [SV_EOF] = live_eof,
	},
	[SV_RUN] = {
		[SV_UP] = live_up, [SV_STOP] = run_stop, [SV_ONCE] = live_once, [SV_EXIT] = run_exit,
		[SV_TERM] = run_term, [SV_KILL] = run_kill, [SV_PAUSE] = run_pause, [SV_CONT] = run_cont,
		[SV_ALRM] = run_signal, [SV_HUP] = run_signal, [SV_INT] = run_signal,
		[SV_QUIT] = run_signal, [SV_USR1] = run_signal, [SV_USR2] = run_signal,
		[SV_ABRT] = run_signal, [SV_WINCH] = run_signal, [SV_AGAIN] = run_again, [SV_AT_MOST] = live_once,
		[SV_DIED] = run_died, [SV_DUE] = run_kill, [SV_GO] = none, [SV_READY] = run_ready, [SV_EOF] = live_eof,
	},
	[SV_FINISH] = {
		[SV_UP] = live_up, [SV_STOP] = live_once, [SV_ONCE] = live_once, [SV_EXIT] = finish_exit,
		[SV_TERM] = none, [SV_KILL] = finish_kill, [SV_PAUSE] = idle_pause, [SV_CONT] = idle_cont,
		[SV_ALRM] = none, [SV_HUP] = none, [SV_INT] = none, [SV_QUIT] = none, [SV_USR1] = none, [SV_USR2] = none,
		[SV_ABRT] = none, [SV_WINCH] = none, [SV_AGAIN] = none, [SV_AT_MOST] = live_once,
		[SV_DIED] = finish_died, [SV_DUE] = finish_kill, [SV_GO] = none, [SV_READY] = none, [SV_EOF] = live_eof,
	},
	[SV_GONE] = {
		[SV_UP] = none, [SV_STOP] = none, [SV_ONCE] = none, [SV_EXIT] = none,
		[SV_TERM] = none, [SV_KILL] = none, [SV_PAUSE] = none, [SV_CONT] = none,
		[SV_ALRM] = none, [SV_HUP] = none, [SV_INT] = none, [SV_QUIT] = none, [SV_USR1] = none, [SV_USR2] = none,
		[SV_ABRT] = none, [SV_WINCH] = none, [SV_AGAIN] = none, [SV_AT_MOST] = none,
		[SV_DIED] = none, [SV_DUE] = none, [SV_GO] = none, [SV_READY] = none, [SV_EOF] = none,
	},
};

int state_check(void)
{
	for (int at = 0; at < SV_STATES; at++)
		for (int ev = 0; ev < SV_EVENTS; ev++)
			if (!table[at][ev])
				return -1;
	return 0;
}

unsigned state_event(struct state *s, enum sv_event ev, int status, const struct state_now *now)
{
	const struct event e = { ev, status, now };

	return table[s->at][ev](s, &e);
}

bool state_fits(const struct state *s)
{
	return (unsigned)s->at < SV_STATES && (unsigned)s->want <= WANT_EXIT;
}

unsigned state_resume(struct state *s, enum state_alive alive, const struct state_now *now)
{
	const struct event died = { SV_DIED, STATE_UNKNOWN, now };

	if (!state_fits(s))
		return 0;
	s->backoff.base = STATE_BACKOFF_BASE;
	s->backoff.max = STATE_BACKOFF_MAX;
	if (alive == STATE_RUN_LIVES) {
		if (s->at != SV_RUN)	/* killed before it could note the start */
			start(s, now);
		s->at = SV_RUN;
		/* Perhaps the order was noted and its signal was not sent. */
		return ACT_SHOW | (s->stopping ? ACT_STOP | ACT_WAKE : 0);
	}
	if (alive == STATE_FINISH_LIVES) {
		s->at = SV_FINISH;
		return ACT_SHOW;
	}
	switch (s->at) {
	case SV_RUN:
		return run_died(s, &died);
	case SV_FINISH:
		return finish_died(s, &died);
	case SV_WAIT:
		return ACT_WAIT | ACT_SHOW;
	case SV_PREP:
		return prepare(s) | ACT_SHOW;
	default:
		return ACT_SHOW;
	}
}
