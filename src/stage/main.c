/* stage: any program is a stage. Manual: stage(1). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/args.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/num.h"
#include "line/line.h"
#include "stage/check.h"
#include "stage/stage.h"

#define TAKE_RUN 2048u	/* mode eof, from a pipe */

static struct settings set = {
	.in = "-", .out = "-", .deadline = 30 * CLOCK_S, .copies = 1, .max_line = LINE_MAX_BYTES,
};
static uint64_t copies = 1, take;	/* take 0: not given */
static const char *ok = "0";
static const char *mode;	/* NULL: not given */
static bool check;

static const struct arg rows[] = {
	{'i', "in", ARG_STR, &set.in, 0, 0, "URL", "where events come from", NULL, 0},
	{'o', "out", ARG_STR, &set.out, 0, 0, "URL", "where the events go that the program makes", NULL, 0},
	{'a', "ack", ARG_STR, &mode, 0, 0, "eof|line|sync", "how the program says that it is done; eof by default", NULL, 0},
	{'n', "copies", ARG_U64, &copies, 1, 256, "N", "copies of the program that run at a time", NULL, 0},
	{'s', "stage", ARG_STR, &set.name, 0, 0, "NAME", "name in the ids of new events; the program's name by default", NULL, 0},
	{0, "take", ARG_U64, &take, 1, LINK_BATCH_LINES, "N", "most lines taken at a time; 256 by default", NULL, 0},
	{0, "as", ARG_STR, &set.link.as, 0, 0, "NAME", "name of this worker", NULL, 0},
	{0, "set", ARG_STR, &set.link.set, 0, 0, "NAME", "worker set it belongs to (route(8), SPLIT)", NULL, 0},
	{0, "deadline", ARG_TIME, &set.deadline, 0, 24 * 3600 * CLOCK_S, "T", "a batch that takes longer ends the program; 0: none", NULL, 0},
	{0, "expect-every", ARG_TIME, &set.expect, 0, 24 * 3600 * CLOCK_S, "T", "so does such a silence while lines wait; 0: none", NULL, 0},
	{0, "ok", ARG_STR, &ok, 0, 0, "CODES", "exit codes that mean done, as in 0,1", NULL, 0},
	{0, "stdout", ARG_ENUM, &set.terminal, 0, 0, NULL, "what the program's standard output is", "auto|pipe|pty", 0},
	{0, "pass", ARG_ENUM, &set.pass, 0, 0, NULL, "are lines put that the program passes on?", "auto|no|yes", 0},
	{0, "memory", ARG_SIZE, &set.spawn.memory, 1 << 20, 0, "SIZE", "most memory (address space) of the program", NULL, 0},
	{0, "cpu", ARG_TIME, &set.spawn.cpu, CLOCK_S, 0, "T", "most processor time of one run", NULL, 0},
	{0, "files", ARG_U64, &set.spawn.files, 3, 1 << 20, "N", "most open files", NULL, 0},
	{0, "user", ARG_STR, &set.spawn.user, 0, 0, "USER", "who the program runs as", NULL, 0},
	{0, "check", ARG_FLAG, &check, 0, 0, NULL, "try the program with sample events and tell what it can be used for", NULL, ARG_NOFILE},
	{0, "tls-ca", ARG_STR, &set.link.tls_ca, 0, 0, "FILE", "certificates to trust, for tls+tcp", NULL, 0},
	{0, "tls-cert", ARG_STR, &set.link.tls_cert, 0, 0, "FILE", "own certificate, for tls+tcp", NULL, 0},
	{0, "tls-key", ARG_STR, &set.link.tls_key, 0, 0, "FILE", "its private key", NULL, 0},
};

static const struct args args = {
	.prog = "stage",
	.synopsis = "[-i URL] [-o URL] [-a MODE] [-n N] [-s NAME] [OPTION ...] -- PROGRAM [ARGUMENT ...]\n"
		"--check [-a MODE] [OPTION ...] -- PROGRAM [ARGUMENT ...]",
	.about = "Makes any program that reads lines and writes lines a stage: batches in, acknowledged when what the program made of them is.",
	.rows = rows,
	.n = sizeof rows / sizeof *rows,
	.flags = ARGS_DAEMON | ARGS_USER,
};

/* "0,1" */
static void read_codes(const char *text)
{
	char *copy = strdup(text), *save = NULL;
	uint64_t code;
	const char *why;

	if (!copy)
		die(1, "no memory");
	for (char *word = strtok_r(copy, ", ", &save); word; word = strtok_r(NULL, ", ", &save)) {
		if (num_u64(word, 0, 255, &code, &why))
			args_usage(&args, "--ok %s: %s: %s; give exit codes, as in 0,1", text, word, why);
		if (code == 100 || code == 111)
			args_usage(&args, "--ok %s: %s has a meaning of its own (100: never, 111: later)", text, word);
		set.ok[code] = true;
	}
	free(copy);
}

static const struct mode *read_mode(const char *name)
{
	const struct mode *m = mode_find(name);
	char all[128] = "";

	for (const struct mode *const *at = modes; !m && *at; at++)
		snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", *all ? ", " : "", (*at)->name);
	if (!m)
		args_usage(&args, "-a %s: no such mode; there are %s", name, all);
	return m;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

/* It becomes a part of ids. */
static bool name_ok(const char *p)
{
	size_t n = strlen(p);

	for (const char *c = p; *c; c++)
		if ((unsigned char)*c <= ' ' || *c == '"' || *c == '\\' || (unsigned char)*c >= 0x7f)
			return false;
	return n > 0 && n <= 64;
}

/* What messages call it: behind env(1), with which penstock swap starts programs, the program itself. */
static const char *program_name(char *const argv[])
{
	int i = 1;

	if (strcmp(base_name(argv[0]), "env") != 0)
		return base_name(argv[0]);
	while (argv[i] && (argv[i][0] == '-' || strchr(argv[i], '=')))
		i += (strcmp(argv[i], "-C") == 0 || strcmp(argv[i], "-u") == 0) && argv[i + 1] ? 2 : 1;
	return base_name(argv[argv[i] ? i : 0]);
}

int main(int argc, char **argv)
{
	int at = args_parse(&args, argc, argv);

	if (at >= argc)
		args_usage(&args, "which program? It stands behind --, with its arguments");
	set.spawn.argv = argv + at;
	set.program = program_name(argv + at);
	if (!set.name)
		set.name = base_name(argv[at]);
	if (!name_ok(set.name))
		args_usage(&args, "-s %s: a name is of 1 to 64 letters, digits and signs, without blanks, quotes and backslashes", set.name);
	read_codes(ok);
	if (set.spawn.user && spawn_user(&set.spawn))
		return 1;
	set.copies = (unsigned)copies;
	set.mode = mode ? read_mode(mode) : NULL;
	/* Asks interpreters that listen to it not to hold back their output. */
	if ((check || (set.mode && set.mode->lives)) && setenv("PYTHONUNBUFFERED", "1", 0))
		die(1, "no memory");
	if (check)
		return check_program(&set);
	if (!set.mode)
		set.mode = &mode_eof;
	/* Each batch costs the start of a program; and nobody waits for one to be full. */
	if (!take)
		take = !set.mode->lives && link_is_pipe(set.in) ? TAKE_RUN : LINK_TAKE_DEFAULT;
	set.link.take = (unsigned)take;
	return run_stage(&set);
}
