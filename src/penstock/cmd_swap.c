/*
 * penstock swap SERVICE -- program args...: another stage in the place of a service, while lines flow; --back, --canary, --shadow, --promote.
 * This is the command line; swap.h says how it is kept safe.
 */
#include "penstock/swap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/args.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/num.h"

static bool native, shadow, promote, back, diff, keep;
static const char *canary, *dest, *stage, *died;
static int mode;
static struct arg_list options;

static const struct arg rows[] = {
	{ 'b', "back", ARG_FLAG, &back, 0, 0, NULL, "take the canary, the shadow or the last swap back", NULL, 0 },
	{ 'c', "canary", ARG_STR, &canary, 0, 0, "PERCENT", "the new one gets this share of the conversations only", NULL, 0 },
	{ 0, "shadow", ARG_FLAG, &shadow, 0, 0, NULL, "the new one gets copies; what it says is kept and not sent", NULL, 0 },
	{ 'd', "diff", ARG_FLAG, &diff, 0, 0, NULL, "compare what the shadow says with what the old one says", NULL, 0 },
	{ 'p', "promote", ARG_FLAG, &promote, 0, 0, NULL, "the canary or shadow takes the old one's place", NULL, 0 },
	{ 'm', "mode", ARG_ENUM, &mode, 0, 0, NULL, "how the program acknowledges (auto: stage --check decides)", "auto|eof|line|sync", 0 },
	{ 'n', "native", ARG_FLAG, &native, 0, 0, NULL, "the program is a stage itself: it is given -i -o --set -F -M", NULL, 0 },
	{ 'O', "option", ARG_LIST, &options, 0, 0, "WORD", "an option for stage, as --option=--deadline=5s; may be repeated", NULL, 0 },
	{ 0, "dest", ARG_STR, &dest, 0, 0, "DEST", "route's destination that it takes from (as the old one's run says)", NULL, 0 },
	{ 's', "stage", ARG_STR, &stage, 0, 0, "NAME", "the name in derived ids (SERVICE)", NULL, 0 },
	{ 0, "probe", ARG_STR, &swap_asked.probe, 0, 0, "FILE", "lines that it must handle before it sees the stream (two of ours)", NULL, 0 },
	{ 'w', "wait", ARG_TIME, &swap_times.wait, CLOCK_MS, 86400 * CLOCK_S, "TIME", "for the probe, and for readiness", NULL, 0 },
	{ 0, "watch", ARG_TIME, &swap_times.watch, CLOCK_MS, 86400 * CLOCK_S, "TIME", "the new one must do well so long", NULL, 0 },
	{ 0, "drain", ARG_TIME, &swap_times.drain, CLOCK_MS, 86400 * CLOCK_S, "TIME", "the one that goes is killed after this", NULL, 0 },
	{ 'j', "json", ARG_FLAG, &swap_asked.json, 0, 0, NULL, "the state as JSON", NULL, 0 },
	{ 0, "keep", ARG_FLAG, &keep, 0, 0, NULL, "for a shadow's log/run: keeps standard input", NULL, 0 },
	{ 0, "died", ARG_STR, &died, 0, 0, "SERVICE", "for a trial's finish: it failed once more", NULL, 0 },
};

static const struct args args = {
	.prog = "penstock swap",
	.synopsis = "[--canary PERCENT | --shadow] [--mode MODE | --native] [OPTION ...] SERVICE -- PROGRAM [ARGUMENT ...]\n"
		"--back | --promote | --diff SERVICE\n[--json] [SERVICE]",
	.about = "Puts another program in the place of a stage while lines flow, and takes it back; alone: what is swapped.",
	.rows = rows, .n = sizeof rows / sizeof *rows, .flags = ARGS_ANYWHERE,
};

/* ---- what the command line says ---- */

static int percent_of(const char *text, uint64_t *out)
{
	size_t n = strlen(text);
	const char *why;

	if (n && text[n - 1] == '%')
		text = text_of("%.*s", (int)n - 1, text);
	return num_u64(text, 1, 99, out, &why);
}

/* Where it takes from, as its run says it: one that does not take from the hub and give to it is no stage. */
static char *dest_of(const struct tree *t, const char *service)
{
	bool gives;
	char *word = service_takes(t, service, &gives);

	if (!word && errno)
		die(1, "service/%s/run: %s", service, strerror(errno));
	if (!word || !gives)
		die(1, "%s: its run does not take from run/to-NAME and give to run/in: it is no stage (--dest DEST says otherwise)", service);
	return word;
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

static int do_swap(const struct tree *t, struct swap *s, int argc, char **argv)
{
	struct service_seen seen;

	if (s->trial)
		die(1, "%s: a %s is at work: --promote or --back first", s->name, swap_how_word(s->how));
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
	return swap_try(t, s);
}

/* ---- the command line ---- */

static void check_choice(int operands, bool program)
{
	int actions = program + back + promote + diff + keep + (died != NULL);

	if (actions > 1)
		args_usage(&args, "one of: a program, --back, --promote, --diff");
	if (operands > 1)
		args_usage(&args, "one SERVICE; the program stands behind --");
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
		return swap_died(t, name, died);
	if (words == argc && !back && !promote && !diff)
		return swap_show(t, name, swap_asked.json);
	if (!back && !diff && tree_supervise(t) <= 0)
		die(1, "%s: is down (penstock up starts it)", t->dir);
	swap_begin(t, name, &s);
	if (diff)
		return swap_diff(t, &s);
	if (back)
		return swap_back(t, &s, false);
	if (promote)
		return swap_promote(t, &s);
	if (canary)
		percent_of(canary, &s.percent);
	return do_swap(t, &s, argc - words - 1, argv + words + 1);
}
