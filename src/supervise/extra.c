#include "supervise/extra.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "supervise/env.h"
#include "supervise/fifo.h"
#include "supervise/instance.h"
#include "supervise/limits.h"
#include "supervise/logs.h"
#include "supervise/order.h"
#include "supervise/service.h"
#include "supervise/slot.h"
#include "supervise/spawn.h"
#include "supervise/supervise.h"

/* Of a slot, a logger's too. */
struct extra {
	struct slot *slot;
	struct order_node node;		/* of a service */
	bool in_order;			/* the node is in the graph */
	bool begun;			/* it has started once, or need not wait */
	bool held;			/* in the list */
	bool told_missing;
	struct extra *next;		/* of those held */
	struct outlet *outlet;
	unsigned instance;		/* its number, 0: none */
};

static struct host *host;
static struct order order;
static struct extra *held;
static bool changed;			/* something that a held one may wait for */

/* ---- begin and end ---- */

void extra_begin(struct host *h, const char *logs, const char *stamp, bool echo)
{
	host = h;
	if (logs)
		logs_open(h->loop, logs, stamp, echo);
	else
		unlink(SUPERVISE_LOGS);
}

void extra_end(void)
{
	logs_close();
}

bool extra_reaped(pid_t pid, int status)
{
	return logs_reaped(pid, status);
}

bool extra_is_ours(pid_t pid)
{
	return logs_is(pid);
}

bool extra_logged(void)
{
	return logs_gone();
}

void extra_kill(void)
{
	logs_kill();
}

/* ---- directories ---- */

void extra_look(void)
{
	instance_look();
}

bool extra_entry(const char *name)
{
	return instance_is_service(name);
}

void extra_forgotten(const char *name)
{
	if (instance_is(name))
		writer_drain(&host->writer);	/* what is still to be written there */
	instance_gone(name);
}

static bool has_log(const struct slot *s)
{
	struct stat st;

	return fstatat(s->dirfd, "log", &st, 0) == 0 && S_ISDIR(st.st_mode);
}

static int open_service(struct slot *s, struct extra *e, char why[FILES_WHY_MAX])
{
	size_t base;
	char *names;
	int n;

	if (logs_on() && !has_log(s)) {
		e->outlet = logs_add(s->label, s->dirfd, why);
		if (!e->outlet)
			return -1;
	}
	if (instance_is(s->label))
		e->instance = instance_number(s->label, &base);
	n = order_read(s->dirfd, s->label, &names);
	if (order_add(&order, &e->node, s->label, e, names, n > 0 ? (size_t)n : 0) < 0) {
		free(names);
		snprintf(why, FILES_WHY_MAX, "%.150s: no memory", s->label);
		return -1;
	}
	e->in_order = true;
	return 0;
}

int extra_open(struct slot *s, char why[FILES_WHY_MAX])
{
	struct extra *e = calloc(1, sizeof *e);

	if (!e) {
		snprintf(why, FILES_WHY_MAX, "%.150s: no memory", s->label);
		return -1;
	}
	e->slot = s;
	s->extra = e;
	changed = true;
	return s->logger ? 0 : open_service(s, e, why);
}

static void unhold(struct extra *e)
{
	struct extra **at = &held;

	if (!e->held)
		return;
	while (*at != e)
		at = &(*at)->next;
	*at = e->next;
	e->held = false;
}

void extra_close(struct slot *s)
{
	struct extra *e = s->extra;

	if (!e)
		return;
	unhold(e);
	if (e->in_order)
		order_del(&order, &e->node);
	logs_del(e->outlet);
	free(e);
	s->extra = NULL;
	changed = true;
}

/* ---- order ---- */

static void show_waits(const struct slot *s, const char *name)
{
	struct board_row *row = board_begin(&s->host->board, s->row);

	snprintf(row->waits, sizeof row->waits, "%.63s", name);
	board_end(&s->host->board, s->row);
}

bool extra_may_start(const struct slot *s)
{
	struct extra *e = s->extra;

	if (e->begun || !e->node.n) {
		e->begun = true;
		return true;
	}
	if (!e->held) {
		e->held = true;
		e->next = held;
		held = e;
		changed = true;
	}
	return false;
}

static bool is_up(const void *owner)
{
	const struct extra *e = owner;

	return e->slot->deaf || slot_settled(e->slot);
}

static void say_missing(const struct order_node *node, const char *name)
{
	struct extra *e = node->owner;

	if (!e->told_missing)
		log_warn("%s/after: %s: no such service is supervised here: not waited for", node->name, name);
	e->told_missing = true;
}

static void say_circle(const char *circle)
{
	log_error("after: services wait for each other in a circle: %s: these start without waiting; correct one of their files", circle);
}

/* True: one has started. */
static bool start_held(void)
{
	struct extra *next;
	bool any = false;

	for (struct extra *e = held; e; e = next) {
		const char *name = order_waits(&order, &e->node, is_up, say_missing);

		next = e->next;
		show_waits(e->slot, name ? name : "");
		if (name)
			continue;
		unhold(e);
		e->begun = any = true;
		slot_go(e->slot);
		break;		/* whatever that did to the list */
	}
	return any;
}

static bool lives(const void *owner)
{
	return ((const struct extra *)owner)->slot->pid > 0;
}

bool extra_may_stop(const struct service *sv)
{
	const struct extra *e = sv->main.extra;

	return !e || !order_needed(&order, &e->node, lives);
}

void extra_shown(struct slot *s)
{
	struct extra *e = s->extra;

	changed = true;
	if (e && s->st.at == SV_RUN)
		e->begun = true;	/* also one that was taken over */
}

void extra_round(struct host *h)
{
	(void)h;
	logs_tell();
	if (!changed || !held)
		return;
	order_circles(&order, say_circle);
	do {
		changed = false;
	} while (start_held() || changed);
}

/* ---- children ---- */

/* What an instance is told, and the environment of the file limits. */
static int fill_env(const struct extra *e, const struct limits *l, struct spawn *sp)
{
	char number[16];

	if (!e->instance && !(l && l->environment[0]))
		return 0;
	if (env_begin() < 0)
		goto fail;
	if (l && l->environment[0] && env_folder(e->slot->dirfd, l->environment, e->slot->label) < 0)
		return -1;
	snprintf(number, sizeof number, "%u", e->instance);
	if (e->instance && (env_set("INSTANCE", number) < 0 || env_set("SERVICE", e->slot->label) < 0))
		goto fail;
	sp->envp = env_vector();
	return 0;
fail:
	log_error("%s: its environment: %s", e->slot->label, strerror(errno));
	return -1;
}

int extra_child(struct slot *s, enum extra_child what, struct spawn *sp)
{
	static struct limits limits;
	struct extra *e = s->extra;
	int rc;

	if (what == EXTRA_RUN && !s->logger && s->st.starts > 1) {
		struct board_row *row = board_begin(&s->host->board, s->row);

		past_restart(&row->past, clock_wall());
		board_end(&s->host->board, s->row);
	}
	rc = what == EXTRA_RUN ? limits_read(s->dirfd, s->label, &limits) : 0;
	if (rc < 0)
		return -1;
	if (rc > 0)
		sp->limits = &limits.spawn;
	if (e->outlet)
		sp->out = sp->err = logs_fd(e->outlet);
	return fill_env(e, rc > 0 ? &limits : NULL, sp);
}

static void mark_death(const struct extra *e, const struct past_death *d)
{
	char how[STATE_HOW_MAX], text[300];

	snprintf(text, sizeof text, "%s%.150s: process %u %s after %lld.%03lld s", d->asked || d->status == 0 ? "" : "warning: ", e->slot->label,
		d->pid, state_how(d->status, how), (long long)(d->lived / CLOCK_S), (long long)(d->lived % CLOCK_S / CLOCK_MS));
	fifo_mark(e->slot->dirfd, text);
}

void extra_died(struct slot *s, int status)
{
	const struct extra *e = s->extra;
	struct past_death d = {
		.at = clock_wall(), .lived = clock_mono() - s->st.started, .status = status, .pid = (uint32_t)s->pid,
		.asked = s->st.died_asked, .ready = s->st.ready,
	};
	struct board_row *row;

	if (s->logger)
		return;
	row = board_begin(&s->host->board, s->row);
	past_died(&row->past, &d);
	board_end(&s->host->board, s->row);
	if (e->outlet)
		mark_death(e, &d);
}
