#include "base/loop_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

struct loop *loop_new(void)
{
	struct loop *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->clockfd = l->sigio.fd = -1;
	l->slots = calloc(1, sizeof(*l->slots));
	l->nslots = 1;
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (!l->slots || l->epoll < 0) {
		int e = errno;

		loop_free(l);
		errno = e;
		return NULL;
	}
	sigemptyset(&l->sigmask);
	l->now = clock_mono();
	return l;
}

void loop_free(struct loop *l)
{
	if (!l)
		return;
	for (uint32_t i = 1; i < l->nslots; i++)
		if (l->slots[i].io)
			l->slots[i].io->slot = 0;
	timer_release(&l->timers);
	if (l->sigio.fd >= 0)
		close(l->sigio.fd);
	if (l->clockfd >= 0)
		close(l->clockfd);
	if (l->epoll >= 0)
		close(l->epoll);
	free(l->slots);
	free(l);
}

/* ---- descriptors ---- */

static struct epoll_event event_of(const struct loop *l, const struct loop_io *io, unsigned want)
{
	struct epoll_event e = {.data.u64 = (uint64_t)l->slots[io->slot].gen << 32 | io->slot};

	/* Nothing wanted: edge-triggered, or a pipe whose writer has gone would wake a paused reader without end. */
	if (!(want & (LOOP_IN | LOOP_OUT)))
		e.events = EPOLLET;
	if (want & LOOP_IN)
		e.events |= EPOLLIN;
	if (want & LOOP_OUT)
		e.events |= EPOLLOUT;
	if (want & LOOP_EOF)
		e.events |= EPOLLRDHUP;
	return e;
}

static int slot_take(struct loop *l, struct loop_io *io)
{
	uint32_t i = l->free_slot;

	if (!i) {
		uint32_t n = l->nslots < 16 ? 16 : l->nslots * 2;
		struct slot *s = reallocarray(l->slots, n, sizeof(*s));

		if (!s) {
			errno = ENOMEM;
			return -1;
		}
		l->slots = s;
		for (uint32_t k = n - 1; k >= l->nslots; k--) {
			s[k] = (struct slot){.next_free = i};
			i = k;
		}
		l->nslots = n;
	}
	l->free_slot = l->slots[i].next_free;
	l->slots[i].io = io;
	l->slots[i].regular = false;
	io->slot = i;
	return 0;
}

static void slot_give(struct loop *l, struct loop_io *io)
{
	struct slot *s = &l->slots[io->slot];

	s->io = NULL;
	s->gen++;
	s->next_free = l->free_slot;
	l->free_slot = io->slot;
	io->slot = 0;
}

int loop_io_add(struct loop *l, struct loop_io *io, unsigned want)
{
	struct epoll_event e;

	if (slot_take(l, io))
		return -1;
	e = event_of(l, io, want);
	if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, io->fd, &e)) {
		int err = errno;

		if (err != EPERM) {
			slot_give(l, io);
			errno = err;
			return -1;
		}
		l->slots[io->slot].regular = true;
		l->nregular++;
		loop_clock_arm(l);
	}
	l->slots[io->slot].told = io->want = want;
	return 0;
}

int loop_tell(struct loop *l, const struct loop_io *io, unsigned want)
{
	struct slot *s = &l->slots[io->slot];
	struct epoll_event e = event_of(l, io, want);

	if (s->told != want && !s->regular && epoll_ctl(l->epoll, EPOLL_CTL_MOD, io->fd, &e))
		return -1;
	s->told = want;
	return 0;
}

/* A reader that pauses is mostly back before its next bytes come, so epoll is told of a pause when they do come (serve_event):
 * two calls of the system saved for each message of a link. */
int loop_io_want(struct loop *l, struct loop_io *io, unsigned want)
{
	if (io->want == want)
		return 0;
	if (l->slots[io->slot].told != (want | LOOP_IN) && loop_tell(l, io, want))
		return -1;
	io->want = want;
	if (l->nregular)
		loop_clock_arm(l);
	return 0;
}

void loop_io_del(struct loop *l, struct loop_io *io)
{
	if (!io->slot)
		return;
	if (l->slots[io->slot].regular)
		l->nregular--;
	else
		epoll_ctl(l->epoll, EPOLL_CTL_DEL, io->fd, &(struct epoll_event){0});
	slot_give(l, io);
}

/* ---- time ---- */

/* Is a regular file waiting to be served? */
static bool regular_ready(const struct loop *l)
{
	if (l->nregular == 0)
		return false;
	for (uint32_t i = 1; i < l->nslots; i++)
		if (l->slots[i].io && l->slots[i].regular && l->slots[i].io->want)
			return true;
	return false;
}

int64_t loop_due(const struct loop *l)
{
	const struct loop_timer *t = timer_first(&l->timers);

	if (l->fresh_hook || regular_ready(l))
		return 1;
	return t ? t->due : 0;
}

void loop_clock_arm(struct loop *l)
{
	struct itimerspec at = {{0, 0}, {0, 0}};
	int64_t due;

	if (l->clockfd < 0 || (due = loop_due(l)) == l->clock_due)
		return;
	at.it_value.tv_sec = (time_t)(due / CLOCK_S);
	at.it_value.tv_nsec = (long)(due % CLOCK_S);
	if (timerfd_settime(l->clockfd, TFD_TIMER_ABSTIME, &at, NULL) == 0)
		l->clock_due = due;
}

int loop_timer_set(struct loop *l, struct loop_timer *t, int64_t due)
{
	if (timer_set(&l->timers, t, due))
		return -1;
	loop_clock_arm(l);
	return 0;
}

int loop_timer_in(struct loop *l, struct loop_timer *t, int64_t ns)
{
	int64_t due;

	if (__builtin_add_overflow(clock_mono(), ns, &due))
		due = INT64_MAX;
	return loop_timer_set(l, t, due);
}

void loop_timer_del(struct loop *l, struct loop_timer *t)
{
	timer_del(&l->timers, t);
	loop_clock_arm(l);
}

/* ---- signals ---- */

static void on_signal(void *arg, unsigned events)
{
	struct loop *l = arg;
	struct signalfd_siginfo info;

	(void)events;
	while (read(l->sigio.fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		int signo = (int)info.ssi_signo;

		if (signo > 0 && signo < NSIG && l->signals[signo].fn)
			l->signals[signo].fn(l->signals[signo].arg, signo);
	}
}

int loop_signal(struct loop *l, int signo, void (*fn)(void *arg, int signo), void *arg)
{
	int fd, rc;

	if (signo <= 0 || signo >= NSIG) {
		errno = EINVAL;
		return -1;
	}
	sigaddset(&l->sigmask, signo);
	rc = pthread_sigmask(SIG_BLOCK, &l->sigmask, NULL);
	if (rc) {
		errno = rc;
		return -1;
	}
	fd = signalfd(l->sigio.fd, &l->sigmask, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return -1;
	l->signals[signo].fn = fn;
	l->signals[signo].arg = arg;
	if (l->sigio.fd >= 0)
		return 0;
	l->sigio = (struct loop_io){.fd = fd, .fn = on_signal, .arg = l};
	if (loop_io_add(l, &l->sigio, LOOP_IN)) {
		int e = errno;

		close(fd);
		l->sigio.fd = -1;
		errno = e;
		return -1;
	}
	return 0;
}
