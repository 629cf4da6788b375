/*
 * check SEED SOURCES COUNT DIR TREE: what became of events 0 to COUNT-1 of each source, from the inputs (lines.h), TREE/history, TREE/spool and
 * what the workers did (DIR/done). The tree is down. One line for each figure, its name and its value; exit 1 if one is not 0 that must be:
 *
 *   lost           events, or what a stage must have made of them, that are not in the store; events that no worker did and that are not dead
 *   changed        lines in the store that are not what was sent, and such as nobody sent
 *   repeated       events that are in the store twice, or have two numbers
 *   order          lines before which a later one of the same tenant and key stands, in the store (by seq) and in what the workers did first
 *   ledger         destinations whose books are not what the lines say
 *   gaps           spool.gap events
 *   damaged        databases that SQLite finds fault with
 *   complaints     of sources and workers
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "route/cursor.h"

#include "done.h"
#include "lines.h"

enum { STORED = 1, MADE = 2, DONE = 4, DEAD = 8 };

static uint64_t seed, count;
static unsigned nsources;
static const char *work, *tree;
static unsigned char *seen[SOURCES_MAX];
static uint64_t *seq_of[SOURCES_MAX];		/* in the store */
static uint64_t *made;				/* numbers of what stages made */
static size_t nmade, made_room;
static struct { unsigned long lost, lost_made, undone, changed, repeated, order, order_made, order_done, seq, ledger, damaged, complaints, gaps; } f;
static unsigned shown;

static void show(const char *what, unsigned s, uint64_t i)
{
	if (shown++ < 20)
		fprintf(stderr, "check: s%u-%llu %s\n", s, (unsigned long long)i, what);
}

/* ---- order ---- */

struct last { int64_t i[SOURCES_MAX][TENANTS][KEYS]; };

static bool in_order(struct last *l, unsigned s, uint64_t i)
{
	uint64_t h = line_hash(seed, s, i);
	int64_t *at = &l->i[s][line_tenant(h)][line_key(h)];

	if (*at >= (int64_t)i)
		return false;
	*at = (int64_t)i;
	return true;
}

static struct last *last_new(size_t n)
{
	struct last *l = malloc(n * sizeof *l);

	memset(l, 0xff, n * sizeof *l);
	return l;
}

/* ---- the store ---- */

static void made_line(const char *rest, unsigned s, uint64_t i, uint64_t seq, struct last *l)
{
	enum line_kind kind = line_kind(line_hash(seed, s, i));

	if ((kind != LINE_CHAT || strncmp(rest, ".analyze\"", 9) != 0) && (kind != LINE_STAGE || strncmp(rest, ".echo\"", 6) != 0)) {
		f.changed++;
		show("made something strange", s, i);
		return;
	}
	if (seen[s][i] & MADE) {
		f.repeated++;
		show("made the same twice", s, i);
	}
	seen[s][i] |= MADE;
	if (!in_order(&l[kind == LINE_CHAT], s, i)) {
		f.order_made++;
		show("made too late", s, i);
	}
	if (nmade == made_room)
		made = realloc(made, (made_room = made_room ? 2 * made_room : 4096) * sizeof *made);
	made[nmade++] = seq;
}

static void stored_line(const char *p, size_t n, uint64_t seq, struct last *sent, struct last *derived)
{
	static char want[LINE_ROOM];
	static const char head[] = "\"id\":\"";
	const char *id = memmem(p, n, head, sizeof head - 1), *rest;
	unsigned s;
	uint64_t i;

	if (memmem(p, n, "\"type\":\"spool.gap\"", 18)) {
		f.gaps++;
		if (shown++ < 20)
			fprintf(stderr, "check: the hub says that lines are gone: %.*s\n", (int)n, p);
		return;
	}
	if (!id || !(rest = line_id(id + sizeof head - 1, p + n, &s, &i)) || s >= nsources || i >= count) {
		f.changed++;
		if (shown++ < 20)
			fprintf(stderr, "check: a line nobody sent: %.*s\n", n > 200 ? 200 : (int)n, p);
		return;
	}
	if (*rest == '.') {
		made_line(rest, s, i, seq, derived);
		return;
	}
	if (seen[s][i] & STORED) {
		f.repeated++;
		show("is in the store twice", s, i);
	}
	if (line_write(seed, s, i, want) != n + 1 || memcmp(want, p, n) != 0) {
		f.changed++;
		show("was changed", s, i);
	}
	seen[s][i] |= STORED;
	seq_of[s][i] = seq;
	if (!in_order(sent, s, i)) {
		f.order++;
		show("is behind a later one", s, i);
	}
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *path, const char *sql)
{
	sqlite3_stmt *st;

	if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) == SQLITE_OK)
		return st;
	fprintf(stderr, "check: %s: %s\n", path, sqlite3_errmsg(db));
	f.damaged++;
	return NULL;
}

static void read_tenant(const char *path)
{
	struct last *sent = last_new(1), *derived = last_new(2);	/* of stage, of analyze */
	sqlite3 *db;
	sqlite3_stmt *st;
	int rc;

	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK) {
		f.damaged++;
		return;
	}
	if ((st = prepare(db, path, "SELECT seq, line FROM event ORDER BY seq"))) {
		while ((rc = sqlite3_step(st)) == SQLITE_ROW)
			stored_line(sqlite3_column_blob(st, 1), (size_t)sqlite3_column_bytes(st, 1), (uint64_t)sqlite3_column_int64(st, 0), sent,
				derived);
		if (rc != SQLITE_DONE) {
			fprintf(stderr, "check: %s: %s\n", path, sqlite3_errmsg(db));
			f.damaged++;
		}
		sqlite3_finalize(st);
	}
	if ((st = prepare(db, path, "PRAGMA quick_check(1)"))) {
		if (sqlite3_step(st) != SQLITE_ROW || strcmp((const char *)sqlite3_column_text(st, 0), "ok") != 0) {
			fprintf(stderr, "check: %s: %s\n", path, sqlite3_errmsg(db));
			f.damaged++;
		}
		sqlite3_finalize(st);
	}
	sqlite3_close(db);
	free(sent);
	free(derived);
}

static void read_history(void)
{
	char path[1024];
	const struct dirent *e;

	snprintf(path, sizeof path, "%s/history", tree);
	DIR *d = opendir(path);
	while (d && (e = readdir(d))) {
		size_t n = strlen(e->d_name);
		if (n < 4 || strcmp(e->d_name + n - 3, ".db") != 0)
			continue;
		snprintf(path, sizeof path, "%s/history/%s", tree, e->d_name);
		read_tenant(path);
	}
	if (d)
		closedir(d);
}

/* ---- the workers ---- */

static void read_done(void)
{
	struct last *l = last_new(1);
	struct done_record r;
	char path[1024];
	FILE *in;

	snprintf(path, sizeof path, "%s/done", work);
	in = fopen(path, "r");
	while (in && fread(&r, sizeof r, 1, in) == 1) {
		if (r.source >= nsources || r.number >= count) {
			f.changed++;
			continue;
		}
		if (seq_of[r.source][r.number] && r.seq != seq_of[r.source][r.number]) {
			f.repeated++;
			show("was given out under another number than that in the store", r.source, r.number);
		}
		if (seen[r.source][r.number] & DONE)
			continue;	/* at least once is what workers get */
		seen[r.source][r.number] |= DONE;
		if (!in_order(l, r.source, r.number)) {
			f.order_done++;
			show("was given to a worker behind a later one", r.source, r.number);
		}
	}
	if (in)
		fclose(in);
	free(l);
}

static void read_dead(const char *dest)
{
	char path[1024], *line = NULL;
	size_t room = 0;
	unsigned s;
	uint64_t i;
	FILE *in;

	snprintf(path, sizeof path, "%s/spool/dead/%s.ndjson", tree, dest);
	in = fopen(path, "r");
	while (in && getline(&line, &room, in) > 0) {
		const char *id = strstr(line, "\\\"id\\\":\\\"");
		if (strcmp(dest, "odd") != 0 || !id || !line_id(id + 9, line + strlen(line), &s, &i) || s >= nsources || i >= count ||
		    !line_doomed(line_hash(seed, s, i))) {
			f.undone++;
			if (shown++ < 20)
				fprintf(stderr, "check: a dead letter of %s: %.300s\n", dest, line);
			continue;
		}
		seen[s][i] |= DEAD;
	}
	if (in)
		fclose(in);
	free(line);
}

/* ---- sums ---- */

static void sum_up(bool stage)
{
	for (unsigned s = 0; s < nsources; s++) {
		for (uint64_t i = 0; i < count; i++) {
			uint64_t h = line_hash(seed, s, i);
			enum line_kind kind = line_kind(h);
			if (!(seen[s][i] & STORED)) {
				f.lost++;
				show("is not in the store", s, i);
			}
			if ((kind == LINE_CHAT || (kind == LINE_STAGE && stage)) && !(seen[s][i] & MADE)) {
				f.lost_made++;
				show("made nothing", s, i);
			}
			if (!(seen[s][i] & (line_doomed(h) ? DEAD : DONE))) {
				f.undone++;
				show(line_doomed(h) ? "is not among the dead letters" : "was not done by a worker", s, i);
			}
		}
	}
}

/* The newest good slot of a cursor; -1: none. */
static int read_cursor(const char *dest, struct cursor *c)
{
	struct cursor one;
	char path[1024], *text;
	struct stat st;
	int fd, found = -1;

	cursor_init(c, 0);
	snprintf(path, sizeof path, "%s/spool/cursor/%s", tree, dest);
	fd = open(path, O_RDONLY);
	if (fd < 0 || fstat(fd, &st) < 0 || !(text = malloc((size_t)st.st_size + 1)))
		return -1;
	if (read(fd, text, (size_t)st.st_size) == st.st_size)
		for (int i = 0; i < 2; i++) {
			cursor_init(&one, 0);
			if (cursor_read(&one, text + i * (st.st_size / 2), (size_t)st.st_size / 2) == 0 && (found < 0 || one.turn > c->turn)) {
				*c = one;
				found = 0;
			}
		}
	close(fd);
	free(text);
	return found;
}

static bool takes(const char *dest, uint64_t h)
{
	return !strcmp(dest, "analyze") ? line_kind(h) == LINE_CHAT : !strcmp(dest, "stage") ? line_kind(h) == LINE_STAGE : true;
}

/* Lines from the first that the books count on: those of the destination, all settled. */
static void check_books(const char *dest)
{
	struct cursor c;
	uint64_t lines = 0;

	if (read_cursor(dest, &c) < 0) {
		f.ledger++;
		fprintf(stderr, "check: %s has no cursor\n", dest);
		return;
	}
	for (unsigned s = 0; s < nsources; s++)
		for (uint64_t i = 0; i < count; i++)
			lines += seq_of[s][i] >= c.from && takes(dest, line_hash(seed, s, i)) && (seen[s][i] & STORED);
	for (size_t i = 0; i < nmade && !strcmp(dest, "store"); i++)
		lines += made[i] >= c.from;
	if (c.delivered + c.dead + c.pending != lines || c.pending) {
		f.ledger++;
		fprintf(stderr, "check: the books of %s: delivered %llu dead %llu pending %llu, but there are %llu lines from %llu on\n", dest,
			(unsigned long long)c.delivered, (unsigned long long)c.dead, (unsigned long long)c.pending, (unsigned long long)lines,
			(unsigned long long)c.from);
	}
}

static void count_complaints(void)
{
	char path[1024], line[2048];
	FILE *in;

	snprintf(path, sizeof path, "%s/complaints", work);
	in = fopen(path, "r");
	while (in && fgets(line, sizeof line, in))
		if (++f.complaints <= 20)
			fprintf(stderr, "check: %s", line);
	if (in)
		fclose(in);
}

int main(int argc, char **argv)
{
	static const char *const dests[] = { "store", "odd", "analyze", "stage" };
	char path[1024];

	if (argc != 6)
		return fprintf(stderr, "usage: check SEED SOURCES COUNT DIR TREE\n"), 2;
	seed = strtoull(argv[1], NULL, 10);
	nsources = (unsigned)atoi(argv[2]);
	count = strtoull(argv[3], NULL, 10);
	work = argv[4];
	tree = argv[5];
	for (unsigned s = 0; s < nsources && s < SOURCES_MAX; s++) {
		seen[s] = calloc(count + 1, 1);
		seq_of[s] = calloc(count + 1, sizeof **seq_of);
	}
	snprintf(path, sizeof path, "%s/service/stage", tree);
	bool stage = access(path, F_OK) == 0;
	read_history();
	read_done();
	for (size_t i = 0; i < 4; i++)
		read_dead(dests[i]);
	sum_up(stage);
	for (size_t i = 0; i < (stage ? 4 : 3); i++)
		check_books(dests[i]);
	count_complaints();
	printf("lost %lu\nchanged %lu\nrepeated %lu\norder %lu\nledger %lu\ngaps %lu\ndamaged %lu\ncomplaints %lu\n", f.lost + f.lost_made + f.undone, f.changed,
		f.repeated, f.order + f.order_made + f.order_done, f.ledger, f.gaps, f.damaged, f.complaints);
	return f.lost + f.lost_made + f.undone + f.changed + f.repeated + f.order + f.order_made + f.order_done + f.ledger + f.damaged +
		f.gaps + f.complaints != 0;
}
