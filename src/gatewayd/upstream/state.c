/*
 * What is kept on disk of an account: STATE/TENANT/NAME/conn-N.state, the platform's own text of connection N (empty: no session is known), and
 * its time of change: when it was known to be whole last. Written while the lease is held, and only then. The ledger is the account's,
 * or STATE/_ledgers/PLATFORM-BOT, shared by all accounts of a bot.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/account.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/sync.h"
#include "gatewayd/upstream/impl.h"

#define LATE (500 * CLOCK_MS)		/* a sequence that went on is written so much later */
#define AGAIN (2 * CLOCK_S)		/* what could not be written */
#define GROUP 64u			/* files synced together */
#define LEDGERS "_ledgers"		/* no tenant begins like that */

int state_dir(struct out *o)
{
	struct upstream *u = o->u;

	if (asprintf(&o->dir, "%s/%s/%s", u->opts.state, account_tenant(o->account), account_name(o->account)) < 0) {
		o->dir = NULL;
		log_error("out of memory");
		return -1;
	}
	if (strlen(o->dir) > PATH_MAX - 64 || fd_mkdirs(o->dir, 0700)) {
		log_error("%s: %s", o->dir, strlen(o->dir) > PATH_MAX - 64 ? "the path is too long" : strerror(errno));
		return -1;
	}
	return 0;
}

void state_path(const struct conn *c, char *out, size_t size)
{
	snprintf(out, size, "%s/conn-%u.state", c->out->dir, c->n);
}

void ledger_path(const struct out *o, char *out, size_t size)
{
	if (o->bot[0])
		snprintf(out, size, "%s/" LEDGERS "/%s-%s", o->u->opts.state, o->platform->name, o->bot);
	else
		snprintf(out, size, "%s/ledger", o->dir);
}

/* ---- writing ---- */

/* Is there a gap that the hub does not know of yet? What is saved comes behind it: when this process is killed now, the next one has to find the gap
 * once more. */
static bool gap_waits(const struct conn *c)
{
	static const char type[] = "\"type\":\"gateway.gap\"";

	for (const struct item *i = c->first; i; i = i->next)
		if (i->ours && memmem(i->line, i->n, type, sizeof(type) - 1))
			return true;
	return false;
}

/* The new text beside the file: the descriptor, or -1 with errno. */
static int write_new(struct conn *c, const char *path)
{
	char new[PATH_MAX + 8];
	int fd, e;

	snprintf(new, sizeof(new), "%s.new", path);
	fd = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd >= 0 && fd_write_all(fd, c->saved ? c->saved : "", c->nsaved) == 0)
		return fd;
	e = errno;
	if (fd >= 0)
		close(fd);
	errno = e;
	return -1;
}

static void save_in(struct conn *c, int64_t in)
{
	c->save = SAVE_LATE;
	if (loop_timer_in(c->out->u->loop, &c->save_timer, in))
		log_error("out of memory");
}

/* Said once, until it goes again: a disk that is full is full for all, and for long. */
static void not_saved(struct conn *c, const char *path, const char *why)
{
	if (!c->save_failed)
		log_error("%s: %s; tried again: until it is kept, a start after a crash asks for more than was missed, or begins a new session", path, why);
	c->save_failed = true;
	if (c->leaving)
		conn_give_up(c);
	else if (c->save == SAVED)
		save_in(c, AGAIN);
}

static void put_in_place(struct conn *c, const char *path)
{
	char new[PATH_MAX + 8];

	snprintf(new, sizeof(new), "%s.new", path);
	c->touched = clock_mono();
	if (rename(new, path)) {
		not_saved(c, path, strerror(errno));
		return;
	}
	if (c->save_failed)
		log_info("%s: is kept again", path);
	c->save_failed = false;
}

static void later(struct conn *c)
{
	struct upstream *u = c->out->u;

	if (c->in_saves)
		return;
	c->in_saves = true;
	c->save_next = u->saves;
	u->saves = c;
}

static void on_save_timer(void *arg)
{
	struct conn *c = arg;
	char path[PATH_MAX];
	int fd;

	if (c->save != SAVE_LATE || !c->holds_lease)
		return;
	if (gap_waits(c)) {
		save_in(c, LATE);
		return;
	}
	/* Without a sync: an older sequence, which is what a power cut may leave, only asks for more again. */
	c->save = SAVED;
	state_path(c, path, sizeof(path));
	fd = write_new(c, path);
	if (fd >= 0) {
		close(fd);
		put_in_place(c, path);
	} else {
		not_saved(c, path, strerror(errno));
	}
}

static struct conn *next_save(struct upstream *u)
{
	while (u->saves) {
		struct conn *c = u->saves;

		u->saves = c->save_next;
		c->in_saves = false;
		if (c->save != SAVED && c->holds_lease && !gap_waits(c))
			return c;
		if (c->save != SAVED && c->holds_lease && !c->leaving)
			save_in(c, LATE);
		if (c->leaving)
			conn_give_up(c);
		if (c->out->stopping)
			upstream_forget(c->out);
	}
	return NULL;
}

/* The names of the files, too: their folders' syncs share the work in the same way. */
static void sync_folders(struct conn *const *v, size_t n)
{
	const struct out *of[GROUP];
	int fd[GROUP], err[GROUP];
	size_t k = 0;

	for (size_t i = 0; i < n; i++) {
		if (i && v[i]->out == v[i - 1]->out)
			continue;
		of[k] = v[i]->out;
		fd[k] = open(of[k]->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd[k] >= 0)
			k++;
		else
			log_error("%s: %m", of[k]->dir);
	}
	sync_files(fd, err, k);
	for (size_t i = 0; i < k; i++) {
		/* EINVAL: a file system that has no sync of folders. */
		if (err[i] && err[i] != EINVAL)
			log_error("%s: %s", of[i]->dir, strerror(err[i]));
		close(fd[i]);
	}
}

/* Some of those that are due: the syncs of a group share the disk's work. */
static void save_group(struct upstream *u)
{
	struct conn *v[GROUP];
	int fd[GROUP], err[GROUP];
	size_t n = 0;
	char path[PATH_MAX];

	while (n < GROUP && (v[n] = next_save(u))) {
		v[n]->save = SAVED;
		loop_timer_del(u->loop, &v[n]->save_timer);
		state_path(v[n], path, sizeof(path));
		fd[n] = write_new(v[n], path);
		if (fd[n] >= 0) {
			n++;
			continue;
		}
		if (n && errno == EMFILE) {
			/* Few files may be open: it belongs to the next group. */
			v[n]->save = SAVE_NOW;
			later(v[n]);
			break;
		}
		not_saved(v[n], path, strerror(errno));
	}
	sync_files(fd, err, n);
	for (size_t i = 0; i < n; i++) {
		close(fd[i]);
		state_path(v[i], path, sizeof(path));
		if (err[i])
			not_saved(v[i], path, strerror(err[i]));
		else
			put_in_place(v[i], path);
	}
	sync_folders(v, n);
	for (size_t i = 0; i < n; i++)
		if (v[i]->leaving)
			conn_give_up(v[i]);
}

void state_leave(struct conn *c)
{
	c->save = SAVE_NOW;
	c->leaving = true;
	later(c);
}

void state_round(struct upstream *u)
{
	if (!u->saves)
		return;
	save_group(u);
	/* The rest has its turn in the next rounds: acknowledgements and heartbeats do not wait for a disk that is slow. */
	if (u->saves && loop_timer_in(u->loop, &u->save_more, 0))
		state_all(u);
}

void state_all(struct upstream *u)
{
	while (u->saves)
		save_group(u);
}

static void on_more(void *arg)
{
	(void)arg;	/* the end of the round does it */
}

void state_begin(struct upstream *u)
{
	u->save_more = (struct loop_timer){.fn = on_more, .arg = u};
}

void state_flush(struct conn *c)
{
	char path[PATH_MAX];

	loop_timer_del(c->out->u->loop, &c->save_timer);
	if (c->save == SAVED || gap_waits(c))
		return;
	c->save = SAVED;
	state_path(c, path, sizeof(path));
	if (fd_replace(path, c->saved ? c->saved : "", c->nsaved, 0600))
		not_saved(c, path, strerror(errno));
}

void out_save(struct out *o, unsigned conn, const char *text, size_t n)
{
	struct conn *c = conn < o->nall ? o->conn[conn] : NULL;
	char *copy;

	if (!c || !c->holds_lease)
		return;
	copy = n <= SAVE_MAX ? malloc(n + 1) : NULL;
	if (!copy) {
		log_error("%s: a state of %zu bytes cannot be kept", account_file(o->account), n);
		return;
	}
	memcpy(copy, text ? text : "", n);
	copy[n] = '\0';
	free(c->saved);
	c->saved = copy;
	c->nsaved = n;
	if (!o->u->in_ack) {
		c->save = SAVE_NOW;
		later(c);
	} else if (c->save == SAVED) {
		save_in(c, LATE);
	}
}

/* ---- reading, and the time ---- */

void state_init(struct conn *c)
{
	c->save_timer = (struct loop_timer){.fn = on_save_timer, .arg = c};
}

void state_load(struct conn *c)
{
	char path[PATH_MAX];
	struct buf b;

	free(c->saved);
	c->saved = NULL;
	c->nsaved = 0;
	c->save = SAVED;
	c->had = c->gap_said = false;
	c->session_at = 0;
	state_path(c, path, sizeof(path));
	buf_init(&b, SAVE_MAX + 1);
	/* A file that cannot be read was one once: what its session brought since is a gap. */
	c->had = true;
	if (fd_read_file(path, &b)) {
		c->had = errno != ENOENT;
		if (c->had)
			log_error("%s: %m; the session is not known", path);
		buf_release(&b);
		return;
	}
	if (b.len && buf_cstr(&b)) {
		c->saved = b.p;
		c->nsaved = b.len;
	} else {
		buf_release(&b);
	}
}

void state_touch(struct conn *c)
{
	char path[PATH_MAX];

	c->touched = clock_mono();
	state_path(c, path, sizeof(path));
	if (c->save == SAVED && !gap_waits(c) && utimensat(AT_FDCWD, path, NULL, 0) && errno != ENOENT)
		log_error("%s: %m", path);
}

void state_live(struct conn *c)
{
	char path[PATH_MAX];

	state_path(c, path, sizeof(path));
	if (access(path, F_OK) == 0) {
		state_touch(c);
		return;
	}
	if (c->save == SAVED) {
		c->save = SAVE_NOW;
		later(c);
	}
}

int64_t state_time(struct conn *c)
{
	char path[PATH_MAX];
	struct stat st;

	state_path(c, path, sizeof(path));
	return stat(path, &st) ? 0 : (int64_t)st.st_mtim.tv_sec * CLOCK_S + st.st_mtim.tv_nsec;
}
