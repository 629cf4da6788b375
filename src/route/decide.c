#include "route/decide.h"

#include "base/clock.h"
#include "line/id.h"

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

void decide(const struct rules *r, const char *p, size_t n, const struct envelope *e, struct spool_line *out)
{
	struct pred_line l = { .raw = { p, n }, .e = e, .scratch = &scratch };

	out->mask = rules_eval(r, &l);
	out->lane = id_lane(e);
	out->notbefore = notbefore_of(e);
}

int decide_again(const struct rules *r, const char *p, size_t n, struct spool_line *out)
{
	struct envelope e;

	if (scan_lazy(p, n - 1, &e) < 0)
		return -1;
	decide(r, p, n - 1, &e, out);
	return 0;
}

bool decide_where(const struct pred *where, const char *p, size_t n)
{
	struct envelope e;
	struct pred_line l = { .raw = { p, n - 1 }, .e = &e, .scratch = &scratch };

	return scan_lazy(p, n - 1, &e) == 0 && pred_match(where, &l);
}

void decide_release(void)
{
	buf_release(&scratch);
}
