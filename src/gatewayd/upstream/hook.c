/* POST /hook/TENANT/ACCOUNT/...: requests that platforms send to us; and the tickets of those who wait for lines. */
#include <stdlib.h>
#include <string.h>

#include "base/account.h"
#include "base/log.h"
#include "gatewayd/http/server.h"
#include "gatewayd/metrics.h"
#include "gatewayd/upstream/impl.h"

#define PREFIX "/hook/"

/* ---- tickets ---- */

static struct ticket **slot(struct upstream *u, uint64_t id)
{
	return &u->tickets[id % TICKET_SLOTS];
}

struct ticket *ticket_find(struct upstream *u, uint64_t id)
{
	struct ticket *t = *slot(u, id);

	while (t && t->id != id)
		t = t->next;
	return t;
}

struct ticket *ticket_new(struct upstream *u, enum ticket_kind kind, struct out *o)
{
	struct ticket *t = calloc(1, sizeof(*t)), **at;

	if (!t)
		return NULL;
	t->id = ++u->next_ticket;
	t->kind = kind;
	t->out = o;
	buf_init(&t->body, 1u << 20);
	at = slot(u, t->id);
	t->next = *at;
	*at = t;
	return t;
}

void ticket_free(struct upstream *u, struct ticket *t)
{
	struct ticket **at = slot(u, t->id);

	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
	loop_timer_del(u->loop, &t->timer);
	buf_release(&t->body);
	free(t->type);
	free(t);
}

static void answer(struct upstream *u, struct ticket *t);

static bool over(struct upstream *u, struct ticket *t)
{
	if (t->busy || (t->pending && !t->at_once))
		return false;
	if (t->kind == TICKET_SAY)
		return say_ticket_done(u, t);
	if (t->kind == TICKET_DEBT) {
		owe_told(t);
		return true;
	}
	if (!t->answered)
		return false;
	answer(u, t);
	return true;
}

void ticket_line(struct upstream *u, uint64_t id)
{
	struct ticket *t = ticket_find(u, id);

	if (t)
		t->pending++;
}

void ticket_line_done(struct upstream *u, uint64_t id, bool kept)
{
	struct ticket *t = ticket_find(u, id);

	if (!t)
		return;
	t->pending--;
	t->failed |= !kept;
	over(u, t);
}

/* ---- answers ---- */

static void refuse(struct request *r, int status, const char *slug, const char *title, const char *why)
{
	struct problem p;

	problem_set(&p, status, slug, title, "%s", why);
	p.retry = status == 503;
	request_problem(r, &p);
}

/* Every line is kept, or one was not: the sender is answered and the ticket ends. */
static void answer(struct upstream *u, struct ticket *t)
{
	struct request *r = t->request;

	t->request = NULL;
	if (r && t->failed)
		refuse(r, 503, "not-kept", "Not kept", "what came could not be kept; send it again");
	else if (r)
		request_reply(r, t->status, t->type, NULL, t->body.p ? t->body.p : "", t->body.len);
	ticket_free(u, t);
}

void out_hook_reply(struct out *o, uint64_t ticket, int status, const char *type, const char *body, size_t n, bool when_kept)
{
	struct ticket *t = ticket_find(o->u, ticket);

	if (!t || t->kind != TICKET_HOOK || t->answered)
		return;
	t->answered = true;
	t->status = status;
	t->type = type ? strdup(type) : NULL;
	if ((type && !t->type) || buf_add(&t->body, body, n))
		t->failed = true;
	t->at_once = !when_kept;
	over(o->u, t);
}

static void put_off(struct ticket *t)
{
	struct request *r = t->request;

	t->request = NULL;
	if (r)
		refuse(r, 503, "late", "Too late", "the hub did not acknowledge in time; send it again");
	ticket_free(t->out->u, t);
}

static void on_late(void *arg)
{
	struct ticket *t = arg;

	owe_hook(t->out, t->came, t->id);
	put_off(t);
}

/* Nobody takes an answer any more: the lines go on by themselves. */
static void unanswered(struct ticket *t)
{
	if (t->pending)
		owe_hook(t->out, t->came, t->id);
	ticket_free(t->out->u, t);
}

/* The sender has gone. */
static void on_gone(void *arg)
{
	struct ticket *t = arg;

	t->request = NULL;
	if (!t->busy)
		unanswered(t);
}

void hooks_stop(struct upstream *u, struct out *o)
{
	for (size_t i = 0; i < TICKET_SLOTS; i++)
		for (struct ticket *t = u->tickets[i], *next; t; t = next) {
			next = t->next;
			if (t->kind == TICKET_HOOK && (!o || t->out == o) && !t->busy)
				put_off(t);
		}
}

/* ---- requests ---- */

struct hook_request { struct hook h; const struct http_head *head; char path[1024]; };

static const char *field(const struct hook *h, const char *name, size_t *n)
{
	const struct hook_request *r = (const struct hook_request *)h;
	char lower[64];
	struct span v;
	size_t i;

	for (i = 0; name[i] && i < sizeof(lower) - 1; i++)
		lower[i] = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] + 32) : name[i];
	lower[i] = '\0';
	v = http_field(r->head, lower);
	*n = v.n;
	return v.p;
}

/* The account that a path names, and what stands behind it. */
static struct out *account_of(struct upstream *u, struct span path, struct span *rest)
{
	const char *p = path.p + strlen(PREFIX), *end = path.p + path.n, *tenant = p, *name, *slash;

	slash = memchr(p, '/', (size_t)(end - p));
	if (!slash)
		return NULL;
	name = slash + 1;
	p = memchr(name, '/', (size_t)(end - name));
	p = p ? p : end;
	*rest = (struct span){p, (size_t)(end - p)};
	return upstream_find(u, tenant, (size_t)(slash - tenant), name, (size_t)(p - name));
}

static void refuse_behind(struct out *o, struct request *r)
{
	owe_hook(o, clock_wall(), 0);
	refuse(r, 503, "behind", "Behind", "the hub is behind; send it again later");
}

uint64_t upstream_hook_head(struct upstream *u, struct request *r)
{
	struct span rest;
	struct out *o = account_of(u, request_head(r)->path, &rest);

	if (u->draining)
		refuse(r, 503, "draining", "Stopping", "this instance stops; send it again");
	else if (!o || !o->platform->hook || rest.n >= sizeof(((struct hook_request *)NULL)->path))
		refuse(r, 404, "not-found", "Not found", "no account takes requests here");
	else if (u->held)
		refuse_behind(o, r);
	else
		return u->opts.max_body;
	return 0;
}

void upstream_hook(struct upstream *u, struct request *r)
{
	struct hook_request h = {.head = request_head(r)};
	struct span rest;
	struct out *o = account_of(u, h.head->path, &rest);
	struct ticket *t;

	/* It may have gone while the body came. */
	t = o && o->platform->hook && !u->draining ? ticket_new(u, TICKET_HOOK, o) : NULL;
	if (!t) {
		refuse(r, 503, "behind", "Behind", "it cannot be taken now; send it again");
		return;
	}
	metric_add(metrics[M_HOOKS], 1);
	t->request = r;
	t->timer = (struct loop_timer){.fn = on_late, .arg = t};
	memcpy(h.path, rest.p, rest.n);
	t->came = clock_wall();
	h.h = (struct hook){.path = h.path, .field = field, .wall = t->came, .ticket = t->id};
	h.h.body = request_body(r, &h.h.nbody);
	if (loop_timer_in(u->loop, &t->timer, u->opts.hook_time)) {
		put_off(t);
		return;
	}
	request_on_gone(r, on_gone, t);
	t->busy = true;
	o->platform->hook(o->p, &h.h, clock_mono());
	t->busy = false;
	if (!t->request)
		unanswered(t);	/* the sender went away meanwhile */
	else
		over(u, t);
}
