#include <stdio.h>
#include <string.h>

#include "store/query/query.h"

enum form { F_TEXT, F_COUNT, F_SEQ, F_BOOL };

static const struct member { const char *name; enum form form; } members[QM_COUNT] = {
	[QM_Q] = { "q", F_TEXT },
	[QM_TENANT] = { "tenant", F_TEXT },
	[QM_KEY] = { "key", F_TEXT },
	[QM_N] = { "n", F_COUNT },
	[QM_SEQ] = { "seq", F_SEQ },
	[QM_BEFORE] = { "before", F_SEQ },
	[QM_ID] = { "id", F_TEXT },
	[QM_SOURCE] = { "source", F_TEXT },
	[QM_TYPE] = { "type", F_TEXT },
	[QM_TEXT] = { "text", F_TEXT },
	[QM_RAW] = { "raw", F_BOOL },
	[QM_FROM] = { "from", F_TEXT },
};

struct parse {
	struct query *q;
	struct text name, tenant;
	char *why;
	size_t size;
};

static int say(struct parse *ps, const char *member, const char *what)
{
	snprintf(ps->why, ps->size, "%s: %s", member, what);
	return -1;
}

static struct text *text_of(struct parse *ps, enum query_member m)
{
	struct query *q = ps->q;

	switch (m) {
	case QM_Q: return &ps->name;
	case QM_TENANT: return &ps->tenant;
	case QM_KEY: return &q->key;
	case QM_ID: return &q->id;
	case QM_SOURCE: return &q->source;
	case QM_TYPE: return &q->type;
	case QM_TEXT: return &q->text;
	default: return &q->from;
	}
}

/* json_int and json_bool give the default for another type: two defaults tell. */
static bool whole_number(const struct json *j, int64_t *v)
{
	*v = json_int(j, -1);
	return *v == json_int(j, -2);
}

static int take(struct parse *ps, enum query_member m, const struct json *value)
{
	struct query *q = ps->q;
	struct text *t;
	int64_t v;

	switch (members[m].form) {
	case F_TEXT:
		t = text_of(ps, m);
		t->p = json_str(value, &t->n);
		if (!t->p || t->n == 0)
			return say(ps, members[m].name, "must be a string that is not empty");
		return 0;
	case F_COUNT:
		if (!whole_number(value, &v) || v < 1 || v > QUERY_LINES)
			return say(ps, members[m].name, "must be a whole number from 1 to 1000");
		q->n = (uint32_t)v;
		return 0;
	case F_SEQ:
		if (!whole_number(value, &v) || v < 0)
			return say(ps, members[m].name, "must be a sequence number");
		*(m == QM_SEQ ? &q->seq : &q->before) = v;
		return 0;
	case F_BOOL:
		q->raw = json_bool(value, false);
		if (q->raw != json_bool(value, true))
			return say(ps, members[m].name, "must be true or false");
		return 0;
	}
	return 0;
}

static int one_member(void *arg, const char *name, const struct json *value)
{
	struct parse *ps = arg;

	for (int m = 0; m < QM_COUNT; m++) {
		if (strcmp(name, members[m].name))
			continue;
		ps->q->given |= 1u << m;
		return take(ps, (enum query_member)m, value);
	}
	snprintf(ps->why, ps->size, "%.60s: no member of a question", name);
	return -1;
}

static int find_kind(struct parse *ps)
{
	size_t at;

	if (!ps->name.p)
		return say(ps, "q", "is missing");
	for (int i = 0; query_kinds[i]; i++)
		if (strcmp(query_kinds[i]->name, ps->name.p) == 0 && strlen(ps->name.p) == ps->name.n)
			ps->q->kind = query_kinds[i];
	if (ps->q->kind)
		return 0;
	say(ps, "q", "no question of this name:");
	for (int i = 0; query_kinds[i]; i++) {
		at = strlen(ps->why);
		snprintf(ps->why + at, ps->size - at, " %s", query_kinds[i]->name);
	}
	return -1;
}

static int check_members(struct parse *ps)
{
	const struct query_kind *kind = ps->q->kind;
	char what[80];

	for (unsigned m = 0; m < QM_COUNT; m++) {
		bool given = ps->q->given & 1u << m;

		if (given && !((QM(Q) | QM(TENANT) | kind->may | kind->must) & 1u << m)) {
			snprintf(what, sizeof(what), "not a member of the question %s", kind->name);
			return say(ps, members[m].name, what);
		}
		if (!given && kind->must & 1u << m) {
			snprintf(what, sizeof(what), "is missing, %s needs it", kind->name);
			return say(ps, members[m].name, what);
		}
	}
	return 0;
}

static int take_tenant(struct parse *ps)
{
	struct query *q = ps->q;

	if (!ps->tenant.p)
		ps->tenant = (struct text){ "default", 7 };
	if (!envelope_tenant_ok(ps->tenant.p, ps->tenant.n))
		return say(ps, "tenant", "must match [a-z0-9][a-z0-9._-]{0,63}");
	memcpy(q->tenant, ps->tenant.p, ps->tenant.n);
	return 0;
}

static int parse(struct parse *ps, const char *p, size_t n)
{
	struct query *q = ps->q;
	struct json_error err;

	if (n > QUERY_REQUEST)
		return say(ps, "request", "longer than 64 KiB");
	q->doc = json_parse(p, n, &err);
	if (!q->doc) {
		snprintf(ps->why, ps->size, "request: byte %zu: %s", err.offset, err.text);
		return -1;
	}
	if (!json_is_object(q->doc))
		return say(ps, "request", "must be a JSON object");
	if (json_each(q->doc, one_member, ps) || find_kind(ps) || check_members(ps) || take_tenant(ps))
		return -1;
	return 0;
}

int query_parse(struct query *q, const char *p, size_t n, char *why, size_t size)
{
	struct parse ps = { .q = q, .why = why, .size = size };

	*q = (struct query){ .n = QUERY_DEFAULT, .before = INT64_MAX };
	return parse(&ps, p, n);
}

void query_release(struct query *q)
{
	json_free(q->doc);
	q->doc = NULL;
}
