#include "route/dests.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/num.h"

int dests_place(void *dests, const char *name)
{
	const struct dests *ds = dests;

	for (unsigned i = 0; i < RULES_DESTS; i++)
		if (ds->v[i] && strcmp(ds->v[i]->name, name) == 0)
			return (int)i;
	return -1;
}

/* Its place, or -1 with a message. */
static int add(struct dests *ds, const char *name, uint64_t start)
{
	unsigned place = 0;

	while (place < RULES_DESTS && ds->v[place])
		place++;
	if (place == RULES_DESTS) {
		log_error("destination %s: more than %u destinations, those counted that the rules no longer name and that "
			"still have lines", name, RULES_DESTS);
		return -1;
	}
	ds->v[place] = dest_new(&ds->config, name, place, start);
	return ds->v[place] ? (int)place : -1;
}

static int listen_for(const struct dests *ds, struct dest *d)
{
	char *url;
	size_t n = strlen(d->name);

	if (d->nservers)
		return 0;
	if (ds->run_dir) {
		if (asprintf(&url, "ipc://%s/to-%s", ds->run_dir, d->name) < 0) {
			log_error("destination %s: no memory", d->name);
			return -1;
		}
		d->url = url;	/* link keeps the pointer for as long as it listens */
		if (dest_listen(d, url) < 0)
			return -1;
	}
	for (size_t i = 0; i < ds->outlets.n; i++) {
		const char *o = ds->outlets.v[i];
		if (strncmp(o, d->name, n) == 0 && o[n] == '=' && dest_listen(d, o + n + 1) < 0)
			return -1;
	}
	return 0;
}

int dests_listen(struct dests *ds)
{
	EACH_DEST(ds, d)
		if (listen_for(ds, d) < 0)
			return -1;
	return 0;
}

int dests_open_old(struct dests *ds)
{
	char dir[4096];
	int r = 0;
	DIR *d;

	snprintf(dir, sizeof(dir), "%s/cursor", ds->config.spool_dir);
	if (!(d = opendir(dir))) {
		log_error("%s: %s", dir, strerror(errno));
		return -1;
	}
	for (const struct dirent *e; r == 0 && (e = readdir(d)); )
		if (rules_dest_name(e->d_name, strlen(e->d_name)))
			r = add(ds, e->d_name, spool_next(ds->config.spool)) < 0 ? -1 : 0;
	closedir(d);
	/* After a power loss a cursor may be ahead of the spool: its numbers are not given out again. */
	EACH_DEST(ds, dest)
		spool_at_least(ds->config.spool, cursor_top(&dest->cursor));
	return r;
}

/* Its cursor was made a moment ago, and lines came since: none of them was sent to it. */
static void begin_here(const struct spool *s, struct dest *d)
{
	uint64_t end = spool_end(s), seen = d->cursor.seen;

	if (end <= seen)
		return;
	d->cursor.filtered += spool_lines(s, end) - spool_lines(s, seen);
	d->cursor.seen = end;
	cursor_done(&d->cursor, d->cursor.low, end - 1, false);
	fill_restart(d, end);
}

int dests_open_new(struct dests *ds, const struct rules *r)
{
	bool was[RULES_DESTS];

	for (unsigned i = 0; i < RULES_DESTS; i++)
		was[i] = ds->v[i] != NULL;
	for (unsigned i = 0; i < r->set.ndests; i++) {
		int place = dests_place(ds, r->set.names[i]);
		if (place < 0)
			place = add(ds, r->set.names[i], spool_next(ds->config.spool));
		if (place < 0 || listen_for(ds, ds->v[place]) < 0)
			goto fail;
		if (!was[place])
			begin_here(ds->config.spool, ds->v[place]);
	}
	return 0;
fail:
	for (unsigned i = 0; i < RULES_DESTS; i++) {
		if (ds->v[i] && !was[i]) {
			dest_forget(ds->v[i]);
			ds->v[i] = NULL;
		}
	}
	return -1;
}

/* Its place in the rules; -1: they do not name it. */
static int named(const struct rules *r, const char *name)
{
	for (unsigned i = 0; i < r->set.ndests; i++)
		if (strcmp(r->set.names[i], name) == 0)
			return (int)i;
	return -1;
}

/* What the rules say about it, and the hub's options where they say nothing. */
static void set_limits(const struct dests *ds, struct dest *d, const struct rules *r, int i)
{
	const struct dest_settings *s = &r->set.settings[i];
	struct dest_limits limits = *ds->config.limits;

	if (s->has & SETTING_ATTEMPTS)
		limits.attempts = s->attempts;
	if (s->has & SETTING_WINDOW)
		limits.window_lines = s->window;
	if (s->has & SETTING_DEADLINE)
		limits.deadline = s->deadline;
	dest_set_limits(d, &limits, r->set.mirrors >> i & 1);
}

void dests_mark_unnamed(struct dests *ds, const struct rules *r, uint64_t from)
{
	EACH_DEST(ds, d) {
		int i = named(r, d->name);
		if (i >= 0) {
			set_limits(ds, d, r, i);
			d->until = UINT64_MAX;
		} else if (d->until == UINT64_MAX) {
			d->until = from;
			if (d->cursor.pending && !d->mirror)
				log_warn("destination %s is no longer in the rules and has %" PRIu64 " line%s pending; it is kept until that is done",
					d->name, d->cursor.pending, num_s(d->cursor.pending));
		}
	}
}

bool dests_drop_drained(struct dests *ds)
{
	bool any = false;

	EACH_DEST(ds, d) {
		if (!dest_drained(d))
			continue;
		uint64_t given_up = d->cursor.pending;
		char name[sizeof(d->name)];

		memcpy(name, d->name, sizeof(name));
		dest_forget(d);		/* before it is said: who reads that it is closed finds it closed */
		if (given_up)
			log_info("mirror %s: no longer in the rules: closed; %" PRIu64 " pending are given up", name, given_up);
		else
			log_info("destination %s: no longer in the rules, nothing left: closed", name);
		*at_ = NULL;
		any = true;
	}
	return any;
}

uint64_t dests_low(const struct dests *ds, uint64_t otherwise)
{
	uint64_t low = otherwise;

	for (unsigned i = 0; i < RULES_DESTS; i++)
		if (ds->v[i] && !ds->v[i]->mirror && ds->v[i]->cursor.low < low)
			low = ds->v[i]->cursor.low;
	return low;
}

static int change_file(const char *spool_dir, const char *name, int (*change)(void *arg, struct cursor *c), void *arg)
{
	struct cursor_file f;
	struct cursor c;
	char dir[4096];
	int how, r = -1;

	cursor_init(&c, 0);
	snprintf(dir, sizeof(dir), "%s/cursor", spool_dir);
	how = cursor_file_open(&f, dir, name, &c);
	if (how == CURSOR_READ && change(arg, &c) == 0)
		r = cursor_file_save(&f, &c) < 0 || cursor_file_sync(&f) < 0 ? -1 : 0;
	else if (how >= 0 && how != CURSOR_READ)
		log_error("destination %s: its cursor cannot be read", name);
	if (how >= 0)
		cursor_file_close(&f);
	cursor_release(&c);
	return r;
}

int dests_renew(struct dests *ds, struct dest *d, int (*change)(void *arg, struct cursor *c), void *arg)
{
	unsigned place = d->place;
	uint64_t until = d->until;
	struct dest_limits limits = d->limits;
	bool mirror = d->mirror;
	char name[sizeof(d->name)];
	int r;

	memcpy(name, d->name, sizeof(name));
	dest_free(d);
	ds->v[place] = NULL;
	r = change_file(ds->config.spool_dir, name, change, arg);
	d = ds->v[place] = dest_new(&ds->config, name, place, spool_next(ds->config.spool));
	/* Without it its lines would be passed over by nobody, and its books would stand still: a new process finds all as it was. */
	if (!d)
		die(1, "destination %s cannot be opened again", name);
	d->until = until;
	dest_set_limits(d, &limits, mirror);
	if (spool_is_gone(d->spool, d->cursor.from, d->cursor.seen))
		dest_gone(d);
	return listen_for(ds, d) < 0 ? -1 : r;
}

void dests_close(struct dests *ds)
{
	EACH_DEST(ds, d) {
		dest_free(d);
		*at_ = NULL;
	}
}
