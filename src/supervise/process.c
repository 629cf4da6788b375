#include "supervise/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/metric.h"
#include "supervise/ask.h"
#include "supervise/extra.h"
#include "supervise/ghost.h"
#include "supervise/spawn.h"
#include "supervise/takeover.h"

#define TELL_MAX (100 * CLOCK_MS)	/* how long the end of a process may be seen before its exit code is told */

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

/* ---- readiness ---- */

static void notify_close(struct slot *s)
{
	if (s->notify.fd < 0)
		return;
	loop_io_del(s->host->loop, &s->notify);
	close(s->notify.fd);
	s->notify.fd = -1;
	slot_kept(s)->notify = 0;
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

static int notify_watch(struct slot *s, int fd)
{
	s->notify = (struct loop_io){ .fd = fd, .fn = on_notify, .arg = s };
	if (fd_nonblock(fd) == 0 && loop_io_add(s->host->loop, &s->notify, LOOP_IN) == 0)
		return 0;
	s->notify.fd = -1;
	return -1;
}

/* The other end of a pipe, able to read too: who has it is never told EPIPE, also when supervise is killed while it gets ready. */
static int both_ways(int fd)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	return open(path, O_RDWR | O_CLOEXEC);
}

/* The reading end is watched; returns the child's end, -1 when there is none. */
static int notify_open(struct slot *s)
{
	int p[2], rw;

	s->notifies = svdir_notify(s->dirfd, s->label);
	if (s->notifies < 0)
		return -1;
	if (pipe2(p, O_CLOEXEC) < 0)
		goto fail;
	if (notify_watch(s, p[0]) < 0) {
		close(p[0]);
		close(p[1]);
		goto fail;
	}
	slot_kept(s)->notify = takeover_pipe_inode(p[0]);
	rw = both_ways(p[1]);
	if (rw < 0)
		return p[1];
	close(p[1]);
	return rw;
fail:
	log_warn("%s: no pipe for readiness: %s", s->label, strerror(errno));
	return -1;
}

void process_adopt_notify(struct slot *s)
{
	uint64_t ino = slot_kept(s)->notify;
	int fd;

	s->notifies = svdir_notify(s->dirfd, s->label);
	if (s->notifies < 0 || s->st.ready)
		return;
	fd = ino ? takeover_pipe(s->pid, s->notifies, ino, O_RDONLY) : -1;
	if (fd >= 0 && notify_watch(s, fd) == 0)
		return;
	if (fd >= 0)
		close(fd);
	log_info("%s: process %ld has closed its notification-fd while nobody listened: taken for ready", s->label, (long)s->pid);
	slot_kept(s)->notify = 0;
	slot_event(s, SV_READY, 0);
}

/* ---- making ---- */

static pid_t make(struct slot *s, enum extra_child what, struct spawn *sp)
{
	bool kept = what != EXTRA_CONTROL;
	pid_t pid;
	int e;

	sp->dirfd = s->dirfd;
	sp->in = s->in;
	sp->out = s->out;
	if (extra_child(s, what, sp) < 0)
		return -1;
	if (kept)
		sp->told = keep_birth(slot_kept(s), what == EXTRA_FINISH);
	pid = spawn(sp);
	if (pid < 0) {
		e = errno;
		log_warn("%s/%s: %s", s->label, sp->argv[0] + (sp->argv[0][0] == '.' ? 2 : 0), strerror(e));
		if (kept)
			keep_dead(slot_kept(s));
		return -1;
	}
	if (kept) {
		keep_born(slot_kept(s));
		pid_set(s, pid);
	}
	return pid;
}

int process_run(struct slot *s)
{
	static const char *const argv[] = { "./run", NULL };
	int notify = notify_open(s);
	struct spawn sp = { .argv = argv, .notify = notify, .notify_to = s->notifies };
	pid_t pid = make(s, EXTRA_RUN, &sp);

	if (notify >= 0)
		close(notify);
	if (pid < 0) {
		notify_close(s);
		return -1;
	}
	if (s->st.starts > 1)
		metric_add(s->host->restarts, 1);
	return 0;
}

int process_finish(struct slot *s)
{
	char code[16], sig[16], group[16];
	const char *argv[] = { "./finish", code, sig, NULL, group, NULL };
	struct spawn sp = { .argv = argv, .notify = -1 };
	int c, g;

	if (faccessat(s->dirfd, "finish", F_OK, 0) < 0)
		return -1;
	if (svdir_is_s6(s->dirfd)) {
		state_finish_args_s6(s->st.died, &c, &g);
		argv[3] = s->label;
	} else {
		state_finish_args(s->st.died, &c, &g);
	}
	snprintf(code, sizeof code, "%d", c);
	snprintf(sig, sizeof sig, "%d", g);
	snprintf(group, sizeof group, "%ld", (long)s->last_pid);
	if (make(s, EXTRA_FINISH, &sp) < 0)
		return -1;
	process_finish_wait(s);
	return 0;
}

void process_finish_wait(struct slot *s)
{
	int64_t wait = svdir_time(s->dirfd, s->label, "timeout-finish");

	if (wait > 0 && loop_timer_in(s->host->loop, &s->timer, wait) < 0)
		log_warn("%s: no memory for timeout-finish", s->label);
}

bool process_has_script(const struct slot *s, const char *path)
{
	struct stat st;

	return fstatat(s->dirfd, path, &st, 0) == 0 && S_ISREG(st.st_mode) && (st.st_mode & S_IXUSR);
}

pid_t process_script(struct slot *s, const char *path)
{
	const char *const argv[] = { path, NULL };
	struct spawn sp = { .argv = argv, .notify = -1 };

	return process_has_script(s, path) ? make(s, EXTRA_CONTROL, &sp) : -1;
}

/* ---- processes that are not our children ---- */

struct adopted {
	struct slot *slot;
	struct loop_io io;	/* its pidfd */
	struct loop_timer timer;
};

static void adopted_free(struct slot *s)
{
	struct adopted *a = s->adopted;

	if (!a)
		return;
	loop_io_del(s->host->loop, &a->io);
	loop_timer_del(s->host->loop, &a->timer);
	close(a->io.fd);
	free(a);
	s->adopted = NULL;
}

static void on_untold(void *arg)
{
	struct adopted *a = arg;

	slot_ended(a->slot, STATE_UNKNOWN);
}

/* It has ended. Its exit code is told, by kernels that do, when its parent has collected it, which HUP says. */
static void on_adopted(void *arg, unsigned events)
{
	struct adopted *a = arg;
	int status = STATE_UNKNOWN;

	(void)events;
	if (takeover_status(a->io.fd, &status) == 1 && !a->timer.due &&
	    loop_timer_in(a->slot->host->loop, &a->timer, TELL_MAX) == 0) {
		loop_io_want(a->slot->host->loop, &a->io, 0);
		return;
	}
	slot_ended(a->slot, status);
}

int process_adopt(struct slot *s, pid_t pid, int pidfd)
{
	struct adopted *a = calloc(1, sizeof *a);

	if (a) {
		*a = (struct adopted){
			.slot = s, .io = { .fd = pidfd, .fn = on_adopted, .arg = a }, .timer = { .fn = on_untold, .arg = a },
		};
		if (loop_io_add(s->host->loop, &a->io, LOOP_IN) == 0) {
			s->adopted = a;
			pid_set(s, pid);
			return 0;
		}
	}
	log_error("%s: process %ld cannot be watched: no memory", s->label, (long)pid);
	free(a);
	close(pidfd);
	return -1;
}

void process_signal(struct slot *s, int sig)
{
	int rc;

	if (s->pid <= 0)
		return;
	rc = s->adopted ? (int)syscall(SYS_pidfd_send_signal, s->adopted->io.fd, sig, NULL, 0) : kill(s->pid, sig);
	if (rc < 0 && errno != ESRCH)
		log_warn("%s: signal %d to process %ld: %s", s->label, sig, (long)s->pid, strerror(errno));
}

/* ---- collecting ---- */

void process_drop(struct slot *s)
{
	adopted_free(s);
	notify_close(s);
	if (s->pid > 0)
		pid_clear(s);
}

void process_forget(struct slot *s)
{
	if (s->adopted)
		ghost_session(s->host, s->pid);
	process_drop(s);
	keep_dead(slot_kept(s));
}

void host_reap(struct host *h)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		struct slot *s = host_find(h, pid);

		if (s)
			slot_ended(s, status);
		else if (!ask_ended(h, pid, status) && !extra_reaped(pid, status))
			h->orphans++;
	}
}
