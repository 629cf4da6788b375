/* The small texts that supervise and logd read from directories of others: limits, after, instances, config, logs. The first byte says which. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/log.h"
#include "logd/conf.h"
#include "penstock/log_feed.h"
#include "supervise/instance.h"
#include "supervise/limits.h"
#include "supervise/lines.h"
#include "supervise/order.h"
#include "supervise/usage.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void bad(void *arg, unsigned line, const char *text, const char *why)
{
	(void)arg;
	(void)line;
	if (!text || !why)
		abort();
}

static void order(const char *p, size_t n)
{
	static struct order o;
	struct order_node node;
	const char *why;
	char *names = NULL;
	int count = order_parse(p, n, &names, &why);

	if (count < 0)
		return;
	if (order_add(&o, &node, "a", NULL, names, (size_t)count) < 0)
		abort();
	order_del(&o, &node);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data + 1, *why;
	struct limits limits;
	struct conf conf;
	struct line line[LINES_KEPT];
	struct usage usage;
	size_t n = size - 1;

	if (size == 0)
		return 0;
	switch (data[0] % 7) {
	case 0: limits_parse(p, n, &limits, bad, NULL); break;
	case 1: order(p, n); break;
	case 2: instance_parse(p, n, &why); break;
	case 3: conf_init(&conf); conf_parse(p, n, &conf, bad, NULL); break;
	case 4: lines_before(p, n, 7, line); break;
	case 5: log_level_of(p, n); break;
	case 6: usage_parse(p, n, &usage); break;
	}
	return 0;
}
