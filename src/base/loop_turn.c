/* The rounds of the loop: waiting, and calling whoever it is about. */
#include "base/loop_impl.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

#define EVENTS_PER_ROUND 256

void loop_each_round(struct loop *l, void (*fn)(void *arg), void *arg)
{
	if (l->nhooks == HOOKS)
		die(1, "more than %d calls for each round of the loop", HOOKS);
	l->hooks[l->nhooks].fn = fn;
	l->hooks[l->nhooks++].arg = arg;
	l->fresh_hook = true;
	loop_clock_arm(l);
}

static int wait_ms(struct loop *l, struct epoll_event *e, int64_t timeout)
{
	int64_t ms = timeout < 0 ? -1 : (timeout + CLOCK_MS - 1) / CLOCK_MS;	/* up: never wake before the time */

	return epoll_wait(l->epoll, e, EVENTS_PER_ROUND, ms > 3600000 ? 3600000 : (int)ms);
}

static int wait_for(struct loop *l, struct epoll_event *e, bool block)
{
	int64_t due, timeout = -1;
	struct timespec ts;
	int n;

	if (!block) {
		timeout = 0;
	} else if ((due = loop_due(l)) != 0) {
		timeout = due - clock_mono();
		if (timeout < 0)
			timeout = 0;
	}
	if (timeout <= 0 || l->no_pwait2)
		return wait_ms(l, e, timeout);
	ts.tv_sec = (time_t)(timeout / CLOCK_S);
	ts.tv_nsec = (long)(timeout % CLOCK_S);
	n = epoll_pwait2(l->epoll, e, EVENTS_PER_ROUND, &ts, NULL);
	/* kernels before 5.11, and sandboxes that do not know it */
	if (n < 0 && (errno == ENOSYS || errno == EPERM)) {
		l->no_pwait2 = true;
		return wait_ms(l, e, timeout);
	}
	return n;
}

static void serve_regular(struct loop *l)
{
	for (uint32_t i = 1; l->nregular && i < l->nslots; i++) {
		struct loop_io *io = l->slots[i].io;

		if (io && l->slots[i].regular && io->want)
			io->fn(io->arg, io->want & (LOOP_IN | LOOP_OUT));
	}
}

static void serve_event(struct loop *l, const struct epoll_event *e)
{
	uint32_t i = (uint32_t)e->data.u64;
	struct loop_io *io;
	unsigned events = 0;

	if (i == CLOCK_SLOT) {
		uint64_t times;

		if (read(l->clockfd, &times, sizeof(times)) > 0)
			l->clock_due = 0;
		return;
	}
	io = l->slots[i].io;
	if (!io || l->slots[i].gen != (uint32_t)(e->data.u64 >> 32))
		return;
	if (l->slots[i].told != io->want && loop_tell(l, io, io->want) == 0)
		return; /* what of it is wanted comes again, in the next round */
	if (e->events & EPOLLIN)
		events |= LOOP_IN;
	if (e->events & EPOLLOUT)
		events |= LOOP_OUT;
	if (e->events & (EPOLLHUP | EPOLLERR | EPOLLRDHUP))
		events |= LOOP_HUP | (io->want & (LOOP_IN | LOOP_OUT));
	/* What an earlier callback of this round has stopped wanting is not told. */
	events &= io->want | LOOP_HUP;
	if (events)
		io->fn(io->arg, events);
}

static void serve_timers(struct loop *l)
{
	/* At most as many as were armed: a timer that sets itself to now must not keep the descriptors waiting. */
	for (size_t left = l->timers.n; left; left--) {
		struct loop_timer *t = timer_first(&l->timers);

		if (!t || t->due > l->now)
			return;
		timer_del(&l->timers, t);
		t->fn(t->arg);
	}
}

static int turn(struct loop *l, bool block)
{
	struct epoll_event e[EVENTS_PER_ROUND];
	int n = wait_for(l, e, block);

	if (n < 0) {
		if (errno != EINTR)
			return -1;
		n = 0;
	}
	l->now = clock_mono();
	l->fresh_hook = false;
	for (int i = 0; i < n; i++)
		serve_event(l, &e[i]);
	serve_regular(l);
	serve_timers(l);
	for (size_t i = 0; i < l->nhooks; i++)
		l->hooks[i].fn(l->hooks[i].arg);
	loop_clock_arm(l);
	return 0;
}

int loop_run(struct loop *l)
{
	while (!l->stop)
		if (turn(l, true))
			return -1;
	l->stop = false;
	return 0;
}

void loop_stop(struct loop *l)
{
	l->stop = true;
}

bool loop_stopping(const struct loop *l)
{
	return l->stop;
}

int loop_fd(struct loop *l)
{
	struct epoll_event e = {.events = EPOLLIN, .data.u64 = CLOCK_SLOT};

	if (l->clockfd >= 0)
		return l->epoll;
	l->clockfd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (l->clockfd < 0)
		return -1;
	if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, l->clockfd, &e)) {
		int err = errno;

		close(l->clockfd);
		l->clockfd = -1;
		errno = err;
		return -1;
	}
	loop_clock_arm(l);
	return l->epoll;
}

int loop_poll(struct loop *l)
{
	if (l->stop || turn(l, false))
		return -1;
	return l->stop ? -1 : 0;
}

int64_t loop_now(const struct loop *l)
{
	return l->now;
}
