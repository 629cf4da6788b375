#include "supervise/scan.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "supervise/extra.h"
#include "supervise/ghost.h"
#include "supervise/prepare.h"

#define CLOSED_YET (5 * CLOCK_MS)	/* between looks whether the writer has let go of what is gone */
#define WATCH (IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)

/* An entry of the directory as found by one look. */
struct found { char *name; dev_t dev; ino_t ino; };
struct look { struct found *v; size_t n, cap; };

static void look_release(struct look *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i].name);
	free(l->v);
}

static int by_identity(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	if (x->dev != y->dev)
		return x->dev < y->dev ? -1 : 1;
	return x->ino < y->ino ? -1 : x->ino > y->ino;
}

/* A name that cannot be printed, or written into JSON, is refused rather than mangled. */
static bool name_fits(const char *name)
{
	for (const unsigned char *p = (const unsigned char *)name; *p; p++)
		if (*p < 0x20 || *p >= 0x7f)
			return false;
	return strlen(name) < BOARD_NAME_MAX;
}

static int look_add(struct look *l, const char *name, const struct stat *st)
{
	if (l->n == l->cap) {
		size_t cap = l->cap ? 2 * l->cap : 64;
		struct found *v = realloc(l->v, cap * sizeof *v);

		if (!v)
			return -1;
		l->v = v;
		l->cap = cap;
	}
	l->v[l->n].name = strdup(name);
	if (!l->v[l->n].name)
		return -1;
	l->v[l->n].dev = st->st_dev;
	l->v[l->n].ino = st->st_ino;
	l->n++;
	return 0;
}

static int look_read(struct look *l, DIR *d, bool tell)
{
	struct dirent *e;
	struct stat st;

	while (errno = 0, (e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		if (stat(e->d_name, &st) < 0) {
			if (tell && errno != ENOENT)
				log_warn("%s: %s: not taken", e->d_name, strerror(errno));
			continue;
		}
		if (!S_ISDIR(st.st_mode) || !extra_entry(e->d_name))
			continue;
		if (!name_fits(e->d_name)) {
			if (tell)
				log_warn("a directory is not taken: give it a name of printable ASCII, at most %d bytes", BOARD_NAME_MAX - 1);
			continue;
		}
		if (l->n == SCAN_MAX) {
			if (tell)
				log_error("more than %d services: %s and others are not taken", SCAN_MAX, e->d_name);
			break;
		}
		if (look_add(l, e->d_name, &st) < 0)
			return -1;
	}
	return errno ? -1 : 0;
}

/* Only services from before this look can have the name: entries of one directory differ. */
static struct service *by_name(const struct scan *s, const char *name)
{
	for (size_t i = 0; i < s->known; i++)
		if (strcmp(s->v[i]->name, name) == 0)
			return s->v[i];
	return NULL;
}

/* Who sees that it is gone may remove its directory: it is shown until the writer has let go of it. When all ends nobody waits for that. */
static void forget(struct scan *s, size_t i)
{
	char name[BOARD_NAME_MAX];

	snprintf(name, sizeof name, "%s", s->v[i]->name);
	if (!s->v[i]->open && !s->v[i]->closing)	/* it may never have been taken over */
		service_disown(s->v[i]);
	service_close(s->v[i]);
	if (!s->closed && writer_closing(&s->host->writer) && loop_timer_in(s->host->loop, &s->closed_yet, CLOSED_YET) == 0) {
		s->v[i]->closing = true;
		return;
	}
	service_free(s->v[i]);
	s->v[i] = s->v[--s->n];
	extra_forgotten(name);
}

static void retry_later(struct scan *s)
{
	if (!s->retry.due)
		loop_timer_in(s->host->loop, &s->retry, backoff_next(&s->backoff, hash_random()));
}

static void take(struct scan *s, const struct found *f)
{
	struct service *sv;

	sv = by_name(s, f->name);
	if (sv || ghost_named(s->host, f->name)) {
		if (sv && !sv->leaving && !sv->closing && !s->retrying)
			log_error("%s: not taken: the directory that runs under this name has another one now: move that out, or give this one "
				"another name", f->name);
		s->waits_for_old = true;
		return;
	}
	if (s->n == s->cap) {
		size_t cap = s->cap ? 2 * s->cap : 64;
		struct service **v = realloc(s->v, cap * sizeof(*v));

		if (!v) {
			log_error("%s: no memory", f->name);
			return;
		}
		s->v = v;
		s->cap = cap;
	}
	sv = service_new(s->host, f->name, f->dev, f->ino);
	if (!sv) {
		retry_later(s);
		return;
	}
	s->v[s->n++] = sv;
	if (service_open(sv) < 0)
		retry_later(s);
}

/* Removes from the look what is known, and lets go of what is no longer there. */
static void match(struct scan *s, struct look *l, bool again)
{
	for (size_t i = s->n; i-- > 0;) {
		struct service *sv = s->v[i];
		struct found key = { .dev = sv->dev, .ino = sv->ino };
		struct found *f = l->n ? bsearch(&key, l->v, l->n, sizeof *l->v, by_identity) : NULL;

		if (!f) {
			if (sv->open)
				service_leave(sv);
			else if (!sv->closing)
				forget(s, i);
			continue;
		}
		/* An empty name marks what is known; two names of one directory stand side by side. */
		while (f > l->v && by_identity(f - 1, &key) == 0)
			f--;
		for (; f < l->v + l->n && by_identity(f, &key) == 0; f++)
			f->name[0] = 0;
		s->waits_for_old |= sv->closing;
		if (sv->closing)
			continue;
		if (sv->open)
			sv->main.again |= again && !sv->leaving && sv->main.st.want == WANT_EXIT;
		else if ((again || sv->why[0]) && service_open(sv) < 0)
			retry_later(s);
	}
}

struct search { struct scan *scan; const struct look *look; };

static void not_found(void *arg, int row)
{
	struct search *search = arg;
	struct host *h = search->scan->host;
	const struct found key = { .dev = h->keep.row[row].dev, .ino = h->keep.row[row].ino };

	if (search->look->n == 0 || !bsearch(&key, search->look->v, search->look->n, sizeof key, by_identity))
		ghost_add(h, row);
}

static bool is_new(const struct look *l, size_t i)
{
	bool twin = i > 0 && by_identity(&l->v[i - 1], &l->v[i]) == 0;

	return l->v[i].name[0] && !twin;
}

static void take_new(struct scan *s, const struct look *l)
{
	const char **names = malloc(l->n * sizeof *names + 1);
	size_t n = 0;

	for (size_t i = 0; names && i < l->n; i++)
		if (is_new(l, i))
			names[n++] = l->v[i].name;
	prepare(names, n);
	free(names);
	for (size_t i = 0; i < l->n; i++)
		if (is_new(l, i))
			take(s, &l->v[i]);
}

int scan_now(struct scan *s, bool again)
{
	struct look l = { 0 };
	DIR *d;

	if (s->closed)
		return 0;
	loop_timer_del(s->host->loop, &s->settle);
	loop_timer_del(s->host->loop, &s->retry);
	extra_look();
	d = opendir(".");
	if (!d || look_read(&l, d, !s->retrying) < 0) {
		log_error("%s: %s: nothing is changed", s->dir, strerror(errno));
		if (d)
			closedir(d);
		look_release(&l);
		return -1;
	}
	closedir(d);
	if (l.n > 0)
		qsort(l.v, l.n, sizeof *l.v, by_identity);
	s->waits_for_old = false;
	if (!s->looked)
		keep_unclaimed(&s->host->keep, not_found, &(struct search){ s, &l });
	s->looked = true;
	match(s, &l, again);
	s->known = s->n;
	take_new(s, &l);
	look_release(&l);
	if (!s->retry.due)
		backoff_reset(&s->backoff);
	return 0;
}

static void on_closed_yet(void *arg)
{
	struct scan *s = arg;

	for (size_t i = s->n; i-- > 0;)
		if (s->v[i]->closing)
			forget(s, i);
	if (s->waits_for_old && !s->closed_yet.due)
		scan_now(s, false);
}

static void let_go(struct scan *s, struct service *sv)
{
	bool again = sv->main.again && !s->closed;

	sv->main.again = false;
	service_close(sv);
	if (again && service_open(sv) < 0)
		retry_later(s);
}

void scan_collect(struct scan *s)
{
	bool rescan = s->host->ghost_gone && s->waits_for_old;

	s->host->ghost_gone = false;
	if (s->host->over == 0 && !rescan)
		return;
	for (size_t i = s->n; i-- > 0;) {
		struct service *sv = s->v[i];

		if (!sv->over)
			continue;
		rescan |= s->waits_for_old;
		if (sv->leaving)
			forget(s, i);
		else
			let_go(s, sv);
	}
	if (rescan)
		scan_now(s, false);
}

bool scan_settled(const struct scan *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (!service_settled(s->v[i]))
			return false;
	return true;
}

static void on_change(void *arg, unsigned events)
{
	struct scan *s = arg;
	char buf[4096] __attribute__((aligned(__alignof__(struct inotify_event))));

	(void)events;
	while (read(s->inotify.fd, buf, sizeof buf) > 0)
		;
	if (!s->closed)
		loop_timer_in(s->host->loop, &s->settle, SCAN_SETTLE);
}

static void on_settle(void *arg)
{
	scan_now(arg, false);
}

static void on_retry(void *arg)
{
	struct scan *s = arg;

	s->retrying = true;
	scan_now(s, false);
	s->retrying = false;
}

void scan_init(struct scan *s, struct host *h, const char *dir)
{
	*s = (struct scan){
		.host = h, .dir = dir,
		.inotify = { .fd = -1, .fn = on_change, .arg = s },
		.settle = { .fn = on_settle, .arg = s }, .retry = { .fn = on_retry, .arg = s },
		.closed_yet = { .fn = on_closed_yet, .arg = s },
		.backoff = { .base = SCAN_RETRY_BASE, .max = SCAN_RETRY_MAX },
	};
	s->inotify.fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (s->inotify.fd < 0 || inotify_add_watch(s->inotify.fd, ".", WATCH) < 0 ||
	    loop_io_add(h->loop, &s->inotify, LOOP_IN) < 0) {
		log_warn("%s: cannot be watched: %s (see fs.inotify.max_user_instances); send SIGALRM after each change",
			dir, strerror(errno));
		if (s->inotify.fd >= 0)
			close(s->inotify.fd);
		s->inotify.fd = -1;
	}
}

void scan_release(struct scan *s)
{
	loop_timer_del(s->host->loop, &s->settle);
	loop_timer_del(s->host->loop, &s->retry);
	loop_timer_del(s->host->loop, &s->closed_yet);
	if (s->inotify.fd >= 0) {
		loop_io_del(s->host->loop, &s->inotify);
		close(s->inotify.fd);
	}
	for (size_t i = 0; i < s->n; i++)
		service_free(s->v[i]);
	free(s->v);
}
