#include "gatewayd/upstream/lease.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/loop.h"

#define RECORD 64
#define WAITING ((off_t)1 << 40)	/* the byte that who waits holds shared */

static const int64_t soon[] = {CLOCK_MS, 3 * CLOCK_MS, 10 * CLOCK_MS, 30 * CLOCK_MS, 100 * CLOCK_MS};
#define SOON (sizeof(soon) / sizeof(*soon))

enum { FREE, HELD, WAITED };

struct lease_watch {
	struct loop *loop;
	int fd;				/* -1: none to be had */
	struct loop_io io;
	struct leases *first;
};

struct leases {
	struct lease_watch *w;
	char *path;
	int fd;
	int wd;				/* of inotify, -1: not watched */
	unsigned char *state;
	unsigned n;			/* of state */
	unsigned waiting;
	size_t looks;			/* since the last sign */
	struct loop_timer timer;
	void (*on_ours)(void *arg, unsigned conn);
	void *arg;
	struct leases *prev, *next;
};

static int lock(int fd, int how, int type, off_t at, off_t len)
{
	struct flock f = {.l_type = (short)type, .l_whence = SEEK_SET, .l_start = at, .l_len = len};

	return fcntl(fd, how, &f);
}

/* Does another hold a lock that is in the way of this one? */
static bool in_the_way(int fd, int type, off_t at, off_t len)
{
	struct flock f = {.l_type = (short)type, .l_whence = SEEK_SET, .l_start = at, .l_len = len};

	return fcntl(fd, F_OFD_GETLK, &f) == 0 && f.l_type != F_UNLCK;
}

/* The text is for people: a full disk does not cost the lease. */
static void record(const struct leases *l, unsigned conn, const char *who)
{
	char text[RECORD + 1], when[CLOCK_RFC3339_MAX];
	int n;

	clock_rfc3339(when, clock_wall());
	n = snprintf(text, sizeof(text), "%s %s", who, when);
	memset(text + n, ' ', sizeof(text) - (size_t)n);
	text[RECORD - 1] = '\n';
	if (pwrite(l->fd, text, RECORD, (off_t)conn * RECORD) != RECORD)
		log_debug("%s: %m", l->path);
}

static void record_pid(const struct leases *l, unsigned conn, const char *state)
{
	char who[32];

	snprintf(who, sizeof(who), "pid %ld%s", (long)getpid(), state);
	record(l, conn, who);
}

/* 1 ours, 0 another's, -1 errno. */
static int try_lock(struct leases *l, unsigned conn)
{
	if (lock(l->fd, F_OFD_SETLK, F_WRLCK, (off_t)conn * RECORD, RECORD))
		return errno == EAGAIN || errno == EACCES ? 0 : -1;
	record_pid(l, conn, "");
	l->state[conn] = HELD;
	return 1;
}

/* ---- waiting ---- */

static void arm(struct leases *l)
{
	int64_t in = l->looks < SOON ? soon[l->looks] : l->wd < 0 ? LEASE_LOOK : 10 * LEASE_LOOK;

	if (!l->waiting)
		loop_timer_del(l->w->loop, &l->timer);
	else if (loop_timer_in(l->w->loop, &l->timer, in))
		log_error("%s: %m", l->path);
}

static void watch(struct leases *l, bool on)
{
	if (on && l->wd < 0 && l->w->fd >= 0) {
		l->wd = inotify_add_watch(l->w->fd, l->path, IN_CLOSE_WRITE | IN_ATTRIB);
		if (l->wd < 0)
			log_debug("%s: inotify: %m; looking every second", l->path);
	} else if (!on && l->wd >= 0) {
		inotify_rm_watch(l->w->fd, l->wd);
		l->wd = -1;
	}
}

static void set_waiting(struct leases *l, unsigned conn, bool yes)
{
	unsigned before = l->waiting;

	if (yes == (l->state[conn] == WAITED))
		return;
	l->state[conn] = yes ? WAITED : FREE;
	l->waiting += yes ? 1 : -1u;
	if (!before == !l->waiting)
		return;
	watch(l, l->waiting);
	if (lock(l->fd, F_OFD_SETLK, l->waiting ? F_RDLCK : F_UNLCK, WAITING, 1))
		log_debug("%s: %m", l->path);
	l->looks = 0;
	arm(l);
}

static void look(void *arg)
{
	struct leases *l = arg;

	l->looks++;
	for (unsigned i = 0; i < l->n && l->waiting; i++) {
		if (l->state[i] != WAITED || try_lock(l, i) <= 0)
			continue;
		l->state[i] = WAITED;	/* set_waiting counts */
		set_waiting(l, i, false);
		l->state[i] = HELD;
		l->on_ours(l->arg, i);
	}
	arm(l);
}

static void on_inotify(void *arg, unsigned events)
{
	struct lease_watch *w = arg;
	char bytes[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	ssize_t n;

	(void)events;
	while ((n = read(w->fd, bytes, sizeof(bytes))) > 0)
		for (char *p = bytes; p < bytes + n;) {
			const struct inotify_event *e = (const struct inotify_event *)p;

			p += sizeof(*e) + e->len;
			for (struct leases *l = w->first; l; l = l->next)
				if (l->wd == e->wd || (e->mask & IN_Q_OVERFLOW)) {
					/* Looked at soon, and not here: the kernel may still be dropping the locks. */
					l->looks = 0;
					arm(l);
				}
		}
	if (n < 0 && errno != EAGAIN)
		log_error("inotify: %m");
}

struct lease_watch *lease_watch_open(struct loop *l)
{
	struct lease_watch *w = calloc(1, sizeof(*w));

	if (!w) {
		log_error("out of memory");
		return NULL;
	}
	w->loop = l;
	w->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	w->io = (struct loop_io){.fd = w->fd, .fn = on_inotify, .arg = w};
	if (w->fd >= 0 && loop_io_add(l, &w->io, LOOP_IN)) {
		close(w->fd);
		w->fd = -1;
	}
	if (w->fd < 0)
		log_warn("inotify: %m; leases are looked at every second");
	return w;
}

void lease_watch_close(struct lease_watch *w)
{
	if (!w)
		return;
	loop_io_del(w->loop, &w->io);
	if (w->fd >= 0)
		close(w->fd);
	free(w);
}

/* ---- an account's ---- */

struct leases *leases_open(struct lease_watch *w, const char *dir, void (*on_ours)(void *arg, unsigned conn), void *arg)
{
	struct leases *l = calloc(1, sizeof(*l));

	if (!l || asprintf(&l->path, "%s/leases", dir) < 0) {
		log_error("%s: out of memory", dir);
		free(l);
		return NULL;
	}
	l->w = w;
	l->wd = -1;
	l->on_ours = on_ours;
	l->arg = arg;
	l->timer = (struct loop_timer){.fn = look, .arg = l};
	l->fd = open(l->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (l->fd < 0) {
		log_error("%s: %m", l->path);
		free(l->path);
		free(l);
		return NULL;
	}
	l->next = w->first;
	if (l->next)
		l->next->prev = l;
	w->first = l;
	return l;
}

void leases_close(struct leases *l)
{
	if (!l)
		return;
	for (unsigned i = 0; i < l->n; i++)
		lease_give(l, i);
	watch(l, false);
	loop_timer_del(l->w->loop, &l->timer);
	if (l->prev)
		l->prev->next = l->next;
	else
		l->w->first = l->next;
	if (l->next)
		l->next->prev = l->prev;
	close(l->fd);
	free(l->state);
	free(l->path);
	free(l);
}

static int grow(struct leases *l, unsigned conn)
{
	unsigned n = l->n ? l->n : 1;
	unsigned char *s;

	while (n <= conn)
		n *= 2;
	if (n == l->n)
		return 0;
	s = realloc(l->state, n);
	if (!s)
		return -1;
	memset(s + l->n, FREE, n - l->n);
	l->state = s;
	l->n = n;
	return 0;
}

int lease_take(struct leases *l, unsigned conn)
{
	int rc;

	if (grow(l, conn)) {
		log_error("%s: out of memory", l->path);
		return -1;
	}
	if (l->state[conn] != FREE)
		return l->state[conn] == HELD;
	rc = try_lock(l, conn);
	if (rc < 0)
		log_error("%s: %m", l->path);
	if (rc <= 0)
		set_waiting(l, conn, true);
	return rc;
}

void lease_give(struct leases *l, unsigned conn)
{
	if (conn >= l->n || l->state[conn] == FREE)
		return;
	if (l->state[conn] == WAITED) {
		set_waiting(l, conn, false);
		return;
	}
	record(l, conn, "free");
	l->state[conn] = FREE;
	/* First the lock, then the sign. */
	if (lock(l->fd, F_OFD_SETLK, F_UNLCK, (off_t)conn * RECORD, RECORD) || futimens(l->fd, NULL))
		log_error("%s: %m", l->path);
}

void lease_live(struct leases *l, unsigned conn)
{
	if (lease_held(l, conn))
		record_pid(l, conn, " live");
}

bool lease_held(const struct leases *l, unsigned conn)
{
	return conn < l->n && l->state[conn] == HELD;
}

bool leases_wanted(struct leases *l)
{
	return in_the_way(l->fd, F_WRLCK, WAITING, 1);
}

bool lease_taken(struct leases *l, unsigned conn)
{
	return !lease_held(l, conn) && in_the_way(l->fd, F_WRLCK, (off_t)conn * RECORD, RECORD);
}

/* What the file says of its holder: the pid, or 0. */
static long read_record(const struct leases *l, unsigned conn, bool *live)
{
	char text[RECORD + 1] = "";
	long pid;
	int n = 0;

	if (pread(l->fd, text, RECORD, (off_t)conn * RECORD) <= 0 || sscanf(text, "pid %ld%n", &pid, &n) != 1)
		return 0;
	*live = strncmp(text + n, " live ", 6) == 0;
	return pid;
}

bool lease_taken_live(struct leases *l, unsigned conn)
{
	bool live = false;

	return lease_taken(l, conn) && read_record(l, conn, &live) && live;
}

long lease_holder(struct leases *l, unsigned conn)
{
	bool live;

	return read_record(l, conn, &live);
}

