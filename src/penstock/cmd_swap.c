/*
 * penstock swap NAME -- program args...: another stage in the place of a service, while lines flow; --back, --canary, --shadow, --promote.
 * swap.h says how it is kept safe.
 */
#include "penstock/swap.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/args.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/num.h"
#include "link/ack.h"

static bool native, shadow, promote, back, diff, keep, json;
static const char *canary, *dest, *stage, *probe, *died;
static int mode;
static struct arg_list options;

static const struct arg rows[] = {
	{ 'b', "back", ARG_FLAG, &back, 0, 0, NULL, "take the canary, the shadow or the last swap back", NULL, 0 },
	{ 'c', "canary", ARG_STR, &canary, 0, 0, "PERCENT", "the new one gets this share of the conversations only", NULL, 0 },
	{ 0, "shadow", ARG_FLAG, &shadow, 0, 0, NULL, "the new one gets copies; what it says is kept and not sent", NULL, 0 },
	{ 'd', "diff", ARG_FLAG, &diff, 0, 0, NULL, "compare what the shadow says with what the old one says", NULL, 0 },
	{ 'p', "promote", ARG_FLAG, &promote, 0, 0, NULL, "the canary or shadow takes the old one's place", NULL, 0 },
	{ 'm', "mode", ARG_ENUM, &mode, 0, 0, "MODE", "how the program acknowledges (auto: stage --check decides)", "auto|eof|line|sync", 0 },
	{ 'n', "native", ARG_FLAG, &native, 0, 0, NULL, "the program is a stage itself: it is given -i -o --set -F -M", NULL, 0 },
	{ 'O', "option", ARG_LIST, &options, 0, 0, "WORD", "an option for stage, as --option=--deadline=5s; may be repeated", NULL, 0 },
	{ 0, "dest", ARG_STR, &dest, 0, 0, "NAME", "route's destination that it takes from (as the old one's run says)", NULL, 0 },
	{ 's', "stage", ARG_STR, &stage, 0, 0, "NAME", "the name in derived ids (NAME)", NULL, 0 },
	{ 0, "probe", ARG_STR, &probe, 0, 0, "FILE", "lines that it must handle before it sees the stream (two of ours)", NULL, 0 },
	{ 'w', "wait", ARG_TIME, &swap_times.wait, CLOCK_MS, 86400 * CLOCK_S, "TIME", "for the probe, and for readiness (20s)", NULL, 0 },
	{ 0, "watch", ARG_TIME, &swap_times.watch, CLOCK_MS, 86400 * CLOCK_S, "TIME", "the new one must do well so long (2s)", NULL, 0 },
	{ 0, "drain", ARG_TIME, &swap_times.drain, CLOCK_MS, 86400 * CLOCK_S, "TIME", "the one that goes is killed after this (30s)", NULL, 0 },
	{ 'j', "json", ARG_FLAG, &json, 0, 0, NULL, "the state as JSON", NULL, 0 },
	{ 0, "keep", ARG_FLAG, &keep, 0, 0, NULL, "for a shadow's log/run: keeps standard input", NULL, 0 },
	{ 0, "died", ARG_STR, &died, 0, 0, "SERVICE", "for a trial's finish: it failed once more", NULL, 0 },
};

static const struct args args = {
	.prog = "penstock swap",
	.synopsis = "[--canary PERCENT | --shadow] [--mode MODE | --native] NAME -- PROGRAM [ARGUMENT ...]\n"
		"--back | --promote | --diff NAME\n[--json] [NAME]",
	.about = "Puts another program in the place of a stage while lines flow, and takes it back; alone: what is swapped.",
	.rows = rows, .n = sizeof rows / sizeof *rows, .flags = ARGS_ANYWHERE,
};

/* ---- what was begun ---- */

static int settle_one(void *arg, const struct tree *t, struct swap *s)
{
	(void)arg;
	if (s->phase == SWAP_REST)
		return 0;
	log_warn("%s: a swap was killed on its way (%s): %s", s->name, swap_phase_word(s->phase),
		s->phase == SWAP_TURN || s->phase == SWAP_BACK ? "completed" : "taken back");
	return swap_settle(t, s);
}

int swapped_settle(const struct tree *t)
{
	if (access(tree_path(t, "service/.swap"), F_OK) < 0)
		return 0;
	return swap_lock(t, false) < 0 || swap_each(t, settle_one, NULL) < 0 ? -1 : 0;
}

/* ---- what the command line says ---- */

static int percent_of(const char *text, uint64_t *out)
{
	size_t n = strlen(text);
	const char *why;

	if (n && text[n - 1] == '%')
		text = text_of("%.*s", (int)n - 1, text);
	return num_u64(text, 1, 99, out, &why);
}

/* The word in run that begins with `from`, up to a blank; NULL. */
static char *word_of(const char *run, const char *from)
{
	const char *p = strstr(run, from);

	return p ? text_of("%.*s", (int)strcspn(p + strlen(from), " \t\n'\""), p + strlen(from)) : NULL;
}

/* Where it takes from, as its run says it: one that does not take from the hub and give to it is no stage. */
static char *dest_of(const struct tree *t, const char *service)
{
	char *path = text_of("%s/service/%s/run", t->dir, service), *word = NULL;
	struct buf b;

	buf_init(&b, 4u << 20);
	if (fd_read_file(path, &b) < 0 || !buf_cstr(&b))
		die(1, "%s: %s", path, strerror(errno));
	if (strstr(b.p, "ipc://run/in"))
		word = word_of(b.p, "ipc://run/to-");
	buf_release(&b);
	if (!word)
		die(1, "%s: its run does not take from run/to-NAME and give to run/in: it is no stage (--dest NAME says otherwise)", service);
	return word;
}

static char *about_of(const struct swap_program *p)
{
	char *text = text_of("%s", p->mode ? p->mode : "native");

	for (size_t i = 0; p->words[i] && strlen(text) < 160; i++)
		text = text_of("%s%s%s", text, i ? " " : ": ", p->words[i]);
	return text;
}

static void read_program(struct swap *s, int argc, char **argv)
{
	static const char *const modes[] = { "auto", "eof", "line", "sync" };
	struct swap_program *p = &s->program;
	char *path;

	if (argc > SWAP_WORDS_MAX || options.n > SWAP_WORDS_MAX)
		args_usage(&args, "too many words");
	memset(p, 0, sizeof *p);
	p->folder = realpath(".", NULL);
	if (!p->folder)
		die(1, "the current directory: %s", strerror(errno));
	for (int i = 0; i < argc; i++)
		p->words[i] = argv[i];
	for (size_t i = 0; i < options.n; i++)
		p->options[i] = (char *)options.v[i];
	if (strchr(p->words[0], '/') && (path = realpath(p->words[0], NULL)) != NULL)
		p->words[0] = path;	/* a native one is started elsewhere */
	p->mode = native ? NULL : text_of("%s", modes[mode]);
}

/* ---- doing it ---- */

static volatile sig_atomic_t interrupted;

static void on_signal(int sig)
{
	(void)sig;
	interrupted = 1;
}

bool swap_interrupted(void)
{
	return interrupted != 0;
}

static void hear_signals(void)
{
	struct sigaction sa = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
}

/* From here on it is completed, now or by the next swap: signals are not heard. */
static int decide(const struct tree *t, struct swap *s, enum swap_phase phase)
{
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	interrupted = 0;
	return swap_step(t, s, phase) < 0 || swap_settle(t, s) < 0 ? 1 : swap_show(t, s->name, json);
}

/* Loads the record and ends what was begun. */
static void begin(const struct tree *t, const char *name, struct swap *s)
{
	if (swap_lock(t, false) < 0 || swap_load(t, name, s) < 0 || settle_one(NULL, t, s) < 0)
		exit(1);
}

static int undo(const struct tree *t, struct swap *s)
{
	interrupted = 0;
	if (swap_settle(t, s) == 0)
		log_error("%s: nothing has changed", s->name);
	return 1;
}

/* The trial is made and ready, and gets its lines. */
static int bring_up(const struct tree *t, struct swap *s)
{
	int held;

	if (s->how == SWAP_SHADOW && (swap_shadow_clear(t, s->name) < 0 || swap_hub_end(t, &s->from) < 0 || swap_save(t, s) < 0))
		return -1;
	/* It gets nothing before it is ready: what a shadow says to a line that is no copy goes nowhere. */
	held = swap_split_hold(t, s);
	if (held == -1 || (held < 0 && s->how == SWAP_SHADOW) || swap_make(t, s) < 0 || swap_wait_ready(t, s->trial) < 0)
		return -1;
	if (s->how == SWAP_WHOLE)
		return swap_pour(t, s);
	return swap_split_set(t, s, s->how, s->percent) < 0 ? -1 : swap_watch(t, s);
}

static void choose_trial(const struct tree *t, struct swap *s)
{
	do
		s->trial = text_of("%s.%" PRIu64, s->name, s->next++);
	while (access(text_of("%s/service/%s", t->dir, s->trial), F_OK) == 0);
	if (strlen(s->trial) > ACK_NAME_MAX)
		die(1, "%s: its name is too long for a worker set", s->trial);
	s->trial_about = about_of(&s->program);
}

/* s->program and s->how are set. */
static int try_it(const struct tree *t, struct swap *s)
{
	struct swap_split split;

	if (swap_split_ask(t, s, &split) == -1)
		die(1, "%s: route must be up, and %s one of its destinations", s->name, s->dest);
	if (s->program.mode && swap_check(t, &s->program, swap_times.wait) < 0) {
		log_error("%s: nothing has changed", s->name);
		return 1;
	}
	choose_trial(t, s);
	if (swap_probe(t, s, probe, swap_times.wait) < 0) {
		log_error("%s: nothing has changed", s->name);
		return 1;
	}
	s->because = NULL;
	if (swap_step(t, s, SWAP_TRY) < 0 || bring_up(t, s) < 0)
		return undo(t, s);
	if (s->how == SWAP_WHOLE)
		return decide(t, s, SWAP_TURN);
	return swap_step(t, s, SWAP_REST) < 0 ? 1 : swap_show(t, s->name, json);
}

static int do_swap(const struct tree *t, struct swap *s, int argc, char **argv)
{
	struct service_seen seen;

	if (s->trial)
		die(1, "%s: a %s is at work: --promote or --back first", s->name, swap_how_word(s->how));
	if (s->n == SWAP_CHAIN_MAX)
		die(1, "%s: swapped %d times: --back first", s->name, SWAP_CHAIN_MAX);
	if (service_see(t, swap_top(s), &seen) < 0)
		return 1;
	if (!seen.found)
		die(1, "%s: no such service (penstock status names them)", s->name);
	if (dest || !s->dest)
		s->dest = dest ? text_of("%s", dest) : dest_of(t, swap_top(s));
	if (stage || !s->stage)
		s->stage = text_of("%s", stage ? stage : s->name);
	read_program(s, argc, argv);
	s->how = canary ? SWAP_CANARY : shadow ? SWAP_SHADOW : SWAP_WHOLE;
	return try_it(t, s);
}

static int do_promote(const struct tree *t, struct swap *s)
{
	struct swap_split split;

	if (!s->trial)
		die(1, "%s: no canary or shadow is at work", s->name);
	if (s->how == SWAP_SHADOW) {
		struct swap_program p = s->program;

		/* One that sends has another command line than one that is only listened to. */
		if (swap_step(t, s, SWAP_TRY) < 0 || swap_settle(t, s) < 0)
			return 1;
		s->program = p;
		return try_it(t, s);
	}
	if (swap_split_ask(t, s, &split) < 0)
		die(1, "%s: route must be up", s->name);
	if (!split.on)
		die(1, "%s: route took the canary's lines back: %s; --back removes it", s->name, split.because);
	if (swap_split_set(t, s, SWAP_CANARY, 100) < 0)
		return 1;
	if (swap_watch(t, s) < 0) {
		interrupted = 0;
		if (swap_split_set(t, s, SWAP_CANARY, s->percent) == 0)
			log_error("%s: is a canary as before", s->name);
		return 1;
	}
	return decide(t, s, SWAP_TURN);
}

static void say_leftover(void *arg, const char *name, int64_t pid, int pidfd)
{
	(void)arg;
	(void)pidfd;
	log_error("%s: process %lld still runs, although its supervise was killed", name, (long long)pid);
}

static int do_back(const struct tree *t, struct swap *s)
{
	if (tree_supervise(t) <= 0 && leftover_each(t, say_leftover, NULL) != 0)
		die(1, "%s: penstock down ends what still runs", s->name);
	if (s->trial)
		return decide(t, s, SWAP_TRY);
	if (s->n < 2)
		die(1, "%s: is not swapped: there is nothing to take back", s->name);
	if (swap_step(t, s, SWAP_REACH) < 0)
		return 1;
	if (swap_up(t, s->service[s->n - 2]) < 0)
		return undo(t, s);
	return decide(t, s, SWAP_BACK);
}

/* ---- a stage that keeps failing ---- */

/* finish of a trial or of a stage in force runs this. Its service is not over before finish ends, so the way back is another process'. */
static int do_died(const struct tree *t, const char *name)
{
	static struct swap s;
	int rc;

	if (strchr(died, '/') || died[0] == '.' || swap_deaths(t, died) < SWAP_DEATHS)
		return 0;
	if (fork() != 0)
		return 0;
	setsid();
	dup2(2, 1);	/* a shadow's logger ends when nobody holds the pipe to it */
	rc = swap_lock(t, true);
	if (rc < 0 || swap_load(t, name, &s) < 0)
		_exit(rc == -2 ? 0 : 1);	/* a swap is at work, and sees it itself */
	if (s.phase != SWAP_REST || !(s.trial ? strcmp(s.trial, died) == 0 : s.n > 1 && strcmp(swap_top(&s), died) == 0))
		_exit(0);
	log_error("%s: %s failed %d times in %d s: it is taken back", name, died, SWAP_DEATHS, SWAP_DEATHS_TIME);
	s.because = text_of("%s failed %d times in %d s", died, SWAP_DEATHS, SWAP_DEATHS_TIME);
	_exit(do_back(t, &s));
}

/* ---- the command line ---- */

static void check_choice(int operands, bool program)
{
	int actions = program + back + promote + diff + keep + (died != NULL);

	if (actions > 1)
		args_usage(&args, "one of: a program, --back, --promote, --diff");
	if (operands > 1)
		args_usage(&args, "one NAME; the program stands behind --");
	if (operands == 0 && actions > 0)
		args_usage(&args, "name a service");
	if ((canary || shadow) && !program)
		args_usage(&args, "--canary and --shadow want a program");
	if (canary && shadow)
		args_usage(&args, "--canary or --shadow");
	if (native && (mode || options.n))
		args_usage(&args, "--native: the program is run without stage: no --mode, no --option");
}

int cmd_swap(struct tree *t, int argc, char **argv)
{
	static struct swap s;
	int words = 1, at;
	const char *name;

	while (words < argc && strcmp(argv[words], "--") != 0)
		words++;
	at = args_parse(&args, words, argv);
	check_choice(words - at, words < argc);
	if (words + 1 == argc)
		args_usage(&args, "name a program behind --");
	name = at < words ? argv[at] : NULL;
	if (name && (!*name || *name == '.' || strchr(name, '/')))
		args_usage(&args, "%s: not a name of a service", name);
	if (canary && percent_of(canary, &s.percent) < 0)
		args_usage(&args, "--canary: %s: a percentage from 1 to 99", canary);
	tree_open(t);
	if (keep)
		return swap_keep(t, name);
	if (died)
		return do_died(t, name);
	if (words == argc && !back && !promote && !diff)
		return swap_show(t, name, json);
	if (!back && !diff && tree_supervise(t) <= 0)
		die(1, "%s: is down (penstock up starts it)", t->dir);
	hear_signals();
	begin(t, name, &s);
	if (diff)
		return swap_diff(t, &s);
	if (back)
		return do_back(t, &s);
	if (promote)
		return do_promote(t, &s);
	if (canary)
		percent_of(canary, &s.percent);
	return do_swap(t, &s, argc - words - 1, argv + words + 1);
}
