#include "route/metrics.h"

#include <stdio.h>

uint64_t *route_metrics[M_COUNT];

int route_metrics_open(void)
{
	if (metric_open("route") < 0)
		return -1;
#define METRIC(id, name, kind, unit, help) route_metrics[M_##id] = metric_row(name, "", METRIC_##kind, help);
#define DEST_METRIC(id, name, kind, unit, help)
#include "route/metrics.def"
#undef METRIC
#undef DEST_METRIC
	return 0;
}

void route_metrics_dest(uint64_t *cells[D_COUNT], const char *dest)
{
	char labels[64];

	snprintf(labels, sizeof(labels), "dest=\"%s\"", dest);
#define METRIC(id, name, kind, unit, help)
#define DEST_METRIC(id, name, kind, unit, help) cells[D_##id] = metric_row(name, labels, METRIC_##kind, help);
#include "route/metrics.def"
#undef METRIC
#undef DEST_METRIC
}
