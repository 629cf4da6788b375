#include "supervise/stop.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "supervise/children.h"
#include "supervise/extra.h"
#include "supervise/ghost.h"
#include "supervise/process.h"

#define LOOK (20 * CLOCK_MS)	/* between looks for the end of what is no child */
#define WRITE (100 * CLOCK_MS)	/* files show what stops not later than that */
#define AGAIN CLOCK_S	/* between one KILL and the next look at what is left */

static void on_patience(void *arg)
{
	struct stop *s = arg;

	s->overdue = true;
	ghost_kill(s->host);
	for (size_t i = 0; i < s->scan->n; i++)
		if (s->phase <= STOP_ORPHANS || s->phase == STOP_LOGGERS)
			service_kill(s->scan->v[i], s->phase == STOP_LOGGERS, SIGKILL);
	if (s->phase == STOP_LOGGERS)
		extra_kill();
	loop_timer_in(s->host->loop, &s->timer, AGAIN);
}

static void on_look(void *arg)
{
	(void)arg;	/* the round ends with stop_step */
}

static void on_write(void *arg)
{
	struct stop *s = arg;

	writer_hold(&s->host->writer, false);
}

void stop_init(struct stop *s, struct host *h, struct scan *scan, int64_t patience)
{
	*s = (struct stop){ .host = h, .scan = scan, .patience = patience, .timer = { .fn = on_patience, .arg = s },
		.look = { .fn = on_look, .arg = s }, .write = { .fn = on_write, .arg = s } };
}

static void enter(struct stop *s, enum stop_phase phase)
{
	s->phase = phase;
	if (phase == STOP_LOGGERS) {
		s->overdue = false;
		loop_timer_in(s->host->loop, &s->timer, s->patience);
	}
}

void stop_begin(struct stop *s)
{
	if (s->phase != STOP_NOT)
		return;
	s->scan->closed = true;
	loop_timer_in(s->host->loop, &s->timer, s->patience);
	if (loop_timer_in(s->host->loop, &s->write, WRITE) == 0)
		writer_hold(&s->host->writer, true);
	enter(s, STOP_SERVICES);
}

/* Those that others still need are told later. */
static void tell(struct stop *s)
{
	for (size_t i = 0; i < s->scan->n; i++) {
		struct service *sv = s->scan->v[i];

		if (sv->open && !sv->leaving && (s->overdue || extra_may_stop(sv)))
			service_leave(sv);
	}
}

static bool services_gone(const struct stop *s)
{
	if (s->host->ghosts)
		return false;
	for (size_t i = 0; i < s->scan->n; i++) {
		const struct service *sv = s->scan->v[i];

		if (sv->open && sv->main.st.at != SV_GONE)
			return false;
	}
	return true;
}

static bool loggers_gone(const struct stop *s)
{
	for (size_t i = 0; i < s->scan->n; i++) {
		const struct service *sv = s->scan->v[i];

		if (sv->open && sv->log.dirfd >= 0 && sv->log.st.at != SV_GONE)
			return false;
	}
	return true;
}

static bool was_asked(struct stop *s, pid_t pid)
{
	for (unsigned i = 0; i < s->nasked; i++)
		if (s->asked[i] == pid)
			return true;
	if (s->nasked < STOP_ASKED_MAX)
		s->asked[s->nasked++] = pid;
	return false;
}

static bool is_orphan(void *arg, const struct child_stat *st)
{
	const struct stop *s = arg;

	return st->parent == getpid() || ghost_left(s->host, st->session, st->birth);
}

/* Nobody but its parent can collect a process: the number of a child of ours stays its own. Another's is looked at again behind its
 * pidfd. -1: it cannot be sent, as to another user's process. */
static int send(pid_t pid, const struct child_stat *st, int sig)
{
	int64_t birth;
	int fd, rc = 0;

	if (st->parent == getpid())
		return kill(pid, sig) < 0 && errno == EPERM ? -1 : 0;
	fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (fd < 0)
		return errno == ESRCH ? 0 : -1;
	if (children_birth(pid, &birth) == 0 && birth == st->birth)
		rc = (int)syscall(SYS_pidfd_send_signal, fd, sig, NULL, 0);
	rc = rc < 0 && errno == EPERM ? -1 : 0;
	close(fd);
	return rc;
}

static void ask_orphan(void *arg, pid_t pid, const struct child_stat *st)
{
	struct stop *s = arg;
	bool now = s->overdue || s->phase == STOP_REST;
	int rc = 0;

	if (host_find(s->host, pid) || (s->phase != STOP_REST && extra_is_ours(pid)))
		return;
	if (now)
		rc = send(pid, st, SIGKILL);
	else if (!was_asked(s, pid) && (rc = send(pid, st, SIGTERM)) == 0)
		send(pid, st, SIGCONT);
	if (rc < 0) {
		log_warn("process %ld, which a service left behind, may not be sent a signal: it is left alone", (long)pid);
		return;
	}
	s->strangers++;
	if (st->parent != getpid())	/* its end is told to another */
		loop_timer_in(s->host->loop, &s->look, LOOK);
}

/* True when no orphan is left alive. */
static bool orphans_gone(struct stop *s)
{
	s->strangers = 0;
	if (children_each(is_orphan, ask_orphan, s) < 0) {
		if (!s->blind)
			log_warn("/proc: %s: processes that services left behind are not ended", strerror(errno));
		s->blind = true;
		return true;
	}
	return s->strangers == 0;
}

void stop_step(struct stop *s)
{
	if (s->phase == STOP_NOT || s->phase == STOP_DONE)
		return;
	if (s->phase == STOP_SERVICES)
		tell(s);
	if (s->phase == STOP_SERVICES && services_gone(s)) {
		loop_timer_del(s->host->loop, &s->write);
		writer_hold(&s->host->writer, false);
		enter(s, STOP_ORPHANS);
	}
	if (s->phase == STOP_ORPHANS && orphans_gone(s))
		enter(s, STOP_LOGGERS);
	if (s->phase == STOP_LOGGERS && loggers_gone(s) && extra_logged())
		enter(s, STOP_REST);
	if (s->phase == STOP_REST && orphans_gone(s)) {
		enter(s, STOP_DONE);
		host_reap(s->host);
		loop_stop(s->host->loop);
	}
}
