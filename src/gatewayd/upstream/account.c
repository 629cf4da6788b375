/* An account: the platform's object, what it runs with, and its end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/account.h"
#include "base/log.h"
#include "gatewayd/upstream/impl.h"
#include "gatewayd/upstream/lease.h"
#include "gatewayd/upstream/said.h"

void out_free(struct out *o)
{
	for (unsigned i = 0; i < o->nall; i++)
		conn_free(o->conn[i]);
	if (o->own)
		conn_free(o->own);
	free(o->conn);
	account_free(o->account);
	said_close(o->said);
	free(o->dir);
	free(o->ca);
	free(o);
}

const struct out *out_twin(const struct out *o, const struct out *end)
{
	for (const struct out *i = o->bot[0] ? o->u->first : end; i != end; i = i->next)
		if (i != o && !i->stopping && i->platform == o->platform && strcmp(i->bot, o->bot) == 0)
			return i;
	return NULL;
}

static bool busy(const struct conn *c)
{
	return c->first || c->ack_due || c->in_ready || c->in_saves;
}

void upstream_forget(struct out *o)
{
	struct out **at = &o->u->first;

	if (!o->stopping || (o->own && busy(o->own)))
		return;
	for (unsigned i = 0; i < o->nall; i++)
		if (busy(o->conn[i]))
			return;
	while (*at != o)
		at = &(*at)->next;
	*at = o->next;
	out_free(o);
}

void out_stop(struct out *o)
{
	struct upstream *u = o->u;

	for (unsigned i = 0; i < o->nall; i++) {
		conn_event(o->conn[i], LIFE_ON_CLOSE);
		sock_close(o->conn[i], 2, 1000, "");
	}
	drain_forget(u, o);
	hooks_stop(u, o);
	say_stop(u, o);
	http_calls_stop(o);
	conn_timers_stop(o->timers, u->loop);
	if (o->p)
		o->platform->close(o->p);
	o->p = NULL;
	state_all(u);
	owe_stop(o);
	leases_close(o->leases);
	o->leases = NULL;
	o->stopping = true;
	upstream_forget(o);
}

/* Words that are the same for every platform. */
static int read_common(struct out *o)
{
	bool raw;

	if (account_bool(o->account, "raw", &raw))
		return -1;
	free(o->ca);
	o->ca = account_path(o->account, "ca");
	return o->ca || !account_get(o->account, "ca", NULL) ? 0 : -1;
}

static void warn_unknown(const struct account *a, const struct platform *p)
{
	const char *known[128];
	size_t n = 0;

	for (size_t i = 0; platform_words[i] && n < 127; i++)
		known[n++] = platform_words[i];
	for (size_t i = 0; p->words[i] && n < 127; i++)
		known[n++] = p->words[i];
	known[n] = NULL;
	account_known(a, known);
}

static void no_platform(const struct account *a)
{
	char all[256];
	size_t n = 0;

	for (size_t i = 0; platforms[i] && n < sizeof(all); i++)
		n += (size_t)snprintf(all + n, sizeof(all) - n, "%s%s", n ? ", " : "", platforms[i]->name);
	for (size_t i = 0; platform_others[i] && n < sizeof(all); i++)
		n += (size_t)snprintf(all + n, sizeof(all) - n, ", %s", platform_others[i]);
	account_bad(a, "platform", "there is no platform \"%.40s\"; there are %s", account_platform(a), all);
}

struct out *out_new(struct upstream *u, struct account *a)
{
	const struct platform *p = platform_find(account_platform(a));
	struct out *o;

	if (!p) {
		no_platform(a);
		return NULL;
	}
	o = calloc(1, sizeof(*o));
	if (!o) {
		log_error("%s: out of memory", account_file(a));
		return NULL;
	}
	o->u = u;
	o->account = account_ref(a);
	o->platform = p;
	conn_timers_init(o->timers, o, OUT_ACCOUNT);
	owe_init(o);
	warn_unknown(a, p);
	if (read_common(o) || state_dir(o) || !(o->leases = leases_open(u->watch, o->dir, conn_on_lease, o)) ||
	    !(o->p = p->open(a, o))) {
		http_calls_stop(o);
		conn_timers_stop(o->timers, u->loop);
		leases_close(o->leases);
		out_free(o);
		return NULL;
	}
	return o;
}

void out_start(struct out *o)
{
	struct out **at = &o->u->first;

	while (*at)
		at = &(*at)->next;
	*at = o;
	owe_look(o, 0);
	o->platform->start(o->p, clock_mono());
}

void out_try_stopped(struct out *o)
{
	for (unsigned i = 0; i < o->n; i++)
		if (o->conn[i]->state == LIFE_STOPPED)
			conn_event(o->conn[i], LIFE_ON_WANT);
}

int out_changed(struct out *o, struct account *a)
{
	struct upstream *u = o->u;
	struct account *before = o->account;
	struct out *new;

	log_info("%s: changed", account_file(a));
	/* Another platform or other authorities are for new sockets. */
	if (strcmp(account_platform(a), account_platform(before)) == 0 &&
	    strcmp(account_get(a, "ca", ""), account_get(before, "ca", "")) == 0) {
		o->account = account_ref(a);
		http_reload(o);
		if (o->platform->reload(o->p, a, clock_mono())) {
			warn_unknown(a, o->platform);
			account_free(before);
			out_try_stopped(o);
			return 0;
		}
		o->account = before;
		account_free(a);
	}
	new = out_new(u, a);
	if (!new) {
		log_error("%s: the account goes on as it was", account_file(a));
		return -1;
	}
	out_stop(o);
	out_start(new);
	return 0;
}
