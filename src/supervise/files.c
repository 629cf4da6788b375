#include "supervise/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "supervise/lock.h"

static int why_errno(char why[FILES_WHY_MAX], const char *path, const char *file)
{
	snprintf(why, FILES_WHY_MAX, "%.150s/%s: %s", path, file, strerror(errno));
	return -1;
}

int files_folder(int dirfd, const char *name)
{
	char target[PATH_MAX];
	struct stat st;
	ssize_t n;

	if (mkdirat(dirfd, name, 0700) == 0)
		return 0;
	if (errno != EEXIST)
		return -1;
	if (fstatat(dirfd, name, &st, 0) == 0) {
		if (S_ISDIR(st.st_mode))
			return 0;
		errno = ENOTDIR;
		return -1;
	}
	if (errno != ENOENT)
		return -1;
	n = readlinkat(dirfd, name, target, sizeof target - 1);
	if (n < 0)
		return -1;
	target[n] = 0;
	return mkdirat(dirfd, target, 0700);
}

static int take_lock(struct files *f, char why[FILES_WHY_MAX])
{
	pid_t owner;

	f->lock = lock_take(f->dirfd, "supervise/lock", &owner);
	if (f->lock >= 0)
		return 0;
	if (errno != EWOULDBLOCK)
		return why_errno(why, f->path, "supervise/lock");
	if (owner > 0)
		snprintf(why, FILES_WHY_MAX, "%.150s/supervise/lock: held by process %ld; stop that supervisor first", f->path, (long)owner);
	else
		snprintf(why, FILES_WHY_MAX, "%.150s/supervise/lock: held by another supervisor (runsv?); stop it first", f->path);
	return -1;
}

static int open_fifo(struct files *f, const char *file, int flags)
{
	struct stat st;
	int fd;

	if (mkfifoat(f->dirfd, file, 0600) < 0 && errno != EEXIST)
		return -1;
	fd = openat(f->dirfd, file, flags | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode))
		return fd;
	close(fd);
	errno = EEXIST;		/* something that is no fifo is in its place */
	return -1;
}

struct files *files_new(int dirfd, const char *path, char why[FILES_WHY_MAX])
{
	struct files *f = calloc(1, sizeof *f + strlen(path) + 1);

	if (!f) {
		close(dirfd);
		why_errno(why, path, "supervise");
		return NULL;
	}
	f->dirfd = dirfd;
	f->lock = f->control = f->ok = -1;
	f->pid = -1;
	pthread_mutex_init(&f->turn, NULL);
	strcpy(f->path, path);
	if (files_folder(dirfd, "supervise") < 0) {
		why_errno(why, path, "supervise");
		goto fail;
	}
	if (take_lock(f, why) < 0)
		goto fail;
	return f;
fail:
	files_free(f);
	return NULL;
}

void shown_of(struct shown *out, const struct state *s, uint32_t pid)
{
	status_of(&out->status, s, pid);
	status_text(s, out->text);
}

/* The file that is to replace another; -1 with errno, and nothing is left. */
static int make_new(struct files *f, const char *file_new, const void *p, size_t n)
{
	int fd = openat(f->dirfd, file_new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	int e;

	if (fd < 0 || fd_write_all(fd, p, n) == 0)
		return fd;
	e = errno;
	close(fd);
	unlinkat(f->dirfd, file_new, 0);
	errno = e;
	return -1;
}

static int rename_new(struct files *f, const char *file, const char *file_new)
{
	int e;

	if (renameat(f->dirfd, file_new, f->dirfd, file) == 0)
		return 0;
	e = errno;
	unlinkat(f->dirfd, file_new, 0);
	errno = e;
	return -1;
}

static int replace(struct files *f, const char *file, const char *file_new, const void *p, size_t n)
{
	int fd = make_new(f, file_new, p, n);

	if (fd < 0)
		return -1;
	close(fd);
	return rename_new(f, file, file_new);
}

/* On a full disk the 20 bytes still fit where the last 20 are. */
static int overwrite(struct files *f, const char *file, const void *p, size_t n)
{
	int e = errno;
	int fd = openat(f->dirfd, file, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t k;

	if (fd < 0) {
		errno = e;
		return -1;
	}
	k = pwrite(fd, p, n, 0);
	close(fd);
	if (k == (ssize_t)n)
		return 0;
	errno = e;
	return -1;
}

/* In its turn. 0; 1 when it is written, but not replaced; -1. */
static int place_status(struct files *f, int fd, unsigned char bytes[STATUS_BYTES], unsigned answers)
{
	bool later = (int)(f->answered - answers) > 0;

	if (later)
		memcpy(bytes + STATUS_FLAGS, f->flags, sizeof f->flags);
	if (fd >= 0 && (!later || pwrite(fd, f->flags, sizeof f->flags, STATUS_FLAGS) == sizeof f->flags) &&
	    rename_new(f, "supervise/status", "supervise/status.new") == 0)
		return 0;
	return overwrite(f, "supervise/status", bytes, STATUS_BYTES) < 0 ? -1 : 1;
}

/* A letter's answer waits for the new name, if at all, not for what is written before. */
static int write_status(struct files *f, const struct status *st, unsigned answers)
{
	unsigned char bytes[STATUS_BYTES];
	int fd, e, rc;

	status_pack(st, bytes);
	fd = make_new(f, "supervise/status.new", bytes, sizeof bytes);
	pthread_mutex_lock(&f->turn);
	rc = place_status(f, fd, bytes, answers);
	pthread_mutex_unlock(&f->turn);
	e = errno;
	if (fd >= 0)
		close(fd);
	errno = e;
	return rc;
}

static int write_pid(struct files *f, uint32_t pid)
{
	char text[16];
	int n = pid ? snprintf(text, sizeof text, "%u\n", pid) : 0;

	if (f->pid == (int64_t)pid)
		return 0;
	if (replace(f, "supervise/pid", "supervise/pid.new", text, (size_t)n) < 0)
		return -1;
	f->pid = pid;
	return 0;
}

static int write_stat(struct files *f, const char *text)
{
	if (strcmp(text, f->text) == 0)
		return 0;
	if (replace(f, "supervise/stat", "supervise/stat.new", text, strlen(text)) < 0)
		return -1;
	strcpy(f->text, text);
	return 0;
}

static bool same_file(const struct files *f, const char *file)
{
	struct stat a, b;

	if (fstat(f->control, &a) < 0 || fstatat(f->dirfd, file, &b, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* ok is a second name of control, whose reader is then its reader, too: a descriptor less for each service. Where there are no second
 * names it is a fifo of its own. */
static int announce(struct files *f)
{
	if (same_file(f, "supervise/ok"))
		f->announced = true;
	if (f->announced)
		return 0;
	unlinkat(f->dirfd, "supervise/ok.new", 0);
	if (linkat(f->dirfd, "supervise/control", f->dirfd, "supervise/ok.new", 0) == 0 &&
	    renameat(f->dirfd, "supervise/ok.new", f->dirfd, "supervise/ok") == 0)
		f->announced = true;
	else if ((f->ok = open_fifo(f, "supervise/ok", O_RDONLY)) >= 0)
		f->announced = true;
	return f->announced ? 0 : -1;
}

/* What is there is of an earlier run; nobody believes it while ok has no reader. */
static int first_status(struct files *f, const struct status *st)
{
	int fd = openat(f->dirfd, "supervise/status", O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0644);
	unsigned char bytes[STATUS_BYTES];
	struct stat is;
	bool good;

	status_pack(st, bytes);
	good = fd >= 0 && fstat(fd, &is) == 0 && S_ISREG(is.st_mode) && is.st_size <= STATUS_BYTES &&
		pwrite(fd, bytes, sizeof bytes, 0) == (ssize_t)sizeof bytes;
	if (fd >= 0)
		close(fd);
	return good ? 0 : write_status(f, st, 0);
}

int files_open(struct files *f, const struct shown *shown, char why[FILES_WHY_MAX])
{
	bool told = first_status(f, &shown->status) >= 0;

	/* Of an earlier run; it would say too soon that somebody supervises. */
	if (!told && unlinkat(f->dirfd, "supervise/ok", 0) < 0 && errno != ENOENT)
		return why_errno(why, f->path, "supervise/ok");
	f->control = open_fifo(f, "supervise/control", O_RDWR);
	if (f->control < 0)
		return why_errno(why, f->path, "supervise/control");
	if (told)
		announce(f);	/* else the writer does */
	return 0;
}

static void answer_in_place(const struct files *f)
{
	int fd = openat(f->dirfd, "supervise/status", O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	ssize_t n;

	if (fd < 0)
		return;
	n = pwrite(fd, f->flags, sizeof f->flags, STATUS_FLAGS);
	(void)n;
	close(fd);
}

void files_answer(struct files *f, const struct shown *shown, unsigned number)
{
	unsigned char bytes[STATUS_BYTES];

	status_pack(&shown->status, bytes);
	pthread_mutex_lock(&f->turn);
	memcpy(f->flags, bytes + STATUS_FLAGS, sizeof f->flags);
	f->answered = number;
	answer_in_place(f);
	pthread_mutex_unlock(&f->turn);
}

void files_prepare(const char *path)
{
	char name[PATH_MAX], second[PATH_MAX];
	int n = snprintf(name, sizeof name, "%s/supervise", path);

	/* Where the folder is there, what is in it mostly is, too; and it may be another supervisor's. */
	if (n >= PATH_MAX - 16 || mkdir(name, 0700) < 0)
		return;
	strcpy(name + n, "/lock");
	mknod(name, S_IFREG | 0600, 0);
	strcpy(name + n, "/status");
	mknod(name, S_IFREG | 0644, 0);
	strcpy(name + n, "/control");
	memcpy(second, name, (size_t)n);
	strcpy(second + n, "/ok");
	if (mkfifo(name, 0600) == 0 && link(name, second) < 0)
		return;		/* as files_open says */
}

int files_write(struct files *f, const struct shown *shown, unsigned answers)
{
	const char *file = NULL;
	int error = 0, status;

	if (write_pid(f, shown->status.pid) < 0) {
		file = "pid";
		error = errno;
	}
	if (write_stat(f, shown->text) < 0) {
		file = file ? file : "stat";
		error = errno;
	}
	status = write_status(f, &shown->status, answers);
	if (status < 0) {
		file = "status";
		error = errno;
	}
	if (status >= 0 && announce(f) < 0) {
		file = "ok";
		error = errno;
	}
	if (!file && status == 0) {
		f->failing = false;
		return 0;
	}
	/* Some of it may work while the disk is full: the fault is over when all of it does. */
	if (!f->failing && file)
		log_warn("%s/supervise/%s: %s: it may show an old state of this service until there is room", f->path, file, strerror(error));
	f->failing = true;
	return -1;
}

void files_free(struct files *f)
{
	const int fd[] = { f->ok, f->control, f->lock, f->dirfd };

	for (size_t i = 0; i < sizeof fd / sizeof *fd; i++)
		if (fd[i] >= 0)
			close(fd[i]);
	pthread_mutex_destroy(&f->turn);
	free(f);
}
