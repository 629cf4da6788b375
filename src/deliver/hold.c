#include "deliver/hold.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"

static const int64_t soon[] = {CLOCK_MS, 3 * CLOCK_MS, 10 * CLOCK_MS, 30 * CLOCK_MS, 100 * CLOCK_MS};
#define SOON (sizeof(soon) / sizeof(*soon))

static int posix_lock(int fd, int type)
{
	struct flock whole = {.l_type = (short)type, .l_whence = SEEK_SET};

	return fcntl(fd, F_SETLK, &whole);
}

/* 1 ours, 0 another's, -1 with a message. */
static int try(struct hold *h)
{
	if (flock(h->fd, LOCK_EX | LOCK_NB) == 0) {
		if (posix_lock(h->fd, F_WRLCK) == 0) {
			h->held = true;
			return 1;
		}
		if (errno == EACCES || errno == EAGAIN)
			errno = EWOULDBLOCK;
		flock(h->fd, LOCK_UN);
	}
	if (errno == EWOULDBLOCK)
		return 0;
	log_error("%s: cannot be locked: %m", h->path);
	return -1;
}

/* ---- waiting ---- */

static void arm(struct hold *h)
{
	int64_t in = h->looks < SOON ? soon[h->looks] : h->watch < 0 ? HOLD_LOOK : 10 * HOLD_LOOK, due = clock_mono() + in;

	if (loop_timer_set(h->loop, &h->timer, due > h->not_before ? due : h->not_before))
		log_error("%s: %m", h->path);
}

static void wait_end(struct hold *h)
{
	loop_timer_del(h->loop, &h->timer);
	if (h->watch < 0)
		return;
	loop_io_del(h->loop, &h->io);
	close(h->watch);
	h->watch = -1;
}

static void look(void *arg)
{
	struct hold *h = arg;

	h->looks++;
	if (try(h) <= 0) {
		arm(h);
		return;
	}
	wait_end(h);
	h->on_ours(h->arg);
}

static void on_sign(void *arg, unsigned events)
{
	struct hold *h = arg;
	char bytes[4096];

	(void)events;
	while (read(h->watch, bytes, sizeof(bytes)) > 0)
		;
	/* Not here: the kernel may still be dropping the locks. */
	h->looks = 0;
	arm(h);
}

static void wait_begin(struct hold *h)
{
	h->watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	h->io = (struct loop_io){.fd = h->watch, .fn = on_sign, .arg = h};
	if (h->watch >= 0 && (inotify_add_watch(h->watch, h->path, IN_CLOSE_WRITE | IN_ATTRIB) < 0 || loop_io_add(h->loop, &h->io, LOOP_IN))) {
		close(h->watch);
		h->watch = -1;
	}
	if (h->watch < 0)
		log_debug("%s: inotify: %m; looking every second", h->path);
	/* Between the try and the watch it may have been given back. */
	h->looks = 0;
	arm(h);
}

int hold_take(struct hold *h)
{
	int rc = try(h);

	if (rc == 0)
		wait_begin(h);
	return rc;
}

int hold_take_now(struct hold *h)
{
	int fd = fd_lock(h->path);

	if (fd < 0 && errno == EWOULDBLOCK) {
		log_info("%.*s: another deliver (pid %d) has this outbox", (int)(strlen(h->path) - 5), h->path, (int)hold_owner(h));
		return 0;
	}
	if (fd < 0) {
		log_error("%s: cannot be locked: %m", h->path);
		return -1;
	}
	/* The same open file in the place of ours. Closing one gives back the fcntl lock, which is taken anew; the other one stays. */
	dup3(fd, h->fd, O_CLOEXEC);
	close(fd);
	return try(h);
}

void hold_ask(struct hold *h)
{
	int fd;

	if (h->held || h->asked)
		return;
	h->asked = true;
	fd = fd_lock_signal(h->path, HOLD_SIGNAL);
	if (fd >= 0)
		close(fd);
	else
		log_warn("%s: who has it cannot be asked for it: %m; waiting until it ends", h->path);
}

pid_t hold_owner(const struct hold *h)
{
	pid_t pid = fd_lock_owner(h->path);

	return pid > 0 ? pid : 0;
}

/* ---- the beginning and the end ---- */

static int make_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir = slash && slash > path ? strndup(path, (size_t)(slash - path)) : NULL;
	int rc = dir ? fd_mkdirs(dir, 0700) : 0;

	if (rc)
		log_error("%s: cannot be made: %m", dir);
	free(dir);
	return rc;
}

int hold_open(struct hold *h, struct loop *l, const char *outbox, void (*on_ours)(void *arg), void *arg)
{
	*h = (struct hold){.loop = l, .fd = -1, .watch = -1, .on_ours = on_ours, .arg = arg};
	h->timer = (struct loop_timer){.fn = look, .arg = h};
	if (make_folder(outbox))
		return -1;
	if (asprintf(&h->path, "%s.lock", outbox) < 0) {
		h->path = NULL;
		log_error("%s: no memory", outbox);
		return -1;
	}
	h->fd = open(h->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (h->fd < 0)
		log_error("%s: cannot be opened: %m", h->path);
	return h->fd < 0 ? -1 : 0;
}

void hold_yield(struct hold *h)
{
	h->held = false;
	h->asked = true;
	h->not_before = clock_mono() + HOLD_LOOK;
	/* First the locks, then the sign. */
	if (posix_lock(h->fd, F_UNLCK) || flock(h->fd, LOCK_UN) || futimens(h->fd, NULL))
		log_error("%s: %m", h->path);
	wait_begin(h);
}

void hold_close(struct hold *h)
{
	if (!h->path)
		return;
	wait_end(h);
	if (h->fd >= 0)
		close(h->fd);
	free(h->path);
	*h = (struct hold){.fd = -1, .watch = -1};
}
