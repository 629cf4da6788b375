#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>

#include "store/query/query.h"

void answer_init(struct answer *a)
{
	memset(a, 0, sizeof(*a));
	buf_init(&a->lines, QUERY_BYTES + LINE_MAX_BYTES + 1);
}

void answer_release(struct answer *a)
{
	buf_release(&a->lines);
}

void answer_clear(struct answer *a, uint32_t most)
{
	buf_clear(&a->lines);
	a->count = 0;
	a->most = most;
	a->more = a->backwards = false;
	a->error[0] = '\0';
}

int answer_fail(struct answer *a, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(a->error, sizeof(a->error), fmt, ap);
	va_end(ap);
	return -1;
}

int answer_db(struct answer *a, struct history *h)
{
	const struct db_error *e = db_error(h->db);

	if (e->fault == DB_TIMEOUT)
		return answer_fail(a, "it took longer than a second: ask for less");
	return answer_fail(a, "%s", e->text);
}

int answer_add(struct answer *a, int64_t seq, const char *p, size_t n)
{
	if (a->count == a->most || (a->count && a->lines.len + n + 1 > QUERY_BYTES)) {
		a->more = true;
		return 1;
	}
	a->line[a->count++] = (struct answer_line){ .seq = seq, .at = (uint32_t)a->lines.len, .n = (uint32_t)n + 1 };
	if (buf_add(&a->lines, p, n) || buf_addc(&a->lines, '\n'))
		return answer_fail(a, "no memory for the answer");
	return 0;
}

int answer_rows(struct answer *a, struct history *h, struct db_stmt *s,
	bool (*keep)(const struct query *q, const char *p, size_t n), const struct query *q)
{
	int rc, full = 0;

	while ((rc = db_step(s)) == 1) {
		size_t n;
		const char *p = db_col(s, 1, &n);

		if (!p || (keep && !keep(q, p, n)))
			continue;
		full = answer_add(a, db_col_int(s, 0), p, n);
		if (full)
			break;
	}
	if (rc < 0)
		answer_db(a, h);
	db_reset(s);
	return rc < 0 || full < 0 ? -1 : 0;
}

int answer_filter(struct answer *a, struct history *h, const struct query *q, int64_t *key, int64_t *type)
{
	*key = q->key.p ? h->number(h, true, q->key) : 0;
	*type = q->type.p ? h->number(h, false, q->type) : 0;
	if (*key < 0 || *type < 0)
		return answer_db(a, h);
	return !(q->key.p && *key == 0) && !(q->type.p && *type == 0);
}

bool text_is(struct span raw, struct text t)
{
	struct buf b;
	bool same;

	if (!raw.p || raw.n < t.n + 2)
		return false;	/* escapes only make it longer */
	if (raw.n == t.n + 2)	/* no room for an escape: a backslash in the text would be one */
		return raw.p[0] == '"' && memcmp(raw.p + 1, t.p, t.n) == 0 && !memchr(t.p, '\\', t.n);
	buf_init(&b, raw.n + 4);	/* scan_string wants four bytes of room */
	same = scan_string(raw, &b) == 0 && b.len == t.n && memcmp(b.p, t.p, t.n) == 0;
	buf_release(&b);
	return same;
}

static int head_line(const struct answer *a, struct buf *head)
{
	buf_clear(head);
	if (a->error[0])
		return buf_adds(head, "{\"error\":") || buf_add_json(head, a->error, strlen(a->error)) || buf_adds(head, "}\n");
	if (buf_printf(head, "{\"n\":%u,\"seq\":[", a->count))
		return -1;
	for (uint32_t i = 0; i < a->count; i++) {
		const struct answer_line *l = &a->line[a->backwards ? a->count - 1 - i : i];

		if (buf_printf(head, "%s%lld", i ? "," : "", (long long)l->seq))
			return -1;
	}
	return buf_printf(head, "],\"more\":%s}\n", a->more ? "true" : "false");
}

int answer_parts(const struct answer *a, struct buf *head, struct iovec *parts)
{
	int n = 0;

	if (head_line(a, head))
		return -1;
	parts[n++] = (struct iovec){ .iov_base = head->p, .iov_len = head->len };
	if (a->error[0] || a->count == 0)
		return n;
	if (!a->backwards) {
		parts[n++] = (struct iovec){ .iov_base = a->lines.p, .iov_len = a->lines.len };
		return n;
	}
	for (uint32_t i = a->count; i-- > 0;)
		parts[n++] = (struct iovec){ .iov_base = a->lines.p + a->line[i].at, .iov_len = a->line[i].n };
	return n;
}
