/* A frame of a chat client, and an answer of store, of any bytes. What is accepted keeps the limits. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gatewayd/browser/frame.h"
#include "gatewayd/browser/history.h"
#include "line/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t points(const char *p, size_t n)
{
	size_t k = 0;

	for (size_t i = 0; i < n; i++)
		k += ((unsigned char)p[i] & 0xc0) != 0x80;
	return k;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = malloc(size ? size : 1);	/* exactly as long: reading on is seen */
	struct frame f;
	struct frame_fault fault;
	struct page page;
	const char *why = NULL, *line;
	uint64_t seq, last = 0;
	size_t n;

	if (!copy)
		return 0;
	memcpy(copy, data, size);
	frame_init(&f);
	if (size > FRAME_MAX) {
		/* the edge lets no such frame in */
	} else if (frame_parse(copy, size, &f, &fault)) {
		if (!fault.code || !fault.why || fault.at > size)
			abort();
	} else if (f.kind == FRAME_JOIN) {
		if (!frame_room_ok(f.room, strlen(f.room)) || !*f.name || points(f.name, strlen(f.name)) > CHAT_NAME_MAX ||
		    (*f.session && strlen(f.session) != SESSION_LEN))
			abort();
	} else if (f.kind == FRAME_SAY && (f.n == 0 || f.text.len == 0 || points(f.text.p, f.text.len) > CHAT_TEXT_MAX)) {
		abort();
	}
	frame_release(&f);
	if (page_parse(copy, size, &page, &why) == 0) {
		for (uint32_t i = 0; (line = page_next(&page, &n, &seq)); i++) {
			if (memchr(line, '\n', n) || (i && seq <= last))
				abort();
			last = seq;
		}
		page_release(&page);
	} else if (!why) {
		abort();
	}
	free(copy);
	return 0;
}
