/* event: lines of an input, a zero byte, and what a program wrote, looked at as answers and as anything; halves and modes see it, too. */
#include <stdlib.h>
#include <string.h>

#include "line/envelope.h"
#include "link/batch.h"
#include "stage/event.h"
#include "stage/mode/mode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look(struct events *v, uint32_t n, const char *p, size_t len, struct buf *out)
{
	for (uint32_t from = 0; from <= n; from++) {
		for (int answers = 0; answers <= (from < n); answers++) {
			size_t before = out->len;
			uint32_t cause;
			char why[EVENT_WHY];
			struct envelope e;
			struct line_err err;
			enum event_is is = event_look(v, from, n, answers, p, len, out, &cause, why);
			if (cause > n)
				abort();
			if (out->len > before && (is != EVENT_NEW || out->p[out->len - 1] != '\n' || memchr(out->p + before, '\n', out->len - before - 1) ||
			    envelope_check(out->p + before, out->len - before - 1, v->max, &e, &err)))
				abort();
			if ((is == EVENT_BAD || is == EVENT_ALONE) && !memchr(why, '\0', sizeof why))
				abort();
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *all = (const char *)data, *zero = size ? memchr(all, '\0', size) : NULL, *p, *end, *line;
	static const uint64_t key[2] = { 1, 2 };
	char tail[MODE_TAIL_MAX];
	struct task t = { .open = true, .number = 3, .key = "0123456789abcdef", .tail = tail };
	uint32_t at[65], n = 0;
	struct events v;
	struct buf out;
	size_t len;

	if (!zero || zero == all || zero[-1] != '\n')
		return 0;
	for (p = all; n < 64 && (line = batch_next(&p, zero, &len)); n++)
		at[n] = (uint32_t)(line - all);
	at[n] = (uint32_t)(p - all);
	buf_init(&out, 1 << 20);
	events_init(&v, all, at, n, "fuzz", 1 << 16, true, key);
	p = zero + 1;
	end = all + size;
	while (p < end && (line = batch_next(&p, end, &len))) {
		look(&v, n, line, len, &out);
		for (const struct mode *const *m = modes; *m; m++) {
			t.tail_n = (*m)->tail ? (*m)->tail(&t, tail) : 0;
			(*m)->line(&t, line, len);
		}
		events_again(&v, n / 2);
	}
	events_release(&v);
	buf_release(&out);
	return 0;
}
