#include "penstock/log_feed.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/tai.h"

#define READ_BYTES 65536
#define NAME_LEN (TAI_LABEL + 2)

/* ---- files ---- */

static bool open_file(struct log_feed *f, const char *file)
{
	char path[PATH_MAX];
	struct stat st;
	int fd;

	if (snprintf(path, sizeof path, "%s/%s", f->dir, file) >= (int)sizeof path)
		return false;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	if (f->fd >= 0)
		close(f->fd);
	f->fd = fd;
	f->dev = st.st_dev;
	f->ino = st.st_ino;
	return true;
}

static bool is_rotated(const char *name, int64_t *wall)
{
	return strlen(name) == NAME_LEN && tai_parse(name, NAME_LEN, wall) == 0 &&
		(strcmp(name + TAI_LABEL, ".s") == 0 || strcmp(name + TAI_LABEL, ".u") == 0);
}

/* The first rotated file behind `after` ("" for the first of all) that was rotated at `since` or later; "" when there is none. */
static void rotated_behind(const struct log_feed *f, const char *after, int64_t since, char out[NAME_LEN + 1])
{
	DIR *d = opendir(f->dir);
	struct dirent *e;
	int64_t wall;

	out[0] = 0;
	while (d && (e = readdir(d)) != NULL)
		if (is_rotated(e->d_name, &wall) && wall >= since && strcmp(e->d_name, after) > 0 && (!out[0] || strcmp(e->d_name, out) < 0))
			memcpy(out, e->d_name, NAME_LEN + 1);
	if (d)
		closedir(d);
}

/* The name that the file which is read has now; "" when it is current still, or gone. */
static void own_name(const struct log_feed *f, char out[NAME_LEN + 1])
{
	char path[PATH_MAX];
	DIR *d = opendir(f->dir);
	struct dirent *e;
	struct stat st;
	int64_t wall;

	out[0] = 0;
	while (d && (e = readdir(d)) != NULL)
		if (e->d_ino == f->ino && is_rotated(e->d_name, &wall) &&
		    snprintf(path, sizeof path, "%s/%s", f->dir, e->d_name) < (int)sizeof path &&
		    stat(path, &st) == 0 && st.st_ino == f->ino && st.st_dev == f->dev)
			memcpy(out, e->d_name, NAME_LEN + 1);
	if (d)
		closedir(d);
}

static bool is_current(const struct log_feed *f)
{
	char path[PATH_MAX];
	struct stat st;

	return snprintf(path, sizeof path, "%s/current", f->dir) < (int)sizeof path && stat(path, &st) == 0 &&
		st.st_ino == f->ino && st.st_dev == f->dev;
}

/* True: another file is open now. */
static bool advance(struct log_feed *f, int64_t since)
{
	char own[NAME_LEN + 1] = "", next[NAME_LEN + 1];

	if (f->fd >= 0) {
		if (is_current(f))
			return false;
		own_name(f, own);
	}
	if (f->fd < 0 || own[0]) {
		rotated_behind(f, own, f->started ? 0 : since, next);
		f->started = true;
		if (next[0] && open_file(f, next))
			return true;
	}
	return open_file(f, "current");
}

/* ---- lines ---- */

static void parse(struct log_feed *f, const char *p, size_t n)
{
	const char *blank = memchr(p, ' ', n < CLOCK_RFC3339_MAX ? n : CLOCK_RFC3339_MAX);
	size_t stamp = blank ? (size_t)(blank - p) : 0;
	char text[CLOCK_RFC3339_MAX + 1];
	int64_t wall;

	f->line = (struct log_line){ f->last, p, n };
	if (!stamp)
		return;
	/* svlogd -tt and -ttt write "_" or "T" and no zone. */
	memcpy(text, p, stamp);
	if (stamp > 10 && text[10] == '_')
		text[10] = 'T';
	if (stamp < CLOCK_RFC3339_MAX && text[stamp - 1] != 'Z')
		text[stamp] = 'Z';
	if (!(stamp == TAI_LABEL && tai_parse(p, stamp, &wall) == 0) &&
	    clock_parse(text, text[stamp - 1] == 'Z' ? stamp : stamp + 1, &wall) < 0)
		return;
	f->last = wall;
	f->line = (struct log_line){ wall, blank + 1, n - stamp - 1 };
}

static bool take(struct log_feed *f, size_t len, bool lf)
{
	parse(f, f->text.p + f->at, len);
	f->at += len + lf;
	return true;
}

/* A line from what has been read. */
static bool ready(struct log_feed *f)
{
	size_t n = f->text.len - f->at;
	const char *lf = n ? memchr(f->text.p + f->at, '\n', n) : NULL;

	if (lf)
		return take(f, (size_t)(lf - (f->text.p + f->at)), true);
	return n >= LOG_LINE_MAX ? take(f, n, false) : false;
}

/* More bytes: how many, 0 none, -1 with a message. */
static ssize_t more(struct log_feed *f)
{
	ssize_t n;

	buf_drop(&f->text, f->at);
	f->at = 0;
	if (f->fd < 0)
		return 0;
	if (buf_reserve(&f->text, READ_BYTES) < 0) {
		log_error("%s: no memory", f->dir);
		return -1;
	}
	n = read(f->fd, f->text.p + f->text.len, READ_BYTES);
	if (n > 0)
		f->text.len += (size_t)n;
	if (n < 0)
		log_error("%s: %s", f->dir, strerror(errno));
	return n;
}

int log_feed_next(struct log_feed *f, int64_t since, bool whole)
{
	for (;;) {
		ssize_t n;

		if (ready(f))
			return 1;
		n = more(f);
		if (n < 0)
			return -1;
		if (n > 0)
			continue;
		if (f->fd >= 0 && is_current(f)) {
			if (whole || f->text.len == f->at)
				return 0;
			return take(f, f->text.len - f->at, false);
		}
		/* Rotated since: between the last read and now something may have come. */
		if (f->fd >= 0 && (n = more(f)) != 0) {
			if (n < 0)
				return -1;
			continue;
		}
		if (f->text.len > f->at)	/* a file that was cut off by a crash */
			return take(f, f->text.len - f->at, false);
		if (!advance(f, since))
			return 0;
	}
}

void log_feed_init(struct log_feed *f, const char *name, const char *dir)
{
	*f = (struct log_feed){ .name = name, .dir = dir, .fd = -1 };
	buf_init(&f->text, LOG_LINE_MAX + 2 * READ_BYTES);
}

void log_feed_release(struct log_feed *f)
{
	if (f->fd >= 0)
		close(f->fd);
	buf_release(&f->text);
}

/* ---- levels ---- */

static int level_word(const char *p, size_t n)
{
	static const struct { const char *word; int level; } row[] = {
		{ "error", LOG_ERROR }, { "err", LOG_ERROR }, { "fatal", LOG_ERROR }, { "critical", LOG_ERROR }, { "crit", LOG_ERROR },
		{ "warn", LOG_WARN }, { "warning", LOG_WARN }, { "info", LOG_INFO }, { "debug", LOG_DEBUG }, { "trace", LOG_DEBUG },
	};

	for (size_t i = 0; i < sizeof row / sizeof *row; i++)
		if (strlen(row[i].word) == n && strncasecmp(row[i].word, p, n) == 0)
			return row[i].level;
	return LOG_INFO;
}

int log_level_of(const char *p, size_t n)
{
	static const char key[] = "\"level\":\"";
	const char *at, *end;

	if (n > 0 && p[0] == '{') {
		at = memmem(p, n, key, sizeof key - 1);
		if (!at)
			return LOG_INFO;
		at += sizeof key - 1;
		end = memchr(at, '"', (size_t)(p + n - at));
		return end ? level_word(at, (size_t)(end - at)) : LOG_INFO;
	}
	/* "prog: warning: text" */
	at = memchr(p, ' ', n);
	if (!at || at == p || at[-1] != ':')
		return LOG_INFO;
	at++;
	end = memchr(at, ':', (size_t)(p + n - at));
	return end ? level_word(at, (size_t)(end - at)) : LOG_INFO;
}
