#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/account.h"
#include "base/hash.h"
#include "base/num.h"
#include "base/sign.h"
#include "base/utf8.h"
#include "gatewayd/platform/discord_impl.h"

#define TOKEN_MAX 512
#define API "https://discord.com/api/v10"

/* Discord's documentation, topics/gateway, "List of intents". */
static const struct { const char *name; unsigned bit; } intents[] = {
	{"GUILDS", 0}, {"GUILD_MEMBERS", 1}, {"GUILD_MODERATION", 2}, {"GUILD_EXPRESSIONS", 3}, {"GUILD_INTEGRATIONS", 4}, {"GUILD_WEBHOOKS", 5},
	{"GUILD_INVITES", 6}, {"GUILD_VOICE_STATES", 7}, {"GUILD_PRESENCES", 8}, {"GUILD_MESSAGES", 9}, {"GUILD_MESSAGE_REACTIONS", 10},
	{"GUILD_MESSAGE_TYPING", 11}, {"DIRECT_MESSAGES", 12}, {"DIRECT_MESSAGE_REACTIONS", 13}, {"DIRECT_MESSAGE_TYPING", 14},
	{"MESSAGE_CONTENT", 15}, {"GUILD_SCHEDULED_EVENTS", 16}, {"AUTO_MODERATION_CONFIGURATION", 20}, {"AUTO_MODERATION_EXECUTION", 21},
	{"GUILD_MESSAGE_POLLS", 24}, {"DIRECT_MESSAGE_POLLS", 25},
};
#define INTENTS_USUAL 37377	/* GUILDS GUILD_MESSAGES DIRECT_MESSAGES MESSAGE_CONTENT */

struct reading { struct discord_conf *to; const struct account *a; };

/* A name of upper-case words, as Discord's are. */
static bool upper(const char *s)
{
	return *s && s[strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")] == '\0' && strlen(s) <= 64;
}

static int intent(void *arg, const char *value)
{
	struct reading *r = arg;
	char *end;
	unsigned long long n = strtoull(value, &end, 10);

	if (*value >= '0' && *value <= '9' && *end == '\0' && n < UINT64_C(1) << 53) {
		r->to->intents |= n;
		return 0;
	}
	for (size_t i = 0; i < sizeof(intents) / sizeof(*intents); i++) {
		if (strcmp(intents[i].name, value) == 0) {
			r->to->intents |= UINT64_C(1) << intents[i].bit;
			return 0;
		}
	}
	return account_bad(r->a, "intents", "no intent of Discord's: %s", value);
}

static int event_name(void *arg, const char *value)
{
	struct reading *r = arg;

	if (!upper(value))
		return account_bad(r->a, "events", "names of dispatches are upper-case words, as TYPING_START: %s", value);
	return buf_printf(&r->to->events, " %s ", value);
}

static int text_word(const struct account *a, const char *word, char *to, size_t size, const char *otherwise)
{
	const char *v = account_get(a, word, otherwise);

	if (strlen(v) >= size)
		return account_bad(a, word, "longer than %zu bytes", size - 1);
	strcpy(to, v);
	return 0;
}

static int read_api(struct discord_conf *to, const struct account *a)
{
	size_t n;

	if (text_word(a, "api", to->api, sizeof(to->api), API))
		return -1;
	if ((strncmp(to->api, "https://", 8) != 0 && strncmp(to->api, "http://", 7) != 0) || strpbrk(to->api, "?# \""))
		return account_bad(a, "api", "want the URL of Discord's REST interface, without a query");
	n = strlen(to->api);
	if (to->api[n - 1] == '/')
		to->api[n - 1] = '\0';
	return 0;
}

static int read_id(struct discord_conf *to, const struct account *a)
{
	const char *key = account_get(a, "public-key", NULL);

	if (text_word(a, "application-id", to->application, sizeof(to->application), ""))
		return -1;
	if (to->application[strspn(to->application, "0123456789")])
		return account_bad(a, "application-id", "want digits");
	to->have_key = key != NULL;
	if (key && sign_unhex(to->key, sizeof(to->key), key, strlen(key)))
		return account_bad(a, "public-key", "want 64 hexadecimal digits, as the developer portal shows them");
	return 0;
}

static int read_presence(struct discord_conf *to, const struct account *a)
{
	static const char *const known[] = {"online", "idle", "dnd", "invisible"};

	if (text_word(a, "presence", to->presence, sizeof(to->presence), "") ||
	    text_word(a, "status", to->status, sizeof(to->status), "online"))
		return -1;
	if (utf8_bad(to->presence, to->presence + strlen(to->presence)))
		return account_bad(a, "presence", "no UTF-8");
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (strcmp(known[i], to->status) == 0)
			return 0;
	return account_bad(a, "status", "want online, idle, dnd or invisible");
}

static int read_compress(struct discord_conf *to, const struct account *a)
{
	static const char *const known[INFLATE_KINDS] = {[INFLATE_NONE] = "none", [INFLATE_ZLIB] = "zlib", [INFLATE_ZSTD] = "zstd"};
	const char *word = account_get(a, "compress", "zlib");

	for (unsigned kind = 0; kind < INFLATE_KINDS; kind++) {
		if (strcmp(known[kind], word) != 0)
			continue;
		to->compress = (enum inflate_kind)kind;
		if (inflate_has(to->compress))
			return 0;
		return account_bad(a, "compress", "this gatewayd was built without libzstd: want zlib or none, or build it where libzstd-dev is");
	}
	return account_bad(a, "compress", "want zlib, zstd or none");
}

static int read_gateway(struct discord_conf *to, const struct account *a)
{
	struct reading r = {to, a};
	const char *shards = account_get(a, "shards", "auto"), *size = account_get(a, "large-payload", NULL), *why;
	uint64_t n = 0;

	if (strcmp(shards, "auto") != 0 && account_u64(a, "shards", 1, DISCORD_SHARDS, &n))
		return -1;
	to->shards = (unsigned)n;
	if (read_compress(to, a) || account_each(a, "intents", intent, &r) || account_each(a, "events", event_name, &r))
		return -1;
	if (!account_get(a, "intents", NULL))
		to->intents = INTENTS_USUAL;
	to->payload_max = 64 << 20;
	if (size && num_size(size, 64 << 10, 1 << 30, &to->payload_max, &why))
		return account_bad(a, "large-payload", "%s; want 64k to 1g", why);
	return account_bool(a, "raw", &to->raw);
}

static int read_token(struct discord_conf *to, const struct account *a)
{
	if (account_secret(a, "token-file", &to->token))
		return -1;
	if (!to->token.len || to->token.len > TOKEN_MAX)
		return account_bad(a, "token-file", "no token is in it");
	for (size_t i = 0; i < to->token.len; i++)
		if (to->token.p[i] <= ' ' || to->token.p[i] > '~')
			return account_bad(a, "token-file", "a token is one word, without \"Bot\" before it");
	return 0;
}

int discord_conf_read(struct discord_conf *to, const struct account *a)
{
	buf_init(&to->token, 64 << 10);
	buf_init(&to->events, 64 << 10);
	if (read_token(to, a) || read_api(to, a) || read_id(to, a) || read_presence(to, a) || read_gateway(to, a))
		return -1;
	return 0;
}

void discord_conf_release(struct discord_conf *c)
{
	buf_release(&c->token);
	buf_release(&c->events);
}

uint32_t discord_conf_presence(const struct discord_conf *c)
{
	uint32_t of = hash_crc32c(hash_crc32c(0, c->status, strlen(c->status) + 1), c->presence, strlen(c->presence));

	return of ? of : 1;
}

/* The bytes that Base64 (either alphabet, without padding) holds; -1: it is none, or they do not fit. */
static int unbase64(char *to, size_t size, const char *s, size_t n)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	size_t k = 0;
	unsigned bits = 0, have = 0;

	for (size_t i = 0; i < n; i++) {
		const char *at = strchr(digits, s[i] == '+' ? '-' : s[i] == '/' ? '_' : s[i]);

		if (!at || !*at)
			return -1;
		bits = bits << 6 | (unsigned)(at - digits);
		have += 6;
		if (have >= 8) {
			have -= 8;
			if (k == size)
				return -1;
			to[k++] = (char)(bits >> have);
		}
	}
	return (int)k;
}

/*
 * A token is the id of the bot's user, in Base64, and what nobody can guess, with a full stop between them: so for all tokens that were ever
 * seen [unverified: no documentation says it]. One that looks different stands by a digest, which is another one when the token is.
 */
void discord_conf_bot(const struct discord_conf *c, char out[OUT_BOT])
{
	const char *dot = memchr(c->token.p, '.', c->token.len);
	const struct sign_part token = {c->token.p, c->token.len}, api = {c->api, strlen(c->api)};
	unsigned char digest[SIGN_SHA256] = {0};
	char id[21] = "", hex[2 * 8 + 1];
	int n = dot ? unbase64(id, sizeof(id) - 1, c->token.p, (size_t)(dot - c->token.p)) : -1;

	if (n > 0 && strspn(id, "0123456789") == (size_t)n) {
		snprintf(out, OUT_BOT, "%s", id);
	} else {
		sign_sha256(digest, &token, 1);
		sign_hex(hex, digest, 8);
		snprintf(out, OUT_BOT, "token-%s", hex);
	}
	/* Another Discord (a lab) has bots, and limits, of its own. */
	if (strcmp(c->api, API) != 0) {
		sign_sha256(digest, &api, 1);
		sign_hex(hex, digest, 4);
		snprintf(out + strlen(out), OUT_BOT - strlen(out), "-%s", hex);
	}
}

/* What a session was begun with; the rest holds from the next connection or payload on. */
bool discord_conf_hard_same(const struct discord_conf *a, const struct discord_conf *b)
{
	return a->token.len == b->token.len && sign_equal(a->token.p, b->token.p, a->token.len) && strcmp(a->api, b->api) == 0 &&
		a->intents == b->intents && a->shards == b->shards;
}
