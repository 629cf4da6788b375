#include "base/oauth.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/account.h"
#include "base/clock.h"
#include "base/http.h"
#include "base/oauth_impl.h"
#include "base/url.h"

struct oauth_wait {
	struct oauth_slot *s;
	struct oauth_wait *next;
	char *refused;
	oauth_fn *fn;
	void *arg;
};

/* ---- those who wait ---- */

static bool usable(const struct oauth_slot *s, const char *refused)
{
	if (!s->token || s->state == OAUTH_FIRST || s->state == OAUTH_REFUSED || (s->expires && clock_mono() >= s->expires))
		return false;
	return !(refused && strcmp(s->token, refused) == 0) && !(s->refused && strcmp(s->token, s->refused) == 0);
}

/* What one that waits gets now; false: nothing yet. May start a renewal. */
static bool decide(struct oauth_slot *s, const struct oauth_wait *w, struct oauth_token *t)
{
	*t = (struct oauth_token){0};
	if (!oauth_has(s->o, s->kind)) {
		t->error = s->kind == OAUTH_USER ? "the account has no token-file" : "the account has no client-secret-file";
		t->final = true;
		return true;
	}
	if (s->state == OAUTH_REFUSED && oauth_look_again(s))
		return false;
	if (usable(s, w->refused)) {
		t->text = s->token;
		return true;
	}
	if (w->refused && s->token && !s->refused && strcmp(s->token, w->refused) == 0)
		s->refused = strdup(w->refused);
	if (s->state == OAUTH_REFUSED) {
		t->error = s->error;
		t->final = true;
		return true;
	}
	if (s->state == OAUTH_LATER || (s->state == OAUTH_SAVE && s->saves)) {
		t->error = s->error;
		t->again = s->timer.due ? s->timer.due - clock_mono() : 0;
		if (t->again < CLOCK_MS)
			t->again = CLOCK_MS;
		return true;
	}
	if (s->state == OAUTH_IDLE || s->state == OAUTH_CHECK)
		oauth_renew(s);
	return false;
}

static void wait_free(struct oauth_wait *w)
{
	oauth_wipe(&w->refused);
	free(w);
}

/* The first of those who wait that has an end now is taken out of the line. */
static struct oauth_wait *next_settled(struct oauth_slot *s, struct oauth_token *t)
{
	for (struct oauth_wait **at = &s->first; *at; at = &(*at)->next) {
		struct oauth_wait *w = *at;

		if (!decide(s, w, t))
			continue;
		*at = w->next;
		if (s->last == &w->next)
			s->last = at;
		return w;
	}
	return NULL;
}

static void on_settle(void *arg)
{
	struct oauth_slot *s = arg;
	struct oauth_token t;
	struct oauth_wait *w;
	size_t n = 0;

	if (s->tell && s->o->changed)
		s->o->changed(s->o->arg, s->kind, s->state != OAUTH_REFUSED);
	s->tell = false;
	for (w = s->first; w; w = w->next)
		n++;
	/* At most those who are here now: an answer may make somebody ask again. */
	while (n-- && (w = next_settled(s, &t))) {
		char *copy = t.text ? strdup(t.text) : NULL;

		if (t.text && !copy)
			t = (struct oauth_token){.error = "out of memory", .again = CLOCK_S};
		else
			t.text = copy;
		w->fn(w->arg, &t);
		oauth_wipe(&copy);
		wait_free(w);
	}
}

struct oauth_wait *oauth_get(struct oauth *o, enum oauth_kind kind, const char *refused, oauth_fn *fn, void *arg)
{
	struct oauth_slot *s = &o->slot[kind];
	struct oauth_wait *w = calloc(1, sizeof(*w));

	if (!w || (refused && !(w->refused = strdup(refused))))
		goto no_memory;
	w->s = s;
	w->fn = fn;
	w->arg = arg;
	if (loop_timer_in(o->l, &s->settle, 0))
		goto no_memory;
	*s->last = w;
	s->last = &w->next;
	return w;
no_memory:
	if (w)
		wait_free(w);
	errno = ENOMEM;
	return NULL;
}

void oauth_cancel(struct oauth_wait *w)
{
	struct oauth_slot *s = w->s;

	for (struct oauth_wait **at = &s->first; *at; at = &(*at)->next) {
		if (*at != w)
			continue;
		*at = w->next;
		if (s->last == &w->next)
			s->last = at;
		wait_free(w);
		return;
	}
}

/* ---- opening, reloading ---- */

static void conf_release(struct oauth_conf *c)
{
	if (c->secret.p)
		explicit_bzero(c->secret.p, c->secret.len);
	buf_release(&c->secret);
	free(c->path);
	account_free(c->a);
}

static int conf_read(struct oauth_conf *c, struct account *a)
{
	*c = (struct oauth_conf){.a = account_ref(a)};
	buf_init(&c->secret, 1024);
	c->url = account_get(a, "oauth", "https://id.twitch.tv/oauth2");
	c->client = account_get(a, "client-id", NULL);
	c->user = account_get(a, "user", NULL);
	if (!c->client || !*c->client) {
		account_bad(a, "client-id", "is missing: want the client's id as the platform's console shows it");
	} else if (!url_safe(c->url)) {
		account_bad(a, "oauth", "want https://..., or http:// to this host");
	} else if (account_get(a, "client-secret-file", NULL) && account_secret(a, "client-secret-file", &c->secret)) {
		/* said */
	} else if (account_get(a, "token-file", NULL) && !(c->path = account_path(a, "token-file"))) {
		/* said */
	} else if (!c->path && !c->secret.len) {
		account_bad(a, "token-file", "there is neither token-file nor client-secret-file: nothing to get a token with");
	} else {
		return 0;
	}
	conf_release(c);
	return -1;
}

bool oauth_has(const struct oauth *o, enum oauth_kind kind)
{
	return kind == OAUTH_USER ? o->c.path != NULL : o->c.secret.len > 0;
}

/* Begins with what stands in the file. */
static int begin(struct oauth_slot *s)
{
	struct oauth_file f;

	if (oauth_file_read(&s->o->c, &f))
		return -1;
	if (f.token)
		oauth_adopt(s, &f.token);
	else
		oauth_renew(s);
	oauth_file_release(&f);
	return 0;
}

static void slot_stop(struct oauth_slot *s)
{
	if (s->call)
		http_cancel(s->call);
	s->call = NULL;
	if (s->state == OAUTH_SAVE && oauth_file_write(&s->o->c, &s->fresh))
		oauth_say(s, LOG_ERROR, "the refreshed one is lost, it could not be written: %m");
	oauth_unlock(s);
	loop_timer_del(s->o->l, &s->timer);
	oauth_wipe(&s->token);
	oauth_wipe(&s->refused);
	s->state = OAUTH_IDLE;
	s->saves = 0;
}

struct oauth *oauth_open(struct loop *l, struct http *h, struct account *a, oauth_changed_fn *changed, void *arg)
{
	struct oauth *o = calloc(1, sizeof(*o));

	if (!o) {
		account_bad(a, "client-id", "out of memory");
		return NULL;
	}
	*o = (struct oauth){.l = l, .h = h, .changed = changed, .arg = arg};
	if (conf_read(&o->c, a)) {
		free(o);
		return NULL;
	}
	for (int k = 0; k < OAUTH_KINDS; k++) {
		struct oauth_slot *s = &o->slot[k];

		*s = (struct oauth_slot){.o = o, .kind = (enum oauth_kind)k, .lock = -1, .last = &s->first,
			.backoff = {.base = CLOCK_S, .max = 60 * CLOCK_S}};
		s->timer = (struct loop_timer){.fn = oauth_on_time, .arg = s};
		s->settle = (struct loop_timer){.fn = on_settle, .arg = s};
	}
	if (o->c.path && begin(&o->slot[OAUTH_USER])) {
		oauth_close(o);
		return NULL;
	}
	return o;
}

bool oauth_busy(const struct oauth *o)
{
	return o->slot[OAUTH_USER].state == OAUTH_ASK;
}

void oauth_close(struct oauth *o)
{
	if (!o)
		return;
	for (int k = 0; k < OAUTH_KINDS; k++) {
		struct oauth_slot *s = &o->slot[k];

		slot_stop(s);
		loop_timer_del(o->l, &s->settle);
		while (s->first)
			oauth_cancel(s->first);
	}
	conf_release(&o->c);
	free(o);
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

int oauth_reload(struct oauth *o, struct account *a)
{
	struct oauth_slot *user = &o->slot[OAUTH_USER], *app = &o->slot[OAUTH_APP];
	struct oauth_conf c, old = o->c;
	struct oauth_file f = {0};
	bool client, file;

	if (conf_read(&c, a))
		return -1;
	if (c.path && oauth_file_read(&c, &f)) {
		conf_release(&c);
		return -1;
	}
	client = same_text(c.client, old.client) && same_text(c.url, old.url) && c.secret.len == old.secret.len &&
		(c.secret.len == 0 || memcmp(c.secret.p, old.secret.p, c.secret.len) == 0);
	file = same_text(c.path, old.path) && same_text(c.user, old.user);
	if (!client || app->state == OAUTH_REFUSED || app->state == OAUTH_LATER)
		slot_stop(app);
	if (!client || !file)
		slot_stop(user);
	o->c = c;
	conf_release(&old);
	/* A renewal that is under way reads the file itself, or has just been asked for what stands there. */
	if (c.path && user->state != OAUTH_LOCK && user->state != OAUTH_ASK && user->state != OAUTH_SAVE &&
	    (!user->token || !same_text(user->token, f.token) || user->state == OAUTH_REFUSED || user->state == OAUTH_LATER)) {
		slot_stop(user);
		if (f.token)
			oauth_adopt(user, &f.token);
		else
			oauth_renew(user);
	}
	oauth_file_release(&f);
	oauth_settle_soon(user);
	oauth_settle_soon(app);
	return 0;
}

const char *oauth_client_id(const struct oauth *o)
{
	return o->c.client;
}

/* ---- status ---- */

static int add_text(struct buf *j, const char *name, const char *text)
{
	if (!*text)
		return 0;
	return buf_printf(j, ",\"%s\":", name) || buf_add_json(j, text, strlen(text)) ? -1 : 0;
}

static int slot_status(const struct oauth_slot *s, struct buf *j)
{
	static const char *const words[] = {
		[OAUTH_IDLE] = "ok", [OAUTH_FIRST] = "waiting", [OAUTH_CHECK] = "ok", [OAUTH_LOCK] = "waiting", [OAUTH_ASK] = "waiting",
		[OAUTH_SAVE] = "waiting", [OAUTH_LATER] = "waiting", [OAUTH_REFUSED] = "refused",
	};
	char when[CLOCK_RFC3339_MAX] = "", until[CLOCK_RFC3339_MAX] = "";

	if (s->validated)
		clock_rfc3339(when, s->validated);
	if (s->expires)
		clock_rfc3339(until, clock_wall() + s->expires - clock_mono());
	return buf_printf(j, "\"%s\":{\"state\":\"%s\"", oauth_kinds[s->kind],
			  s->state == OAUTH_IDLE && !s->token ? "none" : words[s->state]) ||
		add_text(j, "login", s->login) || add_text(j, "user_id", s->user) || add_text(j, "scopes", s->scopes) ||
		add_text(j, "validated", when) || add_text(j, "expires", until) || add_text(j, "error", s->error) || buf_addc(j, '}') ? -1 : 0;
}

int oauth_status(const struct oauth *o, struct buf *json)
{
	bool user = oauth_has(o, OAUTH_USER), app = oauth_has(o, OAUTH_APP);

	return (user && slot_status(&o->slot[OAUTH_USER], json)) || (user && app && buf_addc(json, ',')) ||
		(app && slot_status(&o->slot[OAUTH_APP], json)) ? -1 : 0;
}
