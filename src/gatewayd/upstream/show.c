/* What runs, as JSON: for penstock status. */
#include <string.h>

#include "base/account.h"
#include "base/oauth.h"
#include "gatewayd/upstream/impl.h"
#include "gatewayd/upstream/lease.h"
#include "gatewayd/upstream/ledger.h"

static void str(struct buf *b, const char *name, const char *text)
{
	buf_printf(b, ",\"%s\":", name);
	buf_add_json(b, text, strlen(text));
}

static void when(struct buf *b, const char *name, int64_t wall)
{
	char text[CLOCK_RFC3339_MAX];

	if (!wall)
		return;
	clock_rfc3339(text, wall);
	str(b, name, text);
}

static void show_conn(struct conn *c, struct buf *b)
{
	buf_printf(b, "{\"n\":%u,\"state\":\"%s\"", c->n, life_state_name(c->state));
	when(b, "since", c->since);
	when(b, "session", c->session_at);
	if (c->lost[0]) {
		str(b, "lost", c->lost);
		when(b, "lost_at", c->lost_at);
	}
	if (c->lost[0] && c->lost_code)
		buf_printf(b, ",\"code\":%u", c->lost_code);
	if (c->state == LIFE_LEASE)
		buf_printf(b, ",\"holder\":%ld", lease_holder(c->out->leases, c->n));
	if (c->state == LIFE_BUDGET && c->waits)
		str(b, "waits", c->waits);
	if (c->tries > 1)
		buf_printf(b, ",\"tries\":%u", c->tries);
	buf_printf(b, ",\"lines\":%llu,\"waiting\":%zu}", (unsigned long long)c->events, c->nlines);
}

static void show_budget(struct out *o, struct buf *b)
{
	struct ledger l;
	char path[4200];
	uint64_t left;

	ledger_path(o, path, sizeof(path));
	if (ledger_load(path, &l))
		return;
	left = ledger_left(&l, clock_wall());
	if (left != UINT64_MAX)
		buf_printf(b, ",\"identifies_left\":%llu,\"identifies_total\":%llu", (unsigned long long)left, (unsigned long long)l.total);
	ledger_release(&l);
}

static void show_out(struct out *o, struct buf *b)
{
	const struct out *twin = out_twin(o, NULL);
	size_t at;

	buf_adds(b, "{\"tenant\":");
	buf_add_json(b, account_tenant(o->account), strlen(account_tenant(o->account)));
	str(b, "account", account_name(o->account));
	str(b, "platform", o->platform->name);
	if (twin)
		str(b, "same_bot", account_file(twin->account));
	if (o->budget)
		show_budget(o, b);
	buf_adds(b, ",\"connections\":[");
	for (unsigned i = 0; i < o->n; i++) {
		if (i)
			buf_addc(b, ',');
		show_conn(o->conn[i], b);
	}
	buf_addc(b, ']');
	if (o->oauth) {
		buf_adds(b, ",\"tokens\":{");
		oauth_status(o->oauth, b);
		buf_addc(b, '}');
	}
	if (o->platform->status) {
		buf_adds(b, ",\"status\":{");
		at = b->len;
		o->platform->status(o->p, b);
		/* A platform that begins with a comma, as for further members, is forgiven. */
		if (b->len > at && b->p[at] == ',')
			b->p[at] = ' ';
		buf_addc(b, '}');
	}
	buf_addc(b, '}');
}

int upstream_show(struct upstream *u, struct buf *json)
{
	bool first = true;

	if (buf_printf(json, "{\"waiting\":%zu,\"held\":%s,\"accounts\":[", u->nlines, u->held ? "true" : "false"))
		return -1;
	for (struct out *o = u->first; o; o = o->next) {
		if (o->stopping)
			continue;
		if (!first)
			buf_addc(json, ',');
		first = false;
		show_out(o, json);
	}
	buf_adds(json, "],\"faults\":");
	upstream_faults(u, json);
	/* The last bytes are missing when anything did not fit. */
	return buf_adds(json, "}\n");
}
