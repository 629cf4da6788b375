/* supervise's state machine: every state x event by table, then a long random walk against what must always hold. */
#include "check.h"

#include <signal.h>
#include <string.h>

#include "base/clock.h"
#include "supervise/control.h"
#include "supervise/state.h"

#define T0 (1000 * CLOCK_S)

static const struct state_now now = { T0, 5000 * CLOCK_S, 7 };

/* What an event does, of a service that is wanted up: the state after, the want after, the actions. */
struct row { enum sv_at from; enum sv_event ev; enum sv_at to; enum sv_want want; unsigned act; };

static const struct row grid[] = {
#define STAY(at, ev) { at, ev, at, WANT_UP, 0 }
	{ SV_DOWN, SV_UP, SV_PREP, WANT_UP, ACT_PREPARE },
	{ SV_DOWN, SV_STOP, SV_DOWN, WANT_DOWN, ACT_SHOW },
	{ SV_DOWN, SV_ONCE, SV_PREP, WANT_DOWN, ACT_PREPARE },
	{ SV_DOWN, SV_EXIT, SV_GONE, WANT_EXIT, ACT_GONE | ACT_SHOW },
	STAY(SV_DOWN, SV_TERM), STAY(SV_DOWN, SV_KILL),
	{ SV_DOWN, SV_PAUSE, SV_DOWN, WANT_UP, ACT_SHOW }, { SV_DOWN, SV_CONT, SV_DOWN, WANT_UP, ACT_SHOW },
	STAY(SV_DOWN, SV_ALRM), STAY(SV_DOWN, SV_HUP), STAY(SV_DOWN, SV_INT), STAY(SV_DOWN, SV_QUIT),
	STAY(SV_DOWN, SV_USR1), STAY(SV_DOWN, SV_USR2), STAY(SV_DOWN, SV_DIED), STAY(SV_DOWN, SV_DUE), STAY(SV_DOWN, SV_GO), STAY(SV_DOWN, SV_READY),
	{ SV_DOWN, SV_EOF, SV_GONE, WANT_EXIT, ACT_GONE | ACT_SHOW },

	{ SV_WAIT, SV_UP, SV_PREP, WANT_UP, ACT_UNWAIT | ACT_PREPARE },
	{ SV_WAIT, SV_STOP, SV_DOWN, WANT_DOWN, ACT_UNWAIT | ACT_SHOW },
	{ SV_WAIT, SV_ONCE, SV_PREP, WANT_DOWN, ACT_UNWAIT | ACT_PREPARE },
	{ SV_WAIT, SV_EXIT, SV_GONE, WANT_EXIT, ACT_UNWAIT | ACT_GONE | ACT_SHOW },
	STAY(SV_WAIT, SV_TERM), STAY(SV_WAIT, SV_KILL),
	{ SV_WAIT, SV_PAUSE, SV_WAIT, WANT_UP, ACT_SHOW }, { SV_WAIT, SV_CONT, SV_WAIT, WANT_UP, ACT_SHOW },
	STAY(SV_WAIT, SV_ALRM), STAY(SV_WAIT, SV_HUP), STAY(SV_WAIT, SV_INT), STAY(SV_WAIT, SV_QUIT),
	STAY(SV_WAIT, SV_USR1), STAY(SV_WAIT, SV_USR2), STAY(SV_WAIT, SV_DIED),
	{ SV_WAIT, SV_DUE, SV_PREP, WANT_UP, ACT_UNWAIT | ACT_PREPARE },
	STAY(SV_WAIT, SV_GO), STAY(SV_WAIT, SV_READY),
	{ SV_WAIT, SV_EOF, SV_PREP, WANT_EXIT, ACT_UNWAIT | ACT_PREPARE },

	{ SV_PREP, SV_UP, SV_PREP, WANT_UP, ACT_SHOW }, { SV_PREP, SV_STOP, SV_DOWN, WANT_DOWN, ACT_SHOW },
	{ SV_PREP, SV_ONCE, SV_PREP, WANT_DOWN, ACT_SHOW }, { SV_PREP, SV_EXIT, SV_GONE, WANT_EXIT, ACT_GONE | ACT_SHOW },
	STAY(SV_PREP, SV_TERM), STAY(SV_PREP, SV_KILL),
	{ SV_PREP, SV_PAUSE, SV_PREP, WANT_UP, ACT_SHOW }, { SV_PREP, SV_CONT, SV_PREP, WANT_UP, ACT_SHOW },
	STAY(SV_PREP, SV_ALRM), STAY(SV_PREP, SV_HUP), STAY(SV_PREP, SV_INT), STAY(SV_PREP, SV_QUIT),
	STAY(SV_PREP, SV_USR1), STAY(SV_PREP, SV_USR2), STAY(SV_PREP, SV_DIED), STAY(SV_PREP, SV_DUE),
	{ SV_PREP, SV_GO, SV_RUN, WANT_UP, ACT_START | ACT_SHOW },
	STAY(SV_PREP, SV_READY),
	{ SV_PREP, SV_EOF, SV_PREP, WANT_EXIT, ACT_SHOW },

	{ SV_RUN, SV_UP, SV_RUN, WANT_UP, ACT_SHOW },
	{ SV_RUN, SV_STOP, SV_RUN, WANT_DOWN, ACT_STOP | ACT_WAKE | ACT_AFTER | ACT_SHOW },
	{ SV_RUN, SV_ONCE, SV_RUN, WANT_DOWN, ACT_SHOW },
	{ SV_RUN, SV_EXIT, SV_RUN, WANT_EXIT, ACT_STOP | ACT_WAKE | ACT_AFTER | ACT_SHOW },
	{ SV_RUN, SV_TERM, SV_RUN, WANT_UP, ACT_TERM | ACT_SHOW },
	{ SV_RUN, SV_KILL, SV_RUN, WANT_UP, ACT_KILL },
	{ SV_RUN, SV_PAUSE, SV_RUN, WANT_UP, ACT_PAUSE | ACT_SHOW }, { SV_RUN, SV_CONT, SV_RUN, WANT_UP, ACT_CONT | ACT_SHOW },
	{ SV_RUN, SV_ALRM, SV_RUN, WANT_UP, ACT_ALRM }, { SV_RUN, SV_HUP, SV_RUN, WANT_UP, ACT_HUP },
	{ SV_RUN, SV_INT, SV_RUN, WANT_UP, ACT_INT }, { SV_RUN, SV_QUIT, SV_RUN, WANT_UP, ACT_QUIT },
	{ SV_RUN, SV_USR1, SV_RUN, WANT_UP, ACT_USR1 }, { SV_RUN, SV_USR2, SV_RUN, WANT_UP, ACT_USR2 },
	{ SV_RUN, SV_DIED, SV_FINISH, WANT_UP, ACT_UNWAIT | ACT_FINISH | ACT_SHOW },
	{ SV_RUN, SV_DUE, SV_RUN, WANT_UP, ACT_KILL }, STAY(SV_RUN, SV_GO),
	{ SV_RUN, SV_READY, SV_RUN, WANT_UP, ACT_SHOW },
	{ SV_RUN, SV_EOF, SV_RUN, WANT_EXIT, ACT_SHOW },

	{ SV_FINISH, SV_UP, SV_FINISH, WANT_UP, ACT_SHOW }, { SV_FINISH, SV_STOP, SV_FINISH, WANT_DOWN, ACT_SHOW },
	{ SV_FINISH, SV_ONCE, SV_FINISH, WANT_DOWN, ACT_SHOW }, { SV_FINISH, SV_EXIT, SV_FINISH, WANT_EXIT, ACT_SHOW },
	STAY(SV_FINISH, SV_TERM),
	{ SV_FINISH, SV_KILL, SV_FINISH, WANT_UP, ACT_KILL },
	{ SV_FINISH, SV_PAUSE, SV_FINISH, WANT_UP, ACT_SHOW }, { SV_FINISH, SV_CONT, SV_FINISH, WANT_UP, ACT_SHOW },
	STAY(SV_FINISH, SV_ALRM), STAY(SV_FINISH, SV_HUP), STAY(SV_FINISH, SV_INT), STAY(SV_FINISH, SV_QUIT),
	STAY(SV_FINISH, SV_USR1), STAY(SV_FINISH, SV_USR2),
	{ SV_FINISH, SV_DIED, SV_PREP, WANT_UP, ACT_UNWAIT | ACT_PREPARE },
	{ SV_FINISH, SV_DUE, SV_FINISH, WANT_UP, ACT_KILL }, STAY(SV_FINISH, SV_GO), STAY(SV_FINISH, SV_READY),
	{ SV_FINISH, SV_EOF, SV_FINISH, WANT_EXIT, ACT_SHOW },
	STAY(SV_DOWN, SV_ABRT), STAY(SV_DOWN, SV_WINCH), STAY(SV_DOWN, SV_AGAIN), { SV_DOWN, SV_AT_MOST, SV_DOWN, WANT_DOWN, ACT_SHOW },
	STAY(SV_WAIT, SV_ABRT), STAY(SV_WAIT, SV_WINCH), STAY(SV_WAIT, SV_AGAIN),
	{ SV_WAIT, SV_AT_MOST, SV_DOWN, WANT_DOWN, ACT_UNWAIT | ACT_SHOW },
	STAY(SV_PREP, SV_ABRT), STAY(SV_PREP, SV_WINCH), STAY(SV_PREP, SV_AGAIN), { SV_PREP, SV_AT_MOST, SV_DOWN, WANT_DOWN, ACT_SHOW },
	{ SV_RUN, SV_ABRT, SV_RUN, WANT_UP, ACT_ABRT }, { SV_RUN, SV_WINCH, SV_RUN, WANT_UP, ACT_WINCH },
	{ SV_RUN, SV_AGAIN, SV_RUN, WANT_UP, ACT_AGAIN | ACT_SHOW }, { SV_RUN, SV_AT_MOST, SV_RUN, WANT_DOWN, ACT_SHOW },
	STAY(SV_FINISH, SV_ABRT), STAY(SV_FINISH, SV_WINCH), STAY(SV_FINISH, SV_AGAIN),
	{ SV_FINISH, SV_AT_MOST, SV_FINISH, WANT_DOWN, ACT_SHOW },
};

static struct state at(enum sv_at where, bool logger)
{
	struct state s;

	state_init(&s, true, logger, &now);
	s.at = where;
	s.started = now.mono - 10 * CLOCK_S;
	return s;
}

static void table(void)
{
	bool seen[SV_STATES][SV_EVENTS] = { { false } };
	struct state s;
	int missing = 0;

	CHECK(state_check() == 0, "the table has no hole");
	for (size_t i = 0; i < sizeof grid / sizeof *grid; i++) {
		const struct row *r = &grid[i];
		unsigned act;

		s = at(r->from, false);
		act = state_event(&s, r->ev, 0, &now);
		seen[r->from][r->ev] = true;
		CHECK(s.at == r->to && s.want == r->want && act == r->act, "state %s, event %d: %s, want %s, actions %x",
			state_word(r->from), r->ev, state_word(s.at), state_want_word(s.want), act);
	}
	for (int from = 0; from < SV_GONE; from++)
		for (int ev = 0; ev < SV_EVENTS; ev++)
			missing += !seen[from][ev];
	CHECK(missing == 0, "the table of this test has every pair");
	for (int ev = 0; ev < SV_EVENTS; ev++) {
		s = at(SV_GONE, false);
		CHECK(state_event(&s, (enum sv_event)ev, 0, &now) == 0 && s.at == SV_GONE, "gone is the end: event %d", ev);
	}
}

static void logger(void)
{
	for (int where = SV_DOWN; where < SV_GONE; where++) {
		struct state s = at((enum sv_at)where, true);

		CHECK(state_event(&s, SV_EXIT, 0, &now) == 0 && s.want == WANT_UP, "a logger ignores exit: %s", state_word((enum sv_at)where));
	}
	struct state s = at(SV_RUN, true);

	CHECK(state_event(&s, SV_DIED, 0, &now) == (ACT_UNWAIT | ACT_PREPARE), "a logger has no finish");
	state_event(&s, SV_GO, 0, &now);
	state_event(&s, SV_EOF, 0, &now);
	CHECK(state_event(&s, SV_DIED, 0, &now) == (ACT_UNWAIT | ACT_GONE | ACT_SHOW), "a logger whose input ended is gone");
}

/* Lets it die so many times, each run `life` long, with this wait status; returns the last wait. */
static int64_t dies(struct state *s, int times, int64_t life, int status)
{
	struct state_now t = now;
	int64_t wait = -1;

	for (int i = 0; i < times; i++) {
		s->at = SV_RUN;
		s->started = t.mono;
		t.mono += life;
		state_event(s, SV_DIED, status, &t);
		state_event(s, SV_DIED, 0, &t);
		wait = s->at == SV_WAIT ? s->due - t.mono : 0;
		t.mono += wait;
	}
	return wait;
}

static void waits(void)
{
	struct state s = at(SV_RUN, false);
	int64_t w;

	CHECK(dies(&s, 1, CLOCK_S, 1 << 8) == 0 && s.at == SV_PREP, "a run of a second starts again at once");
	CHECK(dies(&s, 1, CLOCK_S - 1, 1 << 8) == CLOCK_S, "the first failure waits a full second");
	CHECK(!s.loop && state_want_byte(&s) == 'u', "and shows that it is wanted up");
	w = dies(&s, 1, 1, SIGSEGV);
	CHECK(w >= STATE_BACKOFF_BASE / 2 && w <= STATE_BACKOFF_BASE && s.loop, "the second backs off: %lld", (long long)w);
	CHECK(state_want_byte(&s) == 'd', "and shows d, so that sv up can end the wait");
	w = dies(&s, 20, 1, 1 << 8);
	CHECK(w >= STATE_BACKOFF_MAX / 2 && w <= STATE_BACKOFF_MAX, "not for ever: %lld", (long long)w);
	CHECK(state_event(&s, SV_UP, 0, &now) == (ACT_UNWAIT | ACT_PREPARE), "a command ends the wait");
	CHECK(dies(&s, 1, 2 * CLOCK_S, 1 << 8) == 0, "a longer run");
	CHECK(dies(&s, 1, 1, 1 << 8) == CLOCK_S, "begins the count anew");
	s = at(SV_RUN, false);
	CHECK(dies(&s, 9, 1, 0) == CLOCK_S, "exit 0 is no failure: always a second");
	s = at(SV_RUN, false);
	state_event(&s, SV_TERM, 0, &now);
	s.started = now.mono;
	state_event(&s, SV_DIED, SIGTERM, &now);
	CHECK(s.died_asked && !s.term_sent && s.died == SIGTERM, "a death that was asked for is noted as such");
	state_event(&s, SV_DIED, 0, &now);
	CHECK(s.failures == 0 && s.due == now.mono + CLOCK_S, "and is no failure");
}

static void arguments(void)
{
	static const struct { int status, code, sig; } row[] = {
		{ 7 << 8, 7, 0 }, { 0, 0, 0 }, { SIGTERM, -1, 15 }, { SIGABRT | 128, -1, 134 }, { STATE_FAILED_STATUS, 111, 0 },
	};

	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		int code, sig;

		state_finish_args(row[i].status, &code, &sig);
		CHECK(code == row[i].code && sig == row[i].sig, "finish %d %d", code, sig);
		state_finish_args_s6(row[i].status, &code, &sig);
		CHECK(code == (row[i].code < 0 ? 256 : row[i].code) && sig == (row[i].sig & 127), "finish of s6 %d %d", code, sig);
	}
}

static void letters(void)
{
	static const char all[] = "udoxtkpcahiq12byrO";
	int n = 0;

	for (int c = 0; c < 256; c++) {
		int ev = control_event((unsigned char)c);

		n += ev >= 0;
		if ((ev >= 0) != (c != 0 && strchr(all, c) != NULL))
			CHECK(0, "letter %d", c);
		if (ev >= 0 && control_letter((enum sv_event)ev) != c)
			CHECK(0, "letter of event %d", ev);
	}
	CHECK(n == 18, "eighteen letters, each its own event");
	CHECK(control_letter(SV_DIED) == 0 && control_letter(SV_EOF) == 0, "no letter makes an inner event");
}

static void permanent(void)
{
	struct state s = at(SV_FINISH, false);

	state_event(&s, SV_DIED, STATE_PERMANENT << 8, &now);
	CHECK(s.at == SV_DOWN && s.want == WANT_DOWN && s.failed, "a finish of 125 keeps it down");
	state_event(&s, SV_UP, 0, &now);
	CHECK(s.at == SV_PREP && !s.failed, "until it is asked for");
	s = at(SV_FINISH, false);
	state_event(&s, SV_DIED, 1 << 8, &now);
	CHECK(s.at == SV_PREP, "any other code does not");
}

/* What a supervisor that was killed had noted, and what is found: what the next one makes of it. */
static void resume(void)
{
	static const struct { enum sv_at was; enum sv_want want; enum state_alive alive; enum sv_at is; unsigned act; } row[] = {
		{ SV_RUN, WANT_UP, STATE_RUN_LIVES, SV_RUN, ACT_SHOW },
		{ SV_PREP, WANT_UP, STATE_RUN_LIVES, SV_RUN, ACT_SHOW },
		{ SV_FINISH, WANT_UP, STATE_FINISH_LIVES, SV_FINISH, ACT_SHOW },
		{ SV_RUN, WANT_DOWN, STATE_FINISH_LIVES, SV_FINISH, ACT_SHOW },
		{ SV_RUN, WANT_UP, STATE_NONE, SV_FINISH, ACT_UNWAIT | ACT_FINISH | ACT_SHOW },
		{ SV_FINISH, WANT_UP, STATE_NONE, SV_PREP, ACT_UNWAIT | ACT_PREPARE },
		{ SV_FINISH, WANT_DOWN, STATE_NONE, SV_DOWN, ACT_UNWAIT | ACT_SHOW },
		{ SV_FINISH, WANT_EXIT, STATE_NONE, SV_GONE, ACT_UNWAIT | ACT_GONE | ACT_SHOW },
		{ SV_WAIT, WANT_UP, STATE_NONE, SV_WAIT, ACT_WAIT | ACT_SHOW },
		{ SV_PREP, WANT_UP, STATE_NONE, SV_PREP, ACT_PREPARE | ACT_SHOW },
		{ SV_DOWN, WANT_DOWN, STATE_NONE, SV_DOWN, ACT_SHOW },
	};
	struct state s;

	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		unsigned act;

		s = at(row[i].was, false);
		s.want = row[i].want;
		act = state_resume(&s, row[i].alive, &now);
		CHECK(s.at == row[i].is && s.want == row[i].want && act == row[i].act, "taken over, row %zu: %s, %x", i, state_word(s.at), act);
	}
	s = at(SV_RUN, false);
	state_event(&s, SV_STOP, 0, &now);
	CHECK(state_resume(&s, STATE_RUN_LIVES, &now) & ACT_STOP, "one that was told to end is told again");
	s.at = (enum sv_at)77;
	CHECK(state_resume(&s, STATE_NONE, &now) == 0, "a record that is none");
	CHECK(s.at == (enum sv_at)77, "is left as it is");
}

/* The world beside the machine: is there a process, is the timer armed? */
struct world { bool process, timer; unsigned long starts, bad; };

static void act(struct world *w, unsigned a)
{
	const unsigned signals = ACT_TERM | ACT_KILL | ACT_PAUSE | ACT_ALRM | ACT_HUP | ACT_INT | ACT_QUIT | ACT_USR1 | ACT_USR2 | ACT_CONT | ACT_STOP | ACT_WAKE;

	w->bad += (a & signals) && !w->process;
	if (a & ACT_UNWAIT)
		w->timer = false;
	if (a & (ACT_START | ACT_FINISH)) {
		w->bad += w->process || w->timer;
		w->process = true;
		w->starts += (a & ACT_START) != 0;
	}
	if (a & ACT_WAIT)
		w->timer = true;
}

static void walk(bool is_logger)
{
	struct world w = { 0 };
	struct state_now t = now;
	struct state s;
	uint64_t r = 88172645463325252u;
	unsigned gone = 0, bits;

	state_init(&s, true, is_logger, &t);
	for (int i = 0; i < 2000000; i++) {
		enum sv_event ev;

		r ^= r << 13;
		r ^= r >> 7;
		r ^= r << 17;
		t.random = r;
		t.mono += (int64_t)(r % 700) * CLOCK_MS;
		t.wall = t.mono;
		ev = (enum sv_event)(r >> 20) % SV_EVENTS;
		if (ev == SV_EXIT && r % 50)
			ev = SV_DIED;
		if ((ev == SV_EOF && (!is_logger || r % 50)) || (ev == SV_DUE && !w.timer && !w.process) || (ev == SV_DIED && !w.process))
			continue;
		if (ev == SV_DIED)
			w.process = false;
		bits = state_event(&s, ev, (int)(r >> 40) % 3 << 8, &t);
		act(&w, bits);
		w.bad += (bits & ACT_WAIT) && (s.due <= t.mono || s.due > t.mono + STATE_BACKOFF_MAX);
		w.bad += w.process != (s.at == SV_RUN || s.at == SV_FINISH);
		w.bad += w.timer != (s.at == SV_WAIT);
		w.bad += (bits & ACT_PREPARE) && s.at != SV_PREP;
		w.bad += s.at == SV_WAIT && s.want != WANT_UP;
		w.bad += s.at == SV_DOWN && s.want != WANT_DOWN && s.starts > 0;
		w.bad += s.ready && s.at != SV_RUN;
		w.bad += is_logger && s.at == SV_FINISH;
		if (s.at == SV_GONE) {
			gone++;
			state_init(&s, true, is_logger, &t);
		}
	}
	CHECK(w.bad == 0, "a random walk breaks nothing");
	CHECK(w.starts > 10000 && gone > 100, "and goes far: %lu starts, %u ends", w.starts, gone);
}

int main(void)
{
	table();
	logger();
	waits();
	arguments();
	letters();
	permanent();
	resume();
	walk(false);
	walk(true);
	return check_done();
}
