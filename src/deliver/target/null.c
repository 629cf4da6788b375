/* null: nowhere. The template of a target: complete, and every message is refused. */
#include "deliver/target/target.h"

static char it;

static void *open_null(const struct account *a)
{
	(void)a;
	return &it;
}

static void close_null(void *t)
{
	(void)t;
}

static const char *upstream(void *t)
{
	(void)t;
	return "up null";
}

static const char *check(void *t, const struct say *s)
{
	(void)t, (void)s;
	return "platform null says nothing";
}

static unsigned needs(void *t, const struct say *s, struct need *to)
{
	(void)t, (void)s, (void)to;
	return 0;
}

static int request(void *t, const struct say *s, struct request *r)
{
	(void)t, (void)s, (void)r;
	return -1;
}

static enum repeat repeat(void *t, const struct say *s)
{
	(void)t, (void)s;
	return REPEAT_NEVER;
}

static void answer(void *t, const struct say *s, const struct answer *a, struct verdict *v)
{
	(void)t, (void)s, (void)a;
	v->kind = REFUSED;
}

static const char *const words[] = {NULL};

const struct target target_null = {
	.name = "null",
	.words = words,
	.open = open_null,
	.close = close_null,
	.upstream = upstream,
	.check = check,
	.needs = needs,
	.request = request,
	.repeat = repeat,
	.answer = answer,
};
