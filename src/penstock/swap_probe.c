/* The program alone: can it be used, in which mode, and does it handle a line? Nothing of this enters the stream. */
#include "penstock/swap.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "line/envelope.h"
#include "line/line.h"
#include "line/types.h"

#define SAID_MAX (16u << 20)	/* a program that says more to a few lines is not what it should be */
#define LOOK_MS 50

/* What stages are made for, and something that no stage knows. */
static const char probe_lines[] =
	"{\"specversion\":\"1.0\",\"id\":\"penstock-probe-1\",\"source\":\"/penstock/probe\",\"type\":\"chat.message\",\"partitionkey\":\"probe\","
	"\"data\":{\"channel\":{\"id\":\"probe\",\"name\":\"probe\"},\"user\":{\"id\":\"probe\",\"name\":\"probe\"},\"text\":\"is this thing on?\"}}\n"
	"{\"specversion\":\"1.0\",\"id\":\"penstock-probe-2\",\"source\":\"/penstock/probe\",\"type\":\"penstock.probe\",\"partitionkey\":\"probe\","
	"\"data\":{}}\n";

struct run { int in, out, err, code; };	/* files in memory: no pipe can fill, whatever the program does */

static int run_open(struct run *r, const char *lines, size_t n)
{
	r->in = memfd_create("probe-in", MFD_CLOEXEC);
	r->out = memfd_create("probe-out", MFD_CLOEXEC);
	r->err = memfd_create("probe-err", MFD_CLOEXEC);
	if (r->in < 0 || r->out < 0 || r->err < 0 || fd_write_all(r->in, lines, n) < 0 || lseek(r->in, 0, SEEK_SET) < 0) {
		log_error("files in memory: %s", strerror(errno));
		return -1;
	}
	return 0;
}

static void run_close(struct run *r)
{
	for (int *fd = &r->in; fd <= &r->err; fd++)
		if (*fd >= 0)
			close(*fd);
}

static bool says_too_much(const struct run *r)
{
	struct stat out, err;

	return fstat(r->out, &out) < 0 || fstat(r->err, &err) < 0 || out.st_size > SAID_MAX || err.st_size > SAID_MAX;
}

static pid_t start(const struct run *r, const char *folder, char *const argv[])
{
	const char *old = getenv("PATH");
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t at;
	sigset_t all;
	pid_t pid = -1;
	int e;

	/* The path that supervise gives to services, and a descriptor 3, where a run of a service says that it is ready. */
	if (setenv("PATH", text_of("%s:%s", program_folder(), old && *old ? old : "/usr/bin:/bin"), 1) < 0)
		die(1, "no memory");
	sigfillset(&all);
	posix_spawn_file_actions_init(&fa);
	posix_spawnattr_init(&at);
	posix_spawnattr_setflags(&at, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setsigdefault(&at, &all);
	e = posix_spawn_file_actions_addchdir_np(&fa, folder) || posix_spawn_file_actions_adddup2(&fa, r->in, 0) || posix_spawn_file_actions_adddup2(&fa, r->out, 1) ||
		posix_spawn_file_actions_adddup2(&fa, r->err, 2) || posix_spawn_file_actions_adddup2(&fa, r->err, 3) ? ENOMEM : posix_spawnp(&pid, argv[0], &fa, &at, argv, environ);
	posix_spawn_file_actions_destroy(&fa);
	posix_spawnattr_destroy(&at);
	if (old)
		setenv("PATH", old, 1);
	if (e) {
		log_error("%s: %s", argv[0], strerror(e));
		return -1;
	}
	return pid;
}

/* Runs argv in folder to its end: its code (128 + signal), or -1 with a message: not started, too slow, too loud. */
static int run_wait(struct run *r, const char *folder, char *const argv[], int64_t patience)
{
	int64_t end = clock_mono() + patience;
	pid_t pid = start(r, folder, argv);
	const char *why = NULL;
	int status;

	if (pid < 0)
		return -1;
	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (clock_mono() > end)
			why = "did not end within the time given by --wait";
		else if (says_too_much(r))
			why = "says more than 16 MiB";
		if (why) {
			kill(-pid, SIGKILL);
			waitpid(pid, &status, 0);
			log_error("the probe: it %s", why);
			return -1;
		}
		poll(NULL, 0, LOOK_MS);
	}
	kill(-pid, SIGKILL);	/* what it left behind */
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* All of a file in memory, from its start. */
static int slurp(int fd, struct buf *b)
{
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) < 0 || buf_reserve(b, (size_t)st.st_size + 1) < 0)
		return -1;
	while ((n = pread(fd, b->p + b->len, b->cap - b->len, (off_t)b->len)) > 0)
		b->len += (size_t)n;
	return n < 0 ? -1 : 0;
}

static void show(int fd)
{
	struct buf b;

	buf_init(&b, 2 * SAID_MAX);
	if (slurp(fd, &b) == 0 && b.len) {
		size_t from = b.len > 4096 ? b.len - 4096 : 0;

		fwrite(b.p + from, 1, b.len - from, stderr);
	}
	buf_release(&b);
}

/* Each line of what it made is one that route would let in. */
static int check_output(int fd)
{
	const char *p, *end, *lf;
	struct line_err err;
	struct envelope e;
	struct buf b;
	int rc = 0;

	buf_init(&b, 2 * SAID_MAX);
	if (slurp(fd, &b) < 0) {
		log_error("the probe: %s", strerror(errno));
		rc = -1;
	}
	for (p = b.p, end = b.p + b.len; rc == 0 && p < end; p = lf + 1) {
		lf = memchr(p, '\n', (size_t)(end - p));
		if (!lf) {
			log_error("the probe: its last line has no line feed");
			rc = -1;
			break;
		}
		if (envelope_check(p, (size_t)(lf - p), LINE_MAX_BYTES, &e, &err) < 0 || types_check(p, &e, &err) < 0) {
			log_error("the probe: it says something that is no event: byte %zu: %s: %.*s", (size_t)err.at, err.why,
				(int)(lf - p > 1000 ? 1000 : lf - p), p);
			rc = -1;
		}
	}
	buf_release(&b);
	return rc;
}

static int read_lines(const char *file, struct buf *b)
{
	if (!file)
		return buf_adds(b, probe_lines);
	if (fd_read_file(file, b) == 0 && b->len > 0)
		return 0;
	log_error("%s: %s", file, b->len ? strerror(errno) : "no lines in it");
	return -1;
}

/* Runs argv in folder on the lines of file, and judges what it says. */
static int try_alone(const char *folder, char *const argv[], const char *who, const char *file, int64_t patience)
{
	struct run r = { -1, -1, -1, -1 };
	struct buf lines;
	int rc = -1;

	buf_init(&lines, SAID_MAX);
	if (read_lines(file, &lines) < 0 || run_open(&r, lines.p, lines.len) < 0)
		goto out;
	r.code = run_wait(&r, folder, argv, patience);
	if (r.code == 0)
		rc = check_output(r.out);
	else if (r.code > 0)
		log_error("the probe: %s ended with code %d", who, r.code);
	if (rc < 0)
		show(r.err);
out:
	buf_release(&lines);
	run_close(&r);
	return rc;
}

int swap_probe(const struct tree *t, const struct swap *s, const char *file, int64_t patience)
{
	char *argv[3 * SWAP_WORDS_MAX];

	swap_command(t, s, true, argv, sizeof argv / sizeof *argv);
	return try_alone(t->dir, argv, s->program.words[0], file, patience);
}

/* ---- a service of the tree ---- */

/* Appends text with "-" in the place of every `url` that is a word of its own, or ends one. How many. */
static unsigned add_piped(struct buf *b, const char *text, const char *url)
{
	const char *p;
	unsigned n = 0;

	while ((p = strstr(text, url)) != NULL) {
		const char *end = p + strlen(url);
		bool whole = !*end || strchr(" \t\n\"';", *end);

		buf_add(b, text, (size_t)(p - text));
		buf_adds(b, whole ? "-" : url);
		n += whole;
		text = end;
	}
	buf_adds(b, text);
	return n;
}

/* Its run with pipes for links, into the file made. -1 with a message; 1: its run does not name the links. */
static int write_piped(const struct tree *t, const struct swap *s, const char *service, const char *made)
{
	char *path = text_of("%s/service/%s/run", t->dir, service);
	struct buf run, half, whole;
	int rc = -1, fd = -1;

	buf_init(&run, SAID_MAX);
	buf_init(&half, 2 * SAID_MAX);
	buf_init(&whole, 4 * SAID_MAX);
	if (fd_read_file(path, &run) < 0 || !buf_cstr(&run)) {
		log_error("%s: %s", path, strerror(errno));
		goto out;
	}
	rc = 1;
	if (memchr(run.p, 0, run.len) || !add_piped(&half, run.p, text_of("ipc://run/to-%s", s->dest)) || !buf_cstr(&half) ||
	    !add_piped(&whole, half.p, "ipc://run/in"))
		goto out;
	unlink(made);
	fd = open(made, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);
	rc = fd < 0 || fd_write_all(fd, whole.p, whole.len) < 0 ? -1 : 0;
	if (fd >= 0 && close(fd) < 0)
		rc = -1;
	if (rc < 0)
		log_error("%s: %s", made, strerror(errno));
out:
	buf_release(&run);
	buf_release(&half);
	buf_release(&whole);
	return rc;
}

int swap_probe_service(const struct tree *t, const struct swap *s, const char *service, const char *file, int64_t patience)
{
	char *made = tree_path(t, "run/.probe"), *argv[] = { made, NULL };
	int rc = write_piped(t, s, service, made);

	if (rc > 0) {
		log_warn("%s is not tried alone: its run does not name ipc://run/to-%s and ipc://run/in", service, s->dest);
		return 0;
	}
	if (rc == 0)
		rc = try_alone(text_of("%s/service/%s", t->dir, service), argv, service, file, patience);
	unlink(made);
	return rc;
}

/* ---- which mode ---- */

/* "use             -a sync", perhaps with more behind it: the line of stage --check that counts. */
static char *mode_in(int fd)
{
	const char *text, *p, *end;
	char *mode = NULL;
	struct buf b;

	buf_init(&b, 2 * SAID_MAX);
	text = slurp(fd, &b) == 0 ? buf_cstr(&b) : NULL;
	for (p = text; p && *p && !mode; p = *end ? end + 1 : end) {
		end = p + strcspn(p, "\n");
		if (strncmp(p, "use ", 4) != 0 || !(p = strstr(p, "-a ")) || p >= end)
			continue;
		p += strlen("-a ");
		mode = text_of("%.*s", (int)strspn(p, "abcdefghijklmnopqrstuvwxyz"), p);
	}
	buf_release(&b);
	return mode;
}

int swap_check(const struct tree *t, struct swap_program *p, int64_t patience)
{
	char *argv[3 * SWAP_WORDS_MAX] = { program_path("stage"), (char *)"--check" };
	struct run r = { -1, -1, -1, -1 };
	unsigned n = 2;
	int rc = -1;

	if (strcmp(p->mode, "auto") != 0)
		return 0;
	for (size_t i = 0; p->options[i]; i++)
		argv[n++] = p->options[i];
	argv[n++] = (char *)"--";
	argv[n++] = (char *)"env";
	argv[n++] = (char *)"-C";
	argv[n++] = p->folder;
	for (size_t i = 0; p->words[i]; i++)
		argv[n++] = p->words[i];
	if (run_open(&r, "", 0) < 0)
		goto out;
	r.code = run_wait(&r, t->dir, argv, patience);
	p->mode = r.code == 0 ? mode_in(r.out) : NULL;
	if (p->mode) {
		log_info("%s: stage --check says mode %s", p->words[0], p->mode);
		rc = 0;
	} else if (r.code >= 0) {
		log_error("%s: cannot be used as a stage, says stage --check (--mode tries it all the same):", p->words[0]);
		show(r.out);
		show(r.err);
	}
out:
	run_close(&r);
	return rc;
}
