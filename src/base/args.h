/*
 * args: options as rows. The same rows read the command line, the configuration file (-c FILE,
 * lines "word = value") and make --help. Every row may stand in the file unless ARG_NOFILE. In the file a # at the
 * start of a line or behind a blank begins a comment; a value in double quotes keeps its blanks and #. A word may stand once,
 * an ARG_LIST word often. Options end at the first operand or at "--". One struct args a process.
 *
 * Every program gets these without asking: -h --help, -V --version, -L --log json|text, -v --verbose;
 * with ARGS_DAEMON also -c --config FILE, -F --notify-fd N (readiness, see notify.h) and
 * -M --metrics FILE (see metric.h). A bad option or value ends the program with code 2 (args.usage_code if
 * set) and a message that names the option, or file and line, what was wrong and what would be right.
 * --help is what completion goes by (share/completion), so a value, and an operand in the synopsis, is called what it is: FILE, DIR,
 * SERVICE, GATEWAY, DEST, ACCOUNT, TENANT, FLAG, LETTER, USER, PROGRAM, or words with | between them; a word of the synopsis in small letters stands as it is.
 * Programs that are no daemons speak text, not JSON, unless -L says otherwise. The command line wins over the file. Strings point into argv or into memory that is never freed.
 */
#ifndef BASE_ARGS_H
#define BASE_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum arg_kind {
	ARG_FLAG,	/* bool: true when given; in a file: yes|no */
	ARG_STR,	/* const char * */
	ARG_LIST,	/* struct arg_list: may be given many times */
	ARG_U64,	/* uint64_t within min..max */
	ARG_SIZE,	/* uint64_t bytes, k m g, within min..max */
	ARG_TIME,	/* int64_t nanoseconds, within min..max (in nanoseconds) */
	ARG_ENUM,	/* int: index into the words of `choices`, "always|interval|never" */
};

struct arg_list { const char **v; size_t n; };

struct arg {
	char letter;		/* 0: long form only */
	const char *word;	/* long form and name in the file, without dashes */
	enum arg_kind kind;
	void *to;		/* where the value goes; holds the default beforehand */
	int64_t min, max;	/* for U64, SIZE, TIME; max 0 = no limit */
	const char *value;	/* name of the value in --help, "URL"; not of an ARG_ENUM, which shows its choices */
	const char *help;	/* one line */
	const char *choices;	/* ARG_ENUM */
	unsigned flags;
};
#define ARG_NOFILE 1u		/* not allowed in the configuration file */

struct args {
	const char *prog;
	const char *synopsis;	/* "[-i URL] [-o URL] ..." ; one line per form, "\n" between */
	const char *about;	/* one sentence for --help */
	const struct arg *rows;
	size_t n;
	unsigned flags;		/* ARGS_DAEMON | ARGS_ANYWHERE | ARGS_USER */
	int usage_code;		/* exit code for bad usage; 0 means 2 */
	bool (*known_key)(const char *word);	/* keys of the file that another reader handles; may be NULL */
};
#define ARGS_DAEMON 1u
#define ARGS_ANYWHERE 2u		/* options may stand behind operands, too; argv is put in order. Not with operands that are a command */

#define ARGS_USER 4u		/* a daemon, too, that people run by hand: its manual is in section 1 */

/* Calls log_init(prog), parses, applies. Returns the index in argv of the first operand. */
int args_parse(const struct args *a, int argc, char **argv);

/* Reads the configuration file again (SIGHUP) into the same rows; what it no longer names gets its default back. -1 with a
 * message, nothing changed, if it is bad. */
int args_reload(const struct args *a);

_Noreturn void args_usage(const struct args *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
