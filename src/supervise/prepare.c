#include "supervise/prepare.h"

#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>

#include "supervise/files.h"

#define STACK (64 << 10)

struct crowd {
	const char *const *names;
	size_t n, next;		/* next: taken with an atomic add */
};

static void one(const char *name)
{
	char log[PATH_MAX];
	struct stat st;

	files_prepare(name);
	if (snprintf(log, sizeof log, "%s/log", name) < (int)sizeof log && stat(log, &st) == 0 && S_ISDIR(st.st_mode))
		files_prepare(log);
}

static void *work(void *arg)
{
	struct crowd *c = arg;
	size_t i;

	while ((i = __atomic_fetch_add(&c->next, 1, __ATOMIC_RELAXED)) < c->n)
		one(c->names[i]);
	return NULL;
}

void prepare(const char *const *names, size_t n)
{
	size_t want = n / PREPARE_EACH < PREPARE_THREADS ? n / PREPARE_EACH : PREPARE_THREADS, made = 0;
	struct crowd c = { .names = names, .n = n };
	pthread_t thread[PREPARE_THREADS];
	sigset_t all, before;
	pthread_attr_t at;

	if (want < 2)
		return;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);	/* signals are for the loop */
	pthread_attr_init(&at);
	pthread_attr_setstacksize(&at, STACK);
	while (made < want && pthread_create(&thread[made], &at, work, &c) == 0)
		made++;
	pthread_attr_destroy(&at);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	while (made > 0)
		pthread_join(thread[--made], NULL);
}
