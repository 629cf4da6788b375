#include "route/decide.h"

#include "base/clock.h"
#include "line/id.h"
#include "route/again.h"

static struct buf scratch = { .max = LINE_MAX_BYTES };

static int64_t notbefore_of(const struct envelope *e)
{
	char text[CLOCK_RFC3339_MAX * 2];
	int64_t at;
	int n;

	if (!e->a[LA_NOTBEFORE].p)
		return 0;
	n = scan_cstr(e->a[LA_NOTBEFORE], text, sizeof(text));
	return n > 0 && clock_parse(text, (size_t)n, &at) == 0 ? at : 0;
}

static const char *trouble;

const char *decide_trouble(void)
{
	return trouble ? trouble : "";
}

int decide_mask(const struct rules *r, const char *p, size_t n, const struct envelope *e, uint64_t *mask)
{
	struct pred_line l = { .raw = { p, n }, .e = e, .scratch = &scratch, .trouble = &trouble };

	trouble = NULL;
	*mask = rules_decide(r, &l);
	return trouble ? DECIDE_LATER : 0;
}

int decide(const struct rules *r, const char *p, size_t n, const struct envelope *e, struct spool_line *out)
{
	*out = (struct spool_line){ .notbefore = notbefore_of(e) };
	id_place(e, &out->lane, &out->tenant);
	return decide_mask(r, p, n, e, &out->mask);
}

int decide_again(const struct rules *r, const char *p, size_t n, struct spool_line *out)
{
	struct envelope e;
	struct again a;
	int place;

	if (again_open(p, n, &a) < 0 || scan_lazy(a.p, a.n, &e) < 0)
		return -1;
	*out = (struct spool_line){ .mask = 0 };
	id_place(&e, &out->lane, &out->tenant);
	if (!a.hold && !a.to[0]) {
		struct pred_line l = { .raw = { a.p, a.n }, .e = &e, .scratch = &scratch, .trouble = &trouble };
		trouble = NULL;
		out->mask = rules_eval(r, &l);
		return trouble ? DECIDE_LATER : 0;
	}
	if (a.hold) {
		out->notbefore = notbefore_of(&e);
		/* It was held, so it has a time; should that not be readable, it is due. */
		if (!out->notbefore)
			out->notbefore = 1;
	} else if ((place = rules_place(r, a.to)) >= 0) {
		out->mask = UINT64_C(1) << place;
	}
	return 0;
}

bool decide_where(const struct pred *where, const char *p, size_t n)
{
	struct envelope e;
	struct again a;
	struct pred_line l = { .e = &e, .scratch = &scratch };

	if (again_open(p, n, &a) < 0 || scan_lazy(a.p, a.n, &e) < 0)
		return false;
	l.raw = (struct span){ a.p, a.n };
	return pred_match(where, &l);
}

void decide_release(void)
{
	buf_release(&scratch);
}
