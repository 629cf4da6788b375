/*
 * penstock up: supervise takes the place of this process, so that its signals, its exit code and its terminal are supervise's own. Before that
 * a child is left behind that waits for the readiness of the tree and prints the address. With -d it is the other way round: the child
 * becomes supervise, and this process waits and tells.
 */
#include "penstock/penstock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/args.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"

#define LOG_FILE "log/penstock.log"
#define LOG_LINES 20	/* shown when a start fails */
#define LOOK (500 * CLOCK_MS)	/* between two looks for services that do not stay up */
#define SAID_TIME CLOCK_S	/* what a service said comes through its logger, perhaps a moment after its end */

static bool background;
static int64_t patience = 30 * CLOCK_S;
static int64_t kill_after = 20 * CLOCK_S;

static const struct arg rows[] = {
	{ 'd', "daemon", ARG_FLAG, &background, 0, 0, NULL, "go into the background once ready; see penstock logs", NULL, 0 },
	{ 'w', "wait", ARG_TIME, &patience, CLOCK_MS, 86400 * CLOCK_S, "TIME", "how long to wait for readiness", NULL, 0 },
	{ 'k', "kill-after", ARG_TIME, &kill_after, CLOCK_MS, 86400 * CLOCK_S, "TIME", "stopping: KILL what has not ended after TIME", NULL, 0 },
};

static const struct args args = {
	.prog = "penstock up", .synopsis = "[-d] [--wait TIME] [--kill-after TIME]",
	.about = "Runs the tree: in the foreground until ^C, or with -d as a daemon.",
	.rows = rows, .n = sizeof rows / sizeof *rows, .flags = ARGS_ANYWHERE,
};

/* ---- what is told ---- */

struct faults {
	const struct tree *t;
	struct buf text;
	unsigned looping, late;
	unsigned mute;		/* of those looping: nothing of what they said is there */
	unsigned unnamed;	/* wait for a destination that no rule names: the rest of the tree is not held up by that */
};

/* One that runs, and is not ready. */
static void note_waiting(struct faults *f, const struct service_view *v)
{
	bool gives;
	char *dest = service_takes(f->t, v->name, &gives);

	if (!dest || dest_exists(f->t, dest)) {
		buf_printf(&f->text, "  %s is not ready: %s\n", v->name, v->state);
		f->late++;
	} else {
		buf_printf(&f->text, "  %s is not ready: it waits for destination %s, and no rule of etc/rules names that (penstock reload route when one does)\n",
			v->name, dest);
		f->unnamed++;
	}
}

static void note_fault(void *arg, const struct service_view *v)
{
	struct faults *f = arg;

	if (v->fault) {
		buf_printf(&f->text, "  %s\n", v->fault);
		f->looping++;
	} else if (strcmp(v->state, "crash-loop") == 0) {
		const char *said = service_said(v->doc);

		buf_printf(&f->text, "  %s does not stay up: started %lld times\n", v->name, (long long)v->restarts + 1);
		buf_adds(&f->text, said);
		f->looping++;
		f->mute += !*said;
	} else if (strcmp(v->want, "up") == 0 && strcmp(v->state, "run") == 0 && v->ready == 0) {
		note_waiting(f, v);
	} else if (strcmp(v->want, "up") == 0 && strcmp(v->state, "run") != 0) {
		const char *waits = json_str(json_member(v->doc, "waits_for"), NULL);

		buf_printf(&f->text, "  %s is not ready: %s%s\n", v->name, waits ? "waits for " : v->state, waits ? waits : "");
		f->late++;
	}
}

static void look(struct faults *f)
{
	buf_clear(&f->text);
	f->looping = f->mute = f->late = f->unnamed = 0;
	if (services_each(f->t, note_fault, f, NULL) < 0)
		f->late++;
}

static void print_address(const struct tree *t)
{
	char *address = tree_address(t);

	if (address)
		printf("%s: up. Chat page: %s\n", t->dir, address);
	else
		printf("%s: up.\n", t->dir);
	fflush(stdout);
	accounts_warn(t, NULL);
}

static void print_unnamed(const struct tree *t, struct faults *f)
{
	print_address(t);
	log_warn("not everything is ready:");
	fputs(buf_cstr(&f->text), stderr);
}

/* The last lines written to the log since this start. */
static void print_log_end(int fd, off_t start)
{
	char text[16384];
	off_t end = lseek(fd, 0, SEEK_END);
	off_t from = end - start > (off_t)sizeof text ? end - (off_t)sizeof text : start;
	ssize_t n = end > from ? pread(fd, text, (size_t)(end - from), from) : 0;
	unsigned lines = 0;
	ssize_t at = n;

	while (at > 0 && lines <= LOG_LINES)
		if (text[--at] == '\n')
			lines++;
	if (at > 0 || (n > 0 && text[0] == '\n'))
		at++;
	if (n > 0)
		fwrite(text + at, 1, (size_t)(n - at), stderr);
}

/* ---- waiting ---- */

enum outcome { UP_READY, UP_ENDED, UP_LOOPING, UP_LATE, UP_UNNAMED };

/* Waits on the readiness pipe; looks at the services now and then only while waiting. */
static enum outcome wait_ready(int fd, struct faults *f)
{
	int64_t end = clock_mono() + patience, found = 0;

	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int64_t left = end - clock_mono();
		char c;
		int rc;

		if (left <= 0) {
			look(f);
			return UP_LATE;
		}
		rc = poll(&p, 1, (int)((left < LOOK ? left : LOOK) / CLOCK_MS) + 1);
		if (rc > 0)
			return read(fd, &c, 1) == 1 ? UP_READY : UP_ENDED;
		if (rc < 0 || tree_supervise(f->t) <= 0)
			continue;
		look(f);
		if (f->looping && !found)
			found = clock_mono();
		/* Waiting longer is of no use. */
		if (f->looping && (!f->mute || clock_mono() - found > SAID_TIME))
			return UP_LOOPING;
		if (f->unnamed && !f->late)
			return UP_UNNAMED;
	}
}

/* ---- becoming supervise ---- */

_Noreturn static void become_supervise(const struct tree *t, int ready_fd)
{
	char number[16], *path = program_path("supervise");
	char *kill_text = text_of("%lldms", (long long)(kill_after / CLOCK_MS));
	char *argv[] = {
		(char *)"supervise", (char *)"-F", number, (char *)"-k", kill_text, (char *)"-M", tree_path(t, "run/metrics/supervise"),
		(char *)"-l", tree_path(t, "log"), tree_path(t, "service"), background ? NULL : (char *)"-e", NULL,
	};
	const char *old = getenv("PATH");
	int null;

	snprintf(number, sizeof number, "%d", ready_fd);
	if (setenv("PATH", text_of("%s:%s", program_folder(), old && *old ? old : "/usr/bin:/bin"), 1) < 0)
		die(1, "no memory");
	/* Services run in sessions of their own: none may wait for this terminal's input. */
	null = open("/dev/null", O_RDONLY);
	if (null < 0 || dup2(null, 0) < 0)
		die(1, "/dev/null: %s", strerror(errno));
	if (null > 0)
		close(null);
	execv(path, argv);
	die(1, "%s: %s", path, strerror(errno));
}

static int foreground(const struct tree *t, int ready[2])
{
	pid_t pid = fork();
	struct faults f = { .t = t };

	if (pid < 0)
		die(1, "fork: %s", strerror(errno));
	if (pid > 0) {
		close(ready[0]);
		become_supervise(t, ready[1]);
	}
	/* The one who tells; supervise collects it when it ends. It leaves ^C to supervise. */
	signal(SIGINT, SIG_IGN);
	close(ready[1]);
	buf_init(&f.text, 64 << 10);
	switch (wait_ready(ready[0], &f)) {
	case UP_READY:
		print_address(t);
		break;
	case UP_UNNAMED:
		print_unnamed(t, &f);
		break;
	case UP_LOOPING:
	case UP_LATE:
		log_warn("not everything is up; what does not stay up is tried again, ^C stops the tree");
		fputs(buf_cstr(&f.text), stderr);
		break;
	case UP_ENDED:
		break;
	}
	_exit(0);
}

static int open_log(const struct tree *t, off_t *start)
{
	char *path = tree_path(t, LOG_FILE);
	int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

	if (fd < 0)
		die(1, "%s: %s", path, strerror(errno));
	*start = lseek(fd, 0, SEEK_END);
	return fd;
}

/* Stops what was started, and says why and what it said. */
static int give_up(pid_t pid, int log, off_t start, const char *why, const char *services)
{
	kill(pid, SIGTERM);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	log_error("stopped again: %s", why);
	fprintf(stderr, "%slast lines of " LOG_FILE ":\n", services);
	print_log_end(log, start);
	return 1;
}

static int daemonize(const struct tree *t, int ready[2])
{
	off_t start;
	int log = open_log(t, &start);
	struct faults f = { .t = t };
	pid_t pid = fork();

	if (pid < 0)
		die(1, "fork: %s", strerror(errno));
	if (pid == 0) {
		if (setsid() < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0)
			die(1, "daemon: %s", strerror(errno));
		become_supervise(t, ready[1]);
	}
	close(ready[1]);
	buf_init(&f.text, 64 << 10);
	switch (wait_ready(ready[0], &f)) {
	case UP_READY:
		print_address(t);
		return 0;
	case UP_UNNAMED:
		print_unnamed(t, &f);
		return 0;
	case UP_ENDED:
		return give_up(pid, log, start, "supervise ended before the tree was ready", "");
	case UP_LOOPING:
		return give_up(pid, log, start, "not everything stays up", buf_cstr(&f.text));
	case UP_LATE:
		break;
	}
	return give_up(pid, log, start, "not everything was ready in time (--wait)", buf_cstr(&f.text));
}

static void say_leftover(void *arg, const char *name, int64_t pid, int pidfd)
{
	(void)arg;
	(void)pidfd;
	log_info("%s: process %lld still runs, although its supervise was killed: it is taken over", name, (long long)pid);
}

int cmd_up(struct tree *t, int argc, char **argv)
{
	int at = args_parse(&args, argc, argv), ready[2];
	int64_t pid;

	if (at != argc)
		args_usage(&args, "no operand is wanted: %s", argv[at]);
	tree_open(t);
	pid = tree_supervise(t);
	if (pid < 0)
		return 1;
	if (pid > 0)
		die(1, "%s: is up already (process %lld)", t->dir, (long long)pid);
	if (leftover_each(t, say_leftover, NULL) < 0)
		return 1;
	if (tree_folders(t) < 0 || swapped_settle(t) < 0)
		return 1;
	/* The writing end is inherited by supervise on purpose; it makes it close-on-exec for the services. */
	if (pipe(ready) < 0 || fcntl(ready[0], F_SETFD, FD_CLOEXEC) < 0)
		die(1, "pipe: %s", strerror(errno));
	return background ? daemonize(t, ready) : foreground(t, ready);
}
