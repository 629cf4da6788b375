#include "gatewayd/outlet.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "gatewayd/metrics.h"
#include "link/link.h"

#define SHIPMENT_LINES 1024u
#define SHIPMENT_BYTES (1u << 20)
#define CONNS 1u			/* two would not keep what one client says in order */

struct entry { outlet_fn *fn; void *arg; uint32_t index; const struct refusal *refused; };

/* One batch. */
struct shipment {
	struct outlet *outlet;
	struct buf lines;
	struct entry *entries;
	uint32_t n, cap;
	struct shipment *prev, *next;	/* prev: only of those given to link */
};

struct outlet {
	struct link_put *put;
	struct shipment *first, *last;	/* not yet given to link */
	struct shipment *under_way;	/* given */
	size_t lines, bytes;		/* waiting and under way */
	size_t max_lines, max_bytes;
	int64_t refused;		/* mono ns: when a whole batch was refused for now, 0: since then one was taken */
	void (*on_dead)(void *arg);
	void *arg;
};

static void shipment_free(struct shipment *s)
{
	buf_release(&s->lines);
	free(s->entries);
	free(s);
}

static void forget(struct outlet *o, const struct shipment *s)
{
	o->lines -= s->n;
	o->bytes -= s->lines.len;
	metric_set(metrics[M_BACKLOG], o->lines);
}

static void on_result(void *arg, void *cookie, const struct put_result *r)
{
	struct outlet *o = arg;
	struct shipment *s = cookie;

	if (s->prev)
		s->prev->next = s->next;
	else
		o->under_way = s->next;
	if (s->next)
		s->next->prev = s->prev;
	forget(o, s);
	bool taken = r->nrefused < s->n;
	for (size_t k = 0; k < r->nrefused && !taken; k++)
		taken = !r->refused[k].retry;
	o->refused = taken ? 0 : clock_mono();
	for (size_t k = 0; k < r->nrefused; k++)
		if (r->refused[k].n >= 1 && r->refused[k].n <= s->n)
			s->entries[r->refused[k].n - 1].refused = &r->refused[k];
	for (uint32_t i = 0; i < s->n; i++) {
		const struct entry *e = &s->entries[i];
		enum outcome what = !e->refused ? OUT_DONE : e->refused->retry ? OUT_RETRY : OUT_REFUSED;

		metric_add(metrics[what == OUT_DONE ? M_EVENTS : what == OUT_RETRY ? M_EVENTS_RETRY : M_EVENTS_REFUSED], 1);
		e->fn(e->arg, e->index, what, e->refused ? e->refused->error : NULL);
	}
	shipment_free(s);
}

static void on_room(void *arg)
{
	outlet_flush(arg);
}

static void on_dead(void *arg)
{
	struct outlet *o = arg;

	o->on_dead(o->arg);
}

struct outlet *outlet_open(struct loop *l, const char *url, size_t max_lines, size_t max_bytes,
	void (*dead)(void *arg), void *arg)
{
	struct outlet *o = calloc(1, sizeof(*o));
	struct link_opts opts = {.conns = CONNS};

	if (!o) {
		log_error("out of memory");
		return NULL;
	}
	o->max_lines = max_lines;
	o->max_bytes = max_bytes;
	o->on_dead = dead;
	o->arg = arg;
	o->put = link_put_open(l, url, &opts, on_result, on_room, on_dead, o);
	if (!o->put) {
		free(o);
		return NULL;
	}
	return o;
}

/* Ends a batch without an answer of the hub. */
static void refuse(struct outlet *o, struct shipment *s, enum outcome what, const char *why)
{
	forget(o, s);
	for (uint32_t i = 0; i < s->n; i++)
		s->entries[i].fn(s->entries[i].arg, s->entries[i].index, what, why);
	shipment_free(s);
}

void outlet_close(struct outlet *o)
{
	struct shipment *s;

	if (!o)
		return;
	link_put_close(o->put);
	while ((s = o->under_way)) {
		o->under_way = s->next;
		refuse(o, s, OUT_RETRY, "the gateway stops");
	}
	while ((s = o->first)) {
		o->first = s->next;
		refuse(o, s, OUT_RETRY, "the gateway stops");
	}
	free(o);
}

bool outlet_accepts(const struct outlet *o)
{
	return outlet_connected(o) && (!o->refused || clock_mono() - o->refused > OUTLET_REFUSED);
}

bool outlet_connected(const struct outlet *o)
{
	return link_put_connected(o->put);
}

const char *outlet_room(const struct outlet *o, size_t n, size_t bytes)
{
	if (!link_put_connected(o->put))
		return "the hub is not connected";
	if (n > o->max_lines || o->lines > o->max_lines - n || bytes + n > o->max_bytes ||
	    o->bytes > o->max_bytes - bytes - n)
		return "the hub is behind";
	return NULL;
}

/* The batch that a line of n bytes goes to. */
static struct shipment *gathering(struct outlet *o, size_t n)
{
	struct shipment *s = o->last;

	if (s && s->n < SHIPMENT_LINES && s->lines.len + n + 1 <= SHIPMENT_BYTES)
		return s;
	s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->outlet = o;
	buf_init(&s->lines, LINK_BATCH_BYTES);
	if (o->last)
		o->last->next = s;
	else
		o->first = s;
	o->last = s;
	return s;
}

int outlet_add(struct outlet *o, const char *line, size_t n, outlet_fn *fn, void *arg, uint32_t index)
{
	struct shipment *s = gathering(o, n);

	if (!s)
		return -1;
	if (s->n == s->cap) {
		uint32_t cap = s->cap ? s->cap * 2 : 4;
		struct entry *e = reallocarray(s->entries, cap, sizeof(*e));

		if (!e)
			return -1;
		s->entries = e;
		s->cap = cap;
	}
	if (buf_reserve(&s->lines, n + 1))
		return -1;
	buf_add(&s->lines, line, n);
	buf_addc(&s->lines, '\n');
	s->entries[s->n++] = (struct entry){.fn = fn, .arg = arg, .index = index};
	o->lines++;
	o->bytes += n + 1;
	metric_set(metrics[M_BACKLOG], o->lines);
	return 0;
}

void outlet_flush(struct outlet *o)
{
	struct shipment *s;

	while ((s = o->first)) {
		int rc = s->n ? link_put_send(o->put, s->lines.p, s->lines.len, s->n, s) : -1;

		if (rc == 0)
			return;
		o->first = s->next;
		if (!o->first)
			o->last = NULL;
		if (rc < 0) {
			refuse(o, s, OUT_REFUSED, s->n ? strerror(errno) : "");
			continue;
		}
		s->prev = NULL;
		s->next = o->under_way;
		if (s->next)
			s->next->prev = s;
		o->under_way = s;
	}
}

size_t outlet_pending(const struct outlet *o)
{
	return o->lines;
}
