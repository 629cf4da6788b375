#include "base/args.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/args_row.h"
#include "base/log.h"
#include "base/metric.h"
#include "base/notify.h"

static bool want_help, want_version, verbose;
static int log_choice = -1;	/* index into "json|text" */
static const char *config;
static uint64_t notify_number;

static const struct arg common[] = {
	{'h', "help", ARG_FLAG, &want_help, 0, 0, NULL, "print this help", NULL, ARG_NOFILE},
	{'V', "version", ARG_FLAG, &want_version, 0, 0, NULL, "print the version", NULL, ARG_NOFILE},
	{'L', "log", ARG_ENUM, &log_choice, 0, 0, NULL, "form of messages", "json|text", 0},
	{'v', "verbose", ARG_FLAG, &verbose, 0, 0, NULL, "say more", NULL, 0},
	{'c', "config", ARG_STR, &config, 0, 0, "FILE", "read options from FILE, lines \"word = value\"", NULL, ARG_NOFILE},
	{'F', "notify-fd", ARG_U64, &notify_number, 3, 65535, "N", "write a newline to descriptor N when ready", NULL, ARG_NOFILE},
	{'M', "metrics", ARG_STR, &metric_path, 0, 0, "FILE", "keep counters in FILE", NULL, 0},
};
#define COMMON_ALL 4	/* the rows that every program has; the others are for daemons */

/* What args_parse leaves for args_reload: the rows, their defaults, and which the command line has set. */
static struct row *rows;
static size_t nrows;

static struct row *find(char letter, const char *word, size_t len)
{
	for (size_t i = 0; i < nrows; i++) {
		const struct arg *r = rows[i].arg;

		if (word ? strlen(r->word) == len && memcmp(r->word, word, len) == 0 : r->letter == letter)
			return &rows[i];
	}
	return NULL;
}

static void make_rows(const struct args *a)
{
	size_t extra = a->flags & ARGS_DAEMON ? sizeof(common) / sizeof(*common) : COMMON_ALL;

	nrows = a->n + extra;
	rows = calloc(nrows, sizeof(*rows));
	if (!rows)
		die(1, "out of memory");
	for (size_t i = 0; i < nrows; i++) {
		rows[i].arg = i < a->n ? &a->rows[i] : &common[i - a->n];
		row_load(&rows[i], &rows[i].initial);
	}
}

void args_usage(const struct args *a, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	die(a->usage_code ? a->usage_code : 2, "%s (%s --help lists the options)", text, a->prog);
}

/* One option of the command line. value is what stood behind it in the same word, or NULL. Returns 1 if it used next. */
static int apply(const struct args *a, struct row *r, const char *name, const char *value, const char *next)
{
	char why[ROW_WHY];
	struct value v;
	int used = 0;

	if (r->arg->kind == ARG_FLAG) {
		if (value)
			args_usage(a, "%s takes no value", name);
		value = "yes";
	} else if (!value) {
		if (!next)
			args_usage(a, "%s needs a value: %s %s", name, name, row_value(r->arg) ? row_value(r->arg) : "VALUE");
		value = next;
		used = 1;
	}
	v = r->given ? r->now : (struct value){0};
	if (row_parse(r->arg, value, &v, why))
		args_usage(a, "%s %s: %s", name, value, why);
	r->now = v;
	r->given = true;
	row_store(r, &r->now);
	return used;
}

static int parse_long(const struct args *a, const char *word, const char *next)
{
	const char *eq = strchr(word, '=');
	size_t len = eq ? (size_t)(eq - word) : strlen(word);
	struct row *r = find(0, word, len);
	char name[80];

	snprintf(name, sizeof(name), "--%.*s", (int)(len < 70 ? len : 70), word);
	if (!r)
		args_usage(a, "no option %s", name);
	return apply(a, r, name, eq ? eq + 1 : NULL, next);
}

/* "-v", "-vv", "-n5", "-n 5" */
static int parse_short(const struct args *a, const char *letters, const char *next)
{
	for (const char *p = letters; *p; p++) {
		char name[3] = {'-', *p, '\0'};
		struct row *r = find(*p, NULL, 0);

		if (!r)
			args_usage(a, "no option %s", name);
		if (r->arg->kind != ARG_FLAG)
			return apply(a, r, name, p[1] ? p + 1 : NULL, next);
		apply(a, r, name, NULL, NULL);
	}
	return 0;
}

static void set_log(const struct args *a)
{
	enum log_form form = log_choice < 0 ? LOG_AUTO : log_choice == 0 ? LOG_JSON : LOG_TEXT;

	if (form == LOG_AUTO && !(a->flags & ARGS_DAEMON))
		form = LOG_TEXT;
	log_set(form, verbose ? LOG_DEBUG : LOG_INFO);
}

/* Under a supervisor that knows no readiness, like runsv, the same command line comes without that descriptor: then nobody is told. */
static void set_notify(void)
{
	if (!notify_number)
		return;
	if (fcntl((int)notify_number, F_SETFD, FD_CLOEXEC) == 0)
		notify_fd = (int)notify_number;
	else
		log_debug("-F %d: that descriptor is not open: nobody is told when this program is ready", (int)notify_number);
}

/* Moves argv[i] behind all others. */
static void to_end(char **argv, int argc, int i)
{
	char *word = argv[i];

	memmove(argv + i, argv + i + 1, (size_t)(argc - i - 1) * sizeof *argv);
	argv[argc - 1] = word;
}

/* Reads the options; returns the index of the first operand. */
static int parse_options(const struct args *a, int argc, char **argv)
{
	int end = argc, i;	/* argv[end...]: operands that stood before options */

	for (i = 1; i < end && !want_help && !want_version; i++) {
		const char *next = i + 1 < end ? argv[i + 1] : NULL;

		if (argv[i][0] != '-' || !argv[i][1]) {
			if (!(a->flags & ARGS_ANYWHERE))
				break;
			to_end(argv, argc, i--);
			end--;
			continue;
		}
		if (strcmp(argv[i], "--") == 0) {
			for (int left = end - ++i; left > 0; left--)
				to_end(argv, argc, i);
			break;
		}
		i += argv[i][1] == '-' ? parse_long(a, argv[i] + 2, next) : parse_short(a, argv[i] + 1, next);
	}
	return i < argc ? i : argc;
}

int args_parse(const struct args *a, int argc, char **argv)
{
	char why[ROW_WHY];
	int i;

	log_init(a->prog);
	set_log(a);
	make_rows(a);
	i = parse_options(a, argc, argv);
	if (want_help || want_version) {
		if (want_help)
			row_help(a, rows, nrows);
		else
			printf("%s (penstock) %s\n", a->prog, VERSION);
		if (fflush(stdout))
			die(1, "cannot write to stdout: %m");
		exit(0);
	}
	set_log(a);
	if (config && row_file(config, rows, nrows, a->known_key, why))
		args_usage(a, "%s", why);
	set_log(a);
	set_notify();
	return i;
}

int args_reload(const struct args *a)
{
	char why[ROW_WHY];

	if (!config)
		return 0;
	if (row_file(config, rows, nrows, a->known_key, why)) {
		log_error("%s; the old configuration stays in force", why);
		return -1;
	}
	set_log(a);
	return 0;
}
