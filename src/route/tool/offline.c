#include "route/tool/offline.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/log.h"
#include "base/loop.h"
#include "link/link.h"
#include "route/decide.h"
#include "route/jq.h"

#define PATIENCE (600 * CLOCK_S)	/* a cursor far set back: all lines between are read */

bool offline_in_use(const char *spool)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/lock", spool);
	if (access(path, F_OK) < 0)
		return false;
	fd = fd_lock(path);
	if (fd < 0)
		return errno == EWOULDBLOCK;
	close(fd);
	return false;
}

static int place_of(void *arg, const char *name)
{
	const struct offline *o = arg;

	for (size_t i = 0; i < o->n; i++)
		if (strcmp(o->dests[i].name, name) == 0)
			return (int)i;
	return -1;
}

static int open_cursor(struct offline *o, const char *dir, const char *name)
{
	struct offline_dest *d = &o->dests[o->n];

	if (o->n == RULES_DESTS) {
		log_error("%s: more than %u cursors", dir, RULES_DESTS);
		return -1;
	}
	snprintf(d->name, sizeof(d->name), "%.*s", (int)RULES_DEST_NAME, name);
	cursor_init(&d->c, spool_oldest(o->spool));
	int how = cursor_file_open(&d->f, dir, name, &d->c);
	if (how < 0)
		return -1;
	if (how == CURSOR_READ) {
		o->n++;
		return 0;
	}
	cursor_file_close(&d->f);
	cursor_release(&d->c);
	return 0;
}

static int open_cursors(struct offline *o, const char *spool)
{
	struct cursor c;
	struct cursor_file f;
	char dir[4096];
	int r = 0, how;
	DIR *d;

	snprintf(dir, sizeof(dir), "%s/cursor", spool);
	if (!(d = opendir(dir))) {
		log_error("%s: %s", dir, strerror(errno));
		return -1;
	}
	for (const struct dirent *e; r == 0 && (e = readdir(d)); )
		if (rules_dest_name(e->d_name, strlen(e->d_name)))
			r = open_cursor(o, dir, e->d_name);
	closedir(d);
	o->held = spool_end(o->spool);
	cursor_init(&c, o->held);
	how = r < 0 ? -1 : cursor_file_open(&f, dir, ".timer", &c);
	if (how == CURSOR_READ)
		o->held = c.low;
	if (how >= 0)
		cursor_file_close(&f);
	cursor_release(&c);
	return r;
}

int offline_open(struct offline *o, const char *spool)
{
	static const struct spool_events events = { .on_kept = NULL };
	struct spool_opts opts = { .dir = spool, .sync = SPOOL_ALWAYS, .segment_bytes = 64u << 20 };
	struct stat st;

	memset(o, 0, sizeof(*o));
	if (stat(spool, &st) < 0) {
		log_error("%s: %s", spool, errno == ENOENT ? "there is no spool" : strerror(errno));
		return -1;
	}
	o->loop = loop_new();
	o->dests = calloc(RULES_DESTS, sizeof(*o->dests));
	if (!o->loop || !o->dests || asprintf(&o->rules_dir, "%s/rules", spool) < 0) {
		log_error("no memory");
		return -1;
	}
	o->spool = spool_open(o->loop, &opts, &events, o);
	/* Rules may ask a jq; lines that it could not judge must be decided as the hub decided. */
	jq_allow();
	if (!o->spool || open_cursors(o, spool) < 0 || jq_remember(o->rules_dir) < 0)
		return -1;
	o->book = (struct rules_book){ .dir = o->rules_dir, .place_of = place_of, .arg = o };
	return 0;
}

void offline_close(struct offline *o)
{
	for (size_t i = 0; i < o->n; i++) {
		cursor_file_close(&o->dests[i].f);
		cursor_release(&o->dests[i].c);
	}
	free(o->dests);
	if (o->book.dir)
		rules_book_release(&o->book);
	decide_release();
	jq_forget();
	if (o->spool)
		spool_close(o->spool);
	free(o->rules_dir);
	if (o->loop)
		loop_free(o->loop);
}

int offline_save(struct offline_dest *d)
{
	return cursor_file_save(&d->f, &d->c) < 0 || cursor_file_sync(&d->f) < 0 ? -1 : 0;
}

int offline_ask(const char *run_dir, const char *question, struct buf *reply)
{
	struct json_error err;
	struct json *doc;
	const char *error;
	char url[4096];
	int r = -1;

	if (!run_dir) {
		log_error("a route runs on this spool: say with -R where its control socket is");
		return -1;
	}
	snprintf(url, sizeof(url), "ipc://%s/control", run_dir);
	if (link_call(url, question, strlen(question), PATIENCE, reply) < 0)
		return -1;
	doc = json_parse(reply->p, reply->len, &err);
	error = json_str(json_member(doc, "error"), NULL);
	if (!doc)
		log_error("%s: an answer that is no JSON: %s", url, err.text);
	else if (error)
		log_error("%s", error);
	else
		r = 0;
	json_free(doc);
	return r;
}
