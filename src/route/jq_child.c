#include "route/jq_child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "route/jq.h"

#define LOOK (20 * CLOCK_MS)	/* between two looks at the processor time of a child that does not answer */
#define RUNS (20 * CLOCK_MS)	/* of processor time: it is not stopped */

/* The program between ours: exactly one answer for each line, whatever it says; what could make it depend on more than the line is an
 * error (pred/jq.c refuses it with its place). The line feed ends a comment. */
static const char BEFORE[] = "def input: error; def inputs: error; def now: error; def halt: error; def halt_error: error; "
	"def halt_error(f): error; def input_line_number: error; def env: error; def debug: .; def stderr: .; "
	"try ([first(";
static const char BEHIND[] = "\n)] | if .[0] then 1 else 0 end) catch 0";

static void close_pipes(struct jq_child *q)
{
	close(q->in);
	close(q->out);
	close(q->err);
}

static unsigned lines_of(const char *text)
{
	unsigned n = 1;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

/* What it said on stderr: its first line, without jq's own beginning, and with the line of the program that it names. */
static void hear(struct jq_child *q)
{
	static const char at[] = " at <top-level>, line ";
	char text[sizeof(q->said)];
	ssize_t n = read(q->err, text, sizeof(text) - 1);
	const char *p = text;

	if (n <= 0)
		return;
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	for (size_t i = 0; i < 2; i++)
		if (strncmp(p, i ? "error: " : "jq: ", i ? 7 : 4) == 0)
			p += i ? 7 : 4;
	char *place = strstr(text, at), *aside = strstr(text, " (Unix shell quoting issues?)");
	unsigned line = place ? (unsigned)strtoul(place + sizeof(at) - 1, NULL, 10) : 0, lines = lines_of(q->program);
	if (place)
		*place = '\0';
	if (aside)
		*aside = '\0';
	/* The end of ours stands there. */
	if (line > lines)
		snprintf(q->said, sizeof(q->said), "syntax error: the program is not complete");
	else if (lines > 1 && line)
		snprintf(q->said, sizeof(q->said), "in its line %u: %.160s", line, p);
	else
		snprintf(q->said, sizeof(q->said), "%s", p);
}

/* Learns why it ended, if it did so by itself. */
void jq_child_end(struct jq_child *q)
{
	int status = 0;

	if (!q->pid)
		return;
	kill(q->pid, SIGKILL);
	while (waitpid(q->pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status))
		snprintf(q->said, sizeof(q->said), "it ended with code %d", WEXITSTATUS(status));
	else
		snprintf(q->said, sizeof(q->said), "it was ended by signal %d", WTERMSIG(status));
	hear(q);
	close_pipes(q);
	q->pid = 0;
}

static int spawn(struct jq_child *q, int in, int out, int err)
{
	static char lang[] = "LC_ALL=C", zone[] = "TZ=UTC0";
	char *text, *const env[] = { lang, zone, NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none, all;
	int r;

	if (asprintf(&text, "%s%s%s", BEFORE, q->program, BEHIND) < 0)
		return ENOMEM;
	char *const argv[] = { (char *)"jq", (char *)"--unbuffered", text, NULL };
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, in, 0);
	posix_spawn_file_actions_adddup2(&files, out, 1);
	posix_spawn_file_actions_adddup2(&files, err, 2);
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	/* A group of its own: what the terminal sends to the hub is the hub's to carry out. */
	posix_spawnattr_setpgroup(&attr, 0);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
	r = posix_spawnp(&q->pid, "jq", &files, &attr, argv, env);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	free(text);
	if (r)
		q->pid = 0;
	return r;
}

/* Pipes for 0, 1 and 2 of a child; ours do not block. */
static int pipes(int theirs[3], int ours[3])
{
	int p[2];

	for (int i = 0; i < 3; i++) {
		if (pipe2(p, O_CLOEXEC) < 0) {
			int err = errno;
			while (i-- > 0) {
				close(theirs[i]);
				close(ours[i]);
			}
			return err;
		}
		theirs[i] = p[i != 0];
		ours[i] = p[i == 0];
		fd_nonblock(ours[i]);
	}
	return 0;
}

static int start(struct jq_child *q)
{
	static const struct rlimit memory = { JQ_MEMORY, JQ_MEMORY }, no_core = { 0, 0 };
	int theirs[3], ours[3], err;

	if (clock_mono() < q->not_before)
		return -1;
	err = pipes(theirs, ours);
	if (!err) {
		err = spawn(q, theirs[0], theirs[1], theirs[2]);
		for (int i = 0; i < 3; i++) {
			close(theirs[i]);
			if (err)
				close(ours[i]);
		}
	}
	if (err) {
		q->not_before = clock_mono() + JQ_START_AGAIN;
		snprintf(q->said, sizeof(q->said), err == ENOENT ? "it is not installed (apt-get install jq)" : "it cannot be started: %s",
			strerror(err));
		return -1;
	}
	q->in = ours[0];
	q->out = ours[1];
	q->err = ours[2];
	prlimit(q->pid, RLIMIT_AS, &memory, NULL);
	prlimit(q->pid, RLIMIT_CORE, &no_core, NULL);
	q->begun = clock_mono();
	q->raising = true;
	q->slow = false;
	/* Into an empty pipe; if it has ended already its answer tells. */
	return write(q->in, "null\n", 5) == 5 || errno == EPIPE ? 0 : -1;
}

/* ---- a question ---- */

static int64_t cpu_of(pid_t pid)
{
	struct timespec t;
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &t) < 0)
		return 0;
	return t.tv_sec * CLOCK_S + t.tv_nsec;
}

/* Writes what is left of the line and its LF: 0 when all is written, 1 when the pipe is full, -1: it has ended. */
static int feed(struct jq_child *q, const char **p, size_t *n, bool *lf)
{
	while (*n || *lf) {
		static char line_feed[] = "\n";
		struct iovec v[2] = { { (void *)(uintptr_t)*p, *n }, { line_feed, 1 } };
		ssize_t k = writev(q->in, v, 2);
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return errno == EAGAIN ? 1 : -1;
		*lf = (size_t)k <= *n;
		k = (size_t)k < *n ? k : (ssize_t)*n;
		*p += k;
		*n -= (size_t)k;
	}
	return 0;
}

/* Has it answered? JQ_NO, JQ_YES, JQ_ENDED; -1: not yet. */
static int answer(struct jq_child *q)
{
	char text[8];
	ssize_t n = read(q->out, text, sizeof(text));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return -1;
	/* Two bytes written together to a pipe come together. */
	if (n == 2 && text[1] == '\n' && (*text == '0' || *text == '1'))
		return *text == '1' ? JQ_YES : JQ_NO;
	return JQ_ENDED;
}

/* `cpu` is what the child may use; its start is not charged to the first line. One that runs, on a busy machine, is waited for four times as long. */
static enum jq_outcome ask(struct jq_child *q, const char *p, size_t n, bool lf, int64_t cpu, int64_t wait)
{
	int64_t begun = clock_mono(), used = -1;

	for (;;) {
		int left = feed(q, &p, &n, &lf), r;
		if (left < 0)
			return JQ_ENDED;
		struct pollfd fds[2] = { { .fd = q->out, .events = POLLIN }, { .fd = left ? q->in : -1, .events = POLLOUT } };
		int k = poll(fds, 2, (int)(LOOK / CLOCK_MS));
		if (k > 0 && fds[0].revents && (r = answer(q)) >= 0)
			return (enum jq_outcome)r;
		if (k > 0)
			continue;
		int64_t now = cpu_of(q->pid), waited = clock_mono() - begun;
		if (used < 0)
			used = now;
		if (now - used > cpu)
			return JQ_BUSY;
		if (waited > 4 * wait || (waited > wait && now - used < RUNS))
			return JQ_SILENT;
	}
}

int jq_child_up(struct jq_child *q, int64_t wait)
{
	enum jq_outcome r;

	if (q->pid && !q->raising)
		return 0;
	if (!q->pid && start(q) < 0)
		return -1;
	r = ask(q, "", 0, false, INT64_MAX, q->slow ? 0 : wait);
	q->raising = q->slow = r == JQ_SILENT;
	if (r == JQ_YES || r == JQ_NO)
		return 0;
	if (r == JQ_SILENT && clock_mono() - q->begun < JQ_START) {
		snprintf(q->said, sizeof(q->said), "it does not answer yet (asked about null)");
		return -1;
	}
	jq_child_end(q);
	if (r == JQ_SILENT)
		snprintf(q->said, sizeof(q->said), "it does not answer within %d s (asked about null)", (int)(JQ_START / CLOCK_S));
	q->not_before = clock_mono() + JQ_START_AGAIN;
	return -1;
}

enum jq_outcome jq_child_ask(struct jq_child *q, const char *p, size_t n, int64_t cpu, int64_t wait)
{
	return ask(q, p, n, true, cpu, wait);
}
