#include "supervise/writer.h"

#include <signal.h>
#include <string.h>
#include <time.h>

#include "base/log.h"

#define STACK (256 << 10)

static void append(struct writer *w, struct files *f)
{
	if (f->queued)
		return;
	f->queued = true;
	f->next = NULL;
	if (w->head)
		w->tail->next = f;
	else
		w->head = f;
	w->tail = f;
}

static void not_late(struct writer *w, const struct files *f)
{
	for (struct files **at = &w->late; *at; at = &(*at)->next_late)
		if (*at == f) {
			*at = f->next_late;
			return;
		}
}

/* The first of the queue, with the lock held, which is given back while the disk works. */
static void do_first(struct writer *w)
{
	struct files *f = w->head;
	struct shown shown = f->shown;
	bool close_it = f->closing, told = f->told, good;
	unsigned answers = f->answers;

	w->head = f->next;
	f->queued = false;
	w->busy = true;
	pthread_mutex_unlock(&w->lock);
	good = !told || files_write(f, &shown, answers) == 0;
	if (close_it)
		files_free(f);
	pthread_mutex_lock(&w->lock);
	w->busy = false;
	if (close_it)
		w->closing--;
	else if (!good && !f->late && !f->closing) {
		if (!w->late)
			w->again_at = clock_mono() + WRITER_AGAIN;
		f->late = true;
		f->next_late = w->late;
		w->late = f;
	}
}

/* What is late is queued again when its time has come. */
static void again(struct writer *w)
{
	if (!w->late || clock_mono() < w->again_at)
		return;
	while (w->late) {
		struct files *f = w->late;

		w->late = f->next_late;
		f->late = false;
		append(w, f);
	}
}

static void wait_for_work(struct writer *w)
{
	struct timespec t = { .tv_sec = w->again_at / CLOCK_S, .tv_nsec = w->again_at % CLOCK_S };

	pthread_cond_broadcast(&w->idle);
	if (w->late)
		pthread_cond_timedwait(&w->work, &w->lock, &t);
	else
		pthread_cond_wait(&w->work, &w->lock);
}

static void *work(void *arg)
{
	struct writer *w = arg;

	pthread_mutex_lock(&w->lock);
	while (w->head || !w->stop) {
		again(w);
		if (w->head && !w->held)
			do_first(w);
		else
			wait_for_work(w);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

void writer_init(struct writer *w)
{
	pthread_condattr_t ca;
	pthread_attr_t at;
	sigset_t all, before;
	int e;

	memset(w, 0, sizeof *w);
	pthread_mutex_init(&w->lock, NULL);
	pthread_condattr_init(&ca);
	pthread_condattr_setclock(&ca, CLOCK_MONOTONIC);
	pthread_cond_init(&w->work, &ca);
	pthread_cond_init(&w->idle, NULL);
	pthread_condattr_destroy(&ca);
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);	/* signals are for the loop */
	pthread_attr_init(&at);
	pthread_attr_setstacksize(&at, STACK);
	e = pthread_create(&w->thread, &at, work, w);
	pthread_attr_destroy(&at);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	w->threaded = e == 0;
	if (e)
		log_warn("no thread: %s: restarts wait for the disk", strerror(e));
}

void writer_release(struct writer *w)
{
	if (w->threaded) {
		pthread_mutex_lock(&w->lock);
		w->stop = true;
		w->held = false;
		pthread_cond_signal(&w->work);
		pthread_mutex_unlock(&w->lock);
		pthread_join(w->thread, NULL);
	} else {
		writer_go(w);
	}
	pthread_cond_destroy(&w->work);
	pthread_cond_destroy(&w->idle);
	pthread_mutex_destroy(&w->lock);
}

void writer_show(struct writer *w, struct files *f, const struct shown *shown, bool first)
{
	pthread_mutex_lock(&w->lock);
	f->shown = *shown;
	f->told = true;
	if (first && !f->queued) {
		f->queued = true;
		f->next = w->head;
		if (!w->head)
			w->tail = f;
		w->head = f;
	} else {
		append(w, f);
	}
	pthread_mutex_unlock(&w->lock);
}

void writer_answer(struct writer *w, struct files *f, const struct shown *shown)
{
	unsigned number;

	pthread_mutex_lock(&w->lock);
	f->shown = *shown;
	number = ++f->answers;
	pthread_mutex_unlock(&w->lock);
	files_answer(f, shown, number);
}

void writer_close(struct writer *w, struct files *f)
{
	pthread_mutex_lock(&w->lock);
	f->closing = true;
	if (f->late) {
		not_late(w, f);
		f->late = false;
	}
	append(w, f);
	w->closing++;
	pthread_mutex_unlock(&w->lock);
}

void writer_go(struct writer *w)
{
	pthread_mutex_lock(&w->lock);
	if (w->threaded) {
		if (w->head && !w->held)
			pthread_cond_signal(&w->work);
	} else {
		again(w);
		while (w->head)
			do_first(w);
	}
	pthread_mutex_unlock(&w->lock);
}

void writer_hold(struct writer *w, bool held)
{
	pthread_mutex_lock(&w->lock);
	w->held = held && w->threaded;
	pthread_mutex_unlock(&w->lock);
	if (!held)
		writer_go(w);
}

void writer_drain(struct writer *w)
{
	writer_hold(w, false);
	pthread_mutex_lock(&w->lock);
	while (w->threaded && (w->head || w->busy))
		pthread_cond_wait(&w->idle, &w->lock);
	pthread_mutex_unlock(&w->lock);
}

bool writer_idle(struct writer *w)
{
	bool idle;

	pthread_mutex_lock(&w->lock);
	idle = !w->threaded || (!w->head && !w->busy);
	pthread_mutex_unlock(&w->lock);
	return idle;
}

bool writer_closing(struct writer *w)
{
	bool closing;

	pthread_mutex_lock(&w->lock);
	closing = w->closing > 0;
	pthread_mutex_unlock(&w->lock);
	return closing;
}

void writer_drain_closing(struct writer *w)
{
	if (writer_closing(w))
		writer_drain(w);
}
