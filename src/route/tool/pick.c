#include "route/tool/pick.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/args.h"
#include "base/log.h"
#include "base/num.h"
#include "line/scan.h"
#include "route/decide.h"

#define FILES_MOST 4096u

static void read_operand(const struct args *a, const char *text, struct pick_id *out)
{
	const char *colon = strchr(text, ':'), *number = colon ? colon + 1 : text, *why;
	size_t n = colon ? (size_t)(colon - text) : strlen(text);
	char name[RULES_DEST_NAME + 1] = "";
	bool digits = number[0] && number[strspn(number, "0123456789")] == '\0';

	memset(out, 0, sizeof(*out));
	/* A bare number is a number, although a destination might be called that: dest:number says it. */
	if (!colon && digits)
		n = 0;
	if (n && n <= RULES_DEST_NAME)
		memcpy(name, text, n);
	if ((n && (n > RULES_DEST_NAME || !rules_dest_name(name, n))) || (colon && (!n || !digits)))
		args_usage(a, "%s: a letter is NUMBER or DESTINATION:NUMBER, as `dead list` shows them", text);
	strcpy(out->dest, name);
	if (digits && num_u64(number, 1, INT64_MAX, &out->seq, &why) < 0)
		args_usage(a, "%s: %s", text, why);
}

void pick_init(struct pick *k, const struct args *a, const char *spool, const char *where, char **operands, int n)
{
	struct parse_error err;

	memset(k, 0, sizeof(*k));
	k->spool = spool;
	k->most = UINT64_MAX;
	buf_init(&k->event, LETTER_MAX);
	k->ids = calloc((size_t)n + 1, sizeof(*k->ids));
	if (!k->ids)
		die(1, "no memory");
	for (int i = 0; i < n; i++) {
		read_operand(a, operands[i], &k->ids[k->nids]);
		k->numbers += k->ids[k->nids++].seq != 0;
	}
	if (where && !(k->where = parse_expr(where, strlen(where), &err)))
		args_usage(a, "-w: %u:%u: %s", err.line, err.column, err.text);
}

void pick_release(struct pick *k)
{
	pred_free(k->where);
	free(k->ids);
	buf_release(&k->event);
	decide_release();
}

/* ---- one file ---- */

struct file {
	struct pick *k;
	const char *dest;
	bool (*fn)(void *arg, const struct picked *l);
	void *arg;
	bool stopped, failed;
};

static bool is_meant(struct pick *k, const char *dest, uint64_t seq)
{
	bool any = k->nids == 0;

	for (size_t i = 0; i < k->nids; i++) {
		struct pick_id *id = &k->ids[i];
		if ((id->dest[0] && strcmp(id->dest, dest) != 0) || (id->seq && id->seq != seq) || (!id->seq && k->numbers))
			continue;
		id->found = any = true;
	}
	return any && seq <= k->most;
}

/* Destinations beside numbers: they name no letter, they say whose numbers are meant. */
static bool dest_is_meant(const struct pick *k, const char *dest)
{
	bool named = false;

	for (size_t i = 0; i < k->nids; i++) {
		if (k->ids[i].seq)
			continue;
		named = true;
		if (strcmp(k->ids[i].dest, dest) == 0)
			return true;
	}
	return !named;
}

static bool on_letter(void *arg, off_t off, const char *p, size_t n)
{
	struct file *f = arg;
	struct letter l;
	struct picked it = { .dest = f->dest, .letter = &l };
	uint64_t seq;
	bool alive;

	if (letter_head(p, n, &alive, &seq) < 0 || !alive || !is_meant(f->k, f->dest, seq))
		return true;
	if (letter_parse(p, n, &l) < 0) {
		log_warn("%s/dead/%s.ndjson, byte %lld: this is no letter", f->k->spool, f->dest, (long long)off);
		return true;
	}
	buf_clear(&f->k->event);
	if (scan_string(l.line, &f->k->event) < 0 || buf_addc(&f->k->event, '\n') < 0) {
		log_error("letter %" PRIu64 " cannot be read", seq);
		f->failed = true;
		return false;
	}
	if (f->k->where && !decide_where(f->k->where, f->k->event.p, f->k->event.len))
		return true;
	it.ref = (struct dead_ref){ seq, off };
	it.event = f->k->event.p;
	it.n = f->k->event.len;
	f->stopped = !f->fn(f->arg, &it);
	return !f->stopped;
}

/* ---- all of them ---- */

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The destinations that have a file; sorted. How many, -1 with a message. */
static int list_files(const char *spool, char **names)
{
	char dir[4096];
	int n = 0;
	DIR *d;

	snprintf(dir, sizeof(dir), "%s/dead", spool);
	d = opendir(dir);
	if (!d) {
		log_error("%s: %s", errno == ENOENT ? spool : dir, errno == ENOENT ? "there is no spool" : strerror(errno));
		return -1;
	}
	for (const struct dirent *e; n < (int)FILES_MOST && (e = readdir(d)); ) {
		char *dot = strrchr(e->d_name, '.');
		char *name = dot && strcmp(dot, ".ndjson") == 0 ? strndup(e->d_name, (size_t)(dot - e->d_name)) : NULL;
		if (name && rules_dest_name(name, strlen(name)))
			names[n++] = name;
		else
			free(name);
	}
	closedir(d);
	qsort(names, (size_t)n, sizeof(*names), by_name);
	return n;
}

int pick_each(struct pick *k, bool (*fn)(void *arg, const struct picked *l), void *arg)
{
	static char *names[FILES_MOST];
	int n = list_files(k->spool, names), r = n < 0 ? -1 : 0;
	struct file f = { .k = k, .fn = fn, .arg = arg };
	char path[4096];

	for (size_t i = 0; i < k->nids; i++)
		k->ids[i].found = false;
	for (int i = 0; i < n; i++) {
		f.dest = names[i];
		snprintf(path, sizeof(path), "%s/dead/%s.ndjson", k->spool, names[i]);
		if (r == 0 && !f.stopped && dest_is_meant(k, names[i]) && (dead_each(path, on_letter, &f) < 0 || f.failed))
			r = -1;
	}
	for (int i = 0; i < n; i++)
		free(names[i]);
	return r;
}

/* It has a cursor; or it had one, and letters are left. */
static bool is_dest(const struct pick *k, const char *name)
{
	char cursor[4096], letters[4096];

	snprintf(cursor, sizeof(cursor), "%s/cursor/%s", k->spool, name);
	snprintf(letters, sizeof(letters), "%s/dead/%s.ndjson", k->spool, name);
	return access(cursor, F_OK) == 0 || access(letters, F_OK) == 0;
}

unsigned pick_missing(const struct pick *k)
{
	unsigned n = 0;

	for (size_t i = 0; i < k->nids; i++) {
		const struct pick_id *id = &k->ids[i];
		if (id->dest[0] && !id->found && !is_dest(k, id->dest)) {
			log_error("%s: there is no such destination", id->dest);
			n++;
			continue;
		}
		if (!id->seq || id->found)
			continue;
		log_error("%s%s%" PRIu64 ": there is no such dead letter", id->dest, id->dest[0] ? ":" : "", id->seq);
		n++;
	}
	return n;
}
