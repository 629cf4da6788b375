/* A message of hostile text against the default replies: text, user and room come from one input, split at NUL bytes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "line/envelope.h"
#include "line/writer.h"
#include "respond/answer.h"
#include "respond/replies.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char conf[] =
	"command hug, cuddle NAME [HOW...]\n help hugs\n say {user} hugs {NAME} {HOW:{one of: gently | {2-:not} at all}}\n say {text}{args}\n"
	"command x\n say {1:a}{2:b}{3:c}{4-}{9}{number 0 to 9}{time}{date}{channel}{tenant}{commands}\n"
	"word hello, good night\n say {user} {text} {args}\ncontains :), \xc3\xa9t\xc3\xa9\n say {text}\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct replies *r;
	const char *p = (const char *)data, *end = p + size;
	struct span part[3] = {{"", 0}, {"", 0}, {"", 0}};
	struct replies_error re;
	struct buf line, out;
	struct writer w;
	struct envelope e;
	struct line_err err;
	struct answer a;
	const char *why = NULL;

	if (!r)
		r = replies_parse(conf, sizeof(conf) - 1, &re);
	if (!r)
		abort();
	for (int i = 0; i < 3 && p < end; i++) {
		const char *nul = i < 2 ? memchr(p, '\0', (size_t)(end - p)) : NULL;

		part[i] = (struct span){p, (size_t)((nul ? nul : end) - p)};
		p = nul ? nul + 1 : end;
	}
	buf_init(&line, 1 << 20);
	buf_init(&out, 1 << 24);
	writer_begin(&w, &line, 1 << 20);
	writer_attr(&w, "specversion", "1.0");
	writer_attr(&w, "id", "i");
	writer_attr(&w, "source", "/fuzz");
	writer_attr(&w, "type", "chat.message");
	writer_open(&w, "data");
	writer_open(&w, "channel");
	writer_str(&w, "id", part[2].p, part[2].n);
	writer_close(&w);
	writer_open(&w, "user");
	writer_str(&w, "id", "u", 1);
	writer_str(&w, "name", part[1].p, part[1].n);
	writer_close(&w);
	writer_str(&w, "text", part[0].p, part[0].n);
	writer_close(&w);
	if (writer_end(&w, &err) == 0 && envelope_check(line.p, line.len - 1, 1 << 20, &e, &err) == 0) {
		size_t from = 0;
		int n;

		answer_init(&a, 1 << 20);
		n = answer_event(&a, r, line.p, &e, &out, &why);
		if (n < 0)
			abort();
		for (; n > 0; n--) {
			const char *lf = memchr(out.p + from, '\n', out.len - from);

			if (!lf || envelope_check(out.p + from, (size_t)(lf - out.p) - from, 1 << 20, &e, &err))
				abort();
			from = (size_t)(lf + 1 - out.p);
		}
		answer_release(&a);
	}
	buf_release(&line);
	buf_release(&out);
	return 0;
}
