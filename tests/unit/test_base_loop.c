/* timer, loop, backoff: order of timers, removal from within callbacks, signals, another library's waiting. */
#include "check.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/loop.h"
#include "base/timer.h"

#define MANY 2000

static void heap(void)
{
	static struct loop_timer t[MANY];
	struct timer_heap h = {0};
	uint64_t seed = 12345;
	int64_t last = 0;
	size_t n = 0, armed = 0;
	int sorted = 1;

	for (int round = 0; round < 20000; round++) {
		struct loop_timer *x;

		seed = seed * 6364136223846793005u + 1442695040888963407u;
		x = &t[(seed >> 33) % MANY];
		if (seed >> 62)
			timer_set(&h, x, (int64_t)(seed >> 40) + 1);
		else
			timer_del(&h, x);
	}
	for (size_t i = 0; i < MANY; i++)
		armed += t[i].due != 0;
	CHECK(armed == h.n && armed > 100, "the heap holds what is armed");
	for (struct loop_timer *x; (x = timer_first(&h)); n++) {
		sorted &= x->due >= last;
		last = x->due;
		timer_del(&h, x);
	}
	CHECK(sorted && n == armed, "%zu timers come in order", n);
	CHECK(timer_set(&h, &t[0], 0) == 0 && t[0].due > 0, "a due time of 0 is armed");
	timer_release(&h);
	CHECK(t[0].due == 0, "release disarms");
}

static void waits(void)
{
	struct backoff b = {.base = 20, .max = 1000};
	int above = 0;

	for (int i = 0; i < 4; i++) {
		int64_t top = 20 << i, w;

		w = backoff_next(&b, 0);
		CHECK(w == top, "wait %d at most %lld", i, (long long)top);
		b.tries--;
		w = backoff_next(&b, (uint64_t)top / 2);
		CHECK(w == top - top / 2, "wait %d at least half of it", i);
	}
	for (int i = 0; i < 5000; i++)
		above += backoff_next(&b, 0) > 1000;
	CHECK(above == 0, "never above the ceiling");
	backoff_reset(&b);
	CHECK(backoff_next(&b, 0) == 20, "reset starts anew");
	CHECK(backoff_full(&b, 0) == 0 && backoff_full(&b, 80) == 80 && backoff_full(&b, 161) == 0, "full jitter begins at nothing");
}

/* ---- descriptors ---- */

struct end { struct loop_io io; struct loop *l; struct end *other; int calls; unsigned events; };

static void take_byte(void *arg, unsigned events)
{
	struct end *e = arg;
	char c;

	e->calls++;
	e->events |= events;
	if (events & LOOP_IN && read(e->io.fd, &c, 1) <= 0)
		loop_io_del(e->l, &e->io);
}

static void remove_other(void *arg, unsigned events)
{
	struct end *e = arg;

	(void)events;
	e->calls++;
	loop_io_del(e->l, &e->other->io);
	loop_io_del(e->l, &e->io);
}

static void stop(void *arg)
{
	loop_stop(arg);
}

static void turn(struct loop *l)
{
	if (loop_poll(l))
		abort();
}

static void descriptors(void)
{
	struct loop *l = loop_new();
	int p[2], q[2];
	struct end a = {.l = l}, b = {.l = l};

	CHECK(l && pipe2(p, O_CLOEXEC | O_NONBLOCK) == 0 && pipe2(q, O_CLOEXEC | O_NONBLOCK) == 0, "a loop");
	loop_io_del(l, &a.io);
	a.io = (struct loop_io){.fd = p[0], .fn = remove_other, .arg = &a};
	b.io = (struct loop_io){.fd = q[0], .fn = remove_other, .arg = &b};
	a.other = &b;
	b.other = &a;
	CHECK(loop_io_add(l, &a.io, LOOP_IN) == 0 && loop_io_add(l, &b.io, LOOP_IN) == 0, "two ios");
	CHECK(write(p[1], "x", 1) == 1 && write(q[1], "x", 1) == 1, "both readable");
	turn(l);
	CHECK(a.calls + b.calls == 1, "an event of an io that was removed in the same round is dropped");
	turn(l);
	CHECK(a.calls + b.calls == 1, "a removed io is not called");

	a = (struct end){.l = l, .io = {.fd = p[0], .fn = take_byte, .arg = &a}};
	CHECK(loop_io_add(l, &a.io, 0) == 0, "added, nothing wanted");
	turn(l);
	CHECK(a.calls == 0, "not called while nothing is wanted");
	close(p[1]);
	turn(l);
	CHECK(a.calls == 1 && a.events == LOOP_HUP, "HUP comes unasked");
	turn(l);
	CHECK(a.calls == 1, "and once");
	CHECK(loop_io_want(l, &a.io, LOOP_IN) == 0, "reading again");
	turn(l);
	CHECK(a.calls == 2 && (a.events & LOOP_IN), "what was written before the HUP is read");
	turn(l);
	CHECK(a.calls == 3 && a.io.slot == 0, "end of input removes it");
	close(p[0]);
	close(q[0]);
	close(q[1]);
	b = (struct end){.l = l, .io = {.fd = q[0], .fn = take_byte, .arg = &b}};
	CHECK(loop_io_add(l, &b.io, LOOP_IN) == -1 && b.io.slot == 0, "a closed descriptor is refused");
	loop_free(l);
}

static void regular_file(void)
{
	struct loop *l = loop_new();
	int fd = open(__FILE__, O_RDONLY | O_CLOEXEC);
	struct end a = {.l = l, .io = {.fd = fd, .fn = take_byte, .arg = &a}};

	CHECK(fd >= 0 && loop_io_add(l, &a.io, LOOP_IN) == 0, "a regular file");
	turn(l);
	turn(l);
	CHECK(a.calls == 2, "is always ready");
	loop_io_want(l, &a.io, 0);
	turn(l);
	CHECK(a.calls == 2, "but not while it is not wanted");
	loop_io_want(l, &a.io, LOOP_IN);
	loop_each_round(l, stop, l);
	CHECK(loop_run(l) == 0 && a.calls == 3, "and a blocking round does not block on it");
	loop_io_del(l, &a.io);
	close(fd);
	loop_free(l);
}

/* ---- timers ---- */

struct tick { struct loop_timer t; struct loop *l; int calls; int again; int64_t at; };

static void tick(void *arg)
{
	struct tick *k = arg;

	k->at = clock_mono();
	if (++k->calls < k->again)
		loop_timer_in(k->l, &k->t, 0);
	else
		loop_stop(k->l);
}

static void timers(void)
{
	struct loop *l = loop_new();
	struct tick k = {.l = l, .t = {.fn = tick, .arg = &k}, .again = 5}, never = {.l = l, .t = {.fn = tick, .arg = &never}};
	int64_t start = clock_mono();

	loop_timer_del(l, &never.t);
	loop_timer_in(l, &never.t, INT64_MAX);
	loop_timer_in(l, &k.t, 3 * CLOCK_MS);
	CHECK(loop_run(l) == 0 && k.calls == 5, "a timer that sets itself again");
	CHECK(k.at - start >= 3 * CLOCK_MS && loop_now(l) >= start, "not before its time");
	k.calls = 0;
	loop_timer_in(l, &k.t, 0);
	turn(l);
	CHECK(k.calls == 1, "set to now again, it runs once a round");
	loop_timer_del(l, &k.t);
	turn(l);
	CHECK(k.calls == 1 && never.calls == 0, "a removed timer does not run");
	loop_each_round(l, stop, l);
	CHECK(loop_run(l) == 0, "what is called each round is called at once, though nothing else happens");
	loop_free(l);
	CHECK(never.t.due == 0, "the end of the loop disarms");
}

static void foreign_wait(void)
{
	struct loop *l = loop_new();
	struct tick k = {.l = l, .t = {.fn = tick, .arg = &k}, .again = 9};
	struct pollfd p = {.fd = loop_fd(l), .events = POLLIN};

	CHECK(p.fd >= 0 && loop_fd(l) == p.fd, "a descriptor for another library");
	CHECK(poll(&p, 1, 0) == 0, "quiet");
	loop_timer_in(l, &k.t, 2 * CLOCK_MS);
	CHECK(poll(&p, 1, 5000) == 1, "a timer makes it readable");
	turn(l);
	CHECK(k.calls == 1 && poll(&p, 1, 5000) == 1, "and the next one");
	loop_timer_del(l, &k.t);
	turn(l);
	CHECK(poll(&p, 1, 0) == 0, "quiet again");
	loop_stop(l);
	CHECK(loop_poll(l) == -1, "a stopped loop says so");
	loop_free(l);
}

/* ---- signals ---- */

static int usr1, usr2;

static void on_signal(void *arg, int signo)
{
	if (signo == SIGUSR1)
		usr1++;
	else
		usr2++;
	(void)arg;
}

static void signals(void)
{
	struct loop *l = loop_new();

	CHECK(loop_signal(l, SIGUSR1, on_signal, NULL) == 0 && loop_signal(l, SIGUSR2, on_signal, NULL) == 0, "two signals");
	CHECK(loop_signal(l, 0, on_signal, NULL) == -1 && loop_signal(l, 4711, on_signal, NULL) == -1, "no signals");
	raise(SIGUSR1);
	raise(SIGUSR2);
	turn(l);
	CHECK(usr1 == 1 && usr2 == 1, "arrive as calls");
	loop_free(l);
}

int main(void)
{
	heap();
	waits();
	descriptors();
	regular_file();
	timers();
	foreign_wait();
	signals();
	return check_done();
}
