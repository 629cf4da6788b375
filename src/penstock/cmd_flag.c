/* penstock flag: turns flags of the rules on and off: etc/flags is written anew and route reads it. */
#include "penstock/penstock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/args.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/log.h"

#define FLAGS_MAX (64u << 10)		/* what route reads at most */
#define NAME_MAX_BYTES 48u

static const struct args args = {
	.prog = "penstock flag", .synopsis = "\non FLAG ...\noff FLAG ...",
	.about = "Says which flags of the rules are on, or turns them on or off at once.",
	.rows = NULL, .n = 0, .flags = ARGS_ANYWHERE,
};

static bool is_name(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

	return n >= 1 && n <= NAME_MAX_BYTES && !s[n];
}

/* The flag that a line of the file names: its length, 0 for none. */
static size_t named(const char *line, size_t n, const char **name)
{
	const char *hash = memchr(line, '#', n);

	n = hash ? (size_t)(hash - line) : n;
	for (; n && strchr(" \t\r", *line); line++)
		n--;
	while (n && strchr(" \t\r", line[n - 1]))
		n--;
	*name = line;
	return n;
}

/* Calls fn for each line of the text (without its LF) and the flag it names (n 0: none). */
static void each_line(const struct buf *text, void (*fn)(void *arg, const char *line, size_t len, const char *name, size_t n), void *arg)
{
	const char *p = text->p, *end = p + text->len, *name;

	while (p < end) {
		const char *lf = memchr(p, '\n', (size_t)(end - p)), *stop = lf ? lf : end;
		size_t n = named(p, (size_t)(stop - p), &name);
		fn(arg, p, (size_t)(stop - p), name, n);
		p = lf ? lf + 1 : end;
	}
}

struct edit { struct buf out; const char *flag; bool on, found; };

static void edit_line(void *arg, const char *line, size_t len, const char *name, size_t n)
{
	struct edit *e = arg;
	bool it = n == strlen(e->flag) && memcmp(name, e->flag, n) == 0;

	e->found |= it;
	if ((!it || e->on) && (buf_add(&e->out, line, len) < 0 || buf_addc(&e->out, '\n') < 0))
		die(1, "etc/flags would be larger than %u bytes", FLAGS_MAX);
}

/* false: it was not on before. */
static bool set(struct buf *text, const char *flag, bool on)
{
	struct edit e = { .flag = flag, .on = on };

	buf_init(&e.out, FLAGS_MAX);
	each_line(text, edit_line, &e);
	if (on && !e.found && buf_printf(&e.out, "%s\n", flag) < 0)
		die(1, "etc/flags would be larger than %u bytes", FLAGS_MAX);
	buf_release(text);
	*text = e.out;
	return e.found;
}

/* ---- the list ---- */

struct list { const struct json *asked; };

static void print_on(void *arg, const char *line, size_t len, const char *name, size_t n)
{
	const struct list *l = arg;
	char text[NAME_MAX_BYTES + 1];

	(void)line;
	(void)len;
	if (!n || n > NAME_MAX_BYTES)
		return;
	snprintf(text, sizeof(text), "%.*s", (int)n, name);
	printf("%s on%s\n", text, l->asked && !json_member(l->asked, text) ? " (no rule asks for it)" : "");
}

static int print_off(void *arg, const char *name, const struct json *on)
{
	(void)arg;
	if (!json_bool(on, false))
		printf("%s off\n", name);
	return 0;
}

static void list(const struct tree *t, const struct buf *text, bool up)
{
	struct json *doc = up ? hub_ask(t, "{\"do\":\"rules\"}\n", 10 * CLOCK_S) : NULL;
	struct list l = { json_member(doc, "flags") };

	each_line(text, print_on, &l);
	if (l.asked)
		json_each(l.asked, print_off, NULL);
	json_free(doc);
}

/* A slip of the pen is told. The flag is set all the same: the rule that asks for it may be yet to come. */
static void warn_of_unasked(const struct tree *t, int n, char **v)
{
	struct json *doc = hub_ask(t, "{\"do\":\"rules\"}\n", 10 * CLOCK_S);
	const struct json *asked = json_member(doc, "flags");

	for (int i = 0; asked && i < n; i++)
		if (!json_member(asked, v[i]))
			log_warn("no rule asks for a flag %s", v[i]);
	json_free(doc);
}

static int change(const struct tree *t, struct buf *text, const char *path, int n, char **v, bool on, bool up)
{
	for (int i = 0; i < n; i++)
		if (!set(text, v[i], on) && !on)
			printf("%s was off\n", v[i]);
	if (fd_replace(path, text->p, text->len, 0644) < 0) {
		log_error("%s: %s", path, strerror(errno));
		return -1;
	}
	if (up && rules_reload(t) < 0)
		return -1;
	if (up) {
		warn_of_unasked(t, n, v);
		return 0;
	}
	printf(tree_supervise(t) > 0 ? "route is not running: in force from its start on\n" : "the tree is down: in force when it is up\n");
	return 0;
}

/* Is there somebody to ask? */
static bool hub_up(const struct tree *t)
{
	struct service_seen s;

	return tree_supervise(t) > 0 && service_see(t, "route", &s) == 0 && s.running;
}

int cmd_flag(struct tree *t, int argc, char **argv)
{
	int at = args_parse(&args, argc, argv), r = 0;
	struct buf text;
	char *path;
	bool up;

	if (at < argc && strcmp(argv[at], "on") != 0 && strcmp(argv[at], "off") != 0)
		args_usage(&args, "%s: it is on or off", argv[at]);
	if (at + 1 == argc)
		args_usage(&args, "name a flag");
	for (int i = at + 1; i < argc; i++)
		if (!is_name(argv[i]))
			args_usage(&args, "%s: a flag's name is letters, digits, dots, dashes and _, at most %u", argv[i], NAME_MAX_BYTES);
	tree_open(t);
	path = tree_path(t, "etc/flags");
	up = hub_up(t);
	buf_init(&text, FLAGS_MAX);
	if (fd_read_file(path, &text) < 0 && errno != ENOENT)
		die(1, "%s: %s", path, strerror(errno));
	if (at == argc)
		list(t, &text, up);
	else
		r = change(t, &text, path, argc - at - 1, argv + at + 1, strcmp(argv[at], "on") == 0, up);
	buf_release(&text);
	if (fflush(stdout) == 0 && !ferror(stdout))
		return r < 0;
	log_error("stdout: %s", strerror(errno));
	return 1;
}
