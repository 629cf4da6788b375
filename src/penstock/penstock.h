/*
 * penstock: the front door. One row and one file for each subcommand.
 *
 * A tree is what `penstock new DIR` writes: DIR/etc, DIR/service, DIR/spool, DIR/history, DIR/run, DIR/log.
 * Adding a subcommand NAME: src/penstock/cmd_NAME.c with cmd_NAME, its prototype below, a row in main.c, a section in
 * penstock.1. cmd_NAME gets argv with argv[0] = "NAME", has its own struct args (prog "penstock NAME") for args_parse - so that
 * `penstock NAME --help` works outside any tree - then calls tree_open, does its work, and returns the exit code
 * (0 done, 1 failure; args gives 2). It includes base, line, link and this header, nothing of another program: what it wants to
 * know of one it asks by running it (program_path) or over its socket (tree_url).
 */
#ifndef PENSTOCK_PENSTOCK_H
#define PENSTOCK_PENSTOCK_H

#include <stdbool.h>
#include <stdint.h>

struct tree {
	const char *asked;	/* -C DIR, else $PENSTOCK_DIR, else NULL: the current directory if it is a tree */
	char *dir;		/* absolute, set by tree_open */
};

/* printf into memory that lives as long as the program: a few texts, never freed. No memory ends the program. */
char *text_of(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* What a stranger wrote, for a terminal: control characters (C1 in UTF-8, too) become '?'. From text_of. */
char *text_plain(const char *s);

/* Finds the tree; ends the program (code 1) with a message when there is none. The current directory stays as it was. */
void tree_open(struct tree *t);

/* "DIR/rel" and "ipc://DIR/run/socket": absolute; from text_of. */
char *tree_path(const struct tree *t, const char *rel);
char *tree_url(const struct tree *t, const char *socket);

/* Makes the folders that hold no configuration (run, run/metrics, spool, history, log): 0, or -1 with a message. */
int tree_folders(const struct tree *t);

/* The process that holds DIR/service/.supervise/lock: its pid, 0 nobody, -1 with a message. */
int64_t tree_supervise(const struct tree *t);

/* Services that still run although no supervise does, because it was killed: fn for each, with a descriptor of the process that is closed
 * afterwards. How many; -1 with a message. */
int leftover_each(const struct tree *t, void (*fn)(void *arg, const char *name, int64_t pid, int pidfd), void *arg);

/* The chat page's address from etc/gatewayd.conf, "http://127.0.0.1:8080/"; NULL when it cannot be told. */
char *tree_address(const struct tree *t);

/* "/.../route": from libexec if installed, else the folder of penstock's own executable. Ends the program
 * with a message when there is no such program. */
char *program_path(const char *name);
char *program_folder(void);		/* the folder program_path looks in */

/* Runs argv (argv[0] from program_path) and collects its standard output, at most out->max bytes. Its exit code, 128 + signal,
 * or -1 with a message when it could not be run or said too much. */
struct buf;
int program_read(char *const argv[], struct buf *out);

/* One service or logger as `supervise -s --json` tells it. Texts are borrowed from the JSON document. */
struct json;
struct service_view {
	const char *name, *state, *want, *fault;
	int64_t pid, restarts, seconds;		/* pid 0: none */
	int ready;				/* -1: it never says */
	const struct json *doc;
};
#define SERVICES_TEXT_MAX (16u << 20)

/* Asks supervise about the tree: fn for every service, in the order of their names. The exit code of `supervise -s`: 0 all as wanted, 1 not,
 * 111 nobody supervises it; -1 with a message. raw, if not NULL, gets supervise's text. */
int services_each(const struct tree *t, void (*fn)(void *arg, const struct service_view *v), void *arg, struct buf *raw);

/* One service as supervise sees it now. */
struct service_seen {
	bool found, running, ready;	/* running: it has a process; ready: run, and said so if it can */
	bool says;			/* it can say that it is ready */
	int64_t seconds;		/* in its state */
	bool looping;			/* it waits between starts that fail */
	int64_t pid, restarts;
	char fault[256];		/* why it cannot be taken; "" */
	char end[64];			/* how it ended last: "code 1", "signal 9"; "" */
	char *said;			/* while looping: service_said; else NULL */
};
/* What it wrote before its last end, the last lines, indented, each with LF; "". For a terminal. From text_of. */
char *service_said(const struct json *doc);
int service_see(const struct tree *t, const char *name, struct service_seen *out);	/* -1 with a message: supervise cannot be asked */
/* The destination of route that a service takes from, as its run says; *gives: and it gives to the hub. NULL: none; errno when it cannot be read, else 0.
 * From text_of. */
char *service_takes(const struct tree *t, const char *service, bool *gives);
bool dest_exists(const struct tree *t, const char *dest);	/* has route that destination? true when it cannot be told */
/* The letters that runit's sv writes. -1 with a message. */
int service_letters(const struct tree *t, const char *name, const char *letters);

/* The service that does the work of NAME after swaps: NAME itself when there were none. swap_show.c. */
const char *swapped(const struct tree *t, const char *name);
bool swapped_out(const struct tree *t, const char *service);	/* another has taken its place: it is down on purpose */
int swapped_settle(const struct tree *t);	/* before the tree starts: ends what a killed swap began; -1 with a message */
int swapped_print(const struct tree *t);	/* the part of penstock status; how many, -1 with a message */
int swapped_json(const struct tree *t, struct buf *out);	/* an array */

/* Asks the running hub (route(8), CONTROL): its answer as a document, to be freed; NULL with a message: nobody answers, or route says no. */
struct json *hub_ask(const struct tree *t, const char *question, int64_t patience_ns);
/* Asks the gateways of the tree that run (gatewayd(8), CONTROL): fn for each that answers, with its service's name. How many. */
int gateways_ask(const struct tree *t, const char *only, const char *question, int64_t patience_ns,
	void (*fn)(void *arg, const char *service, const struct json *answer), void *arg);
unsigned accounts_print(const struct tree *t);	/* the part of penstock status: how much of it a person has to see to */
void accounts_warn(const struct tree *t, const char *service);	/* on stderr, what was wrong when they were read; service NULL: of all gateways */
/* Has a gateway read its accounts again. -1: something is wrong with them, which is said; 1: it is no gateway, or does not answer. */
int gateway_reload(const struct tree *t, const char *service, int64_t patience_ns);
struct buf;
unsigned accounts_json(const struct tree *t, struct buf *out);	/* an array: the answer of each, with a member "service"; how much ... */

/* What the service that carries out deliver's work counts: accounts that are left out, and those that nothing is said with any more. How many. */
unsigned says_print(const struct tree *t, const char *service);
unsigned says_json(const struct tree *t, const char *service, struct buf *out);	/* an object */

/* The hub reads its rules and flags again; prints the generation in force. -1 with a message: the old ones serve on. */
int rules_reload(const struct tree *t);

struct command {
	const char *name;
	int (*run)(struct tree *t, int argc, char **argv);
	const char *about;	/* one line for `penstock help` */
};

int cmd_new(struct tree *t, int argc, char **argv);
int cmd_up(struct tree *t, int argc, char **argv);
int cmd_down(struct tree *t, int argc, char **argv);
int cmd_send(struct tree *t, int argc, char **argv);
int cmd_tail(struct tree *t, int argc, char **argv);
int cmd_query(struct tree *t, int argc, char **argv);
int cmd_export(struct tree *t, int argc, char **argv);
int cmd_spool(struct tree *t, int argc, char **argv);
int cmd_ledger(struct tree *t, int argc, char **argv);
int cmd_dead(struct tree *t, int argc, char **argv);
int cmd_status(struct tree *t, int argc, char **argv);
int cmd_logs(struct tree *t, int argc, char **argv);
int cmd_start(struct tree *t, int argc, char **argv);
int cmd_stop(struct tree *t, int argc, char **argv);
int cmd_restart(struct tree *t, int argc, char **argv);
int cmd_reload(struct tree *t, int argc, char **argv);
int cmd_stage(struct tree *t, int argc, char **argv);
int cmd_rules(struct tree *t, int argc, char **argv);
int cmd_flag(struct tree *t, int argc, char **argv);
int cmd_swap(struct tree *t, int argc, char **argv);
int cmd_drain(struct tree *t, int argc, char **argv);
int cmd_lab(struct tree *t, int argc, char **argv);

#endif
