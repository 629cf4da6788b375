/*
 * penstock dead list|show|edit|retry|drop: the dead letters of the tree. route does what is to be done with the files (route dead); here is what a
 * person wants besides: an editor, and a repaired program tried on the letters before they are sent again.
 */
#include "penstock/penstock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/args.h"
#include "base/buf.h"
#include "base/fd.h"
#include "base/log.h"
#include "penstock/words.h"

#define EVENT_MAX (16u << 20)

static const char *where, *through;
static bool json, event, all, yes, new_id, dry_run;

static const struct arg rows[] = {
	{ 'w', "where", ARG_STR, &where, 0, 0, "EXPR", "only letters whose event matches (language of penstock-rules)", NULL, 0 },
	{ 'j', "json", ARG_FLAG, &json, 0, 0, NULL, "list, show: an object a line", NULL, 0 },
	{ 'e', "event", ARG_FLAG, &event, 0, 0, NULL, "show: only the event, as one line", NULL, 0 },
	{ 'a', "all", ARG_FLAG, &all, 0, 0, NULL, "show, retry, drop: all of them, or all of the destinations named", NULL, 0 },
	{ 0, "through", ARG_STR, &through, 0, 0, "PROGRAM", "retry: give the letters to this shell command", NULL, 0 },
	{ 0, "dry-run", ARG_FLAG, &dry_run, 0, 0, NULL, "with --through: print what it says and send nothing", NULL, 0 },
	{ 'y', "yes", ARG_FLAG, &yes, 0, 0, NULL, "drop: do not ask", NULL, 0 },
	{ 0, "new-id", ARG_FLAG, &new_id, 0, 0, NULL, "edit: id and source may be others", NULL, 0 },
};

static const struct args args = {
	.prog = "penstock dead",
	.synopsis = "list [-w EXPR] [--json] [DEST|LETTER]...\n"
		"show [--json|--event] [-w EXPR] [--all] [DEST|LETTER]...\n"
		"edit [--new-id] LETTER\n"
		"retry [-w EXPR] [--all] [--through PROGRAM --dry-run] [DEST|LETTER]...\n"
		"drop [-y] [-w EXPR] [--all] [DEST|LETTER]...",
	.about = "Looks at dead letters, sends them to their destination again, drops them. LETTER is NUMBER or DEST:NUMBER.",
	.rows = rows, .n = sizeof rows / sizeof *rows, .flags = ARGS_ANYWHERE,
};

/* ---- what route is called with ---- */

#define LETTERS_MOST 4064	/* on a command line */

/* One that we run ourselves: what it says is its own. */
static void route_words(struct words *w, const struct tree *t, const char *verb)
{
	words_route(w, t, "dead", verb);
	w->v[0] = program_path("route");
}

static void chosen(struct words *w, char **operands, int n)
{
	if (n > LETTERS_MOST)
		args_usage(&args, "more than %d letters on a command line: use -w", LETTERS_MOST);
	words_option(w, "-w", where);
	if (all)
		words_add(w, "--all");
	words_add(w, "--");
	for (int i = 0; i < n; i++)
		words_add(w, operands[i]);
}

/* Starts a program with these descriptors (-1: ours). -1 with a message. */
static pid_t start(char *const argv[], int in, int out)
{
	posix_spawn_file_actions_t fa;
	pid_t pid = -1;
	int e = posix_spawn_file_actions_init(&fa);

	if (!e) {
		if (in >= 0)
			e = posix_spawn_file_actions_adddup2(&fa, in, 0);
		if (!e && out >= 0)
			e = posix_spawn_file_actions_adddup2(&fa, out, 1);
		if (!e)
			e = posix_spawnp(&pid, argv[0], &fa, NULL, argv, environ);
		posix_spawn_file_actions_destroy(&fa);
	}
	if (e) {
		log_error("%s: %s", argv[0], strerror(e));
		return -1;
	}
	return pid;
}

/* Its exit code, or 128 + signal; 1 when it was not started. */
static int ended(pid_t pid)
{
	int status;

	if (pid < 0)
		return 1;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return 1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* ---- retry --through ---- */

static int try_program(const struct tree *t, char **operands, int n)
{
	char *const shell[] = { (char *)"/bin/sh", (char *)"-c", (char *)(uintptr_t)through, NULL };
	struct words w = { .n = 0 };
	pid_t letters, program;
	int p[2], said, code;

	if (pipe2(p, O_CLOEXEC) < 0) {
		log_error("pipe: %s", strerror(errno));
		return 1;
	}
	route_words(&w, t, "show");
	words_add(&w, "--event");
	chosen(&w, operands, n);
	letters = start(w.v, -1, p[1]);
	words_release(&w);
	program = start(shell, p[0], -1);
	close(p[0]);
	close(p[1]);
	code = ended(program);
	said = ended(letters);
	fprintf(stderr, "penstock dead: %s: exit code %d; nothing was sent\n", through, code);
	/* A program that reads no more than it wants is no fault of the letters. */
	return code || (said && said != 128 + SIGPIPE) ? 1 : 0;
}

/* ---- edit ---- */

/* The letter's event into a file of its own, indented: its path. NULL with a message. */
static char *write_event(const struct tree *t, char *id, struct buf *text)
{
	const char *dir = getenv("TMPDIR");
	char *path = text_of("%s/penstock-dead-XXXXXX.json", dir && *dir ? dir : "/tmp");
	struct words w = { .n = 0 };
	int fd, code;

	route_words(&w, t, "show");
	words_add(&w, "--event");
	words_add(&w, "--indent");
	words_add(&w, "--");
	words_add(&w, id);
	code = program_read(w.v, text);
	words_release(&w);
	if (code != 0)
		return NULL;
	fd = mkostemps(path, 5, O_CLOEXEC);
	if (fd < 0 || fd_write_all(fd, text->p, text->len) < 0 || close(fd) < 0) {
		log_error("%s: %s", path, strerror(errno));
		return NULL;
	}
	return path;
}

static int run_editor(char *path)
{
	static char command[] = "${VISUAL:-${EDITOR:-vi}} \"$1\"";
	char *const argv[] = { (char *)"/bin/sh", (char *)"-c", command, (char *)"sh", path, NULL };
	int code = ended(start(argv, -1, -1));

	if (code)
		log_error("the editor ended with code %d: the letter stays as it was", code);
	return code;
}

static int replace(const struct tree *t, char *id, const char *path)
{
	struct words w = { .n = 0 };
	int fd = open(path, O_RDONLY | O_CLOEXEC), code;

	if (fd < 0) {
		log_error("%s: %s", path, strerror(errno));
		return 1;
	}
	route_words(&w, t, "replace");
	if (new_id)
		words_add(&w, "--new-id");
	words_add(&w, "--");
	words_add(&w, id);
	code = ended(start(w.v, fd, -1));
	words_release(&w);
	close(fd);
	return code;
}

static int edit(const struct tree *t, char *id)
{
	struct buf before, after;
	char *path;
	int code = 1;

	buf_init(&before, EVENT_MAX);
	buf_init(&after, EVENT_MAX);
	path = write_event(t, id, &before);
	if (!path || run_editor(path))
		goto done;
	if (fd_read_file(path, &after) == 0 && before.len == after.len && memcmp(before.p, after.p, after.len) == 0) {
		printf("unchanged\n");
		code = 0;
		goto done;
	}
	code = replace(t, id, path);
	if (code)
		log_error("the letter stays as it was; your text is in %s", path);
	else
		printf("edited; penstock dead retry %s sends it\n", id);
done:
	if (path && !(code && after.len))
		unlink(path);
	buf_release(&before);
	buf_release(&after);
	return code ? 1 : 0;
}

/* Is there a letter among the operands, NUMBER or DEST:NUMBER, and not only destinations? */
static bool names_letter(char **operands, int n)
{
	for (int i = 0; i < n; i++) {
		const char *colon = strrchr(operands[i], ':'), *number = colon ? colon + 1 : operands[i];

		if (*number && number[strspn(number, "0123456789")] == '\0')
			return true;
	}
	return false;
}

/* ---- the rest is route's ---- */

static int call_route(const struct tree *t, const char *verb, char **operands, int n)
{
	struct words w = { .n = 0 };

	words_route(&w, t, "dead", verb);
	if (json)
		words_add(&w, "--json");
	if (event)
		words_add(&w, "--event");
	if (yes)
		words_add(&w, "--yes");
	chosen(&w, operands, n);
	words_exec(&w, program_path("route"));
}

int cmd_dead(struct tree *t, int argc, char **argv)
{
	int at = args_parse(&args, argc, argv);
	const char *verb = at < argc ? argv[at++] : "";
	bool retry = strcmp(verb, "retry") == 0, picks = retry || !strcmp(verb, "show") || !strcmp(verb, "drop");

	if (!picks && strcmp(verb, "list") != 0 && strcmp(verb, "edit") != 0)
		args_usage(&args, "%s%slist, show, edit, retry or drop?", verb, verb[0] ? ": " : "");
	if (strcmp(verb, "edit") == 0 && argc - at != 1)
		args_usage(&args, "edit takes one letter: NUMBER or DEST:NUMBER");
	if ((through || dry_run) && (!retry || !through || !dry_run))
		args_usage(&args, "--through and --dry-run belong together, with retry; to send letters through another program, penstock swap it in first");
	if (picks && !where && !all && (at == argc || (through && !names_letter(argv + at, argc - at))))
		args_usage(&args, "%s: which letters? Their numbers, -w EXPR, or --all", verb);
	tree_open(t);
	if (strcmp(verb, "edit") == 0)
		return edit(t, argv[at]);
	if (through)
		return try_program(t, argv + at, argc - at);
	return call_route(t, verb, argv + at, argc - at);
}
