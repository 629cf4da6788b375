/*
 * fuzz_scan: the scanner against jansson, lazy against strict, strings there and back, on any bytes.
 */
#include <stdint.h>

#include "../lib/props.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* A copy of exactly this size: a read behind the end is seen. */
	char *p = malloc(size ? size : 1);

	if (!p)
		return 0;
	if (size)
		memcpy(p, data, size);
	props_against_jansson(p, size);
	props_line(p, size);
	free(p);
	return 0;
}
