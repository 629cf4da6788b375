#include "route/letter.h"

#include <inttypes.h>
#include <string.h>

#include "line/scan.h"

static int whole(struct span v, uint64_t *out)
{
	uint64_t n = 0;

	if (!v.p || !v.n)
		return -1;
	for (size_t i = 0; i < v.n; i++)
		if (v.p[i] < '0' || v.p[i] > '9' || __builtin_mul_overflow(n, 10u, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(v.p[i] - '0'), &n))
			return -1;
	*out = n;
	return 0;
}

static bool text(struct span v)
{
	return v.p && v.p[0] == '"';
}

/* How it begins, up to the four letters. */
static int mark(const char *p, size_t n, bool *alive)
{
	if (n < LETTER_MARK + 6 || memcmp(p, "{\"", 2) != 0)
		return -1;
	*alive = memcmp(p + LETTER_MARK, LETTER_ALIVE "\":", 6) == 0;
	/* A kill in the middle of the four leaves some of each: it was on its way out. */
	for (size_t i = 0; i < 4; i++)
		if (p[LETTER_MARK + i] != LETTER_ALIVE[i] && p[LETTER_MARK + i] != LETTER_GONE[i])
			return -1;
	return memcmp(p + LETTER_MARK + 4, "\":", 2) == 0 ? 0 : -1;
}

int letter_parse(const char *p, size_t n, struct letter *l)
{
	struct span all = { p, n }, head;
	struct line_err err;
	char key[5];

	memset(l, 0, sizeof(*l));
	if (mark(p, n, &l->alive) < 0 || scan_value(p, n, &err) < 0)
		return -1;
	memcpy(key, p + LETTER_MARK, 4);
	key[4] = '\0';
	head = scan_member(all, key);
	l->line = scan_member(all, "line");
	if (!head.p || head.p[0] != '{' || !text(l->line) || whole(scan_member(head, "seq"), &l->seq) < 0 ||
	    whole(scan_member(head, "attempts"), &l->attempts) < 0)
		return -1;
	if (scan_cstr(scan_member(head, "dest"), l->dest, sizeof(l->dest)) < 0 || !rules_dest_name(l->dest, strlen(l->dest)))
		return -1;
	l->error = scan_member(head, "error");
	l->at = scan_member(head, "at");
	l->detail = scan_member(head, "stderr");
	l->edited = scan_member(head, "edited").p != NULL;
	return text(l->error) && text(l->at) && (!l->detail.p || text(l->detail)) ? 0 : -1;
}

int letter_head(const char *p, size_t n, bool *alive, uint64_t *seq)
{
	static const char SEQ[] = "\",\"seq\":";
	const char *at;
	struct span v;

	if (mark(p, n, alive) < 0)
		return -1;
	/* The destination's name holds no quote. */
	at = memmem(p, n < 128 ? n : 128, SEQ, sizeof(SEQ) - 1);
	if (!at)
		return -1;
	v.p = at + sizeof(SEQ) - 1;
	for (v.n = 0; v.p + v.n < p + n && v.p[v.n] >= '0' && v.p[v.n] <= '9'; v.n++)
		;
	return whole(v, seq);
}

int letter_write(struct buf *out, const struct letter_text *t)
{
	size_t start = out->len;
	int r;

	r = buf_printf(out, "{\"" LETTER_ALIVE "\":{\"dest\":\"%s\",\"seq\":%" PRIu64 ",\"attempts\":%u,\"error\":", t->dest, t->seq, t->attempts);
	r |= buf_add_json(out, t->error, strlen(t->error));
	r |= buf_printf(out, ",\"at\":\"%s\"", t->at);
	if (t->detail && t->detail[0])
		r |= buf_adds(out, ",\"stderr\":") | buf_add_json(out, t->detail, strnlen(t->detail, LETTER_DETAIL));
	if (t->edited)
		r |= buf_adds(out, ",\"edited\":true");
	r |= buf_adds(out, "},\"line\":") | buf_add_json(out, t->line, t->n) | buf_adds(out, "}\n");
	if (r)
		out->len = start;
	return r ? -1 : 0;
}
