#include "deliver/places.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/account.h"
#include "base/hash.h"
#include "base/http.h"
#include "base/log.h"
#include "base/oauth.h"

static struct upstream *upstream_get(struct places *all, const char *name)
{
	struct upstream *u;

	for (u = all->ups; u; u = u->next)
		if (strcmp(u->name, name) == 0) {
			u->refs++;
			return u;
		}
	u = calloc(1, sizeof(*u));
	if (!u)
		return NULL;
	snprintf(u->name, sizeof(u->name), "%s", name);
	u->refs = 1;
	u->next = all->ups;
	all->ups = u;
	return u;
}

static void upstream_free(struct places *all, struct upstream *u)
{
	struct upstream **at = &all->ups;

	if (!u || --u->refs)
		return;
	while (*at != u)
		at = &(*at)->next;
	*at = u->next;
	free(u);
}

struct place *place_ref(struct place *p)
{
	p->refs++;
	return p;
}

void place_free(struct places *all, struct place *p)
{
	if (!p || --p->refs)
		return;
	oauth_close(p->oauth);
	http_close(p->http);
	if (p->t)
		p->target->close(p->t);
	upstream_free(all, p->up);
	spots_release(&p->spots);
	account_free(p->account);
	free(p);
}

static void token_changed(void *arg, enum oauth_kind kind, bool ok)
{
	struct place *p = arg;

	if (kind == OAUTH_USER && ok) {
		p->stopped[0] = '\0';
		p->cause = NULL;
	}
}

static int open_http(struct places *all, struct place *p)
{
	char *ca = account_path(p->account, "ca");

	if (!ca)
		return account_get(p->account, "ca", NULL) ? -1 : 0;
	p->http = http_open(all->loop, &(struct http_opts){.ca = ca, .max_host = all->conns});
	free(ca);
	return p->http ? 0 : -1;
}

/* An account whose target refuses it: NULL, which was said. */
static struct place *place_open(struct places *all, const struct target *t, struct account *a)
{
	struct place *p = calloc(1, sizeof(*p));

	if (!p) {
		log_error("%s: no memory", account_file(a));
		return NULL;
	}
	p->refs = 1;
	p->target = t;
	p->account = account_ref(a);
	p->spots = (struct spots){.key = {hash_random(), hash_random()}};
	p->t = t->open(a);
	if (p->t && !(p->up = upstream_get(all, t->upstream(p->t))))
		log_error("%s: no memory", account_file(a));
	if (p->up && open_http(all, p) == 0 &&
	    (!t->oauth || (p->oauth = oauth_open(all->loop, p->http ? p->http : all->http, a, token_changed, p))))
		return p;
	place_free(all, p);
	return NULL;
}

static int no_platform(const struct account *a)
{
	char all[256];
	size_t n = 0;

	for (size_t i = 0; targets[i] && n < sizeof(all); i++)
		n += (size_t)snprintf(all + n, sizeof(all) - n, "%s%s", n ? ", " : "", targets[i]->name);
	for (size_t i = 0; target_others[i] && n < sizeof(all); i++)
		n += (size_t)snprintf(all + n, sizeof(all) - n, ", %s", target_others[i]);
	return account_bad(a, "platform", "there is no platform \"%.40s\"; there are %s", account_platform(a), all);
}

/* Is it one that we say something with? 1, 0; -1 its file is wrong, which was said. */
static int ours(const struct account *a)
{
	bool on = true;

	if (account_bool(a, "enabled", &on))
		return -1;
	if (!on)
		return 0;
	for (size_t i = 0; target_others[i]; i++)
		if (strcmp(target_others[i], account_platform(a)) == 0)
			return 0;
	return target_find(account_platform(a)) ? 1 : no_platform(a);
}

/* The first one that does not stand before these names; they are sorted by tenant and name, as the accounts are. */
static size_t lower(const struct places *p, const char *tenant, const char *name)
{
	size_t from = 0, to = p->n;

	while (from < to) {
		size_t mid = (from + to) / 2;
		const struct account *a = p->v[mid]->account;
		int order = strcmp(account_tenant(a), tenant);

		if (order < 0 || (order == 0 && strcmp(account_name(a), name) < 0))
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

struct place *places_named(const struct places *p, const char *tenant, const char *name)
{
	size_t i = lower(p, tenant, name);

	return i < p->n && strcmp(account_tenant(p->v[i]->account), tenant) == 0 && strcmp(account_name(p->v[i]->account), name) == 0 ? p->v[i] : NULL;
}

static struct place *same(const struct places *all, const struct account *a)
{
	struct place *p = places_named(all, account_tenant(a), account_name(a));

	return p && account_same(p->account, a) ? p : NULL;
}

static void drop(struct places *p)
{
	for (size_t i = 0; i < p->n; i++)
		place_free(p, p->v[i]);
	free(p->v);
	p->v = NULL;
	p->n = 0;
}

int places_read(struct places *p)
{
	struct accounts found = {0};
	struct place **v;
	size_t n = 0;
	unsigned bad = 0;

	if (access(p->dir, F_OK) == 0 && accounts_read(&found, p->dir, &bad))
		return -1;
	v = calloc(found.n ? found.n : 1, sizeof(struct place *));
	if (!v) {
		log_error("%s: no memory", p->dir);
		accounts_release(&found);
		return -1;
	}
	for (size_t i = 0; i < found.n; i++) {
		struct account *a = found.v[i];
		struct place *old = same(p, a);
		int rc = ours(a);

		if (rc <= 0) {
			bad += rc < 0;
			continue;
		}
		/* One whose credentials were refused is tried anew, even though its files are the same. */
		if (old && (!old->stopped[0] || strcmp(old->cause, PLACE_GONE) == 0))
			v[n] = place_ref(old);
		else
			v[n] = place_open(p, target_find(account_platform(a)), a);
		if (v[n])
			n++;
		else
			bad++;
	}
	accounts_release(&found);
	drop(p);
	p->v = v;
	p->n = n;
	p->bad = bad;
	return 0;
}

void places_release(struct places *p)
{
	drop(p);
}

struct place *places_find(const struct places *p, const char *tenant, const char *platform, const char *name, const char **why)
{
	struct place *found = NULL;

	*why = NULL;
	for (size_t i = lower(p, tenant, name); i < p->n; i++) {
		const struct account *a = p->v[i]->account;

		if (strcmp(account_tenant(a), tenant) != 0 || (*name && strcmp(account_name(a), name) != 0))
			break;
		if (strcmp(p->v[i]->target->name, platform) != 0)
			continue;
		if (found) {
			*why = "data.account has to say which account: there are several of this platform";
			return NULL;
		}
		found = p->v[i];
	}
	if (!found)
		*why = *name ? "there is no account of this name and platform" : "there is no account of this platform";
	return found;
}
