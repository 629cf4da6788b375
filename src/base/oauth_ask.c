#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/account.h"
#include "base/clock.h"
#include "base/http.h"
#include "base/json.h"
#include "base/oauth_impl.h"

#define TIMEOUT (20 * CLOCK_S)

static int start(struct oauth_slot *s, const char *method, const char *what, const char *const *headers, const struct buf *body)
{
	struct http_request r = {.method = method, .headers = headers, .body = body ? body->p : NULL, .nbody = body ? body->len : 0,
		.timeout = TIMEOUT, .max_answer = OAUTH_FILE_MAX / 2};
	char *url;

	if (asprintf(&url, "%s/%s", s->o->c.url, what) < 0)
		return -1;
	r.url = url;
	s->call = http_start(s->o->h, &r, oauth_asked, s);
	free(url);
	return s->call ? 0 : -1;
}

int oauth_ask_validate(struct oauth_slot *s)
{
	char *field;
	const char *headers[2] = {NULL, NULL};
	int rc;

	/* "OAuth" here, not "Bearer". */
	if (asprintf(&field, "Authorization: OAuth %s", s->token) < 0)
		return -1;
	headers[0] = field;
	rc = start(s, "GET", "validate", headers, NULL);
	oauth_wipe(&field);
	return rc;
}

/* ---- forms ---- */

static int add(struct buf *form, const char *name, const char *p, size_t n)
{
	static const char digits[] = "0123456789ABCDEF";

	if (buf_printf(form, "%s%s=", form->len ? "&" : "", name))
		return -1;
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)p[i];
		char hex[3] = {'%', digits[c >> 4], digits[c & 15]};
		bool plain = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || (c && strchr("-._~", c));

		if (buf_add(form, plain ? (const char *)&c : hex, plain ? 1 : 3))
			return -1;
	}
	return 0;
}

static int post(struct oauth_slot *s, struct buf *form)
{
	static const char *const headers[] = {"Content-Type: application/x-www-form-urlencoded", NULL};
	const struct oauth_conf *c = &s->o->c;
	int rc = add(form, "client_id", c->client, strlen(c->client)) ||
		(c->secret.len && add(form, "client_secret", c->secret.p, c->secret.len)) ? -1 : start(s, "POST", "token", headers, form);

	if (form->p)
		explicit_bzero(form->p, form->len);
	buf_release(form);
	return rc;
}

int oauth_ask_refresh(struct oauth_slot *s, const char *refresh)
{
	struct buf form;

	buf_init(&form, OAUTH_FILE_MAX);
	if (add(&form, "grant_type", "refresh_token", 13) || add(&form, "refresh_token", refresh, strlen(refresh))) {
		buf_release(&form);
		return -1;
	}
	return post(s, &form);
}

int oauth_ask_app(struct oauth_slot *s)
{
	struct buf form;

	buf_init(&form, OAUTH_FILE_MAX);
	if (add(&form, "grant_type", "client_credentials", 18)) {
		buf_release(&form);
		return -1;
	}
	return post(s, &form);
}

/* ---- answers ---- */

static bool holds(const char *text, const char *secret)
{
	return secret && *secret && strstr(text, secret);
}

void oauth_ask_said(const struct oauth_slot *s, const struct http_answer *a, char *out, size_t n)
{
	struct json_error err;
	struct json *doc;
	const char *text;
	size_t len;

	if (a->status == 0) {
		snprintf(out, n, "%s", a->error ? a->error : "no answer");
		return;
	}
	doc = json_parse(a->body, a->nbody, &err);
	text = json_str(json_member(doc, "message"), &len);
	snprintf(out, n, "status %d", a->status);
	if (text && len && len < 120 && strlen(text) == len && !holds(text, s->token) && !holds(text, s->refused) &&
	    !holds(text, s->fresh.refresh) && !(s->o->c.secret.len && memmem(text, len, s->o->c.secret.p, s->o->c.secret.len)))
		snprintf(out, n, "status %d: %s", a->status, text);
	json_free(doc);
}

static void keep(char *to, size_t size, const struct json *v)
{
	const char *text = json_str(v, NULL);

	snprintf(to, size, "%s", text ? text : "");
}

/* "scopes":["a","b"], or the plain string of old samples. */
static void keep_scopes(struct oauth_slot *s, const struct json *v)
{
	size_t at = 0;

	keep(s->scopes, sizeof(s->scopes), v);
	for (size_t i = 0; i < json_count(v); i++) {
		const char *one = json_str(json_at(v, i), NULL);
		int k = one ? snprintf(s->scopes + at, sizeof(s->scopes) - at, "%s%s", at ? " " : "", one) : 0;

		if (k < 0 || (size_t)k >= sizeof(s->scopes) - at) {
			s->scopes[at] = '\0';	/* the rest is for nobody: people read this */
			return;
		}
		at += (size_t)k;
	}
}

const char *oauth_ask_validated(struct oauth_slot *s, const struct http_answer *a)
{
	const struct oauth_conf *c = &s->o->c;
	struct json_error err;
	struct json *doc = json_parse(a->body, a->nbody, &err);
	const char *client = json_str(json_member(doc, "client_id"), NULL), *wrong = NULL;
	int64_t life = json_int(json_member(doc, "expires_in"), 0);

	keep(s->login, sizeof(s->login), json_member(doc, "login"));
	keep(s->user, sizeof(s->user), json_member(doc, "user_id"));
	keep_scopes(s, json_member(doc, "scopes"));
	/* A user token of another client or person would be refused by every request, one by one. */
	if (client && strcmp(client, c->client) != 0)
		wrong = "the token belongs to another client-id";
	else if (s->kind == OAUTH_USER && c->user && *s->user && strcmp(s->user, c->user) != 0)
		wrong = "the token belongs to another user than the account's";
	s->expires = life > 0 && life < 366 * 86400 ? clock_mono() + life * CLOCK_S : 0;
	s->validated = clock_wall();
	json_free(doc);
	return wrong;
}
