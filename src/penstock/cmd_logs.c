/* penstock logs: what services wrote, from the directories of the built-in logger, or of svlogd. */
#include "penstock/penstock.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/args.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/num.h"
#include "penstock/log_feed.h"

#define FEEDS_MAX 10000
#define LAST_MAX 1000000
#define LAST_FOLLOWING 10

static bool follow, raw;
static const char *since_text;
static uint64_t last = UINT64_MAX;
static int level = LOG_DEBUG;

static const struct arg rows[] = {
	{ 'f', "follow", ARG_FLAG, &follow, 0, 0, NULL, "go on with what is written from now on", NULL, 0 },
	{ 'n', "lines", ARG_U64, &last, 0, LAST_MAX, "N", "only the last N lines (all; 10 with -f and without --since)", NULL, 0 },
	{ 's', "since", ARG_STR, &since_text, 0, 0, "TIME", "only lines from the last TIME (10m), or from an RFC 3339 time on", NULL, 0 },
	{ 'l', "level", ARG_ENUM, &level, 0, 0, NULL, "only lines as severe as this", "error|warn|info|debug", 0 },
	{ 'r', "raw", ARG_FLAG, &raw, 0, 0, NULL, "lines as the services wrote them, without time and name", NULL, 0 },
};

static const struct args args = {
	.prog = "penstock logs", .synopsis = "[-f] [-n N] [--since TIME] [--level LEVEL] [--raw] [SERVICE ...]",
	.about = "Prints what services wrote, in the order of time; without a name, all of them.",
	.rows = rows, .n = sizeof rows / sizeof *rows, .flags = ARGS_ANYWHERE,
};

static struct log_feed *feeds;
static size_t nfeeds, looked;	/* looked: those that an earlier look has found */
static int64_t since;
static int places = -1;		/* -f: inotify of the folders in which logs may appear */

static int64_t since_of(const char *text)
{
	const char *why;
	int64_t ns, wall;

	if (clock_parse(text, strlen(text), &wall) == 0)
		return wall;
	if (num_duration(text, 0, INT64_C(36500) * 86400 * CLOCK_S, &ns, &why) == 0)
		return clock_wall() - ns;
	args_usage(&args, "--since %s: write how long ago (10m, 2h) or a time (2026-11-20T10:00:00Z)", text);
}

/* ---- which directories ---- */

static bool has_log(const char *dir)
{
	char *path = text_of("%s/current", dir);

	return access(path, F_OK) == 0;
}

static bool is_known(const char *dir)
{
	for (size_t i = 0; i < looked; i++)
		if (strcmp(feeds[i].dir, dir) == 0)
			return true;
	return false;
}

/* Watched before it is looked into. A folder that is not there appears in one that is. -1: it is not watched. */
static int watch_place(const char *dir)
{
	return places < 0 ? -1 : inotify_add_watch(places, dir, IN_CREATE | IN_MOVED_TO | IN_ONLYDIR);
}

static bool add(const char *name, const char *dir)
{
	int place;

	if (is_known(dir))
		return true;
	place = watch_place(dir);
	if (nfeeds == FEEDS_MAX || !has_log(dir))
		return false;
	if (nfeeds % 64 == 0) {
		struct log_feed *more = realloc(feeds, (nfeeds + 64) * sizeof *more);

		if (!more)
			die(1, "no memory");
		feeds = more;
	}
	if (place >= 0)
		inotify_rm_watch(places, place);
	log_feed_init(&feeds[nfeeds++], text_of("%s", name), dir);
	return true;
}

/* Its own logger's, where it has one that is svlogd's usual. */
static bool add_service(const struct tree *t, const char *name)
{
	watch_place(text_of("%s/service/%s/log", t->dir, name));
	return add(name, text_of("%s/service/%s/log/main", t->dir, name)) || add(name, text_of("%s/log/%s", t->dir, name));
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names of both folders, each once. */
static void add_all(const struct tree *t)
{
	static const char *const folders[] = { "service", "log" };
	char **v = calloc(2 * FEEDS_MAX, sizeof *v);
	size_t n = 0;

	if (!v)
		die(1, "no memory");
	for (size_t i = 0; i < 2; i++) {
		DIR *d = opendir(tree_path(t, folders[i]));
		struct dirent *e;

		while (d && (e = readdir(d)) != NULL)
			if (e->d_name[0] != '.' && n < 2 * FEEDS_MAX)
				v[n++] = text_of("%s", e->d_name);
		if (d)
			closedir(d);
	}
	qsort(v, n, sizeof *v, by_name);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || strcmp(v[i], v[i - 1]) != 0)
			add_service(t, v[i]);
	free(v);
}

/* NAME, or all instances NAME@K of a template. */
static bool add_named(const struct tree *t, const char *name)
{
	size_t n = strlen(name);
	bool any = add_service(t, name);
	DIR *d = any ? NULL : opendir(tree_path(t, "service"));
	struct dirent *e;

	while (d && (e = readdir(d)) != NULL)
		if (strncmp(e->d_name, name, n) == 0 && e->d_name[n] == '@')
			any |= add_service(t, e->d_name);
	if (d)
		closedir(d);
	return any;
}

/* ---- printing ---- */

static void print_line(const struct log_feed *f, const struct log_line *l)
{
	char time[CLOCK_RFC3339_MAX] = "-";

	if (!raw) {
		if (l->wall)
			clock_rfc3339(time, l->wall);
		printf("%s ", time);
		if (nfeeds > 1)
			printf("%s: ", f->name);
	}
	fwrite(l->p, 1, l->n, stdout);
	putchar('\n');
}

/* The last lines, until it is known which they are. */
struct kept { size_t feed; struct log_line line; };
static struct kept *kept;
static size_t kept_n, kept_at;	/* a ring: kept_at is the oldest when it is full */

static void keep_line(const struct log_feed *f, const struct log_line *l)
{
	struct kept *k;
	char *copy;

	if (last == 0)
		return;
	if (!kept && !(kept = calloc((size_t)last, sizeof *kept)))
		die(1, "no memory for %llu lines", (unsigned long long)last);
	k = &kept[kept_at];
	free((void *)k->line.p);
	copy = malloc(l->n + 1);
	if (!copy)
		die(1, "no memory");
	memcpy(copy, l->p, l->n);
	*k = (struct kept){ (size_t)(f - feeds), { l->wall, copy, l->n } };
	kept_at = (kept_at + 1) % (size_t)last;
	kept_n += kept_n < last;
}

static void print_kept(void)
{
	size_t from = kept_n < last ? 0 : kept_at;

	for (size_t i = 0; i < kept_n; i++) {
		const struct kept *k = &kept[(from + i) % (size_t)last];

		print_line(&feeds[k->feed], &k->line);
	}
}

static bool wanted(const struct log_line *l)
{
	return (!since || l->wall >= since) && (level == LOG_DEBUG || log_level_of(l->p, l->n) <= level);
}

/* All that is there now, in the order of time: always the oldest of the feeds' next lines. */
static int print_past(bool *has)
{
	bool ring = last != UINT64_MAX;
	size_t first;

	for (size_t i = 0; i < nfeeds; i++) {
		int rc = log_feed_next(&feeds[i], since, follow);

		if (rc < 0)
			return -1;
		has[i] = rc > 0;
	}
	for (;;) {
		int rc;

		first = nfeeds;
		for (size_t i = 0; i < nfeeds; i++)
			if (has[i] && (first == nfeeds || feeds[i].line.wall < feeds[first].line.wall))
				first = i;
		if (first == nfeeds)
			break;
		if (wanted(&feeds[first].line))
			(ring ? keep_line : print_line)(&feeds[first], &feeds[first].line);
		rc = log_feed_next(&feeds[first], since, follow);
		if (rc < 0)
			return -1;
		has[first] = rc > 0;
	}
	if (ring)
		print_kept();
	last = UINT64_MAX;
	return fflush(stdout) == 0 && !ferror(stdout) ? 0 : -1;
}

static int watch_feeds(int fd, size_t from)
{
	for (size_t i = from; i < nfeeds; i++)
		if (inotify_add_watch(fd, feeds[i].dir, IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM) < 0) {
			log_error("%s: cannot be watched: %s (see fs.inotify.max_user_watches)", feeds[i].dir, strerror(errno));
			return -1;
		}
	return 0;
}

/* Ends when nobody reads any more: stdout is watched, too. 1: logs may have appeared. */
static int wait_change(int fd)
{
	struct pollfd p[3] = { { .fd = fd, .events = POLLIN }, { .fd = STDOUT_FILENO }, { .fd = places, .events = POLLIN } };
	char events[8192] __attribute__((aligned(__alignof__(struct inotify_event))));

	while (poll(p, 3, -1) < 0)
		if (errno != EINTR)
			return -1;
	if (p[1].revents & (POLLERR | POLLHUP))
		return -1;
	if (p[0].revents && read(fd, events, sizeof events) < 0)
		return -1;
	return !p[2].revents ? 0 : read(places, events, sizeof events) < 0 ? -1 : 1;
}

/* The logs of these services, of all of them if there is no name. */
static void look(const struct tree *t, char *const *names, bool must)
{
	looked = nfeeds;
	watch_place(tree_path(t, "service"));
	watch_place(tree_path(t, "log"));
	for (char *const *name = names; *name; name++)
		if (!add_named(t, *name) && must)
			die(1, "%s: no log of such a service in %s/log (penstock status names the services)", *name, t->dir);
	if (!*names)
		add_all(t);
}

static bool *grown(bool *has)
{
	bool *more = realloc(has, (nfeeds + 1) * sizeof *more);

	if (!more)
		die(1, "no memory");
	return more;
}

static int follow_all(const struct tree *t, char *const *names, bool **has)
{
	int fd = inotify_init1(IN_CLOEXEC), code, change = 0;
	size_t watched = 0;

	if (fd < 0) {
		log_error("inotify: %s", strerror(errno));
		return -1;
	}
	/* Watched before it is read: nothing falls between. */
	do {
		*has = grown(*has);
		code = watch_feeds(fd, watched) < 0 || print_past(*has) < 0 ? -1 : 0;
		watched = nfeeds;
		if (code == 0)
			change = wait_change(fd);
		if (code == 0 && change > 0)
			look(t, names, false);
	} while (code == 0 && change >= 0);
	close(fd);
	return code;
}

int cmd_logs(struct tree *t, int argc, char **argv)
{
	int at = args_parse(&args, argc, argv), code;
	bool *has = NULL;

	for (int i = at; i < argc; i++)
		if (!argv[i][0] || argv[i][0] == '.' || strchr(argv[i], '/'))
			args_usage(&args, "%s: not a name of a service", argv[i]);
	if (since_text)
		since = since_of(since_text);
	if (follow && !since_text && last == UINT64_MAX)
		last = LAST_FOLLOWING;
	tree_open(t);
	if (follow && (places = inotify_init1(IN_CLOEXEC)) < 0)
		log_warn("inotify: %s: logs that appear from now on are not seen", strerror(errno));
	look(t, argv + at, true);
	if (nfeeds == 0)
		die(1, "%s: there is no log yet: services' lines are kept when penstock up has started them", t->dir);
	if (!follow)
		has = grown(has);
	code = follow ? follow_all(t, argv + at, &has) : print_past(has);
	for (size_t i = 0; i < nfeeds; i++)
		log_feed_release(&feeds[i]);
	free(has);
	return code < 0 || fflush(stdout) != 0 ? 1 : 0;
}
