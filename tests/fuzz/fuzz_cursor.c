/* fuzz_cursor: any bytes as a slot; with the checksum put right too, so that what stands behind it is reached. What is read can be written and read again. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "route/cursor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try(const char *slot, size_t size)
{
	static char again[CURSOR_SLOT_MAX];
	struct cursor c, d;

	cursor_init(&c, 1);
	if (cursor_read(&c, slot, size) == 0) {
		for (size_t i = 0; i < c.n; i++)
			if (c.r[c.at + i].a <= c.low || c.r[c.at + i].b < c.r[c.at + i].a)
				abort();
		cursor_write(&c, again, cursor_slot_size(&c));
		cursor_init(&d, 1);
		if (cursor_read(&d, again, cursor_slot_size(&c)) < 0 || d.low != c.low || d.turn != c.turn)
			abort();
		cursor_release(&d);
	}
	cursor_release(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char slot[CURSOR_SLOT * 4];

	try((const char *)data, size);
	if (size == 0 || size > sizeof(slot) - 64)
		return 0;
	memcpy(slot, data, size);
	snprintf(slot + size, sizeof(slot) - size, ",\"crc\":\"%08" PRIx32 "\"}", hash_crc32c(0, data, size));
	size_t n = size + strlen(slot + size);
	memset(slot + n, ' ', sizeof(slot) - n);
	slot[sizeof(slot) - 1] = '\n';
	try(slot, sizeof(slot));
	return 0;
}
