#include "gatewayd/browser/history.h"

#include <stdlib.h>
#include <string.h>

#include "line/scan.h"
#include "link/link.h"

struct take { uint64_t *seq; uint32_t n, i; };

static int number(struct span raw, uint64_t *out)
{
	uint64_t v = 0;

	if (!raw.p || raw.n == 0 || raw.n > 19)
		return -1;
	for (size_t i = 0; i < raw.n; i++) {
		if (raw.p[i] < '0' || raw.p[i] > '9')
			return -1;
		v = v * 10 + (uint64_t)(raw.p[i] - '0');
	}
	*out = v;
	return 0;
}

static int take_seq(void *arg, struct span name, struct span value)
{
	struct take *t = arg;

	(void)name;
	return t->i == t->n || number(value, &t->seq[t->i++]);
}

static int check_lines(const struct page *page)
{
	const char *at = page->at;

	for (uint32_t i = 0; i < page->n; i++) {
		const char *lf = memchr(at, '\n', (size_t)(page->end - at));

		if (!lf || (i && page->seq[i] <= page->seq[i - 1]))
			return -1;
		at = lf + 1;
	}
	return at == page->end ? 0 : -1;
}

int page_parse(const char *p, size_t n, struct page *out, const char **why)
{
	const char *lf = memchr(p, '\n', n);
	struct span head = {p, lf ? (size_t)(lf - p) : n};
	size_t rest = lf ? n - head.n - 1 : 0;
	struct envelope e;
	struct line_err err;
	struct take t = {0};
	uint64_t count;
	struct span more;

	*out = (struct page){0};
	*why = "the head is no JSON object with n and seq";
	if (scan_strict(head.p, head.n, &e, &err))
		return -1;
	if (scan_member(head, "error").p) {
		*why = "the store refused the question";
		return -1;
	}
	if (number(scan_member(head, "n"), &count) || count > LINK_BATCH_LINES)
		return -1;
	t.n = (uint32_t)count;
	out->n = t.n;
	out->bytes = malloc(rest + 1);
	out->seq = t.seq = calloc(count + 1, sizeof(*t.seq));
	if (!out->bytes || !out->seq) {
		*why = "no memory";
		goto fail;
	}
	if (lf)
		memcpy(out->bytes, lf + 1, rest);
	out->at = out->bytes;
	out->end = out->bytes + rest;
	more = scan_member(head, "more");
	out->more = more.n == 4 && memcmp(more.p, "true", 4) == 0;
	if (t.n && (scan_each(scan_member(head, "seq"), take_seq, &t) || t.i != t.n))
		goto fail;
	if (check_lines(out)) {
		*why = "the lines are not those that the head promises";
		goto fail;
	}
	return 0;
fail:
	page_release(out);
	return -1;
}

void page_release(struct page *p)
{
	free(p->bytes);
	free(p->seq);
	*p = (struct page){0};
}

size_t page_bytes(const struct page *p)
{
	return (size_t)(p->end - p->bytes);
}

const char *page_next(struct page *p, size_t *n, uint64_t *seq)
{
	const char *line = p->at, *lf;

	if (p->i == p->n)
		return NULL;
	lf = memchr(line, '\n', (size_t)(p->end - line));
	*n = (size_t)(lf - line);
	*seq = p->seq[p->i++];
	p->at = lf + 1;
	return line;
}
