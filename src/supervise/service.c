#include "supervise/service.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "supervise/ghost.h"
#include "supervise/takeover.h"

struct service *service_new(struct host *h, const char *name, dev_t dev, ino_t ino)
{
	struct service *sv = calloc(1, sizeof *sv);
	char *label;

	if (!sv)
		goto fail;
	/* One piece for both labels: "route" and, behind it, "route/log". */
	sv->name = malloc(2 * strlen(name) + 6);
	if (!sv->name)
		goto fail;
	strcpy(sv->name, name);
	label = sv->name + strlen(name) + 1;
	sprintf(label, "%s/log", name);
	sv->host = h;
	sv->dev = dev;
	sv->ino = ino;
	sv->pipe[0] = sv->pipe[1] = -1;
	sv->kept = -1;
	sv->row = board_take(&h->board, name);
	if (sv->row >= 0)
		sv->kept = keep_take(&h->keep, dev, ino, name);
	if (sv->kept < 0) {
		if (sv->row >= 0)
			board_give(&h->board, sv->row);
		free(sv->name);
		free(sv);
		return NULL;
	}
	sv->main = (struct slot){ .host = h, .service = sv, .label = sv->name, .row = sv->row, .kept = sv->kept, .dirfd = -1 };
	sv->log = sv->main;
	sv->log.label = label;
	sv->log.logger = true;
	return sv;
fail:
	free(sv);
	log_error("%s: no memory", name);
	return NULL;
}

static void close_pipe(struct service *sv)
{
	for (int i = 0; i < 2; i++) {
		if (sv->pipe[i] >= 0)
			close(sv->pipe[i]);
		sv->pipe[i] = -1;
	}
}

static void show_fault(struct service *sv)
{
	struct board_row *row = board_begin(&sv->host->board, sv->row);
	int64_t since = row->fault[0] ? row->main.since : clock_wall();

	memset(&row->main, 0, sizeof row->main);
	memset(&row->log, 0, sizeof row->log);
	row->main.at = sv->why[0] ? SV_DOWN : SV_GONE;
	row->main.want = sv->why[0] ? WANT_UP : WANT_EXIT;
	row->main.since = since;
	snprintf(row->fault, sizeof row->fault, "%.*s", (int)sizeof row->fault - 1, sv->why);
	board_end(&sv->host->board, sv->row);
}

/* The pipe that the processes on record have between them, through one that has it: -1: there is none to be had. */
static int pipe_of_old(struct service *sv, const struct keep_row *k)
{
	static const int flags[2] = { O_RDONLY, O_WRONLY };
	const struct { uint32_t pid; int likely; } row[] = { { k->main.pid, 1 }, { k->log.pid, 0 } };

	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		for (int end = 0; end < 2 && row[i].pid; end++)
			sv->pipe[end] = takeover_pipe((pid_t)row[i].pid, row[i].likely, k->pipe, flags[end]);
		if (sv->pipe[0] >= 0 && sv->pipe[1] >= 0)
			return 0;
		close_pipe(sv);
	}
	return -1;
}

static int open_pipe(struct service *sv)
{
	struct keep_row *k = &sv->host->keep.row[sv->kept];

	if (!k->pipe || pipe_of_old(sv, k) < 0) {
		if (pipe2(sv->pipe, O_CLOEXEC) < 0) {
			snprintf(sv->why, sizeof sv->why, "%.150s: no pipe to its logger: %s", sv->name, strerror(errno));
			return -1;
		}
		k->pipe = takeover_pipe_inode(sv->pipe[0]);
	}
	sv->main.out = sv->pipe[1];
	sv->log.in = sv->pipe[0];
	return 0;
}

static int open_parts(struct service *sv)
{
	struct svdir dir, logdir;

	if (slot_open(&sv->main, &dir, sv->why) < 0 || slot_take_over(&sv->main, sv->why) < 0)
		return -1;
	if (dir.log && (slot_open(&sv->log, &logdir, sv->why) < 0 || slot_take_over(&sv->log, sv->why) < 0 || open_pipe(sv) < 0 ||
	    slot_announce(&sv->log, sv->why) < 0))
		return -1;
	return slot_announce(&sv->main, sv->why);
}

int service_open(struct service *sv)
{
	char before[sizeof sv->why];

	memcpy(before, sv->why, sizeof before);
	if (open_parts(sv) < 0) {
		service_close(sv);
		show_fault(sv);
		if (strcmp(before, sv->why) != 0)
			log_error("%s", sv->why);
		return -1;
	}
	sv->why[0] = 0;
	board_begin(&sv->host->board, sv->row)->fault[0] = 0;
	board_end(&sv->host->board, sv->row);
	sv->open = true;
	sv->over = sv->leaving = false;
	if (sv->log.dirfd >= 0)
		slot_begin(&sv->log);
	slot_begin(&sv->main);
	return 0;
}

void service_close(struct service *sv)
{
	host_flush(sv->host);	/* no dirty slot may outlive its files */
	slot_close(&sv->main);
	slot_close(&sv->log);
	close_pipe(sv);
	if (sv->over)
		sv->host->over--;
	sv->open = sv->over = false;
}

void service_free(struct service *sv)
{
	if (!sv)
		return;
	service_close(sv);
	board_give(&sv->host->board, sv->row);
	if (sv->kept >= 0)
		keep_give(&sv->host->keep, sv->kept);
	free(sv->name);
	free(sv);
}

void service_leave(struct service *sv)
{
	if (!sv->open || sv->leaving)
		return;
	sv->leaving = sv->main.deaf = sv->log.deaf = true;
	slot_event(&sv->main, SV_EXIT, 0);
}

void service_disown(struct service *sv)
{
	if (sv->kept >= 0)
		ghost_add(sv->host, sv->kept);
	sv->kept = -1;
}

void service_kill(struct service *sv, bool logger, int sig)
{
	struct slot *s = logger ? &sv->log : &sv->main;

	if (!sv->open || s->dirfd < 0 || s->pid <= 0)
		return;
	log_warn("%s: process %ld did not end in time: signal %d to its group", s->label, (long)s->pid, sig);
	kill(-s->pid, sig);
}

bool service_settled(const struct service *sv)
{
	if (!sv->open)
		return sv->why[0] == 0;		/* exited on demand */
	return slot_settled(&sv->main) && slot_settled(&sv->log);
}

void service_slot_gone(struct slot *s)
{
	struct service *sv = s->service;

	if (s == &sv->main && sv->log.dirfd >= 0) {
		close(sv->pipe[1]);
		sv->pipe[1] = -1;
		slot_event(&sv->log, SV_EOF, 0);
	}
	if (sv->main.st.at == SV_GONE && (sv->log.dirfd < 0 || sv->log.st.at == SV_GONE) && !sv->over) {
		sv->over = true;
		sv->host->over++;
	}
}
