#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/account.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/http.h"
#include "base/oauth_impl.h"

#define CHECK_EVERY (3600 * CLOCK_S)
#define CHECK_AGAIN (60 * CLOCK_S)	/* a validation without an answer */
#define RENEW_BEFORE (300 * CLOCK_S)
#define SAVE_AGAIN (2 * CLOCK_S)
#define LOOK_AGAIN (20 * CLOCK_S)	/* for another token-file */
#define LOCK_AGAIN (100 * CLOCK_MS)

const char *const oauth_kinds[OAUTH_KINDS] = {[OAUTH_USER] = "user", [OAUTH_APP] = "app"};

void oauth_say(const struct oauth_slot *s, enum log_level level, const char *fmt, ...)
{
	const struct account *a = s->o->c.a;
	const struct log_ctx ctx = {.tenant = account_tenant(a)};
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_about(level, &ctx, "account %s/%s, %s token: %s", account_tenant(a), account_name(a), oauth_kinds[s->kind], text);
}

/* ---- small ones ---- */

/* Even between t and t + t/8: what a thousand accounts do at the same time of an hour is spread. */
static int64_t spread(int64_t t)
{
	return t + (int64_t)(hash_random() % (uint64_t)(t / 8));
}

static void in(struct oauth_slot *s, int64_t ns)
{
	/* Without memory for a timer the next caller finds an expired token and renews. */
	if (loop_timer_in(s->o->l, &s->timer, ns))
		oauth_say(s, LOG_ERROR, "timer: %m");
}

void oauth_settle_soon(struct oauth_slot *s)
{
	if ((s->first || s->tell) && loop_timer_in(s->o->l, &s->settle, 0))
		oauth_say(s, LOG_ERROR, "timer: %m");
}

void oauth_unlock(struct oauth_slot *s)
{
	if (s->lock >= 0)
		close(s->lock);
	s->lock = -1;
	oauth_file_release(&s->fresh);
}

/* ---- where a slot's ways end ---- */

static void arm(struct oauth_slot *s)
{
	int64_t now = clock_mono(), wait = spread(CHECK_EVERY * 8 / 9), left = s->expires - now;

	s->renew = 0;
	if (s->expires) {
		s->renew = s->expires - (left / 4 < RENEW_BEFORE ? left / 4 : RENEW_BEFORE);
		if (s->renew - now < wait)
			wait = s->renew - now;
	}
	in(s, wait > CLOCK_S / 10 ? wait : CLOCK_S / 10);
}

static void in_force(struct oauth_slot *s, bool another)
{
	s->state = OAUTH_IDLE;
	oauth_wipe(&s->refused);
	backoff_reset(&s->backoff);
	s->error[0] = '\0';
	arm(s);
	s->tell = s->tell || another;
	oauth_settle_soon(s);
}

static void refuse(struct oauth_slot *s, const char *why)
{
	oauth_unlock(s);
	s->state = OAUTH_REFUSED;
	s->stamp = oauth_file_stamp(&s->o->c);
	snprintf(s->error, sizeof(s->error), "%s", why);
	if (s->kind == OAUTH_USER) {
		oauth_say(s, LOG_ERROR, "%s; a person has to authorise the bot again and write %s", why, s->o->c.path);
		in(s, spread(LOOK_AGAIN));
	} else {
		oauth_say(s, LOG_ERROR, "%s; client-id and client-secret-file have to be right", why);
		in(s, spread(CHECK_EVERY));
	}
	s->tell = true;
	oauth_settle_soon(s);
}

static void failed(struct oauth_slot *s, const char *why)
{
	oauth_unlock(s);
	s->state = OAUTH_LATER;
	snprintf(s->error, sizeof(s->error), "%s", why);
	oauth_say(s, LOG_WARN, "cannot be renewed now: %s", why);
	in(s, backoff_next(&s->backoff, hash_random()));
	oauth_settle_soon(s);
}

/* ---- validating ---- */

static void validate(struct oauth_slot *s, enum oauth_state as)
{
	s->state = as;
	if (oauth_ask_validate(s) == 0)
		return;
	oauth_say(s, LOG_WARN, "cannot be validated: %m");
	in_force(s, as == OAUTH_FIRST);
	in(s, spread(CHECK_AGAIN));
}

void oauth_adopt(struct oauth_slot *s, char **token)
{
	oauth_wipe(&s->token);
	oauth_wipe(&s->refused);
	s->token = *token;
	*token = NULL;
	s->expires = 0;
	oauth_unlock(s);
	loop_timer_del(s->o->l, &s->timer);
	validate(s, OAUTH_FIRST);
}

static void validated(struct oauth_slot *s, const struct http_answer *a)
{
	bool first = s->state == OAUTH_FIRST;
	char said[160];
	const char *wrong;

	if (a->status == 200) {
		wrong = oauth_ask_validated(s, a);
		if (wrong)
			refuse(s, wrong);
		else
			in_force(s, first);
		return;
	}
	oauth_ask_said(s, a, said, sizeof(said));
	if (a->status == 401) {
		oauth_say(s, LOG_INFO, "not valid any more (%s)", said);
		oauth_wipe(&s->refused);
		s->refused = strdup(s->token);
		oauth_renew(s);
		return;
	}
	/* Nothing is known against it. */
	oauth_say(s, LOG_WARN, "could not be validated, used all the same: %s", said);
	in_force(s, first);
	in(s, spread(CHECK_AGAIN));
}

/* ---- renewing ---- */

static void save(struct oauth_slot *s)
{
	if (oauth_file_write(&s->o->c, &s->fresh)) {
		s->state = OAUTH_SAVE;
		snprintf(s->error, sizeof(s->error), "%s cannot be written: %s", s->o->c.path, strerror(errno));
		if (s->saves++ == 0)
			oauth_say(s, LOG_ERROR, "the new one is not used before it is saved: %s", s->error);
		in(s, SAVE_AGAIN);
		oauth_settle_soon(s);
		return;
	}
	s->saves = 0;
	oauth_wipe(&s->token);
	s->token = s->fresh.token;
	s->fresh.token = NULL;
	s->expires = s->fresh_life ? clock_mono() + s->fresh_life : 0;
	oauth_unlock(s);
	oauth_say(s, LOG_INFO, "refreshed");
	in_force(s, true);
}

static void ask_user(struct oauth_slot *s)
{
	const struct oauth_conf *c = &s->o->c;

	loop_timer_del(s->o->l, &s->timer);
	s->lock = oauth_file_lock(c);
	if (s->lock < 0) {
		if (errno == EWOULDBLOCK) {
			s->state = OAUTH_LOCK;
			in(s, spread(LOCK_AGAIN));
		} else {
			oauth_say(s, LOG_ERROR, "%s.lock: %m", c->path);
			failed(s, "the lock beside token-file cannot be taken");
		}
		return;
	}
	if (oauth_file_read(c, &s->fresh)) {
		failed(s, "token-file cannot be read");
		return;
	}
	if (s->fresh.token && (!s->token || strcmp(s->fresh.token, s->token) != 0)) {
		oauth_adopt(s, &s->fresh.token);
		return;
	}
	if (!s->fresh.refresh) {
		refuse(s, "not valid any more, and token-file has no refresh_token");
		return;
	}
	/* A folder that cannot be written is found before the refresh token is spent. */
	if (buf_addc(&s->fresh.text, '\n') || oauth_file_write(c, &s->fresh)) {
		oauth_say(s, LOG_ERROR, "%s: %m", c->path);
		failed(s, "token-file cannot be written");
		return;
	}
	s->state = OAUTH_ASK;
	if (oauth_ask_refresh(s, s->fresh.refresh))
		failed(s, "out of memory");
}

void oauth_renew(struct oauth_slot *s)
{
	if (s->call) {		/* a validation */
		http_cancel(s->call);
		s->call = NULL;
	}
	if (s->kind == OAUTH_USER) {
		ask_user(s);
		return;
	}
	loop_timer_del(s->o->l, &s->timer);
	s->state = OAUTH_ASK;
	if (oauth_ask_app(s))
		failed(s, "out of memory");
}

static void renewed(struct oauth_slot *s, const struct http_answer *a)
{
	struct oauth_file fresh;
	char said[160], why[200];
	char *token = NULL;

	oauth_ask_said(s, a, said, sizeof(said));
	if (a->status == 400 || a->status == 401 || (a->status == 403 && s->kind == OAUTH_APP)) {
		snprintf(why, sizeof(why), s->kind == OAUTH_USER ? "the refresh token was refused (%s)" : "refused (%s)", said);
		refuse(s, why);
	} else if (a->status != 200) {
		failed(s, said);
	} else if (s->kind == OAUTH_USER) {
		if (oauth_file_merge(&s->fresh, a, &fresh, &s->fresh_life)) {
			failed(s, "the answer holds no token");
			return;
		}
		oauth_file_release(&s->fresh);
		s->fresh = fresh;
		save(s);
	} else if ((token = oauth_answer_token(a, &s->fresh_life))) {
		oauth_wipe(&s->token);
		s->token = token;
		s->expires = s->fresh_life ? clock_mono() + s->fresh_life : 0;
		in_force(s, true);
	} else {
		failed(s, "the answer holds no token");
	}
}

void oauth_asked(void *arg, const struct http_answer *a)
{
	struct oauth_slot *s = arg;

	s->call = NULL;
	if (s->state == OAUTH_ASK)
		renewed(s, a);
	else
		validated(s, a);
}

/* A person may have written another token-file: looks, and begins with it. */
bool oauth_look_again(struct oauth_slot *s)
{
	struct oauth_file f;

	if (s->kind != OAUTH_USER || oauth_file_stamp(&s->o->c) == s->stamp)
		return false;
	s->stamp = oauth_file_stamp(&s->o->c);
	if (oauth_file_read(&s->o->c, &f))
		return false;
	oauth_say(s, LOG_INFO, "there is another token-file");
	if (f.token)
		oauth_adopt(s, &f.token);
	else
		oauth_renew(s);
	oauth_file_release(&f);
	return true;
}

void oauth_on_time(void *arg)
{
	struct oauth_slot *s = arg;

	switch (s->state) {
	case OAUTH_IDLE:
		if (s->renew && clock_mono() >= s->renew)
			oauth_renew(s);
		else if (s->token)
			validate(s, OAUTH_CHECK);
		break;
	case OAUTH_LOCK:
		ask_user(s);
		break;
	case OAUTH_SAVE:
		save(s);
		break;
	case OAUTH_LATER:
		oauth_renew(s);
		break;
	case OAUTH_REFUSED:
		if (s->kind == OAUTH_APP)
			oauth_renew(s);
		else if (!oauth_look_again(s))
			in(s, spread(LOOK_AGAIN));
		break;
	case OAUTH_FIRST:
	case OAUTH_CHECK:
	case OAUTH_ASK:
		break;		/* the call has its own limit */
	}
}

