/*
 * paced FILE RATE SECONDS: the limit for a hop's way to the disk. Lines as those of hop.c come at RATE a second, evenly spaced
 * (open loop); all that have come are written to FILE with one write and one fdatasync, then the next. Nothing else is done with
 * them, so this is what a line waits for the disk alone under that load. Prints "lines p50_us p99_us max_us".
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

#define LINE 496u		/* bytes of one of hop.c's lines */
#define ROUND_MAX 8192u

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void wait_until(int64_t t)
{
	struct timespec ts = { t / CLOCK_S, t % CLOCK_S };

	while (clock_mono() < t)
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

int main(int argc, char **argv)
{
	static char lines[ROUND_MAX * LINE];
	double rate;
	size_t total, done = 0;
	int64_t *took, begin, every, now;
	int fd;

	if (argc != 4 || (rate = atof(argv[2])) <= 0 || (total = (size_t)(rate * atof(argv[3]))) == 0)
		return fprintf(stderr, "usage: paced FILE RATE SECONDS\n"), 2;
	memset(lines, 'x', sizeof lines);
	every = (int64_t)(1e9 / rate);
	fd = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
	took = malloc(total * sizeof *took);
	if (fd < 0 || !took)
		return perror(argv[1]), 1;
	begin = clock_mono();
	while (done < total) {
		size_t n = 0;

		wait_until(begin + (int64_t)done * every);
		for (now = clock_mono(); done + n < total && n < ROUND_MAX && begin + (int64_t)(done + n) * every <= now; n++)
			;
		if (write(fd, lines, n * LINE) != (ssize_t)(n * LINE) || fdatasync(fd) < 0)
			return perror(argv[1]), 1;
		now = clock_mono();
		for (size_t i = 0; i < n; i++, done++)
			took[done] = now - (begin + (int64_t)done * every);
	}
	qsort(took, total, sizeof *took, by_value);
	printf("%zu %.0f %.0f %.0f\n", total, (double)took[total / 2] / 1e3, (double)took[total - 1 - total / 100] / 1e3,
		(double)took[total - 1] / 1e3);
	return 0;
}
