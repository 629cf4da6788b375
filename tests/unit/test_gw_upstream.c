/*
 * upstream: one connection with its sockets, its lines and its end. The loop, the lease and the files are real; played is what is around it
 * (upstream_play.h), and a platform that is told by its peer what to ask for: "line", "long", "gap", "move".
 */
#include "check.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scratch.h"
#include "upstream_play.h"

#include "base/log.h"
#include "base/loop.h"
#include "gatewayd/platform/platform.h"
#include "gatewayd/upstream/debt.h"
#include "gatewayd/upstream/impl.h"
#include "gatewayd/upstream/upstream.h"

#define HELD 1000u		/* bytes that may wait for the hub */
#define LATE_PAST (700 * CLOCK_MS)	/* a state that is written late is by then */

#define AGAIN CLOCK_S			/* hooks are sent again for so long */

static char dir[SCRATCH];
static char order[1024];	/* what the platform was called with, in order */

static void note(const char *fmt, ...)
{
	size_t n = strlen(order);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(order + n, sizeof(order) - n, fmt, ap);
	va_end(ap);
}

/* ---- the platform ---- */

static uint64_t mark;
static bool greets = true;	/* the peer says hello as soon as it is there */

static void *p_open(const struct account *a, struct out *o)
{
	(void)a;
	out_hooks(o, AGAIN);
	return o;
}

static void p_close(void *p)
{
	(void)p;
}

static void p_start(void *p, int64_t now)
{
	(void)now;
	out_connections(p, 1);
}

static bool p_reload(void *p, const struct account *a, int64_t now)
{
	(void)p, (void)a, (void)now;
	return true;
}

static int p_dial(void *p, unsigned conn, const char *saved, size_t n, struct dial *d, int64_t now)
{
	(void)p, (void)conn, (void)saved, (void)n, (void)now;
	strcpy(d->url, "ws://played");
	return 0;
}

static void p_opened(void *p, unsigned conn, unsigned sock, int64_t now)
{
	(void)now;
	if (sock == 1)
		out_switch(p, conn);
	else if (greets)
		out_live(p, conn, false);
}

static void p_frame(void *p, unsigned conn, unsigned sock, const char *b, size_t n, bool binary, int64_t now)
{
	static const char longer[2 * HELD] = "{}";

	(void)binary, (void)now;
	note("%.*s of %u, ", (int)n, b, sock);
	if (strcmp(b, "line") == 0) {
		out_line(p, conn, "{}", 2, ++mark, 0);
	} else if (strcmp(b, "long") == 0) {
		out_line(p, conn, longer, sizeof(longer), ++mark, 0);
	} else if (strcmp(b, "gap") == 0) {
		out_gap(p, conn, "a hole", "", "");
		out_save(p, conn, "behind the hole", 15);
	} else {
		out_dial_next(p, conn, "ws://next", CLOCK_S);
	}
}

static void p_gone(void *p, unsigned conn, unsigned sock, unsigned code, const char *reason, int64_t now)
{
	(void)p, (void)conn, (void)code, (void)reason, (void)now;
	note("gone %u, ", sock);
}

static void p_due(void *p, unsigned conn, unsigned timer, int64_t now)
{
	(void)p, (void)conn, (void)timer, (void)now;
}

static void p_acked(void *p, unsigned conn, uint64_t to, int64_t now)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "%llu", (unsigned long long)to);

	(void)now;
	note("acked %s, ", text);
	out_save(p, conn, text, (size_t)n);
}

static void p_drain(void *p, unsigned conn, int64_t now)
{
	(void)now;
	note("drain, ");
	out_close(p, conn, 0, 4000, "");
}

static const char *const words[] = {NULL};
static const struct platform play = {
	.name = "play", .words = words, .open = p_open, .close = p_close, .start = p_start, .reload = p_reload, .dial = p_dial,
	.opened = p_opened, .frame = p_frame, .gone = p_gone, .due = p_due, .acked = p_acked, .drain = p_drain,
};
const struct platform *const platforms[] = {&play, NULL};
const char *const platform_words[] = {"platform", NULL};
const char *const platform_others[] = {NULL};

const struct platform *platform_find(const char *name)
{
	return strcmp(name, play.name) == 0 ? &play : NULL;
}

/* ---- the stage ---- */

static struct loop *loop;
static struct upstream *up;

static void each_round(void *arg)
{
	(void)arg;
	if (up)
		upstream_round(up);
}

static void stop(void *arg)
{
	(void)arg;
	loop_stop(loop);
}

/* The loop runs for so long. */
static void pass(int64_t ns)
{
	struct loop_timer t = {.fn = stop};

	if (loop_timer_in(loop, &t, ns) || loop_run(loop))
		exit(2);
}

static char *path_of(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static const char *saved(void)
{
	static char text[64];
	int fd = open(path_of("state/default/bot/conn-0.state"), O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	return text;
}

/* An account whose connection is live, and a hub that has all of it. Its main socket. */
static struct edge_client *begin(void)
{
	static char accounts[128], state[128];
	int fd;

	snprintf(accounts, sizeof(accounts), "%s/accounts", dir);
	snprintf(state, sizeof(state), "%s/state", dir);
	fd = open(path_of("accounts/default/bot.conf"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, "platform = play\n", 16) != 16 || close(fd))
		exit(2);
	loop = loop_new();
	up = upstream_open(loop, (struct outlet *)&play_cell, &(struct upstream_opts){.accounts = accounts, .state = state, .max_sent = 64,
		.max_held = HELD, .drain_time = 60 * CLOCK_S});
	if (!up || nclients == 0)
		exit(2);
	loop_each_round(loop, each_round, NULL);
	clients[nclients - 1].h->on_open(clients[nclients - 1].arg);
	pass(0);
	hub_acks();
	pass(0);
	order[0] = '\0';
	return &clients[nclients - 1];
}

static void finish(void)
{
	upstream_close(up);
	up = NULL;
	loop_free(loop);
	nsent = 0;
	unlink(path_of("state/default/bot/conn-0.state"));
}

/* ---- */

static void tell_late_save(void)
{
	struct edge_client *main_ = begin();

	says(main_, "gap");
	pass(0);
	CHECK(strcmp(saved(), "behind the hole") != 0, "nothing is saved behind a gap that the hub does not have: it is tried again later");
	unlink(path_of("accounts/default/bot.conf"));
	upstream_reload(up);
	CHECK(main_->closed && upstream_waiting(up) > 0, "the account is gone, its gap waits");
	hub_acks();
	pass(0);
	CHECK(upstream_waiting(up) == 0, "and when the hub has it the connection goes");
	pass(LATE_PAST);
	CHECK(strcmp(order, "gap of 0, ") == 0, "and nothing of it comes any more");
	finish();
}

/* The connection moves to another socket; the one before parts. */
static struct edge_client *moves(struct edge_client *old)
{
	struct edge_client *next;

	says(old, "move");
	next = &clients[nclients - 1];
	next->h->on_open(next->arg);
	CHECK(next != old && old->half && !old->closed, "the socket before a move is closed from our side only");
	return next;
}

static void tell_parting_held(void)
{
	struct edge_client *old = begin(), *next = moves(old);

	says(next, "long");
	CHECK(old->paused && next->paused, "the hub is behind: neither socket is read");
	hub_acks();
	CHECK(!old->paused && !next->paused, "it has caught up: both are");
	finish();
}

static void tell_parting_drained(void)
{
	struct edge_client *old = begin(), *next = moves(old);
	size_t waiting;

	says(next, "line");
	upstream_drain(up);
	CHECK(old->paused && next->paused, "drained: neither socket is read until the hub has what came");
	hub_acks();
	pass(0);
	CHECK(next->closed && !old->closed && !old->paused, "then the one that parts is read to its end");
	waiting = upstream_waiting(up);
	says(old, "line");
	CHECK(strstr(order, "drain, line of 2, ") && upstream_waiting(up) == waiting + 1, "what it brings goes to the hub");
	hub_acks();
	pass(0);
	CHECK(!upstream_idle(up), "the process waits for its end");
	old->h->on_gone(old->arg, 1000, "");
	pass(0);
	CHECK(upstream_idle(up), "and for nothing else");
	finish();
}

/* A connection that is not up tells nobody that it goes. */
static void tell_parting_left(void)
{
	struct edge_client *old = begin(), *next = moves(old);
	unsigned dialled = nclients;

	next->h->on_gone(next->arg, 0, "reset");
	hub_acks();
	while (nclients == dialled)
		pass(CLOCK_MS);
	next = &clients[nclients - 1];
	greets = false;
	next->h->on_open(next->arg);
	greets = true;
	upstream_drain(up);
	CHECK(strstr(order, "drain, ") && next->closed && upstream_waiting(up) == 0, "drained before the peer's hello");
	CHECK(!old->closed && !old->paused, "the one that parts is read to its end here, too");
	finish();
}

static void tell_drain_and_ack(void)
{
	struct edge_client *main_ = begin();
	char want[64];

	says(main_, "line");
	order[0] = '\0';
	/* Both in one round of the loop. */
	hub_acks();
	upstream_drain(up);
	pass(0);
	snprintf(want, sizeof(want), "acked %llu, drain, ", (unsigned long long)mark);
	CHECK(strcmp(order, want) == 0, "who is drained has heard of what is kept before: %s", order);
	hub_acks();
	pass(0);
	CHECK(upstream_idle(up) && main_->closed, "then the connection is given away");
	snprintf(want, sizeof(want), "%llu", (unsigned long long)mark);
	CHECK(strcmp(saved(), want) == 0, "and that is saved for who has it next");
	finish();
}

/* ---- what is owed ---- */

static unsigned debts(void)
{
	DIR *d = opendir(path_of("state/default/bot"));
	struct dirent *e;
	unsigned n = 0;

	while (d && (e = readdir(d)))
		n += strstr(e->d_name, ".debt") != NULL;
	if (d)
		closedir(d);
	return n;
}

/* Is this the gap that the hub was given, which keeps it then, and is the debt paid? */
static bool told(const char *reason, int64_t from)
{
	char time[CLOCK_RFC3339_MAX];
	bool is;

	clock_rfc3339(time, from);
	is = strstr(hub_line, "gateway.gap") && strstr(hub_line, reason) && strstr(hub_line, time) && debts() == 1;
	hub_line[0] = '\0';
	hub_acks();
	pass(0);
	return is && debts() == 0;
}

static void tell_hooks_refused(void)
{
	struct edge_client *main_ = begin();
	struct out *o = up->first;
	int64_t now = clock_wall(), from = now - 800 * CLOCK_MS;

	owe_hook(o, now - 2 * CLOCK_S, 0);
	CHECK(debts() == 1, "from the first refusal on it stands on disk");
	says(main_, "long");
	owe_hooks(o);
	CHECK(!strstr(hub_line, "gateway.gap") && debts() == 1, "while the hub is behind nothing is known");
	hub_acks();
	CHECK(told("the hub was behind for longer", now - 2 * CLOCK_S), "for longer than they are sent again: %s", hub_line);

	owe_hook(o, from, 0);
	owe_hooks(o);
	CHECK(debts() == 1 && !hub_line[0], "for a moment: they come again, but perhaps at a bad time once more");
	owe_hook(o, clock_wall(), 0);
	pass(300 * CLOCK_MS);
	owe_hooks(o);
	CHECK(told("the hub was behind for longer", from), "as they do: it counts from the first");

	owe_hook(o, clock_wall(), 0);
	owe_hooks(o);
	CHECK(debts() == 1, "a moment");
	pass(AGAIN + 3 * CLOCK_S / 2);
	CHECK(debts() == 0 && !hub_line[0], "and no more of it: nothing is missing");
	finish();
}

/* Left by a process that has ended. */
static void left(const char *name, int64_t from)
{
	struct debt_text t = {.why = "somebody ended"};

	clock_rfc3339(t.from, from);
	debt_leave(debt_begin(path_of("state/default/bot"), name, &t));
}

static void tell_debts_left(void)
{
	int64_t now = clock_wall(), from = now - 10 * CLOCK_S;
	struct edge_client *main_;

	left("conn-0", from);
	main_ = begin();
	CHECK(debts() == 0, "found when the connection is taken, told, and gone when the hub has it");
	says(main_, "line");
	left("hooks", from);
	owe_look(up->first, 0);
	pass(0);
	CHECK(told("somebody ended", from), "found at a look");

	now = clock_wall();
	left("hooks", now - 700 * CLOCK_MS);
	owe_look(up->first, 0);
	pass(0);
	CHECK(debts() == 1 && !hub_line[0], "they still come again: here");
	owe_hook(up->first, clock_wall(), 0);
	pass(500 * CLOCK_MS);
	owe_hooks(up->first);
	CHECK(told("the hub was behind for longer", now - 700 * CLOCK_MS), "and are refused, as they were there");

	owe_hook(up->first, clock_wall(), 0);
	now = clock_wall();
	left("hooks", now - 300 * CLOCK_MS);
	owe_look(up->first, 0);
	pass(0);
	CHECK(debts() == 1 && !hub_line[0], "beside one's own: the older one stands for both");
	owe_hook(up->first, now, 0);
	pass(800 * CLOCK_MS);
	owe_hooks(up->first);
	CHECK(told("the hub was behind for longer", now - 300 * CLOCK_MS), "and counts from then");

	close(open(path_of("state/default/bot/conn-1-0.debt.new"), O_CREAT | O_CLOEXEC, 0600));
	owe_look(up->first, 0);
	pass(0);
	CHECK(debts() == 0, "what was not begun to its end is none");
	finish();
}

/* Nothing can be written down, and then the account goes. */
static void tell_no_debt(void)
{
	struct edge_client *main_ = begin();
	char away[128];

	snprintf(away, sizeof(away), "%s", path_of("state/default/away"));
	CHECK(rename(path_of("state/default/bot"), away) == 0, "its folder is not there");
	owe_hook(up->first, clock_wall(), 0);
	rename(away, path_of("state/default/bot"));
	says(main_, "line");
	unlink(path_of("accounts/default/bot.conf"));
	upstream_reload(up);
	hub_acks();
	pass(0);
	CHECK(upstream_waiting(up) == 0 && debts() == 0, "the hub has its last line");
	pass(6 * CLOCK_S / 5);
	CHECK(debts() == 0, "and nothing of it comes any more");
	finish();
}

static void folders(void)
{
	static const char *const all[] = {"accounts", "accounts/default"};

	scratch_make(dir);
	for (size_t i = 0; i < 2; i++)
		if (mkdir(path_of(all[i]), 0700))
			exit(2);
}

int main(void)
{
	log_init("test");
	log_set(LOG_TEXT, LOG_ERROR);
	play_counters();
	folders();
	tell_late_save();
	tell_parting_held();
	tell_parting_drained();
	tell_parting_left();
	tell_drain_and_ack();
	tell_hooks_refused();
	tell_debts_left();
	tell_no_debt();
	return check_done();
}
