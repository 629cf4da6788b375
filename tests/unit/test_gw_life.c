/* life: every state and event, paths through it, and that a lease is never lost on the way. ledger: its rules of time and number. */
#include "check.h"

#include <stdbool.h>
#include <string.h>

#include "gatewayd/upstream/ledger.h"
#include "gatewayd/upstream/life.h"

static enum life_state walk(enum life_state s, const enum life_event *e, size_t n)
{
	for (size_t i = 0; i < n; i++)
		s = life_step(s, e[i]).to;
	return s;
}
#define WALK(from, ...) walk(from, (const enum life_event[]){__VA_ARGS__}, \
	sizeof((const enum life_event[]){__VA_ARGS__}) / sizeof(enum life_event))

static bool behind_lease(enum life_state s)
{
	return s != LIFE_IDLE && s != LIFE_LEASE && s != LIFE_HANDED;
}

static void tell_life(void)
{
	bool named = true, bad_stays = true, closes = true, leases = true, drains = true, told = true;

	for (int s = 0; s < LIFE_STATES; s++) {
		named &= life_state_name((enum life_state)s) != NULL;
		closes &= life_step((enum life_state)s, LIFE_ON_CLOSE).to == LIFE_IDLE;
		drains &= life_step((enum life_state)s, LIFE_ON_DRAIN).to == LIFE_HANDED ||
			life_step((enum life_state)s, LIFE_ON_DRAIN).to == LIFE_DRAINING;
		for (int e = 0; e < LIFE_EVENTS; e++) {
			struct life_step t = life_step((enum life_state)s, (enum life_event)e);
			bool gives = t.act == LIFE_DO_RELEASE || t.act == LIFE_DO_CLOSE;

			named &= life_event_name((enum life_event)e) != NULL;
			told &= t.act != LIFE_DO_RELEASE || e == LIFE_ON_DRAINED;
			bad_stays &= t.act != LIFE_BAD || t.to == (enum life_state)s;
			/* Who leaves what is behind the lease gives it up, and nobody else gets in without LEASED. */
			if (behind_lease((enum life_state)s) && !behind_lease(t.to))
				leases &= gives;
			if (!behind_lease((enum life_state)s) && behind_lease(t.to))
				leases &= e == LIFE_ON_LEASED;
		}
	}
	CHECK(named, "each state and event has a name");
	CHECK(bad_stays, "what cannot happen changes nothing");
	CHECK(closes, "closing ends everything");
	CHECK(drains, "draining ends in another's hands");
	CHECK(told, "and never without the platform");
	CHECK(WALK(LIFE_WAIT, LIFE_ON_DRAIN, LIFE_ON_LOST, LIFE_ON_DRAINED) == LIFE_HANDED, "lost before it was drained");
	CHECK(leases, "a lease is taken by LEASED and given up on every way out");
	CHECK(WALK(LIFE_IDLE, LIFE_ON_WANT, LIFE_ON_LEASED, LIFE_ON_GO, LIFE_ON_OPENED, LIFE_ON_LIVE) == LIFE_LIVE, "to be live");
	CHECK(WALK(LIFE_LIVE, LIFE_ON_LOST, LIFE_ON_TIME, LIFE_ON_BUDGET, LIFE_ON_TIME, LIFE_ON_GO) == LIFE_OPENING, "again, behind a budget");
	CHECK(life_step(LIFE_LIVE, LIFE_ON_LOST).act == LIFE_DO_DOWN && life_step(LIFE_GREETING, LIFE_ON_LOST).act == LIFE_DO_FAIL,
		"down is told of what was up");
	CHECK(WALK(LIFE_GREETING, LIFE_ON_STOP, LIFE_ON_LOST, LIFE_ON_TIME, LIFE_ON_LIVE) == LIFE_STOPPED, "stopped stays stopped");
	CHECK(WALK(LIFE_STOPPED, LIFE_ON_WANT) == LIFE_DIALING, "until it is wanted anew");
	CHECK(life_step(LIFE_WAIT, LIFE_ON_LIVE).act == LIFE_BAD && life_step(LIFE_LEASE, LIFE_ON_LOST).act == LIFE_BAD, "out of order");
}

/* ---- ledger ---- */

#define T0 (INT64_C(1800000000) * CLOCK_S)
#define EVERY (5 * CLOCK_S)

static char text[1u << 20];
static size_t ntext;

static void begin(uint64_t total, uint64_t remaining, int64_t reset)
{
	ntext = (size_t)snprintf(text, sizeof(text), "budget %lld 2 %lld %llu %llu %lld\n", (long long)T0, (long long)EVERY,
		(unsigned long long)total, (unsigned long long)remaining, (long long)(T0 + reset));
}

static void note(const char *what, int64_t at, int key, unsigned conn)
{
	ntext += (size_t)snprintf(text + ntext, sizeof(text) - ntext, key < 0 ? "%s %lld %u\n" : "%s %lld %d %u 1\n", what,
		(long long)(T0 + at), key < 0 ? conn : (unsigned)key, conn);
}

static int64_t ask(unsigned key, unsigned conn, int64_t at)
{
	struct ledger l;
	int64_t wait;

	if (ledger_read(&l, text, ntext, T0 + at))
		exit(1);
	wait = ledger_wait(&l, key, conn, T0 + at);
	ledger_release(&l);
	return wait;
}

static uint64_t left(int64_t at)
{
	struct ledger l;
	uint64_t n;

	if (ledger_read(&l, text, ntext, T0 + at))
		exit(1);
	n = ledger_left(&l, T0 + at);
	ledger_release(&l);
	return n;
}

static void tell_keys(void)
{
	ntext = 0;
	CHECK(ask(0, 0, 0) == 0 && left(0) == UINT64_MAX, "nothing is known: nothing is in the way");
	begin(1000, 1000, LEDGER_DAY);
	note("identify", 1, 0, 0);
	CHECK(ask(0, 2, CLOCK_S) == LEDGER_OPEN - CLOCK_S + 1, "a key whose identify is not out yet is held");
	CHECK(ask(1, 1, CLOCK_S) == 0, "another key is not");
	note("sent", 2 * CLOCK_S, -1, 0);
	CHECK(ask(0, 2, 3 * CLOCK_S) == 4 * CLOCK_S, "then it is free five seconds after");
	note("identify", 8 * CLOCK_S, 0, 2);
	note("refund", 9 * CLOCK_S, -1, 2);
	CHECK(ask(0, 4, 10 * CLOCK_S) == 0 && left(10 * CLOCK_S) == 979, "one given back counts for nothing");
	note("identify", -CLOCK_S, 0, 7);
	CHECK(left(10 * CLOCK_S) == 978, "one that may have gone out after the platform counted does");
}

static void tell_day(void)
{
	begin(100, 3, 3600 * CLOCK_S);
	for (int i = 0; i < 3; i++) {
		note("identify", (10 + 10 * i) * CLOCK_S, 0, (unsigned)i);
		note("sent", (10 + 10 * i) * CLOCK_S, -1, (unsigned)i);
	}
	CHECK(left(60 * CLOCK_S) == 0 && ask(1, 9, 60 * CLOCK_S) == 3540 * CLOCK_S, "what the platform left is spent: until its reset");
	CHECK(ask(1, 9, 3601 * CLOCK_S) == 0 && left(3601 * CLOCK_S) == 95, "behind it, the ledger's own day counts");
	begin(100, 100, 60 * CLOCK_S);
	for (int i = 0; i < 98; i++) {
		note("identify", i * 60 * CLOCK_S, 0, (unsigned)i);
		note("sent", i * 60 * CLOCK_S, -1, (unsigned)i);
	}
	CHECK(ask(1, 200, 98 * 60 * CLOCK_S) == LEDGER_DAY - 98 * 60 * CLOCK_S, "a fiftieth stays; the next one when the oldest is a day old");
	CHECK(left(98 * 60 * CLOCK_S) == 0 && left(LEDGER_DAY + 90 * CLOCK_S) == 2, "and left says so");
}

/* What may have been spent counts, whatever the clock did; what cannot be meant is not believed. */
static void tell_doubt(void)
{
	begin(1000, 3, LEDGER_DAY);
	note("identify", -CLOCK_S, 0, 7);
	CHECK(left(10 * CLOCK_S) == 2, "one that has perhaps gone out since the platform counted is not in its count");
	note("sent", 0, -1, 7);
	CHECK(left(10 * CLOCK_S) == 2, "nor one of the same moment");
	note("refund", 5 * CLOCK_S, -1, 7);
	CHECK(left(10 * CLOCK_S) == 2, "what went out cannot be given back");
	note("sent", 60 * CLOCK_S, -1, 7);
	CHECK(ask(0, 1, 60 * CLOCK_S) == 0, "nor does it go out twice");
	begin(1000, 0, 10 * LEDGER_DAY);
	CHECK(ask(0, 0, 0) == LEDGER_DAY, "nothing is left for longer than a day");
	begin(0, 5, 60 * CLOCK_S);
	CHECK(ask(0, 0, 100 * CLOCK_S) == 3600 * CLOCK_S && left(100 * CLOCK_S) == 0, "nothing was ever granted: asked again in an hour");
	ntext = (size_t)snprintf(text, sizeof(text), "budget %lld 1 %lld 1000 1000 %lld\n", (long long)T0, (long long)(10 * 3600 * CLOCK_S), (long long)(T0 + LEDGER_DAY));
	note("identify", 0, 0, 0);
	note("sent", 0, -1, 0);
	CHECK(ask(0, 1, CLOCK_S) == 3599 * CLOCK_S, "an hour between two is the longest");
}

static void tell_loop(void)
{
	int64_t now = CLOCK_S, wait;
	unsigned spent = 0;

	begin(1000, 1000, LEDGER_DAY);
	/* A process that is killed behind each identify, and started again at once, for a day. */
	while (now < LEDGER_DAY) {
		wait = ask(0, 0, now);
		if (!wait) {
			note("identify", now, 0, 0);
			note("sent", now, -1, 0);
			spent++;
			wait = CLOCK_S;
		}
		now += wait;
	}
	CHECK(spent > 20 && spent < 400, "a crash loop spends %u in a day", spent);
}

static void tell_bad(void)
{
	struct ledger l;
	static const char bad[] = "identify\nidentify x y\nbudget 1 2\n\nsent 5\nrefund\nidentify 5\n"
		"budget 1 1 -5 1 1 1\nidentify 1 2 3";

	CHECK(ledger_read(&l, bad, sizeof(bad) - 1, T0) == 0 && l.n == 0 && !l.has_budget, "what is no record is passed over");
	ledger_release(&l);
	begin(1000, 1000, LEDGER_DAY);
	note("identify", 3600 * CLOCK_S, 0, 0);
	CHECK(ask(0, 1, 0) == LEDGER_OPEN, "a record of the future counts as of now");
}

int main(void)
{
	tell_life();
	tell_keys();
	tell_day();
	tell_doubt();
	tell_loop();
	tell_bad();
	return check_done();
}
