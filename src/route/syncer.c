#include "route/syncer.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/loop.h"

struct syncer {
	struct loop *loop;
	struct loop_io io;
	void (*on_done)(void *arg, struct sync_job *job);
	void *arg;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct sync_job *job;		/* under lock: what to do, NULL when done or nothing to do */
	bool stop;			/* under lock */
	struct sync_job *under_way;	/* loop only */
};

static int write_parts(const struct sync_job *j)
{
	struct iovec v[2] = { { (void *)j->head, j->nhead }, { (void *)j->body, j->nbody } };
	off_t off = j->off;
	int at = 0;

	while (at < 2) {
		if (v[at].iov_len == 0) {
			at++;
			continue;
		}
		ssize_t got = pwritev(j->fd, v + at, 2 - at, off);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		off += got;
		for (; at < 2 && (size_t)got >= v[at].iov_len; at++)
			got -= (ssize_t)v[at].iov_len;
		if (at < 2) {
			v[at].iov_base = (char *)v[at].iov_base + got;
			v[at].iov_len -= (size_t)got;
		}
	}
	return 0;
}

static void close_group(struct sync_job *j)
{
	j->commit.crc = hash_crc32c(0, j->body, j->nbody);
	j->nbody += commit_write(j->body + j->nbody, &j->commit);
}

static void carry_out(struct sync_job *j)
{
	bool made = j->fd < 0;

	if (j->body)
		close_group(j);

	j->failed = SYNC_OPEN;
	if (made) {
		if (j->old_fd >= 0 && j->old_dirty && fdatasync(j->old_fd) < 0)
			goto fail;
		j->fd = openat(j->dirfd, j->name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (j->fd < 0)
			goto fail;
	}
	j->failed = SYNC_WRITE;
	if (write_parts(j) < 0)
		goto fail;
	j->failed = SYNC_SYNC;
	if (j->sync && fdatasync(j->fd) < 0)
		goto fail;
	/* The file's name must be on disk too before anything in it counts. */
	if (made && fsync(j->dirfd) < 0)
		goto fail;
	j->failed = SYNC_ALL_DONE;
	j->err = 0;
	return;
fail:
	j->err = errno;
}

static void *run(void *arg)
{
	struct syncer *s = arg;
	uint64_t one = 1;

	pthread_mutex_lock(&s->lock);
	for (;;) {
		while (!s->job && !s->stop)
			pthread_cond_wait(&s->wake, &s->lock);
		if (!s->job)
			break;
		struct sync_job *j = s->job;
		pthread_mutex_unlock(&s->lock);
		carry_out(j);
		pthread_mutex_lock(&s->lock);
		s->job = NULL;
		/* Under the lock: the loop's taking of the lock is what hands the job back. */
		while (write(s->io.fd, &one, sizeof(one)) < 0 && errno == EINTR)
			;
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

void syncer_collect(struct syncer *s)
{
	struct sync_job *j = s->under_way;
	bool done;

	pthread_mutex_lock(&s->lock);
	done = s->job == NULL;
	pthread_mutex_unlock(&s->lock);
	if (!done || !j)
		return;
	s->under_way = NULL;
	s->on_done(s->arg, j);
}

static void on_event(void *arg, unsigned events)
{
	struct syncer *s = arg;
	uint64_t count;

	(void)events;
	if (read(s->io.fd, &count, sizeof(count)) < 0)
		return;
	/* It may be of a job that was collected already. */
	syncer_collect(s);
}

struct syncer *syncer_new(struct loop *l, void (*on_done)(void *arg, struct sync_job *job), void *arg)
{
	struct syncer *s = calloc(1, sizeof(*s));
	sigset_t all, was;
	int err;

	if (!s)
		return NULL;
	s->loop = l;
	s->on_done = on_done;
	s->arg = arg;
	s->io.fn = on_event;
	s->io.arg = s;
	s->io.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->io.fd < 0)
		goto fail_fd;
	if (loop_io_add(l, &s->io, LOOP_IN) < 0)
		goto fail_io;
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->wake, NULL);
	/* Signals are the loop's business. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &was);
	err = pthread_create(&s->thread, NULL, run, s);
	pthread_sigmask(SIG_SETMASK, &was, NULL);
	if (err) {
		errno = err;
		goto fail_thread;
	}
	return s;
fail_thread:
	loop_io_del(l, &s->io);
fail_io:
	err = errno;
	close(s->io.fd);
	errno = err;
fail_fd:
	free(s);
	return NULL;
}

void syncer_submit(struct syncer *s, struct sync_job *job)
{
	s->under_way = job;
	pthread_mutex_lock(&s->lock);
	s->job = job;
	pthread_cond_signal(&s->wake);
	pthread_mutex_unlock(&s->lock);
}

void syncer_free(struct syncer *s)
{
	if (!s)
		return;
	pthread_mutex_lock(&s->lock);
	s->stop = true;
	pthread_cond_signal(&s->wake);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->thread, NULL);
	pthread_cond_destroy(&s->wake);
	pthread_mutex_destroy(&s->lock);
	loop_io_del(s->loop, &s->io);
	close(s->io.fd);
	free(s);
}
