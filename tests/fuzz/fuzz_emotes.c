/*
 * A table of emotes of hostile bytes: refused with line and reason, or every row of it is found
 * again.
 */
#include <stdint.h>
#include <stdlib.h>

#include "analyze/emote.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct emotes e;
	const char *why = NULL;
	size_t line = 0;

	if (emotes_init(&e, (const char *)data, size, &line, &why)) {
		if (!why || e.v || line == 0)
			abort();
		return 0;
	}
	for (uint32_t i = 0; i < e.n; i++) {
		const struct emote *m = &e.v[i];

		if (m->name_len == 0 || m->name_len > EMOTE_NAME || m->words_len > EMOTE_WORDS)
			abort();
		if (emotes_find(&e, m->channel, m->channel_len, m->name, m->name_len) != m)
			abort();
		emotes_find_ending(&e, NULL, 0, m->name, m->name_len);
	}
	emotes_release(&e);
	return 0;
}
