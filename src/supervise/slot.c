#include "supervise/slot.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "supervise/ask.h"
#include "supervise/control.h"
#include "supervise/extra.h"
#include "supervise/ghost.h"
#include "supervise/process.h"
#include "supervise/spawn.h"
#include "supervise/takeover.h"
#include "supervise/tally.h"

/* Of splitmix64: jitter need not be secret, and each event asks for it. */
static uint64_t jitter(void)
{
	static uint64_t at;
	uint64_t z;

	if (!at)
		at = hash_random();
	z = at += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static struct state_now time_now(void)
{
	return (struct state_now){ clock_mono(), clock_wall(), jitter() };
}

struct keep_slot *slot_kept(const struct slot *s)
{
	struct keep_row *r = &s->host->keep.row[s->kept];

	return s->logger ? &r->log : &r->main;
}

/* ---- showing ---- */

void slot_show(struct slot *s)
{
	struct host *h = s->host;
	struct board_row *row = board_begin(&h->board, s->row);
	struct board_slot *b = s->logger ? &row->log : &row->main;
	const struct state *st = &s->st;

	*b = (struct board_slot){
		.at = (uint8_t)st->at, .want = (uint8_t)st->want, .paused = st->paused, .term_sent = st->term_sent,
		.ready = st->ready, .loop = st->loop, .notifies = s->notifies >= 0, .present = 1,
		.pid = (uint32_t)s->pid, .died = st->died, .since = st->since, .ready_since = st->ready_since,
		.died_at = st->died_at, .starts = st->starts,
		.due = st->at == SV_WAIT ? clock_wall() + (st->due - clock_mono()) : 0,
	};
	board_end(&h->board, s->row);
	extra_shown(s);
	if (!s->dirty) {
		s->dirty = true;
		s->next_dirty = h->dirty;
		h->dirty = s;
	}
}

/* ---- carrying out ---- */

void slot_signal(struct slot *s, int sig)
{
	process_signal(s, sig);
}

static void send_down_signal(struct slot *s)
{
	process_signal(s, svdir_down_signal(s->dirfd, s->label));
	s->st.term_sent = true;
}

/* What tells a run to end for good, and what follows if it does not. */
static void send_stop(struct slot *s)
{
	int64_t wait = svdir_time(s->dirfd, s->label, "timeout-kill");

	send_down_signal(s);
	if (wait > 0 && loop_timer_in(s->host->loop, &s->timer, wait) < 0)
		log_warn("%s: no memory for timeout-kill", s->label);
}

void slot_send(struct slot *s, unsigned act)
{
	static const struct { unsigned act; int sig; } row[] = {
		{ ACT_TERM, SIGTERM }, { ACT_KILL, SIGKILL }, { ACT_PAUSE, SIGSTOP }, { ACT_ALRM, SIGALRM },
		{ ACT_HUP, SIGHUP }, { ACT_INT, SIGINT }, { ACT_QUIT, SIGQUIT }, { ACT_USR1, SIGUSR1 },
		{ ACT_USR2, SIGUSR2 }, { ACT_ABRT, SIGABRT }, { ACT_WINCH, SIGWINCH }, { ACT_CONT, SIGCONT }, { ACT_WAKE, SIGCONT },
	};

	if (s->pid <= 0)
		return;
	if (act == ACT_TERM)
		s->st.term_sent = true;
	if (act == ACT_STOP)
		send_stop(s);
	if (act == ACT_AGAIN)
		send_down_signal(s);
	for (size_t i = 0; i < sizeof row / sizeof *row; i++)
		if (act == row[i].act)
			process_signal(s, row[i].sig);
}

/* Nothing holds the start, or it is shown as held. */
static bool may_go(struct slot *s)
{
	if (extra_may_start(s) && !ask_start(s))
		return true;
	slot_show(s);
	return false;
}

/* The event that follows, -1: none. */
static int perform(struct slot *s, unsigned act, enum sv_event ev)
{
	struct loop *loop = s->host->loop;
	int next = -1;

	if (ev == SV_DUE && (act & ACT_KILL))	/* patience is over: no script is asked */
		slot_send(s, ACT_KILL);
	else if (act & ACT_SIGNALS)
		ask_signals(s, act & ACT_SIGNALS);
	if (act & ACT_UNWAIT)
		loop_timer_del(loop, &s->timer);
	if ((act & ACT_FINISH) && process_finish(s) < 0)
		next = SV_DIED;
	if ((act & ACT_PREPARE) && may_go(s))
		next = SV_GO;
	if ((act & ACT_START) && process_run(s) < 0)
		next = SV_DIED;
	if ((act & ACT_WAIT) && loop_timer_set(loop, &s->timer, s->st.due) < 0)
		log_error("%s: no memory for a timer: start it again by hand", s->label);
	if (act & ACT_SHOW)
		slot_show(s);
	return next;
}

/* What is noted before a process is made would tell of one that was not; what comes with a signal must not be lost with it. */
static void carry_out(struct slot *s, unsigned act, enum sv_event ev)
{
	for (;;) {
		bool makes = act & (ACT_START | ACT_FINISH);
		struct state_now now;
		int next;

		if (!makes)
			keep_state(slot_kept(s), &s->st);
		next = perform(s, act, ev);
		if (makes)
			keep_state(slot_kept(s), &s->st);
		if (next < 0)
			break;
		ev = (enum sv_event)next;
		now = time_now();
		act = state_event(&s->st, ev, STATE_FAILED_STATUS, &now);
	}
	if (act & ACT_GONE) {
		keep_forget(slot_kept(s));
		service_slot_gone(s);
	}
}

void slot_event(struct slot *s, enum sv_event ev, int status)
{
	struct state_now now = time_now();

	carry_out(s, state_event(&s->st, ev, status, &now), ev);
}

void slot_go(struct slot *s)
{
	if (s->dirfd >= 0 && s->st.at == SV_PREP && may_go(s))
		slot_event(s, SV_GO, 0);
}

/* s6's D, U and Q: d, u and O that also hold when the directory is taken up the next time. */
static unsigned char with_down_file(const struct slot *s, unsigned char letter)
{
	if (letter != 'D' && letter != 'U' && letter != 'Q')
		return letter;
	svdir_set_down(s->dirfd, s->label, letter != 'U');
	return letter == 'D' ? 'd' : letter == 'U' ? 'u' : 'O';
}

void slot_letter(struct slot *s, unsigned char letter)
{
	int ev = control_event(with_down_file(s, letter));

	if (ev < 0 || (s->deaf && (ev == SV_UP || ev == SV_ONCE)))
		return;
	s->asked = true;
	if (ev == SV_EXIT)
		s->again = false;	/* what was asked last holds */
	slot_event(s, (enum sv_event)ev, 0);
	if (s->dirty && s->files) {
		struct shown shown;

		shown_of(&shown, &s->st, (uint32_t)s->pid);
		writer_answer(&s->host->writer, s->files, &shown);
	}
}

static void say_death(const struct slot *s, int status)
{
	char how[STATE_HOW_MAX];

	if (s->st.at == SV_RUN && !s->st.died_asked && status != 0)
		log_warn("%s: process %ld %s", s->label, (long)s->pid, state_how(status, how));
}

void slot_ended(struct slot *s, int status)
{
	say_death(s, status);
	if (s->st.at == SV_RUN) {
		tally_add(s->dirfd, s->label, status);
		extra_died(s, status);
	}
	s->last_pid = s->pid;
	process_forget(s);
	slot_event(s, SV_DIED, status);
}

static void on_timer(void *arg)
{
	slot_event(arg, SV_DUE, 0);
}

static void on_control(void *arg, unsigned events)
{
	struct slot *s = arg;
	unsigned char letters[64];
	ssize_t n;

	(void)events;
	n = read(s->files->control, letters, sizeof letters);
	if (n > 0)
		ask_letters(s, letters, (size_t)n);
}

/* ---- opening and closing ---- */

/* Another supervisor, or another version of this, may have left a process that we have no record of: two of them must not run. */
static int no_suspect(struct slot *s, char why[FILES_WHY_MAX])
{
	pid_t pid;

	if (keep_last(slot_kept(s)))
		return 0;
	pid = takeover_suspect(s->dirfd);
	if (pid == 0)
		return 0;
	snprintf(why, FILES_WHY_MAX, "%.120s: process %ld seems to be an earlier run of it that nobody supervises: not started; "
		"stop it, or empty supervise/status if it is something else", s->label, (long)pid);
	return -1;
}

int slot_open(struct slot *s, struct svdir *dir, char why[FILES_WHY_MAX])
{
	struct state_now now = time_now();
	int fd;

	s->in = s->out = -1;
	s->deaf = s->dirty = s->asked = false;
	s->pid = 0;
	s->notify = s->control = (struct loop_io){ .fd = -1 };
	s->timer = (struct loop_timer){ .fn = on_timer, .arg = s };
	fd = open(s->label, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		snprintf(why, FILES_WHY_MAX, "%.150s: %s", s->label, strerror(errno));
		return -1;
	}
	if (spawn_last_fd(fd)) {
		close(fd);
		snprintf(why, FILES_WHY_MAX, "%.150s: not taken: descriptor %d is near the limit; raise it (ulimit -Hn)", s->label, fd);
		return -1;
	}
	writer_drain_closing(&s->host->writer);
	svdir_read(fd, s->label, dir);
	s->notifies = dir->notify;
	state_init(&s->st, !dir->down, s->logger, &now);
	s->files = files_new(fd, s->label, why);
	if (!s->files)
		return -1;
	s->dirfd = fd;
	if (no_suspect(s, why) == 0 && extra_open(s, why) == 0)
		return 0;
	slot_close(s);
	return -1;
}

int slot_announce(struct slot *s, char why[FILES_WHY_MAX])
{
	const struct state *last = keep_last(slot_kept(s));
	struct state st = s->st;
	struct shown shown;

	if (s->adopted && last && state_fits(last))
		st = *last;
	shown_of(&shown, &st, (uint32_t)s->pid);
	if (files_open(s->files, &shown, why) < 0)
		return -1;
	s->control = (struct loop_io){ .fd = s->files->control, .fn = on_control, .arg = s };
	if (loop_io_add(s->host->loop, &s->control, LOOP_IN) == 0)
		return 0;
	snprintf(why, FILES_WHY_MAX, "%.150s/supervise/control: %s", s->label, strerror(errno));
	return -1;
}

void slot_close(struct slot *s)
{
	if (s->dirfd < 0)
		return;
	loop_timer_del(s->host->loop, &s->timer);
	loop_io_del(s->host->loop, &s->control);
	ask_free(s);
	process_drop(s);
	extra_close(s);
	writer_close(&s->host->writer, s->files);
	writer_go(&s->host->writer);
	s->files = NULL;
	s->dirfd = -1;
}

int slot_take_over(struct slot *s, char why[FILES_WHY_MAX])
{
	struct keep_slot *k = slot_kept(s);
	char reason[FILES_WHY_MAX];
	int fd = takeover_process(k, reason);

	if (fd == -2) {
		snprintf(why, FILES_WHY_MAX, "%.100s: not started: %.180s", s->label, reason);
		return -1;
	}
	if (fd < 0 || process_adopt(s, (pid_t)k->pid, fd) == 0)
		return 0;
	snprintf(why, FILES_WHY_MAX, "%.150s: not started: process %ld of it lives and cannot be watched: no memory", s->label, (long)k->pid);
	return -1;
}

/* False: nothing is on record. */
static bool begin_from_record(struct slot *s)
{
	struct keep_slot *k = slot_kept(s);
	const struct state *last = keep_last(k);
	enum state_alive alive = STATE_NONE;
	struct state_now now = time_now();
	enum sv_want anew = s->st.want;

	if (!last && !s->adopted)
		return false;
	if (last && state_fits(last) && last->logger == s->logger)
		s->st = *last;
	if (s->st.want == WANT_EXIT)	/* it was let go: taken up as if there were no record */
		s->st.want = anew;
	if (s->adopted) {
		alive = k->finish ? STATE_FINISH_LIVES : STATE_RUN_LIVES;
		s->host->taken++;
		log_info("%s: process %ld lives on and is taken over", s->label, (long)s->pid);
	} else {
		keep_dead(k);
	}
	carry_out(s, state_resume(&s->st, alive, &now), SV_GO);
	if (alive == STATE_RUN_LIVES)
		process_adopt_notify(s);
	if (alive == STATE_FINISH_LIVES)
		process_finish_wait(s);
	return true;
}

void slot_begin(struct slot *s)
{
	if (!begin_from_record(s))
		slot_show(s);
	if (s->st.at == SV_DOWN && s->st.want == WANT_UP)
		slot_event(s, SV_UP, 0);
}

bool slot_settled(const struct slot *s)
{
	if (s->dirfd < 0 || s->st.want != WANT_UP)
		return true;
	return s->st.at == SV_RUN && (s->notifies < 0 || s->st.ready);
}
