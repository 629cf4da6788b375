#include "gatewayd/metrics.h"

uint64_t *metrics[M_COUNT];

int metrics_open(void)
{
	static const struct { const char *name, *help; enum metric_kind kind; } rows[M_COUNT] = {
#define METRIC(id, row_name, row_kind, unit, row_help) [M_##id] = {row_name, row_help, METRIC_##row_kind},
#include "gatewayd/metrics.def"
#undef METRIC
	};

	if (metric_open("gatewayd"))
		return -1;
	for (int i = 0; i < M_COUNT; i++)
		metrics[i] = metric_row(rows[i].name, "", rows[i].kind, rows[i].help);
	return 0;
}
