/*
 * metrics: gatewayd's counters by name; the rows are metrics.def.
 */
#ifndef GATEWAYD_METRICS_H
#define GATEWAYD_METRICS_H

#include "base/metric.h"

enum metric_id {
#define METRIC(id, name, kind, unit, help) M_##id,
#include "gatewayd/metrics.def"
#undef METRIC
	M_COUNT
};

extern uint64_t *metrics[M_COUNT];

int metrics_open(void);		/* -1 with a message */

#endif
