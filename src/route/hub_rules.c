#include "route/hub_rules.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/log.h"
#include "route/cursor_file.h"
#include "route/hub_impl.h"
#include "route/jq.h"
#include "route/lint.h"
#include "route/verb/verb.h"

#define CALLS 128u		/* that wait for one reload */
#define WARNINGS_MAX (256u << 10)

/* New rules on their way. Between the start of the thread and its end all but `calls` belongs to it. */
struct reload {
	pthread_t thread;
	int done;			/* eventfd; it is the loop's */
	const char *file, *flags, *dir;
	char cursors[4096];		/* folder of the cursors */
	uint64_t start, base;		/* where new destinations begin: here no line was theirs yet; and how many lines were before it */
	const struct rules *now;	/* borrowed: those in force, which no thread changes the text of */
	struct rules *fresh;		/* NULL: why */
	int kept;			/* as rules_keep has it */
	char why[RULES_WHY];
	struct buf warnings;		/* JSON strings with commas between them */
	struct call *calls[CALLS];
	unsigned ncalls;
};

/* ---- in force ---- */

/* Segments are of all destinations: the longest time that one of them asks for holds for all. */
static void set_keep(struct hub *h)
{
	const struct ruleset *set = &h->book.now->set;
	int64_t keep = h->c->spool.keep;

	for (unsigned i = 0; i < set->ndests; i++)
		if (set->settings[i].has & SETTING_KEEP && set->settings[i].keep > keep)
			keep = set->settings[i].keep;
	spool_keep(h->spool, keep);
}

/* The book has new rules, or the first. */
static void in_force(struct hub *h)
{
	rules_book_bind(&h->book);
	spool_generation(h->spool, h->book.now->gen);
	dests_mark_unnamed(&h->dests, h->book.now, spool_next(h->spool));
	set_keep(h);
	metric_set(route_metrics[M_GENERATION], h->book.now->gen);
	hub_hits_find(h);
	h->rules.from = spool_next(h->spool);
}

static void warn_of(void *arg, unsigned line, const char *text)
{
	log_warn("%s:%u: %s", (const char *)arg, line, text);
}

int hub_rules_read(struct hub *h)
{
	char why[RULES_WHY];
	struct rules *r = rules_read(h->c->rules, h->c->flags, why);

	if (!r || rules_ready(r, h->c->rules, why) < 0) {
		log_error("%s", why);
		rules_free(r);
		return -1;
	}
	lint_rules(&r->set, warn_of, (void *)(uintptr_t)h->c->rules);
	h->rules.first = r;
	return 0;
}

int hub_rules_start(struct hub *h)
{
	struct rules *r = h->rules.first;

	if (jq_remember(h->rules_dir) < 0 || dests_open_new(&h->dests, r) < 0)
		return -1;
	h->rules.first = NULL;
	if (rules_book_use(&h->book, r) < 0)
		return -1;
	in_force(h);
	return 0;
}

/* ---- the thread ---- */

static void note(void *arg, unsigned line, const char *text)
{
	struct reload *r = arg;
	char whole[600];

	snprintf(whole, sizeof(whole), "%s:%u: %s", r->file, line, text);
	log_warn("%s", whole);
	size_t was = r->warnings.len;
	if ((was && buf_addc(&r->warnings, ',') < 0) || buf_add_json(&r->warnings, whole, strlen(whole)) < 0)
		r->warnings.len = was;
}

/* New destinations get their cursors here, where nobody waits for the disk. Should the rules not come in force, the next start drops
 * them: nobody names them. */
static int make_cursors(struct reload *r)
{
	for (unsigned i = 0; i < r->fresh->set.ndests; i++) {
		const char *name = r->fresh->set.names[i];
		char path[sizeof(r->cursors) + RULES_DEST_NAME + 2];
		struct cursor_file file;
		struct cursor c;
		int how;

		snprintf(path, sizeof(path), "%s/%s", r->cursors, name);
		if (access(path, F_OK) == 0)
			continue;
		cursor_init(&c, r->start);
		c.base = r->base;
		how = cursor_file_open(&file, r->cursors, name, &c);
		if (how == CURSOR_NEW)
			how = cursor_file_make(&file, &c);
		if (how >= 0 || file.path)
			cursor_file_close(&file);
		cursor_release(&c);
		if (how < 0) {
			snprintf(r->why, sizeof(r->why), "destination %s: no cursor can be made for it; the log says why", name);
			return -1;
		}
	}
	return 0;
}

static void *run(void *arg)
{
	struct reload *r = arg;
	uint64_t one = 1;

	r->fresh = rules_read(r->file, r->flags, r->why);
	if (r->fresh)
		lint_rules(&r->fresh->set, note, r);
	r->kept = r->fresh && rules_ready(r->fresh, r->file, r->why) == 0 ? rules_keep(r->dir, r->now, r->fresh, r->why) : -1;
	if (r->kept > 0 && make_cursors(r) < 0)
		r->kept = -1;
	while (write(r->done, &one, sizeof(one)) < 0 && errno == EINTR)
		;
	return NULL;
}

static int start_thread(struct reload *r)
{
	sigset_t all, was;
	int err;

	/* Signals are the loop's business. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &was);
	err = pthread_create(&r->thread, NULL, run, r);
	pthread_sigmask(SIG_SETMASK, &was, NULL);
	return err;
}

/* ---- answers ---- */

static void refuse(struct hub *h, struct reload *r, const char *why)
{
	log_error("%s", why);
	log_error("%s: not in force; the old rules stay (generation %" PRIu64 ")", h->c->rules, h->book.now->gen);
	for (unsigned i = 0; i < r->ncalls; i++)
		verb_fail(r->calls[i], "%s", why);
}

static void accept(struct hub *h, struct reload *r, bool changed)
{
	struct buf text;

	if (changed)
		log_info("%s: generation %" PRIu64 " in force from line %" PRIu64 " on", h->c->rules, h->book.now->gen, h->rules.from);
	else
		log_info("%s: unchanged (generation %" PRIu64 ")", h->c->rules, h->book.now->gen);
	buf_init(&text, WARNINGS_MAX + 256);
	int bad = buf_printf(&text, "\"generation\":%" PRIu64 ",\"from\":%" PRIu64 ",\"changed\":%s,\"warnings\":[", h->book.now->gen,
		h->rules.from, changed ? "true" : "false");
	bad |= (r->warnings.len ? buf_add(&text, r->warnings.p, r->warnings.len) : 0) | buf_addc(&text, ']');
	for (unsigned i = 0; i < r->ncalls; i++) {
		if (bad)
			verb_fail(r->calls[i], "the rules are in force, but there is no memory for the answer");
		else
			verb_ok_text(r->calls[i], text.p, text.len);
	}
	buf_release(&text);
}

static void reload_free(struct reload *r)
{
	rules_free(r->fresh);
	buf_release(&r->warnings);
	free(r);
}

/* ---- under way ---- */

static void begin(struct hub *h);

static void on_done(void *arg, unsigned events)
{
	struct hub *h = arg;
	struct reload *r = h->rules.under_way;
	uint64_t count;

	(void)events;
	if (read(h->rules.io.fd, &count, sizeof(count)) < 0 || !r)
		return;
	pthread_join(r->thread, NULL);
	h->rules.under_way = NULL;
	if (r->kept < 0) {
		refuse(h, r, r->why);
	} else if (r->kept == 0) {
		accept(h, r, false);
	} else if (dests_open_new(&h->dests, r->fresh) < 0) {
		refuse(h, r, "a destination of the new rules cannot be opened; the log says why");
	} else {
		hub_hits_count(h);
		rules_book_enter(&h->book, r->fresh);
		r->fresh = NULL;
		in_force(h);
		accept(h, r, true);
	}
	reload_free(r);
	if (h->rules.next)
		begin(h);
}

/* One eventfd serves all reloads: there is one at a time. */
static int open_event(struct hub *h)
{
	struct loop_io *io = &h->rules.io;

	if (io->fn)
		return 0;
	io->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (io->fd < 0)
		return errno;
	*io = (struct loop_io){ .fd = io->fd, .fn = on_done, .arg = h };
	if (loop_io_add(h->loop, io, LOOP_IN) == 0)
		return 0;
	int err = errno;
	close(io->fd);
	io->fn = NULL;
	return err;
}

static void begin(struct hub *h)
{
	struct reload *r = h->rules.next;
	int err = open_event(h);

	h->rules.next = NULL;
	r->file = h->c->rules;
	r->flags = h->c->flags;
	r->dir = h->rules_dir;
	snprintf(r->cursors, sizeof(r->cursors), "%s/cursor", h->c->spool.dir);
	r->start = spool_end(h->spool);	/* what is not kept yet may still be lost, and its numbers given out again */
	r->base = spool_lines(h->spool, r->start);
	r->now = h->book.now;
	r->done = h->rules.io.fd;
	if (!err)
		err = start_thread(r);
	if (err) {
		snprintf(r->why, sizeof(r->why), "no thread to read the rules: %s", strerror(err));
		refuse(h, r, r->why);
		reload_free(r);
		return;
	}
	h->rules.under_way = r;
}

void hub_rules_reload(struct hub *h, struct call *c)
{
	struct hub_rules *hr = &h->rules;

	/* What is under way may have read the file before it was changed. */
	if (!hr->next && (hr->next = calloc(1, sizeof(*hr->next))))
		buf_init(&hr->next->warnings, WARNINGS_MAX);
	if (!hr->next || h->stopping || (c && hr->next->ncalls == CALLS)) {
		const char *why = !hr->next ? "no memory" : h->stopping ? "route is stopping" : "too many ask for the same at once";
		log_error("%s: not read again: %s", h->c->rules, why);
		if (c)
			verb_fail(c, "%s", why);
	} else if (c) {
		hr->next->calls[hr->next->ncalls++] = c;
	}
	if (hr->next && !hr->under_way && !h->stopping)
		begin(h);
}

static void forget(struct reload *r)
{
	if (!r)
		return;
	for (unsigned i = 0; i < r->ncalls; i++)
		verb_fail(r->calls[i], "route is stopping");
	reload_free(r);
}

void hub_rules_release(struct hub *h)
{
	struct hub_rules *hr = &h->rules;

	if (hr->under_way)
		pthread_join(hr->under_way->thread, NULL);
	forget(hr->under_way);
	forget(hr->next);
	if (hr->io.fn) {
		loop_io_del(h->loop, &hr->io);
		close(hr->io.fd);
	}
	if (h->book.now)
		hub_hits_count(h);
	rules_free(hr->first);
	jq_forget();
	memset(hr, 0, sizeof(*hr));
}
