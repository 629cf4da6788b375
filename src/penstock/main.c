/*
 * penstock [-C DIR] COMMAND [ARGUMENT ...]
 */
#include "penstock/penstock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"

static int cmd_help(struct tree *t, int argc, char **argv);
static int cmd_version(struct tree *t, int argc, char **argv);

static const struct command commands[] = {
	{ "new", cmd_new, "write a tree: a folder with a working configuration" },
	{ "up", cmd_up, "run the tree, in the foreground or (-d) as a daemon" },
	{ "down", cmd_down, "stop it" },
	{ "status", cmd_status, "services, and what is pending for each destination" },
	{ "send", cmd_send, "give events to the tree: a file, stdin or --text" },
	{ "tail", cmd_tail, "print what flows, live" },
	{ "spool", cmd_spool, "the hub's files: check, cat, trim, cursors" },
	{ "ledger", cmd_ledger, "does what was accepted add up, for each destination?" },
	{ "dead", cmd_dead, "lines that a destination could not take: see, edit, retry, drop" },
	{ "query", cmd_query, "ask the history" },
	{ "export", cmd_export, "every stored event, exactly as it came" },
	{ "logs", cmd_logs, "what services wrote" },
	{ "start", cmd_start, "start services" },
	{ "stop", cmd_stop, "stop services" },
	{ "restart", cmd_restart, "stop services and start them again" },
	{ "reload", cmd_reload, "make services read their configuration again" },
	{ "stage", cmd_stage, "make any program a stage" },
	{ "rules", cmd_rules, "the rules in force, and how many lines each held for" },
	{ "flag", cmd_flag, "turn flags of the rules on and off" },
	{ "swap", cmd_swap, "put another program in the place of a stage, and take it back" },
	{ "drain", cmd_drain, "hand the connections of one gateway to another" },
	{ "lab", cmd_lab, "a Discord and a Twitch on this machine, to test bots without accounts" },
	{ "help", cmd_help, "this list" },
	{ "version", cmd_version, "the version" },
};
#define COMMANDS (sizeof commands / sizeof *commands)

static void usage(FILE *to)
{
	fprintf(to, "usage: penstock [-C DIR] COMMAND [ARGUMENT ...]\n\n"
		"Runs and asks the tree in DIR ($PENSTOCK_DIR, else the current directory).\n\n");
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(to, "  %-10s %s\n", commands[i].name, commands[i].about);
	fprintf(to, "\npenstock COMMAND --help says more of each; the manual: penstock(1).\n");
}

static int end_of_output(void)
{
	if (fflush(stdout) == 0)
		return 0;
	log_error("stdout: %s", strerror(errno));
	return 1;
}

static int cmd_help(struct tree *t, int argc, char **argv)
{
	(void)t;
	(void)argc;
	(void)argv;
	usage(stdout);
	return end_of_output();
}

static int cmd_version(struct tree *t, int argc, char **argv)
{
	(void)t;
	(void)argc;
	(void)argv;
	printf("penstock " VERSION "\n");
	return end_of_output();
}

static const struct command *find(const char *name)
{
	if (strcmp(name, "-h") == 0 || strcmp(name, "--help") == 0)
		name = "help";
	if (strcmp(name, "-V") == 0 || strcmp(name, "--version") == 0)
		name = "version";
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

/* -C DIR or -CDIR before the command; the index of the command. */
static int read_dir(struct tree *t, int argc, char **argv)
{
	int at = 1;

	for (; at < argc && strncmp(argv[at], "-C", 2) == 0; at++) {
		if (argv[at][2])
			t->asked = argv[at] + 2;
		else if (++at < argc)
			t->asked = argv[at];
		else
			die(2, "-C: name the tree, as in -C DIR");
	}
	return at;
}

int main(int argc, char **argv)
{
	struct tree t = { 0 };
	const struct command *c;
	int at;

	log_init("penstock");
	log_set(LOG_TEXT, LOG_INFO);
	at = read_dir(&t, argc, argv);
	if (at >= argc) {
		usage(stderr);
		return 2;
	}
	c = find(argv[at]);
	if (!c)
		die(2, "%s: no such command (penstock help lists them)", argv[at]);
	return c->run(&t, argc - at, argv + at);
}
