#include "link/transport/frame.h"

#include <string.h>

void frame_hello(unsigned char out[SP_HELLO], unsigned protocol)
{
	memcpy(out, "\0SP\0\0\0\0", SP_HELLO);
	out[5] = (unsigned char)protocol;
}

int frame_hello_check(const unsigned char p[SP_HELLO], unsigned protocol, unsigned *got)
{
	*got = 0;
	if (memcmp(p, "\0SP", 4) != 0 || p[6] || p[7])
		return -1;
	*got = (unsigned)p[4] << 8 | p[5];
	return *got == protocol ? 0 : -1;
}

int frame_head(const void *data, size_t n, bool ipc, uint64_t max, size_t *head, uint64_t *payload)
{
	const unsigned char *p = data;
	uint64_t len = 0;

	*payload = 0;
	*head = ipc ? 9 : 8;
	if (ipc && n > 0 && *p++ != 1)
		return -1;
	if (n < *head)
		return 0;
	for (int i = 0; i < 8; i++)
		len = len << 8 | p[i];
	*payload = len;
	return len > max ? -1 : 1;
}

size_t frame_head_write(unsigned char out[SP_HEAD_MAX], bool ipc, uint64_t payload)
{
	unsigned char *p = out;

	if (ipc)
		*p++ = 1;
	for (int shift = 56; shift >= 0; shift -= 8)
		*p++ = (unsigned char)(payload >> shift);
	return (size_t)(p - out);
}

uint32_t frame_word(const void *data)
{
	const unsigned char *p = data;

	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

void frame_word_write(unsigned char out[4], uint32_t word)
{
	for (int i = 0; i < 4; i++)
		out[i] = (unsigned char)(word >> (24 - 8 * i));
}

size_t frame_trace(const void *data, size_t n)
{
	const unsigned char *p = data;

	for (size_t at = 0; at + 4 <= n && at < SP_TRACE_MAX; at += 4)
		if (p[at] & 0x80)
			return at + 4;
	return 0;
}
