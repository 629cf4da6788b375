#include "supervise/slot.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/metric.h"
#include "supervise/control.h"
#include "supervise/spawn.h"

static struct state_now time_now(void)
{
	return (struct state_now){ clock_mono(), clock_wall(), hash_random() };
}

/* ---- who has which process ---- */

struct slot *host_find(const struct host *h, pid_t pid)
{
	struct slot *s = h->by_pid[(unsigned)pid % HOST_PIDS];

	while (s && s->pid != pid)
		s = s->next_pid;
	return s;
}

static void pid_set(struct slot *s, pid_t pid)
{
	struct slot **head = &s->host->by_pid[(unsigned)pid % HOST_PIDS];

	s->pid = pid;
	s->next_pid = *head;
	*head = s;
}

static void pid_clear(struct slot *s)
{
	struct slot **at = &s->host->by_pid[(unsigned)s->pid % HOST_PIDS];

	while (*at != s)
		at = &(*at)->next_pid;
	*at = s->next_pid;
	s->pid = 0;
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
	if (!s->dirty) {
		s->dirty = true;
		s->next_dirty = h->dirty;
		h->dirty = s;
	}
}

void host_flush(struct host *h)
{
	while (h->dirty) {
		struct slot *s = h->dirty;

		h->dirty = s->next_dirty;
		s->dirty = false;
		files_write(&s->files, &s->st, (uint32_t)s->pid);
	}
}

/* ---- starting ---- */

static void notify_close(struct slot *s)
{
	if (s->notify.fd < 0)
		return;
	loop_io_del(s->host->loop, &s->notify);
	close(s->notify.fd);
	s->notify.fd = -1;
}

static void on_notify(void *arg, unsigned events)
{
	struct slot *s = arg;
	char text[256];
	ssize_t n;

	(void)events;
	n = read(s->notify.fd, text, sizeof text);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0 && !memchr(text, '\n', (size_t)n))
		return;
	notify_close(s);
	if (n > 0)
		slot_event(s, SV_READY, 0);
}

/* The reading end is watched; returns the writing end for the child, -1 when there is none. */
static int notify_open(struct slot *s)
{
	int p[2];

	s->notifies = svdir_notify(s->dirfd, s->label);
	if (s->notifies < 0)
		return -1;
	if (pipe2(p, O_CLOEXEC) < 0)
		goto fail;
	s->notify.fd = p[0];
	if (fd_nonblock(p[0]) < 0 || loop_io_add(s->host->loop, &s->notify, LOOP_IN) < 0) {
		close(p[0]);
		close(p[1]);
		s->notify.fd = -1;
		goto fail;
	}
	return p[1];
fail:
	log_warn("%s: no pipe for readiness: %s", s->label, strerror(errno));
	return -1;
}

static pid_t slot_spawn(struct slot *s, const char *const *argv, int notify)
{
	struct spawn sp = {
		.dirfd = s->dirfd, .argv = argv, .notify = notify, .notify_to = s->notifies, .in = s->in, .out = s->out,
	};

	return spawn(&sp);
}

static int start_run(struct slot *s)
{
	static const char *const argv[] = { "./run", NULL };
	int notify = notify_open(s);
	pid_t pid = slot_spawn(s, argv, notify);
	int e = errno;

	if (notify >= 0)
		close(notify);
	if (pid < 0) {
		log_warn("%s/run: %s", s->label, strerror(e));
		notify_close(s);
		return -1;
	}
	if (s->st.starts > 1)
		metric_add(s->host->restarts, 1);
	pid_set(s, pid);
	return 0;
}

static int start_finish(struct slot *s)
{
	char code[16], sig[16];
	const char *const argv[] = { "./finish", code, sig, NULL };
	int c, g;
	pid_t pid;

	if (faccessat(s->dirfd, "finish", F_OK, 0) < 0)
		return -1;
	state_finish_args(s->st.died, &c, &g);
	snprintf(code, sizeof code, "%d", c);
	snprintf(sig, sizeof sig, "%d", g);
	pid = slot_spawn(s, argv, -1);
	if (pid < 0) {
		log_warn("%s/finish: %s", s->label, strerror(errno));
		return -1;
	}
	pid_set(s, pid);
	return 0;
}

/* ---- carrying out ---- */

static void send_signals(struct slot *s, unsigned act)
{
	static const struct { unsigned act; int sig; } row[] = {
		{ ACT_TERM, SIGTERM }, { ACT_KILL, SIGKILL }, { ACT_PAUSE, SIGSTOP }, { ACT_ALRM, SIGALRM },
		{ ACT_HUP, SIGHUP }, { ACT_INT, SIGINT }, { ACT_QUIT, SIGQUIT }, { ACT_USR1, SIGUSR1 },
		{ ACT_USR2, SIGUSR2 }, { ACT_CONT, SIGCONT },
	};

	for (size_t i = 0; i < sizeof row / sizeof *row; i++)
		if ((act & row[i].act) && s->pid > 0 && kill(s->pid, row[i].sig) < 0)
			log_warn("%s: signal %d to process %ld: %s", s->label, row[i].sig, (long)s->pid, strerror(errno));
}

/* True: what should have been started did not start, so that SV_DIED follows. */
static bool perform(struct slot *s, unsigned act)
{
	struct loop *loop = s->host->loop;
	bool failed = false;

	send_signals(s, act);
	if (act & ACT_UNWAIT)
		loop_timer_del(loop, &s->timer);
	if (act & ACT_FINISH)
		failed = start_finish(s) < 0;
	if (act & ACT_START)
		failed = start_run(s) < 0;
	if ((act & ACT_WAIT) && loop_timer_set(loop, &s->timer, s->st.due) < 0)
		log_error("%s: no memory for a timer: start it again by hand", s->label);
	if (act & ACT_SHOW)
		slot_show(s);
	return failed;
}

void slot_event(struct slot *s, enum sv_event ev, int status)
{
	unsigned act;

	do {
		struct state_now now = time_now();

		act = state_event(&s->st, ev, status, &now);
		ev = SV_DIED;
		status = STATE_FAILED_STATUS;
	} while (perform(s, act));
	if (act & ACT_GONE)
		service_slot_gone(s);
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
	n = read(s->files.control, letters, sizeof letters);
	for (ssize_t i = 0; i < n; i++) {
		int ev = control_event(letters[i]);

		if (ev < 0 || (s->deaf && (ev == SV_UP || ev == SV_ONCE)))
			continue;
		slot_event(s, (enum sv_event)ev, 0);
	}
}

static void say_death(const struct slot *s, int status)
{
	if (s->st.at != SV_RUN || s->st.died_asked || status == 0)
		return;
	if (WIFSIGNALED(status))
		log_warn("%s: process %ld was killed by signal %d", s->label, (long)s->pid, WTERMSIG(status));
	else
		log_warn("%s: process %ld exited with code %d", s->label, (long)s->pid, WEXITSTATUS(status));
}

void host_reap(struct host *h)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		struct slot *s = host_find(h, pid);

		if (!s) {
			h->orphans++;
			continue;
		}
		say_death(s, status);
		pid_clear(s);
		notify_close(s);
		slot_event(s, SV_DIED, status);
	}
}

/* ---- opening and closing ---- */

int slot_open(struct slot *s, struct svdir *dir, char why[FILES_WHY_MAX])
{
	struct state_now now = time_now();

	s->in = s->out = -1;
	s->deaf = s->dirty = false;
	s->pid = 0;
	s->notify = (struct loop_io){ .fd = -1, .fn = on_notify, .arg = s };
	s->timer = (struct loop_timer){ .fn = on_timer, .arg = s };
	s->dirfd = open(s->label, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->dirfd < 0) {
		snprintf(why, FILES_WHY_MAX, "%.150s: %s", s->label, strerror(errno));
		return -1;
	}
	svdir_read(s->dirfd, s->label, dir);
	s->notifies = dir->notify;
	state_init(&s->st, !dir->down, s->logger, &now);
	if (files_open(&s->files, s->dirfd, s->label, why) < 0)
		goto fail;
	s->control = (struct loop_io){ .fd = s->files.control, .fn = on_control, .arg = s };
	if (loop_io_add(s->host->loop, &s->control, LOOP_IN) < 0) {
		snprintf(why, FILES_WHY_MAX, "%.150s/supervise/control: %s", s->label, strerror(errno));
		files_close(&s->files);
		goto fail;
	}
	return 0;
fail:
	close(s->dirfd);
	s->dirfd = -1;
	return -1;
}

void slot_close(struct slot *s)
{
	struct loop *loop;

	if (s->dirfd < 0)
		return;
	loop = s->host->loop;
	loop_timer_del(loop, &s->timer);
	notify_close(s);
	loop_io_del(loop, &s->control);
	files_close(&s->files);
	close(s->dirfd);
	s->dirfd = -1;
}

bool slot_settled(const struct slot *s)
{
	if (s->dirfd < 0 || s->st.want != WANT_UP)
		return true;
	return s->st.at == SV_RUN && (s->notifies < 0 || s->st.ready);
}
