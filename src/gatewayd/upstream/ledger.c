#include "gatewayd/upstream/ledger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOUR (3600 * CLOCK_S)

static int add(struct ledger *l, const struct ledger_entry *e)
{
	if (l->n == LEDGER_MAX) {
		memmove(l->v, l->v + 1, (l->n - 1) * sizeof(*l->v));
		l->n--;
	}
	if (l->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 64;
		struct ledger_entry *v = reallocarray(l->v, cap, sizeof(*v));

		if (!v)
			return -1;
		l->v = v;
		l->cap = cap;
	}
	l->v[l->n++] = *e;
	return 0;
}

/* The newest of conn that was not sent yet, or none. */
static struct ledger_entry *open_one(const struct ledger *l, unsigned conn)
{
	for (size_t i = l->n; i-- > 0;)
		if (l->v[i].conn == conn)
			return l->v[i].sent ? NULL : &l->v[i];
	return NULL;
}

static int64_t not_after(struct ledger *l, int64_t at, int64_t now)
{
	l->ahead |= at > now;
	return at > now ? now : at;
}

static int record(struct ledger *l, const char *line, int64_t now)
{
	long long at, every, reset;
	unsigned long long total, remaining;
	unsigned key, conn, keys;
	struct ledger_entry *e;

	if (sscanf(line, "identify %lld %u %u", &at, &key, &conn) == 3) {
		struct ledger_entry new = {.at = not_after(l, at, now), .key = key, .conn = conn};

		return new.at > now - LEDGER_DAY ? add(l, &new) : 0;
	}
	if (sscanf(line, "sent %lld %u", &at, &conn) == 2) {
		e = open_one(l, conn);
		if (e)
			e->sent = not_after(l, at, now);
	} else if (sscanf(line, "refund %lld %u", &at, &conn) == 2) {
		e = open_one(l, conn);
		if (e) {
			memmove(e, e + 1, (size_t)(l->v + l->n - e - 1) * sizeof(*e));
			l->n--;
		}
	} else if (sscanf(line, "budget %lld %u %lld %llu %llu %lld", &at, &keys, &every, &total, &remaining, &reset) == 6 && every >= 0) {
		l->has_budget = true;
		l->keys = keys;
		l->every = every > HOUR ? HOUR : every;
		l->total = total;
		l->remaining = remaining;
		l->said = not_after(l, at, now);
		/* A reset further away than a day cannot have been meant. */
		l->reset = reset > l->said + LEDGER_DAY ? l->said + LEDGER_DAY : reset;
	}
	return 0;
}

int ledger_read(struct ledger *l, const char *text, size_t n, int64_t now)
{
	const char *end = text + n, *lf;
	char line[160];

	*l = (struct ledger){0};
	for (; text < end && (lf = memchr(text, '\n', (size_t)(end - text))); text = lf + 1) {
		size_t len = (size_t)(lf - text);

		if (len >= sizeof(line))
			continue;
		memcpy(line, text, len);
		line[len] = '\0';
		if (record(l, line, now)) {
			ledger_release(l);
			return -1;
		}
	}
	return 0;
}

void ledger_release(struct ledger *l)
{
	free(l->v);
	*l = (struct ledger){0};
}

/* Times of a clock that was set back are no names. */
static bool has(const struct ledger *l, const struct ledger_entry *e, bool ahead)
{
	for (size_t i = 0; !ahead && i < l->n; i++)
		if (l->v[i].at == e->at && l->v[i].key == e->key && l->v[i].conn == e->conn)
			return true;
	return false;
}

static int by_time(const void *a, const void *b)
{
	const struct ledger_entry *x = a, *y = b;

	return x->at < y->at ? -1 : x->at > y->at;
}

int ledger_merge(struct ledger *l, const struct ledger *other)
{
	struct ledger_entry *v = reallocarray(NULL, l->n + other->n + 1, sizeof(*v));
	size_t n = 0;

	if (!v)
		return -1;
	for (size_t i = 0; i < l->n; i++)
		v[n++] = l->v[i];
	for (size_t i = 0; i < other->n; i++)
		if (!has(l, &other->v[i], l->ahead || other->ahead))
			v[n++] = other->v[i];
	qsort(v, n, sizeof(*v), by_time);
	free(l->v);
	if (n > LEDGER_MAX) {
		memmove(v, v + n - LEDGER_MAX, LEDGER_MAX * sizeof(*v));
		n = LEDGER_MAX;
	}
	if (other->has_budget && (!l->has_budget || other->said > l->said)) {
		struct ledger b = *other;

		b.ahead |= l->ahead;
		*l = b;
	}
	l->ahead |= other->ahead;
	l->v = v;
	l->n = l->cap = n;
	return 0;
}

/* May it have been spent after the platform counted? Equal times are those of a clock that was set back. */
static bool since_said(const struct ledger *l, const struct ledger_entry *e)
{
	return !e->sent || e->sent >= l->said;
}

static void later(int64_t *when, int64_t t)
{
	if (t > *when)
		*when = t;
}

static uint64_t granted(const struct ledger *l)
{
	return l->total - l->total / 50;
}

/* The k-th of the last ones, counted from 1 at the newest. */
static int64_t newest(const struct ledger *l, uint64_t k)
{
	return l->v[l->n - k].at;
}

int64_t ledger_wait(const struct ledger *l, unsigned key, unsigned conn, int64_t now)
{
	int64_t when = now, last = 0, pause;
	uint64_t since = 0, lately = 0;

	if (!l->has_budget)
		return 0;
	for (size_t i = 0; i < l->n; i++) {
		const struct ledger_entry *e = &l->v[i];

		if (e->key == key)
			later(&when, e->sent ? e->sent + l->every : e->at + LEDGER_OPEN);
		if (e->conn == conn && e->at > now - HOUR) {
			lately++;
			last = e->at;
		}
		since += since_said(l, e);
	}
	if (granted(l) == 0)
		later(&when, now + HOUR);
	else if (l->n >= granted(l))
		later(&when, newest(l, granted(l)) + LEDGER_DAY);
	if (since >= l->remaining && now < l->reset)
		later(&when, l->reset);
	if (lately >= LEDGER_FREE) {
		pause = 2 * l->every;
		for (uint64_t k = LEDGER_FREE; k < lately && pause < 120 * l->every; k++)
			pause *= 2;
		later(&when, last + (pause < 120 * l->every ? pause : 120 * l->every));
	}
	return when - now;
}

uint64_t ledger_left(const struct ledger *l, int64_t now)
{
	uint64_t since = 0, day, said;

	if (!l->has_budget)
		return UINT64_MAX;
	for (size_t i = 0; i < l->n; i++)
		since += since_said(l, &l->v[i]);
	day = l->n < granted(l) ? granted(l) - l->n : 0;
	said = now >= l->reset ? day : since < l->remaining ? l->remaining - since : 0;
	return day < said ? day : said;
}
