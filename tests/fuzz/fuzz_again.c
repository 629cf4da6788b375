/* fuzz_again: any bytes as a line said again: what is opened lies inside the line, and is written the same way. */
#include <stdlib.h>
#include <string.h>

#include "route/again.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data;
	struct again a;
	struct buf b;

	switch (again_open(p, size, &a)) {
	case 0:
		if (a.p != p || a.n > size || a.n + 1 < size)
			abort();
		break;
	case 1:
		if (a.p <= p || a.n < 2 || a.p + a.n >= p + size)
			abort();
		buf_init(&b, size + AGAIN_MORE + 1);
		size -= p[size - 1] == '\n';
		if (again_write(&b, &a) < 0 || b.len != size + 1 || memcmp(b.p, p, size) != 0)
			abort();
		buf_release(&b);
	}
	return 0;
}
