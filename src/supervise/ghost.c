#include "supervise/ghost.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "supervise/takeover.h"

struct ghost {
	struct host *host;
	int row;		/* of the record */
	bool logger;
	pid_t pid;
	struct loop_io io;	/* its pidfd */
	struct loop_timer timer;
	struct ghost *next;
};

struct ghost_past {
	pid_t session;
	int64_t ended;		/* clock ticks since boot */
	bool seen;		/* something of it lives: so the number is still this session's */
	struct ghost_past *next;
};

static struct keep_slot *kept(const struct ghost *g)
{
	struct keep_row *r = &g->host->keep.row[g->row];

	return g->logger ? &r->log : &r->main;
}

static void send(const struct ghost *g, int sig)
{
	if (syscall(SYS_pidfd_send_signal, g->io.fd, sig, NULL, 0) < 0 && errno != ESRCH)
		log_warn("process %ld: signal %d: %s", (long)g->pid, sig, strerror(errno));
}

static void ghost_free(struct ghost *g)
{
	struct ghost **at = &g->host->ghosts;

	while (*at != g)
		at = &(*at)->next;
	*at = g->next;
	loop_io_del(g->host->loop, &g->io);
	loop_timer_del(g->host->loop, &g->timer);
	close(g->io.fd);
	free(g);
}

static bool row_lives(const struct host *h, int row)
{
	for (const struct ghost *g = h->ghosts; g; g = g->next)
		if (g->row == row)
			return true;
	return false;
}

static void on_end(void *arg, unsigned events)
{
	struct ghost *g = arg;
	struct host *h = g->host;
	int row = g->row;

	(void)events;
	ghost_session(h, g->pid);
	keep_dead(kept(g));
	ghost_free(g);
	if (!row_lives(h, row))
		keep_give(&h->keep, row);
	h->ghost_gone = true;
}

static void on_patience(void *arg)
{
	struct ghost *g = arg;

	log_warn("process %ld, whose directory is gone, did not end in time: KILL", (long)g->pid);
	send(g, SIGKILL);
}

static void add(struct host *h, int row, bool logger)
{
	struct keep_row *r = &h->keep.row[row];
	struct keep_slot *k = logger ? &r->log : &r->main;
	char why[FILES_WHY_MAX];
	int fd = takeover_process(k, why);
	struct ghost *g;

	if (fd == -2)
		log_error("%s: its directory is gone; %s: left alone", r->name, why);
	if (fd < 0)
		return;
	g = calloc(1, sizeof *g);
	if (g) {
		*g = (struct ghost){
			.host = h, .row = row, .logger = logger, .pid = (pid_t)k->pid, .io = { .fd = fd, .fn = on_end, .arg = g },
			.timer = { .fn = on_patience, .arg = g }, .next = h->ghosts,
		};
		h->ghosts = g;
		if (loop_io_add(h->loop, &g->io, LOOP_IN) == 0 && loop_timer_in(h->loop, &g->timer, GHOST_PATIENCE) == 0) {
			log_warn("%s%s: its directory is gone, process %ld lives on%s", r->name, logger ? "/log" : "", (long)g->pid,
				logger ? " until its input ends" : ": it is told to end");
			if (!logger) {
				send(g, SIGTERM);
				send(g, SIGCONT);
			}
			return;
		}
		ghost_free(g);
	} else {
		close(fd);
	}
	log_error("%s: its directory is gone; process %ld is left alone: no memory", r->name, (long)k->pid);
}

void ghost_add(struct host *h, int row)
{
	add(h, row, false);
	add(h, row, true);
	if (!row_lives(h, row))
		keep_give(&h->keep, row);
}

bool ghost_named(const struct host *h, const char *name)
{
	for (const struct ghost *g = h->ghosts; g; g = g->next)
		if (strncmp(h->keep.row[g->row].name, name, KEEP_NAME_MAX - 1) == 0)
			return true;
	return false;
}

void ghost_kill(struct host *h)
{
	for (const struct ghost *g = h->ghosts; g; g = g->next)
		send(g, SIGKILL);
}

void ghost_release(struct host *h)
{
	while (h->ghosts)
		ghost_free(h->ghosts);
	while (h->past) {
		struct ghost_past *p = h->past;

		h->past = p->next;
		free(p);
	}
}

void ghost_session(struct host *h, pid_t pid)
{
	struct ghost_past *p = calloc(1, sizeof *p);
	struct timespec t;

	if (!p) {
		log_warn("no memory: what process %ld has left behind is not ended when all stops", (long)pid);
		return;
	}
	clock_gettime(CLOCK_BOOTTIME, &t);
	*p = (struct ghost_past){ .session = pid, .ended = takeover_ticks(t.tv_sec * CLOCK_S + t.tv_nsec), .next = h->past };
	h->past = p;
}

bool ghost_left(struct host *h, pid_t session, int64_t birth)
{
	for (struct ghost_past *p = h->past; p; p = p->next) {
		if (p->session != session)
			continue;
		/* Within the tick of the end, too: no number is given again that fast. */
		p->seen |= birth <= p->ended;
		if (p->seen)
			return true;
	}
	return false;
}
