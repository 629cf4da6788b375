/* A replies file of hostile bytes: parsed or refused; what was parsed answers a fixed set of events. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "line/envelope.h"
#include "respond/answer.h"
#include "respond/replies.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const lines[] = {
	"{\"specversion\":\"1.0\",\"id\":\"i\",\"source\":\"/s\",\"type\":\"chat.message\",\"time\":\"2026-11-20T10:00:00Z\",\"data\":"
	"{\"channel\":{\"id\":\"c\"},\"user\":{\"id\":\"u\",\"name\":\"\\u0000\\nAnn\"},\"text\":\"!a \\\"b c\\\" \\ud83d\\ude00 \\u0000\"}}",
	"{\"specversion\":\"1.0\",\"id\":\"i\",\"source\":\"/s\",\"type\":\"chat.message\",\"data\":"
	"{\"channel\":{\"id\":\"c\"},\"user\":{\"id\":\"u\"},\"text\":\"hello A b :)\"}}",
	"{\"specversion\":\"1.0\",\"id\":\"i\",\"source\":\"/s\",\"type\":\"chat.message\",\"data\":"
	"{\"channel\":{\"id\":\"c\"},\"user\":{\"id\":\"u\"},\"text\":\"!help a\"}}",
	"{\"specversion\":\"1.0\",\"id\":\"i\",\"source\":\"/s\",\"type\":\"analysis.emotion\",\"partitionkey\":\"browser:x\",\"data\":"
	"{\"channel\":{\"id\":\"c\"},\"message_id\":\"m\",\"top\":\"joy\",\"scores\":{\"joy\":0.9},\"group\":\"positive\",\"groups\":{\"positive\":1}}}",
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct replies_error err;
	struct replies *r = replies_parse((const char *)data, size, &err);
	struct answer a;
	struct buf out;

	if (!r) {
		if (err.line == 0 || err.column == 0 || !err.why || strlen(err.what) >= sizeof(err.what))
			abort();
		return 0;
	}
	buf_init(&out, 1 << 24);
	answer_init(&a, 1 << 20);
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		struct envelope e;
		struct line_err le;
		const char *why = NULL;
		size_t from = out.len;
		int n;

		if (envelope_check(lines[i], strlen(lines[i]), 1 << 20, &e, &le))
			abort();
		n = answer_event(&a, r, lines[i], &e, &out, &why);
		if (n < 0)
			abort();
		/* Every answer is a line that would be let in. */
		for (; n > 0; n--) {
			const char *lf = memchr(out.p + from, '\n', out.len - from);

			if (!lf || envelope_check(out.p + from, (size_t)(lf - out.p) - from, 1 << 20, &e, &le))
				abort();
			from = (size_t)(lf + 1 - out.p);
		}
		if (from != out.len)
			abort();
	}
	answer_release(&a);
	buf_release(&out);
	replies_free(r);
	return 0;
}
