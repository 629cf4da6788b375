/*
 * drained METRICS DEST N: waits until route's metrics file says that N lines were delivered to DEST. It asks every millisecond:
 * a mapped counter tells nobody that it changed.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/metric.h"

static char wanted[80];
static uint64_t delivered;

static void look(void *arg, const struct metric_view *row)
{
	(void)arg;
	if (strcmp(row->name, "route_delivered_total") == 0 && strcmp(row->labels, wanted) == 0)
		delivered = row->value;
}

int main(int argc, char **argv)
{
	int64_t end = clock_mono() + 600 * CLOCK_S;

	if (argc != 4)
		return fprintf(stderr, "usage: drained METRICS DEST N\n"), 2;
	snprintf(wanted, sizeof wanted, "dest=\"%s\"", argv[2]);
	while (clock_mono() < end) {
		if (metric_read(argv[1], look, NULL) < 0)
			return perror(argv[1]), 1;
		if (delivered >= strtoull(argv[3], NULL, 10))
			return 0;
		poll(NULL, 0, 1);
	}
	return fprintf(stderr, "drained: %llu of %s lines after ten minutes\n", (unsigned long long)delivered, argv[3]), 1;
}
