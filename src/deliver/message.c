#include "deliver/courier.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/http.h"
#include "base/log.h"
#include "base/metric.h"
#include "base/oauth.h"
#include "base/utf8.h"
#include "deliver/outcome.h"

#define SKEW (60 * CLOCK_S)

const char message_no_memory[] = "out of memory";

/* ---- the table by key ---- */

static struct message **place(struct message **table, size_t cap, const unsigned char key[SAY_KEY])
{
	uint64_t h;

	memcpy(&h, key, sizeof(h));
	return &table[h & (cap - 1)];
}

struct message *message_find(const struct courier *c, const unsigned char key[SAY_KEY])
{
	struct message *m = c->captable ? *place(c->table, c->captable, key) : NULL;

	while (m && memcmp(m->say.key, key, SAY_KEY) != 0)
		m = m->chain;
	return m;
}

static int grow(struct courier *c)
{
	size_t cap = c->captable ? 2 * c->captable : 256;
	struct message **v;

	if (c->n < c->captable)
		return 0;
	v = calloc(cap, sizeof(struct message *));
	if (!v)
		return -1;
	for (struct message *m = c->first; m; m = m->next) {
		struct message **at = place(v, cap, m->say.key);

		m->chain = *at;
		*at = m;
	}
	free(c->table);
	c->table = v;
	c->captable = cap;
	return 0;
}

/* ---- life ---- */

struct message *message_new(struct courier *c, const char *line, size_t n, int64_t taken, struct line_err *err)
{
	int64_t age = clock_wall() - taken;
	struct message *m = calloc(1, sizeof(*m)), **at;

	err->why = message_no_memory;
	if (!m || grow(c) || !(m->line = malloc(n + 1)))
		goto fail;
	memcpy(m->line, line, n);
	m->line[n] = '\0';
	if (say_parse(&m->say, m->line, n, false, err))
		goto fail;
	if (m->say.kind == SAY_OTHER) {
		err->why = "nothing for us";
		goto fail;
	}
	m->c = c;
	m->taken = taken;
	/* A clock that was set since makes it neither immortal nor old. */
	m->late = clock_mono() + c->give_up - (age < 0 ? 0 : age < c->give_up ? age : c->give_up);
	buf_init(&m->ids, 64u << 10);
	buf_init(&m->outcome, 4 * LINE_MAX_BYTES);
	at = place(c->table, c->captable, m->say.key);
	m->chain = *at;
	*at = m;
	m->prev = c->last;
	*(m->prev ? &m->prev->next : &c->first) = m;
	c->last = m;
	c->n++;
	c->bytes += n;
	return m;
fail:
	if (m)
		free(m->line);
	free(m);
	return NULL;
}

bool message_may_spill(const struct message *m)
{
	return m->say.kind == SAY_MESSAGE && !*m->say.interaction;
}

void message_free(struct message *m)
{
	struct courier *c = m->c;
	struct message **at = place(c->table, c->captable, m->say.key);

	while (*at != m)
		at = &(*at)->chain;
	*at = m->chain;
	*(m->prev ? &m->prev->next : &c->first) = m->next;
	*(m->next ? &m->next->prev : &c->last) = m->prev;
	c->n--;
	c->bytes -= m->say.nline;
	dispatch_off(m);
	if (m->call)
		http_cancel(m->call);
	if (m->wait)
		oauth_cancel(m->wait);
	if (m->token)
		explicit_bzero(m->token, strlen(m->token));
	free(m->token);
	free(m->why);
	place_free(&c->places, m->place);
	if (m->tenant)
		spill_less(&c->spill, m->tenant);
	say_release(&m->say);
	buf_release(&m->ids);
	buf_release(&m->outcome);
	free(m->line);
	free(m);
}

void message_mark(struct message *m, unsigned marks)
{
	if (!m->marks) {
		*m->c->marked_last = m;
		m->c->marked_last = &m->marked;
	}
	m->marks |= marks;
}

void interaction_changed(struct courier *c, struct interaction *i, int state)
{
	i->state = state;
	if (i->is_changed)
		return;
	i->is_changed = true;
	i->changed = c->changed;
	c->changed = i;
}

/* ---- waiting ---- */

static void lane_name(const struct message *m, char *to, size_t size)
{
	const struct say *s = &m->say;

	if (m->interaction)
		snprintf(to, size, "i %s", m->interaction->name);
	else
		snprintf(to, size, "c %s %s/%s %s", s->platform, s->tenant, s->account, s->channel);
}

static void enqueue(struct message *m)
{
	char lane[4 * SAY_NAME_MAX];

	lane_name(m, lane, sizeof(lane));
	if (queue_add(&m->c->queue, lane, m->interaction, &m->item) == 0)
		m->queued = true;
	else if (errno == EAGAIN)
		message_failed(m, "crowded", "", "%u messages wait for this channel already", QUEUE_LANE_MAX);
	else
		message_failed(m, "memory", "", "no memory");
}

/* Nobody answered in time: the platform is told that the answer takes longer. */
static void defer(void *arg)
{
	struct interaction *i = arg;
	struct message *m = i->command;

	i->command = NULL;
	if (i->state != INTERACTION_NEW || i->answers) {
		message_mark(m, MARK_GONE);
		return;
	}
	m->say.form = FORM_DEFER;
	enqueue(m);
}

void message_defer_all(struct courier *c)
{
	for (size_t k = 0; k < INTERACTION_TABLE; k++)
		for (struct interaction *i = c->interactions.v[k]; i; i = i->chain)
			if (i->command) {
				loop_timer_del(c->loop, &i->defer);
				defer(i);
			}
}

static void wait_command(struct message *m)
{
	struct courier *c = m->c;
	struct interaction *i = m->interaction;
	int64_t wall = clock_wall(), due = i->at + INTERACTION_DEFER - wall;

	/* What was begun before a restart goes on as it was; what is too late is not begun. Autocompletion knows no later. */
	if (!i || i->state != INTERACTION_NEW || i->answers || i->command || m->say.interaction_type == 4 ||
	    wall - i->at > INTERACTION_FIRST) {
		message_mark(m, MARK_GONE);
		return;
	}
	i->command = m;
	i->defer = (struct loop_timer){.fn = defer, .arg = i};
	if (loop_timer_in(c->loop, &i->defer, due < 0 ? 0 : due)) {
		i->command = NULL;
		message_mark(m, MARK_GONE);
	}
}

/* When it happened: the event's time, if our clock and the platform's agree well enough. An event that seems to be less than SKEW old, and too old, may
 * be one of a moment ago: then there is just time to defer it, and asking in vain does no harm. */
static int64_t happened(const struct message *m)
{
	struct envelope e;
	char text[64];
	int64_t at;
	int n;

	if (scan_lazy(m->line, m->say.nline, &e) || (n = scan_cstr(e.a[LA_TIME], text, sizeof(text))) < 0 ||
	    clock_parse(text, (size_t)n, &at) || at > m->taken || m->say.kind != SAY_COMMAND)
		return m->taken;
	return m->taken - at > INTERACTION_FIRST && m->taken - at < SKEW ? m->taken - INTERACTION_DEFER : at;
}

void message_wait(struct message *m)
{
	struct courier *c = m->c;
	char name[TENANT_MAX + 2 * SAY_NAME_MAX + 3];

	if (*m->say.interaction) {
		snprintf(name, sizeof(name), "%s/%s/%s", m->say.tenant, m->say.account, m->say.interaction);
		m->interaction = interactions_get(&c->interactions, name, happened(m));
		if (!m->interaction && m->say.kind == SAY_MESSAGE) {
			message_failed(m, "memory", "", "no memory");
			return;
		}
	}
	if (m->say.kind == SAY_COMMAND) {
		wait_command(m);
		return;
	}
	if (message_may_spill(m) && !m->tenant && !(m->tenant = spill_tenant(&c->spill, m->say.tenant))) {
		message_failed(m, "memory", "", "no memory");
		return;
	}
	if (m->interaction) {
		struct interaction *i = m->interaction;

		i->answers++;
		if (i->command) {
			loop_timer_del(c->loop, &i->defer);
			message_mark(i->command, MARK_GONE);
			i->command = NULL;
		}
	}
	enqueue(m);
}

/* ---- the end ---- */

static void put_done(struct parcel *p)
{
	struct message *m = (struct message *)((char *)p - offsetof(struct message, parcel));

	message_mark(m, MARK_GONE);
}

void message_told(struct message *m)
{
	m->over = true;
	m->parcel = (struct parcel){.lines = m->outcome.p, .len = m->outcome.len, .n = 1, .done = put_done};
	report_add(&m->c->report, &m->parcel);
}

/* It leaves the queue, with its outcome; a command has none. */
static void end(struct message *m, const struct outcome *o)
{
	struct courier *c = m->c;

	if (m->over)
		return;
	m->over = true;
	if (m->under_way)
		queue_back(&c->queue, &m->item, clock_mono(), 0);
	if (m->queued)
		queue_off(&c->queue, &m->item);
	m->under_way = m->queued = false;
	if (m->interaction && m->say.kind == SAY_MESSAGE)
		m->interaction->answers--;
	if (!o) {
		message_mark(m, MARK_GONE);
		return;
	}
	m->parcel = (struct parcel){.n = 1, .done = put_done};
	if (outcome_write(&m->outcome, m->line, m->say.nline, o, clock_wall())) {
		log_error("the outcome of a message cannot be written as a line");
		message_mark(m, MARK_GONE);
		return;
	}
	message_mark(m, MARK_OUTCOME);
}

void message_sent(struct message *m)
{
	struct outcome o = {.ids = m->ids.p, .nids = m->ids.len};

	if (m->say.kind == SAY_COMMAND) {
		end(m, NULL);
		return;
	}
	metric_add(m->c->metric[M_SENT], 1);
	end(m, &o);
}

static void __attribute__((format(printf, 5, 0))) give_up(struct message *m, enum log_level level, const char *cause, const char *code,
	const char *fmt, va_list ap)
{
	struct log_ctx ctx = {.tenant = m->say.tenant};
	char text[2 * VERDICT_TEXT];
	struct outcome o = {.cause = cause, .error = text, .code = code, .pieces = m->part};

	vsnprintf(text, sizeof(text), fmt, ap);
	utf8_cut(text);
	/* Whatever became of a later try, the one without an answer was perhaps carried out. */
	if (m->uncertain)
		o.cause = cause = "unknown";
	log_about(level, &ctx, "%s %s: not %s: %s: %s%s%s", m->say.platform, m->say.channel, m->say.kind == SAY_COMMAND ? "deferred" : "said",
		cause, text, *code ? ", code " : "", code);
	if (m->say.kind == SAY_MESSAGE)
		metric_add(m->c->metric[M_FAILED], 1);
	end(m, m->say.kind == SAY_COMMAND ? NULL : &o);
}

void message_failed(struct message *m, const char *cause, const char *code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	give_up(m, LOG_WARN, cause, code, fmt, ap);
	va_end(ap);
}

void message_spared(struct message *m, const char *cause, const char *code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	give_up(m, LOG_DEBUG, cause, code, fmt, ap);
	va_end(ap);
}

void message_too_late(struct message *m)
{
	message_failed(m, "late", "", "it could not be said for %lld s%s%s", (long long)(m->c->give_up / CLOCK_S), m->why ? ": " : "",
		m->why ? m->why : "");
}

int64_t message_due(const struct courier *c)
{
	const struct message *m = c->first;

	while (m && (m->over || m->under_way || !m->queued))
		m = m->next;
	return m ? m->late : INT64_MAX;
}

void message_late(struct courier *c)
{
	int64_t now = clock_mono();

	for (struct message *m = c->first, *next; m && m->late <= now; m = next) {
		next = m->next;
		if (!m->over && !m->under_way && m->queued)
			message_too_late(m);
	}
}
