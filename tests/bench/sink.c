/*
 * sink LINES URL...: workers that do nothing: takes from each URL, 2 connections to each, and reports every batch done at once, until
 * each has had LINES lines. Prints "connected" when all are, then "lines seconds lines/s" over all URLs, from the first batch to the last.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "link/link.h"

#define URLS 64

static struct loop *loop;
static struct loop_timer look;
static struct sink { struct link_take *take; size_t got; } sinks[URLS];
static int nsinks, full, draining;
static size_t wanted;
static int64_t begin;

static void drained(void *arg)
{
	(void)arg;
	if (--draining == 0)
		loop_stop(loop);
}

static void all_there(void)
{
	double took = (double)(clock_mono() - begin) / 1e9;
	size_t all = 0;

	for (int i = 0; i < nsinks; i++)
		all += sinks[i].got;
	printf("%zu %.3f %.0f\n", all, took, (double)all / took);
	draining = nsinks;
	for (int i = 0; i < nsinks; i++)
		link_take_drain(sinks[i].take, drained);
}

static void batch(void *arg, struct batch *b)
{
	struct sink *s = arg;
	size_t before = s->got;

	if (!begin)
		begin = clock_mono();
	s->got += b->n;
	link_take_done(s->take, b, NULL, 0);
	if (before < wanted && s->got >= wanted && ++full == nsinks)
		all_there();
}

static void look_again(void *arg)
{
	int ready = 0;

	(void)arg;
	for (int i = 0; i < nsinks; i++)
		ready += link_take_connected(sinks[i].take);
	if (ready < nsinks) {
		loop_timer_in(loop, &look, 5 * CLOCK_MS);
		return;
	}
	printf("connected\n");
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct link_opts o = { .conns = 2 };

	if (argc < 3 || argc > URLS + 2 || (wanted = strtoull(argv[1], NULL, 10)) == 0)
		return fprintf(stderr, "usage: sink LINES URL...\n"), 2;
	log_init("sink");
	loop = loop_new();
	look = (struct loop_timer){ .fn = look_again };
	nsinks = argc - 2;
	for (int i = 0; loop && i < nsinks; i++)
		if (!(sinks[i].take = link_take_open(loop, argv[i + 2], &o, batch, NULL, &sinks[i])))
			return 1;
	if (!loop || loop_timer_in(loop, &look, 1) < 0 || loop_run(loop) < 0)
		die(1, "loop: %m");
	for (int i = 0; i < nsinks; i++)
		link_take_close(sinks[i].take);
	return 0;
}
