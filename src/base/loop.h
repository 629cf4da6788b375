/*
 * loop: one epoll, callbacks, a deadline computed from the nearest timer; it never ticks.
 *
 * The structs below belong to the caller and must stay where they are while armed (they are intrusive).
 * Any callback may add, change or remove any io or timer, its own too, and may free the struct it was called
 * for after removing it: an event already collected for a removed io is dropped. Errors of adding are
 * -1 with errno. One thread.
 *
 * HUP (and a socket's error) comes together with whatever was wanted, so that reading or writing finds the cause; it does
 * not mean that everything was read. With nothing wanted it is told once. A regular file, which epoll refuses, counts as
 * always ready. Structs must be zeroed before their first use.
 *
 * loop_fd and loop_poll let another library own the waiting (libwebsockets in gatewayd): the descriptor
 * becomes readable when loop_poll has something to do, timers included.
 */
#ifndef BASE_LOOP_H
#define BASE_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct loop *loop_new(void);			/* NULL with errno */
void loop_free(struct loop *l);

enum {
	LOOP_IN = 1, LOOP_OUT = 2,
	LOOP_HUP = 4,	/* peer is gone; always reported, need not be asked for */
	LOOP_EOF = 8,	/* only to ask for: HUP also when the peer of a socket has ended its sending side (a TCP peer
			 * that closes is not seen otherwise while LOOP_IN is not wanted); it may have left bytes to read */
};

struct loop_io {
	int fd;
	void (*fn)(void *arg, unsigned events);
	void *arg;
	unsigned want;		/* set by loop_io_* */
	unsigned slot;		/* private */
};
int loop_io_add(struct loop *l, struct loop_io *io, unsigned want);
int loop_io_want(struct loop *l, struct loop_io *io, unsigned want);	/* cheap when unchanged; 0 = only HUP */
void loop_io_del(struct loop *l, struct loop_io *io);			/* before closing fd; harmless if not added */

struct loop_timer {
	int64_t due;		/* clock_mono() nanoseconds; 0 = not armed */
	void (*fn)(void *arg);
	void *arg;
	unsigned at;		/* private: place in the heap */
};
int loop_timer_set(struct loop *l, struct loop_timer *t, int64_t due);	/* arms or moves; -1 when no memory */
int loop_timer_in(struct loop *l, struct loop_timer *t, int64_t ns);	/* relative to now */
void loop_timer_del(struct loop *l, struct loop_timer *t);		/* harmless if not armed */

/* Blocks the signal for the process and delivers it as a call (signalfd). Once per signal number.
 * A child started by this process must reset its mask (posix_spawnattr_setsigmask, see spawn in each program). */
int loop_signal(struct loop *l, int signo, void (*fn)(void *arg, int signo), void *arg);

/* Called once at the end of every round, after all callbacks of the round: the place for group work. Up to 16 of them.
 * The round after this call does not wait. */
void loop_each_round(struct loop *l, void (*fn)(void *arg), void *arg);

int loop_run(struct loop *l);		/* until loop_stop; 0, or -1 with errno when waiting failed */
void loop_stop(struct loop *l);
bool loop_stopping(const struct loop *l);	/* loop_stop was called, and the loop has not ended yet */
int loop_fd(struct loop *l);		/* -1 with errno */
int loop_poll(struct loop *l);		/* one round without waiting; -1 after loop_stop or failure */
int64_t loop_now(const struct loop *l);	/* clock_mono() as of the start of this round */

#endif
