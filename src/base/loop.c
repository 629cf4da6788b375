#include "base/loop.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/timer.h"

#define EVENTS_PER_ROUND 256
#define HOOKS 16

/* A place for an io. epoll carries (generation, index): an event of an io that was removed meanwhile
 * does not match its slot any more. Index 0 is never given out, so that a zeroed loop_io is one not added. */
struct slot {
	struct loop_io *io;
	uint32_t gen;
	uint32_t next_free;
	unsigned told;		/* what epoll was told; it may be more than io->want by LOOP_IN, see loop_io_want */
	bool regular;		/* a file that epoll refuses: always ready */
};

struct loop {
	int epoll, clockfd;	/* clockfd: timerfd for loop_fd, -1 until asked for */
	int64_t now, clock_due;
	bool stop, no_pwait2, fresh_hook;
	struct slot *slots;
	uint32_t nslots, free_slot;
	size_t nregular;
	struct timer_heap timers;
	struct { void (*fn)(void *arg); void *arg; } hooks[HOOKS];
	size_t nhooks;
	struct loop_io sigio;
	sigset_t sigmask;
	struct { void (*fn)(void *arg, int signo); void *arg; } signals[NSIG];
};

#define CLOCK_SLOT 0	/* epoll data of clockfd */

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

static void clock_arm(struct loop *l);

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
		clock_arm(l);
	}
	l->slots[io->slot].told = io->want = want;
	return 0;
}

/* Tells epoll what is wanted, if it does not know. */
static int tell(struct loop *l, const struct loop_io *io, unsigned want)
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
	if (l->slots[io->slot].told != (want | LOOP_IN) && tell(l, io, want))
		return -1;
	io->want = want;
	if (l->nregular)
		clock_arm(l);
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

/* When the loop must run next, though no descriptor says so; 0 = never. */
static int64_t next_due(const struct loop *l)
{
	const struct loop_timer *t = timer_first(&l->timers);

	if (l->fresh_hook || regular_ready(l))
		return 1;
	return t ? t->due : 0;
}

/* Sets the timerfd, when there is one, to the next due time. */
static void clock_arm(struct loop *l)
{
	struct itimerspec at = {{0, 0}, {0, 0}};
	int64_t due;

	if (l->clockfd < 0 || (due = next_due(l)) == l->clock_due)
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
	clock_arm(l);
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
	clock_arm(l);
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

/* ---- rounds ---- */

void loop_each_round(struct loop *l, void (*fn)(void *arg), void *arg)
{
	if (l->nhooks == HOOKS)
		die(1, "more than %d calls for each round of the loop", HOOKS);
	l->hooks[l->nhooks].fn = fn;
	l->hooks[l->nhooks++].arg = arg;
	l->fresh_hook = true;
	clock_arm(l);
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
	} else if ((due = next_due(l)) != 0) {
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
	if (l->slots[i].told != io->want && tell(l, io, io->want) == 0)
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
	clock_arm(l);
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
	clock_arm(l);
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
