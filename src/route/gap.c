#include "route/gap.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/log.h"

#define NOTE_MAX 4096

static void path_of(char out[4096], const char *dir, const struct gap *p, const char *suffix)
{
	snprintf(out, 4096, "%s/damaged/%020" PRIu64 "-%020" PRIu64 "%s", dir, p->from, p->to, suffix);
}

int gap_note(const char *dir, struct gap *p)
{
	char path[4096];
	struct buf b;
	int r;

	if (p->noted)
		return 0;
	snprintf(path, sizeof(path), "%s/damaged", dir);
	if (fd_mkdirs(path, 0700) < 0 || fd_sync_dir(path) < 0)
		return -1;
	path_of(path, dir, p, ".gap");
	buf_init(&b, NOTE_MAX);
	r = buf_printf(&b, "{\"from\":%" PRIu64 ",\"to\":%" PRIu64 ",\"file\":", p->from, p->to);
	r |= buf_add_json(&b, p->file, strlen(p->file));
	r |= buf_adds(&b, ",\"reason\":");
	r |= buf_add_json(&b, p->reason, strlen(p->reason));
	r |= buf_adds(&b, "}\n");
	if (r == 0)
		r = fd_replace(path, b.p, b.len, 0600);
	buf_release(&b);
	p->noted = r == 0;
	return r;
}

void gap_said(const char *dir, struct gap *p)
{
	char from[4096], to[4096];

	p->said = true;
	path_of(from, dir, p, ".gap");
	path_of(to, dir, p, ".said");
	/* Where there is no note (a full disk) it may be said again after a restart, under the same id. */
	if (p->noted && (rename(from, to) < 0 || fd_sync_dir(to) < 0))
		log_warn("%s: %s", from, strerror(errno));
}

static struct gap *add(struct gaps *g, const struct gap *p)
{
	if (g->n == g->cap) {
		size_t cap = g->cap ? g->cap * 2 : 8;
		struct gap *v = realloc(g->v, cap * sizeof(*v));
		if (!v)
			return NULL;
		g->v = v;
		g->cap = cap;
	}
	g->v[g->n] = *p;
	return &g->v[g->n++];
}

bool gaps_add(struct gaps *g, uint64_t from, uint64_t to, const char *file, const char *reason, bool *noted)
{
	struct gap one = { .from = from, .to = to };
	bool any = false;

	if (from > to)
		return false;
	for (size_t i = 0; i < g->n; i++) {
		struct gap k = g->v[i];
		if (k.from > to || k.to < from)
			continue;
		if (noted && !k.noted)
			*noted = false;
		if (k.from > from)
			any |= gaps_add(g, from, k.from - 1, file, reason, noted);
		if (k.to < to)
			any |= gaps_add(g, k.to + 1, to, file, reason, noted);
		return any;
	}
	snprintf(one.reason, sizeof(one.reason), "%s", reason);
	snprintf(one.file, sizeof(one.file), "%s", file);
	struct gap *p = add(g, &one);
	if (!p)
		die(1, "%s: no memory", g->dir);
	log_error("%s: lines %" PRIu64 " to %" PRIu64 " are gone: %s", g->dir, from, to, reason);
	if (gap_note(g->dir, p) < 0) {
		log_warn("%s/damaged: %s; said when it can be noted", g->dir, strerror(errno));
		if (noted)
			*noted = false;
	}
	return true;
}

/* -1: not the name of a note. */
static int name_parse(const char *name, struct gap *p)
{
	char suffix[8] = "";

	if (strlen(name) > 20 + 1 + 20 + 5 || sscanf(name, "%20" SCNu64 "-%20" SCNu64 "%7s", &p->from, &p->to, suffix) != 3 || p->from > p->to)
		return -1;
	p->said = strcmp(suffix, ".said") == 0;
	return p->said || strcmp(suffix, ".gap") == 0 ? 0 : -1;
}

/* What it says is for people and for the event; the range is its name. */
static void read_note(const char *path, struct gap *p)
{
	struct json_error err;
	struct json *doc = NULL;
	struct buf b;

	buf_init(&b, NOTE_MAX);
	if (fd_read_file(path, &b) == 0)
		doc = json_parse(b.p, b.len, &err);
	const char *file = json_str(json_member(doc, "file"), NULL), *reason = json_str(json_member(doc, "reason"), NULL);
	snprintf(p->file, sizeof(p->file), "%s", file ? file : "");
	snprintf(p->reason, sizeof(p->reason), "%s", reason ? reason : "unknown");
	json_free(doc);
	buf_release(&b);
}

int gaps_load(struct gaps *g)
{
	char path[4096];
	int r = 0;
	DIR *d;

	snprintf(path, sizeof(path), "%s/damaged", g->dir);
	if (!(d = opendir(path)))
		return 0;
	for (const struct dirent *e; r == 0 && (e = readdir(d)); ) {
		struct gap one = { .noted = true };
		if (name_parse(e->d_name, &one) < 0)
			continue;
		snprintf(path, sizeof(path), "%s/damaged/%s", g->dir, e->d_name);
		read_note(path, &one);
		r = add(g, &one) ? 0 : -1;
	}
	closedir(d);
	if (r < 0)
		log_error("%s/damaged: no memory", g->dir);
	return r;
}

void gaps_forget(struct gaps *g, uint64_t oldest)
{
	char path[4096];

	for (size_t i = g->n; i--; ) {
		if (!g->v[i].said || g->v[i].to >= oldest)
			continue;
		path_of(path, g->dir, &g->v[i], ".said");
		if (g->v[i].noted && unlink(path) < 0 && errno != ENOENT)
			log_warn("%s: %s", path, strerror(errno));
		g->v[i] = g->v[--g->n];
	}
}

void gaps_release(struct gaps *g)
{
	free(g->v);
	g->v = NULL;
	g->n = g->cap = 0;
}
