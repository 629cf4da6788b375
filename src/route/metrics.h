/* metrics: the rows of metrics.def, opened once. A new one is a row there and a line in route(8). */
#ifndef ROUTE_METRICS_H
#define ROUTE_METRICS_H

#include <stdint.h>

#include "base/metric.h"

enum route_metric {
#define METRIC(id, name, kind, unit, help) M_##id,
#define DEST_METRIC(id, name, kind, unit, help)
#include "route/metrics.def"
#undef METRIC
#undef DEST_METRIC
	M_COUNT
};
enum dest_metric {
#define METRIC(id, name, kind, unit, help)
#define DEST_METRIC(id, name, kind, unit, help) D_##id,
#include "route/metrics.def"
#undef METRIC
#undef DEST_METRIC
	D_COUNT
};

extern uint64_t *route_metrics[M_COUNT];

int route_metrics_open(void);					/* -1 with a message */
void route_metrics_dest(uint64_t *cells[D_COUNT], const char *dest);

static inline void count(enum route_metric m, uint64_t n)
{
	metric_add(route_metrics[m], n);
}

#endif
