/* ledger: any text is read, and what is asked of it has an answer within bounds. */
#include <stdint.h>
#include <stdlib.h>

#include "gatewayd/upstream/ledger.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const int64_t now = INT64_C(1800000000) * CLOCK_S;
	struct ledger l;
	uint64_t left;

	if (ledger_read(&l, (const char *)data, n, now))
		return 0;
	for (unsigned i = 0; i < l.n && i < 64; i++) {
		int64_t wait = ledger_wait(&l, l.v[i].key, l.v[i].conn, now);

		if (wait < 0 || wait > 2 * LEDGER_DAY + 120 * LEDGER_DAY)
			abort();
	}
	left = ledger_left(&l, now);
	if (l.has_budget && left > l.total)
		abort();
	if (!l.has_budget && left != UINT64_MAX)
		abort();
	ledger_release(&l);
	return 0;
}
