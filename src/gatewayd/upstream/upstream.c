#include "gatewayd/upstream/upstream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/account.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/oauth.h"
#include "gatewayd/upstream/impl.h"
#include "gatewayd/upstream/lease.h"
#include "gatewayd/wire/wire.h"
#include "line/line.h"

/* ---- the list ---- */

struct out *upstream_find(struct upstream *u, const char *tenant, size_t ntenant, const char *name, size_t nname)
{
	for (struct out *o = u->first; o; o = o->next) {
		const char *t = account_tenant(o->account), *n = account_name(o->account);

		if (!o->stopping && strlen(t) == ntenant && strlen(n) == nname && memcmp(t, tenant, ntenant) == 0 &&
		    memcmp(n, name, nname) == 0)
			return o;
	}
	return NULL;
}

/* Is it to be at work here? */
static bool enabled(const struct account *a)
{
	bool yes = true;

	for (size_t i = 0; platform_others[i]; i++)
		if (strcmp(platform_others[i], account_platform(a)) == 0)
			return false;
	return account_bool(a, "enabled", &yes) == 0 && yes;
}

/* ---- what platforms ask for ---- */

const struct account *out_account(const struct out *o)
{
	return o->account;
}

int64_t out_wall(struct out *o)
{
	(void)o;
	return clock_wall();
}

uint64_t out_random(struct out *o)
{
	(void)o;
	return hash_random();
}

static int grow(struct out *o, unsigned n)
{
	struct conn **v;

	if (n <= o->nall)
		return 0;
	v = reallocarray(o->conn, n, sizeof(*v));
	if (!v)
		return -1;
	o->conn = v;
	while (o->nall < n) {
		o->conn[o->nall] = conn_new(o, o->nall);
		if (!o->conn[o->nall])
			return -1;
		o->nall++;
	}
	return 0;
}

void out_connections(struct out *o, unsigned n)
{
	if (n > CONNS_MAX || grow(o, n)) {
		log_error("%s: %u connections cannot be had", account_file(o->account), n);
		return;
	}
	for (unsigned i = n; i < o->nall; i++)
		conn_event(o->conn[i], LIFE_ON_CLOSE);
	o->n = n;
	for (unsigned i = 0; i < n; i++)
		conn_event(o->conn[i], o->u->draining ? LIFE_ON_DRAIN : LIFE_ON_WANT);
}

/* ---- all ---- */

static int order(const void *x, const void *y)
{
	const struct account *a = *(struct account *const *)x, *b = *(struct account *const *)y;
	int rc = strcmp(account_tenant(a), account_tenant(b));

	return rc ? rc : strcmp(account_name(a), account_name(b));
}

/* Is the account in the list, which is in order, still, and which is it? */
static struct account *listed(const struct accounts *all, const struct out *o)
{
	struct account **at = all->n ? bsearch(&o->account, all->v, all->n, sizeof(*all->v), order) : NULL;

	return at ? *at : NULL;
}

/* Not merely out of sight: a folder whose mode was changed, too many open files. */
static bool is_gone(const char *path)
{
	return access(path, F_OK) && (errno == ENOENT || errno == ENOTDIR);
}

/* Makes what runs fit the list. How many of its accounts are no good, which was said. */
static unsigned apply(struct upstream *u, const struct accounts *all)
{
	struct out *o, *next;
	unsigned bad = 0;

	for (o = u->first; o; o = next) {
		struct account *a = o->stopping ? NULL : listed(all, o);

		next = o->next;
		/* A file with an error was named, and leaves what ran before it running: only one that is gone ends its account. */
		if (o->stopping || (!a && !is_gone(account_file(o->account))))
			continue;
		if (!a || !enabled(a)) {
			log_info("%s: %s", account_file(o->account), a ? "is not enabled any more" : "is gone");
			out_stop(o);
		} else if (account_same(a, o->account)) {
			out_try_stopped(o);		/* what was wrong may have been changed on the platform's side */
		} else if (out_changed(o, a)) {
			bad++;
		}
	}
	for (size_t i = 0; i < all->n; i++) {
		const char *t = account_tenant(all->v[i]), *n = account_name(all->v[i]);

		if (enabled(all->v[i]) && !upstream_find(u, t, strlen(t), n, strlen(n))) {
			o = out_new(u, all->v[i]);
			if (o) {
				out_start(o);
				continue;
			}
			log_error("%s: the account is left out", account_file(all->v[i]));
			bad++;
		}
	}
	return bad;
}

/* Each pair once; of three the third with the first. */
static void warn_twins(const struct upstream *u)
{
	for (const struct out *o = u->first; o; o = o->next) {
		const struct out *other = o->stopping ? NULL : out_twin(o, o);

		if (other)
			log_warn("%s: the bot of this account is that of %s, too: each of the two gets every event of it, and both spend what the platform grants it",
				account_file(o->account), account_file(other->account));
	}
}

/* A tree without the folder has no accounts yet. Later on a folder that cannot be found is an error, and changes nothing. */
static int read_all(struct upstream *u, bool first)
{
	struct accounts all = {0};
	unsigned bad = 0;
	int rc = 0;

	faults_hear(u);
	if (!first || access(u->opts.accounts, F_OK) == 0 || errno != ENOENT)
		rc = accounts_read(&all, u->opts.accounts, &bad);
	if (!rc) {
		bad += apply(u, &all);
		warn_twins(u);
		log_info("accounts: %zu read, %u bad", all.n, bad);
	}
	accounts_release(&all);
	faults_heard();
	return rc;
}

int upstream_reload(struct upstream *u)
{
	if (u->draining)
		return -1;
	read_all(u, false);
	return 0;
}

struct upstream *upstream_open(struct loop *l, struct outlet *out, const struct upstream_opts *opts)
{
	struct upstream *u = calloc(1, sizeof(*u));

	if (!u) {
		log_error("out of memory");
		return NULL;
	}
	u->loop = l;
	u->outlet = out;
	u->opts = *opts;
	u->boot = hash_random();
	buf_init(&u->text, LINE_MAX_BYTES + 1);
	line_init(u);
	state_begin(u);
	u->wires = wires_open(l, opts->stall);
	u->watch = lease_watch_open(l);
	if (!u->wires || !u->watch || say_open(u) || read_all(u, true)) {
		upstream_close(u);
		return NULL;
	}
	return u;
}

void upstream_round(struct upstream *u)
{
	line_round(u);
	state_round(u);
}

bool upstream_idle(const struct upstream *u)
{
	if (u->nlines || u->saves || !say_idle(u))
		return false;
	for (const struct out *o = u->first; o; o = o->next) {
		if (o->oauth && oauth_busy(o->oauth))
			return false;
		for (unsigned i = 0; i < o->nall; i++)
			if (o->conn[i]->sock[2] || (o->conn[i]->state != LIFE_HANDED && o->conn[i]->state != LIFE_IDLE))
				return false;
	}
	return true;
}

size_t upstream_waiting(const struct upstream *u)
{
	return u->nlines;
}

void upstream_close(struct upstream *u)
{
	struct out *o, *next;

	if (!u)
		return;
	u->outlet = NULL;	/* it is closed */
	say_close(u);
	drain_stop(u);
	for (o = u->first; o; o = next) {
		next = o->next;
		/* What is saved here has to know of lines that are not kept: they are forgotten behind it. */
		if (!o->stopping)
			out_stop(o);
	}
	owe_close(u);
	while (u->first) {
		o = u->first;
		u->first = o->next;
		for (unsigned i = 0; i < o->nall; i++)
			line_forget(o->conn[i]);
		if (o->own)
			line_forget(o->own);
		out_free(o);
	}
	hooks_stop(u, NULL);
	http_lists_close(u);
	loop_timer_del(u->loop, &u->pump);
	loop_timer_del(u->loop, &u->save_more);
	lease_watch_close(u->watch);
	wires_close(u->wires);
	buf_release(&u->text);
	buf_release(&u->faults);
	free(u);
}
