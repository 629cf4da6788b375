#include "gatewayd/http/problem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/utf8.h"

void problem_set(struct problem *p, int status, const char *slug, const char *title, const char *fmt, ...)
{
	const char *cut;
	va_list ap;
	int n;

	memset(p, 0, sizeof(*p));
	p->status = status;
	p->slug = slug;
	p->title = title;
	va_start(ap, fmt);
	n = vsnprintf(p->detail, sizeof(p->detail), fmt, ap);
	va_end(ap);
	if (n >= (int)sizeof(p->detail) && (cut = utf8_bad(p->detail, p->detail + sizeof(p->detail) - 1)))
		p->detail[cut - p->detail] = '\0';
	p->retry = status == 503 || status == 429;
}

void problem_at(struct problem *p, const char *body, size_t n, size_t at)
{
	const char *lf;
	size_t line = 1, from = 0;

	if (at > n)
		at = n;
	while ((lf = memchr(body + from, '\n', at - from))) {
		line++;
		from = (size_t)(lf - body) + 1;
	}
	p->has_offset = true;
	p->offset = at;
	p->line = line;
	p->column = at - from + 1;
}

static int member(struct buf *out, const char *name, const char *value)
{
	if (!*value)
		return 0;
	return buf_printf(out, ",\"%s\":", name) || buf_add_json(out, value, strlen(value)) ? -1 : 0;
}

int problem_write_open(const struct problem *p, struct buf *out)
{
	if (buf_printf(out, "{\"type\":\"urn:penstock:problem:%s\",\"title\":\"%s\",\"status\":%d", p->slug, p->title,
		p->status) || member(out, "detail", p->detail) || member(out, "attribute", p->attribute) ||
	    member(out, "header", p->header))
		return -1;
	if (p->has_offset && buf_printf(out, ",\"offset\":%zu,\"line\":%zu,\"column\":%zu", p->offset, p->line, p->column))
		return -1;
	return 0;
}

int problem_write(const struct problem *p, struct buf *out)
{
	return problem_write_open(p, out) || buf_adds(out, "}\n") ? -1 : 0;
}
