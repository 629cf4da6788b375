/* deliver: where a platform refuses us, and how often it is asked there; which refusals are about what. */
#include "check.h"
#include "deliver_play.h"

#include "base/hash.h"
#include "deliver/breaker.h"
#include "deliver/spot.h"

#define START (5000 * CLOCK_S)
#define MINUTE (60 * CLOCK_S)

static struct spots fresh(void)
{
	return (struct spots){.key = {1, 2}};
}

/* Asked whenever that may be, and always refused. */
static void pauses(void)
{
	struct spots all = fresh();
	struct spot *s = spots_get(&all, "channel 1");
	int64_t now = START, before, longest = 0;
	unsigned first = 0, later = 0, shut = 0;

	CHECK(s && spots_find(&all, "channel 1") == s && spots_get(&all, "channel 1") == s && !spots_find(&all, "channel 2"), "found by its name");
	CHECK(!spot_shut(s, now) && !spots_refuse(&all, now) && !spot_tried(s, now), "open at first");
	for (unsigned asked = 0; now < START + 70 * MINUTE; asked++) {
		shut += spot_streak(s, now, hash_random());
		spot_count(s, now);
		*(now < START + 10 * MINUTE ? &first : &later) += 1;
		before = now;
		if (spot_shut(s, now))
			now = spot_shut(s, now);
		CHECK(asked < SPOT_STREAK - 1 ? now == before : now - before >= SPOT_PAUSE_LEAST, "%u are not enough; then there is a pause: %lld ms", asked + 1,
			(long long)((now - before) / CLOCK_MS));
		longest = now - before > longest ? now - before : longest;
	}
	CHECK(shut == 1 && spots_refuse(&all, now) == 1, "shut once");
	CHECK(first <= SPOT_MOST && later <= 6 * SPOT_MOST, "%u in ten minutes, %u in the hour after", first, later);
	CHECK(first >= 6 && longest > MINUTE && longest <= SPOT_PAUSE_MAX, "less and less often: at most %lld s between two", (long long)(longest / CLOCK_S));
	CHECK(spot_opened(s) == 2 && !spots_refuse(&all, now + SPOT_TIME) && !spot_opened(s), "what was said opens it");
	CHECK(!spot_streak(s, now, 0) && !spot_streak(s, now, 0) && spot_streak(s, now, 0), "and it begins anew");
	CHECK(spot_shut(s, now) == now + SPOT_PAUSE_LEAST || s->n >= SPOT_MOST, "with the shortest pause");
	spots_release(&all);
}

static void one_at_a_time(void)
{
	struct spots all = fresh();
	struct spot *s = spots_get(&all, "x");
	int64_t now = START;

	for (unsigned i = 0; i < SPOT_STREAK; i++)
		spot_streak(s, now, UINT64_MAX);
	now = spot_shut(s, now);
	CHECK(now && !spot_shut(s, now) && spot_tried(s, now), "the pause is over: one tries");
	CHECK(spot_shut(s, now + 1) == now + SPOT_TRY && !spot_shut(s, now + SPOT_TRY), "others do not, until it has had its time");
	spots_soon(&all);
	CHECK(!spot_shut(s, now + 1) && spots_refuse(&all, now), "a reload lets the next one try, no more");
	spot_streak(s, now + 2, 0);
	CHECK(spot_shut(s, now + 3), "which is refused again");
	spots_release(&all);
}

/* Not in a row: every other one is said. */
static void some(void)
{
	struct spots all = fresh();
	struct spot *s = spots_get(&all, "x");
	int64_t now = START;
	unsigned full = 0, n = 0;

	for (; n < 1000 && !spot_shut(s, now); n++, now += CLOCK_S) {
		CHECK(!spot_streak(s, now, 0), "one is no row");
		full += spot_count(s, now);
		spot_opened(s);
	}
	CHECK(n == SPOT_MOST && full == 1 && spots_refuse(&all, now) == 1, "%u in a time", n);
	CHECK(spot_shut(s, now) == START + SPOT_TIME && !spot_shut(s, START + SPOT_TIME), "until that is over");
	spots_soon(&all);
	CHECK(spot_shut(s, now), "a reload changes nothing of it");
	CHECK(!spot_count(s, START + SPOT_TIME) && s->n == 1, "a new time");
	CHECK(SPOT_MOST <= REFUSALS_ONE / 10, "no more than a tenth of the account's");
	spots_release(&all);
}

static void kept(void)
{
	struct spots all = fresh();
	struct spot *s = spots_get(&all, "x");
	char name[2 * SPOT_NAME];

	spot_streak(s, START, 0);
	spots_sweep(&all, START + SPOT_KEEP - 1);
	CHECK(spots_find(&all, "x"), "a refusal is known for an hour");
	spots_sweep(&all, START + SPOT_KEEP);
	CHECK(!spots_find(&all, "x") && !all.n, "and no longer");
	s = spots_get(&all, "y");
	spot_count(s, START);
	spots_sweep(&all, START + SPOT_TIME - 1);
	CHECK(all.n == 1, "a count for its time");
	spots_sweep(&all, START + SPOT_TIME);
	CHECK(!all.n, "and no longer");
	for (unsigned i = 0; i < SPOTS_MAX; i++) {
		snprintf(name, sizeof(name), "channel %u", i);
		if (!spots_get(&all, name))
			break;
	}
	CHECK(all.n == SPOTS_MAX && spots_get(&all, "channel 7") && !spots_get(&all, "one more"), "no more than %u", SPOTS_MAX);
	spots_release(&all);
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	CHECK(!spots_get(&all, name), "a name that is too long");
	spots_release(&all);
}

/* ---- what a refusal is about ---- */

#define POST CHANNEL ",\"text\":\"x\""
#define CHAT "\"platform\":\"twitch\",\"channel\":{\"id\":\"42\"},\"text\":\"x\""
#define ANSWER INTERACTION ",\"text\":\"x\""

static void spots_of(const struct target *t, void *it, const char *data, enum form form, const char *own, const char *all)
{
	char name[SPOTS_OF_ONE][SPOT_NAME];
	struct say s = say_of(data, form);
	unsigned n = t->spots(it, &s, name);

	CHECK(n == (own ? all ? 2u : 1u : 0u) && (!own || strcmp(name[0], own) == 0) && (!all || strcmp(name[1], all) == 0), "%s, form %d: %s", data,
		form, own ? name[0] : "none");
	say_release(&s);
}

static void refusal(const struct target *t, void *it, const char *data, enum form form, int status, const char *body, bool forbidden, bool counts)
{
	struct say s = say_of(data, form);
	struct verdict v = judge(t, it, &s, status, body, NULL);

	CHECK(v.forbidden == forbidden && v.counts == counts, "%s: %d %s", t->name, status, body);
	say_release(&s);
}

static void names(void)
{
	void *d, *w, *h, *o;

	put("tok", "tok\n");
	d = open_one(&target_discord, "platform = discord\ntoken-file = tok\n");
	w = open_one(&target_twitch, "platform = twitch\nclient-id = c\nuser = 99\n");
	h = open_one(&target_webhook, "platform = webhook\nurl = https://discord.com/api/webhooks/12/to-ken\n");
	o = open_one(&target_webhook, "platform = webhook\nurl = https://w.test/x\n");
	CHECK(d && w && h && o, "accounts");
	spots_of(&target_discord, d, POST, FORM_CREATE, "channel 11", NULL);
	spots_of(&target_discord, d, POST ",\"reply_to\":\"7\"", FORM_CREATE, "replies in channel 11", NULL);
	spots_of(&target_discord, d, POST ",\"reply_to\":\"an event\"", FORM_CREATE, "channel 11", NULL);
	spots_of(&target_discord, d, POST ",\"edit\":\"7\"", FORM_EDIT, "edits of message 7 in channel 11", "edits in channel 11");
	spots_of(&target_discord, d, ANSWER, FORM_CALLBACK, NULL, NULL);
	spots_of(&target_discord, d, ANSWER, FORM_DEFER, NULL, NULL);
	spots_of(&target_discord, d, ANSWER, FORM_ORIGINAL, "interaction 5", NULL);
	spots_of(&target_discord, d, ANSWER, FORM_FOLLOWUP, "interaction 5", NULL);
	spots_of(&target_twitch, w, CHAT, FORM_CREATE, "channel 42", NULL);
	spots_of(&target_webhook, h, POST, FORM_CREATE, "Discord's webhook", NULL);
	spots_of(&target_webhook, o, POST, FORM_CREATE, NULL, NULL);

	refusal(&target_discord, d, POST, FORM_CREATE, 403, "{\"code\":50001}", true, true);
	refusal(&target_discord, d, POST, FORM_CREATE, 403, "{\"code\":40333}", false, true);
	refusal(&target_discord, d, POST, FORM_CREATE, 403, "<html>", false, true);
	refusal(&target_discord, d, POST, FORM_CREATE, 403, "{\"code\":200000}", false, true);
	refusal(&target_discord, d, POST, FORM_CREATE, 401, "{\"code\":0}", false, true);
	refusal(&target_discord, d, POST, FORM_CREATE, 404, "{\"code\":10003}", false, false);
	refusal(&target_discord, d, ANSWER, FORM_FOLLOWUP, 401, "{\"code\":50027}", false, true);
	refusal(&target_twitch, w, CHAT, FORM_CREATE, 403, "", true, false);
	refusal(&target_twitch, w, CHAT, FORM_CREATE, 400, "", false, false);
	refusal(&target_webhook, h, POST, FORM_CREATE, 403, "", true, true);
	refusal(&target_webhook, h, POST, FORM_CREATE, 401, "", false, true);
	refusal(&target_webhook, h, POST, FORM_CREATE, 429, "", false, true);
	refusal(&target_webhook, h, POST, FORM_CREATE, 400, "", false, false);
	refusal(&target_webhook, o, POST, FORM_CREATE, 403, "", false, false);
	refusal(&target_webhook, o, POST, FORM_CREATE, 429, "", false, false);
	target_discord.close(d);
	target_twitch.close(w);
	target_webhook.close(h);
	target_webhook.close(o);
}

int main(void)
{
	scratch_make(dir);
	pauses();
	one_at_a_time();
	some();
	kept();
	names();
	return check_done();
}
