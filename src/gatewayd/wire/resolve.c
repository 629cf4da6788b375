#include "gatewayd/wire/resolve.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/log.h"
#include "base/loop.h"

#define STACK (256u << 10)

struct resolve_wait {
	struct question *q;
	resolve_fn *fn;
	void *arg;
	struct resolve_wait *prev, *next;
};

/* Belongs to the loop's thread but for host, port and the answer while a thread works on it. */
struct question {
	char host[256];
	unsigned port;
	struct resolve_addr v[RESOLVE_MAX];
	size_t n;
	char error[160];
	struct resolve_wait *first;	/* loop's thread only */
	struct question *next;		/* of todo or done; under the lock */
	struct question *prev_all, *next_all;	/* loop's thread only */
};

/* What threads and the loop share. It outlives the resolver while a thread still asks. */
struct shared {
	pthread_mutex_t lock;
	pthread_cond_t work;
	struct question *todo, **todo_last, *done;
	unsigned threads, idle, ntodo, refs;
	bool closed;
	int event;
};

struct resolver {
	struct loop *loop;
	struct shared *s;
	struct question *all;
	struct loop_io io;
};

/* ---- threads ---- */

/* The lock is held, and given up. */
static void shared_leave(struct shared *s)
{
	bool last = --s->refs == 0;

	pthread_mutex_unlock(&s->lock);
	if (!last)
		return;
	while (s->done) {
		struct question *q = s->done;

		s->done = q->next;
		free(q);
	}
	close(s->event);
	pthread_cond_destroy(&s->work);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

static void ask(struct question *q, int flags)
{
	struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV | flags}, *list, *a;
	char port[8];
	int rc;

	snprintf(port, sizeof(port), "%u", q->port);
	rc = getaddrinfo(q->host, port, &hints, &list);
	q->n = 0;
	if (rc) {
		snprintf(q->error, sizeof(q->error), "the name %.100s: %s", q->host, rc == EAI_SYSTEM ? strerror(errno) : gai_strerror(rc));
		return;
	}
	for (a = list; a && q->n < RESOLVE_MAX; a = a->ai_next) {
		if (a->ai_addrlen > sizeof(q->v[0].sa))
			continue;
		memcpy(&q->v[q->n].sa, a->ai_addr, a->ai_addrlen);
		q->v[q->n++].len = a->ai_addrlen;
	}
	freeaddrinfo(list);
	if (!q->n)
		snprintf(q->error, sizeof(q->error), "the name %.100s has no address", q->host);
}

static void *work(void *arg)
{
	struct shared *s = arg;
	struct question *q;

	pthread_mutex_lock(&s->lock);
	for (;;) {
		while (!s->todo && !s->closed) {
			s->idle++;
			pthread_cond_wait(&s->work, &s->lock);
			s->idle--;
		}
		if (s->closed)
			break;
		q = s->todo;
		s->todo = q->next;
		s->ntodo--;
		if (!s->todo)
			s->todo_last = &s->todo;
		pthread_mutex_unlock(&s->lock);
		ask(q, 0);
		pthread_mutex_lock(&s->lock);
		q->next = s->done;
		s->done = q;
		if (write(s->event, &(uint64_t){1}, 8) != 8 && errno != EAGAIN)
			log_error("resolver: %m");
	}
	shared_leave(s);
	return NULL;
}

/* The lock is held. A thread more when all have something to do. */
static int thread_new(struct shared *s)
{
	sigset_t all, before;
	pthread_attr_t attr;
	pthread_t t;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	rc = pthread_create(&t, &attr, work, s);
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc)
		return -1;
	s->threads++;
	s->refs++;
	return 0;
}

/* ---- the loop's side ---- */

/* Nobody else may join the question. */
static void question_leave(struct resolver *r, struct question *q)
{
	if (q->prev_all)
		q->prev_all->next_all = q->next_all;
	else
		r->all = q->next_all;
	if (q->next_all)
		q->next_all->prev_all = q->prev_all;
}

void resolve_cancel(struct resolve_wait *w)
{
	if (!w)
		return;
	if (w->prev)
		w->prev->next = w->next;
	else
		w->q->first = w->next;
	if (w->next)
		w->next->prev = w->prev;
	free(w);
}

static void on_event(void *arg, unsigned events)
{
	struct resolver *r = arg;
	struct question *q;
	uint64_t n;

	(void)events;
	if (read(r->s->event, &n, sizeof(n)) < 0 && errno != EAGAIN)
		log_error("resolver: %m");
	for (;;) {
		pthread_mutex_lock(&r->s->lock);
		q = r->s->done;
		if (q)
			r->s->done = q->next;
		pthread_mutex_unlock(&r->s->lock);
		if (!q)
			return;
		question_leave(r, q);	/* who asks again in a callback asks anew */
		while (q->first) {
			struct resolve_wait w = *q->first;

			resolve_cancel(q->first);
			w.fn(w.arg, q->v, q->n, q->n ? NULL : q->error);
		}
		free(q);
	}
}

struct resolver *resolver_open(struct loop *l)
{
	struct resolver *r = calloc(1, sizeof(*r));
	struct shared *s = calloc(1, sizeof(*s));

	if (!r || !s)
		goto fail;
	s->refs = 1;
	s->todo_last = &s->todo;
	s->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->event < 0)
		goto fail;
	r->loop = l;
	r->s = s;
	r->io = (struct loop_io){.fd = s->event, .fn = on_event, .arg = r};
	if (loop_io_add(l, &r->io, LOOP_IN)) {
		close(s->event);
		goto fail;
	}
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->work, NULL);
	return r;
fail:
	log_error("resolver: %m");
	free(s);
	free(r);
	return NULL;
}

void resolver_close(struct resolver *r)
{
	struct question *q, *next;

	if (!r)
		return;
	loop_io_del(r->loop, &r->io);
	pthread_mutex_lock(&r->s->lock);
	for (q = r->all; q; q = next) {
		next = q->next_all;
		while (q->first)
			resolve_cancel(q->first);
	}
	/* Those that no thread has taken are ours; the others are given back to `done` and freed with it. */
	while ((q = r->s->todo)) {
		r->s->todo = q->next;
		free(q);
	}
	r->s->closed = true;
	pthread_cond_broadcast(&r->s->work);
	shared_leave(r->s);
	free(r);
}

static struct question *question_new(struct resolver *r, const char *host, unsigned port)
{
	struct question *q = calloc(1, sizeof(*q));
	struct shared *s = r->s;
	bool numeric;

	if (!q || strlen(host) >= sizeof(q->host)) {
		free(q);
		return NULL;
	}
	strcpy(q->host, host);
	q->port = port;
	ask(q, AI_NUMERICHOST);
	numeric = q->n > 0;
	pthread_mutex_lock(&s->lock);
	if (!numeric && s->ntodo >= s->idle && s->threads < RESOLVE_THREADS && thread_new(s) && !s->threads) {
		pthread_mutex_unlock(&s->lock);
		free(q);
		return NULL;
	}
	if (numeric) {
		q->next = s->done;
		s->done = q;
		if (write(s->event, &(uint64_t){1}, 8) != 8 && errno != EAGAIN)
			log_error("resolver: %m");
	} else {
		s->ntodo++;
		*s->todo_last = q;
		s->todo_last = &q->next;
		pthread_cond_signal(&s->work);
	}
	pthread_mutex_unlock(&s->lock);
	q->next_all = r->all;
	if (r->all)
		r->all->prev_all = q;
	r->all = q;
	return q;
}

struct resolve_wait *resolve(struct resolver *r, const char *host, unsigned port, resolve_fn *fn, void *arg)
{
	struct resolve_wait *w = calloc(1, sizeof(*w));
	struct question *q = r->all;

	if (!w)
		return NULL;
	while (q && (q->port != port || strcmp(q->host, host) != 0))
		q = q->next_all;
	/* An answer that is in already is handed on with this one. */
	if (!q)
		q = question_new(r, host, port);
	if (!q) {
		free(w);
		return NULL;
	}
	w->q = q;
	w->fn = fn;
	w->arg = arg;
	w->next = q->first;
	if (w->next)
		w->next->prev = w;
	q->first = w;
	return w;
}
