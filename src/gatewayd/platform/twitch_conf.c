#include <stdlib.h>
#include <string.h>

#include "base/account.h"
#include "base/url.h"
#include "gatewayd/platform/twitch_impl.h"

const char *const tw_words[] = {"client-id", "client-secret-file", "token-file", "user", "transport", "conduit", "conduit-shards",
	"subscriptions", "callback", "webhook-secret-file", "helix", "oauth", "eventsub", "send-unknown", "chat-limit", NULL};

static int text(const struct account *a, const char *word, const char *otherwise, char *to, size_t size)
{
	const char *v = account_get(a, word, otherwise);

	if (strlen(v) >= size)
		return account_bad(a, word, "is longer than %zu bytes", size - 1);
	strcpy(to, v);
	return 0;
}

/* What goes into a URL or a header as it stands. */
static bool plain(const char *s)
{
	for (; *s; s++)
		if (*s <= ' ' || *s > '~' || strchr("\"\\&#?/", *s))
			return false;
	return true;
}

static int read_who(struct tw_conf *c, const struct account *a)
{
	if (text(a, "client-id", "", c->client, sizeof(c->client)) || text(a, "user", "", c->user, sizeof(c->user)) ||
	    text(a, "conduit", "", c->conduit, sizeof(c->conduit)))
		return -1;
	if (!*c->client || !plain(c->client))
		return account_bad(a, "client-id", "want the client's id as Twitch's console shows it");
	if (!*c->user || strspn(c->user, "0123456789") != strlen(c->user))
		return account_bad(a, "user", "want the bot's user id, a number (not its name)");
	if (!plain(c->conduit))
		return account_bad(a, "conduit", "want the id of a conduit");
	return 0;
}

static int read_urls(struct tw_conf *c, const struct account *a)
{
	if (text(a, "helix", "https://api.twitch.tv/helix", c->helix, sizeof(c->helix)) ||
	    text(a, "eventsub", "wss://eventsub.wss.twitch.tv/ws", c->eventsub, sizeof(c->eventsub)) ||
	    text(a, "callback", "", c->callback, sizeof(c->callback)))
		return -1;
	if (strncmp(c->helix, "http", 4) != 0 || !url_safe(c->helix))
		return account_bad(a, "helix", "want https://..., or http:// to this host");
	if (strncmp(c->eventsub, "ws", 2) != 0 || !url_safe(c->eventsub))
		return account_bad(a, "eventsub", "want wss://..., or ws:// to this host");
	/* Twitch delivers to port 443 by TLS only; the laboratory to this host too. */
	if (*c->callback && (strncmp(c->callback, "http", 4) != 0 || !url_safe(c->callback)))
		return account_bad(a, "callback", "want the https:// URL of /hook/TENANT/ACCOUNT as Twitch reaches it");
	return 0;
}

/* dev.twitch.tv, "Getting Events Using Webhook Callbacks": ASCII, 10 to 100 characters. */
static int read_secret(struct tw_conf *c, const struct account *a)
{
	if (account_secret(a, "webhook-secret-file", &c->secret))
		return -1;
	for (size_t i = 0; i < c->secret.len; i++)
		if (c->secret.p[i] < ' ' || c->secret.p[i] > '~')
			c->secret.len = 0;
	if (c->secret.len < 10 || c->secret.len > 100)
		return account_bad(a, "webhook-secret-file", "want 10 to 100 printable ASCII characters");
	return 0;
}

static int read_transport(struct tw_conf *c, const struct account *a)
{
	const char *t = account_get(a, "transport", "websocket");
	const char *token = "client-secret-file";

	if (strcmp(t, "websocket") == 0) {
		c->transport = TW_WEBSOCKET;
		token = "token-file";
	} else if (strcmp(t, "webhook") == 0) {
		c->transport = TW_WEBHOOK;
	} else if (strcmp(t, "conduit") == 0) {
		c->transport = TW_CONDUIT;
	} else {
		return account_bad(a, "transport", "want websocket, webhook or conduit");
	}
	if (!account_get(a, token, NULL))
		return account_bad(a, token, "is missing: subscriptions of a %s need a%s token", t,
			c->transport == TW_WEBSOCKET ? " user" : "n app");
	if (c->transport == TW_WEBHOOK && !*c->callback)
		return account_bad(a, "callback", "is missing: want the https:// URL of /hook/TENANT/ACCOUNT as Twitch reaches it");
	if (c->transport != TW_CONDUIT && (account_get(a, "conduit", NULL) || account_get(a, "conduit-shards", NULL)))
		return account_bad(a, "transport", "conduit and conduit-shards need transport = conduit");
	if (account_u64(a, "conduit-shards", 1, *c->callback ? TW_HOOKS_MAX : TW_SHARDS_MAX, &c->shards))
		return -1;
	return *c->callback && c->transport != TW_WEBSOCKET ? read_secret(c, a) : 0;
}

int tw_conf_read(struct tw_conf *c, const struct account *a)
{
	memset(c, 0, sizeof(*c));
	buf_init(&c->secret, 65536);
	if (read_who(c, a) || read_urls(c, a) || read_transport(c, a) || account_bool(a, "raw", &c->raw))
		goto fail;
	if (!account_get(a, "subscriptions", NULL)) {
		account_bad(a, "subscriptions", "is missing: want the file that says what to subscribe to");
		goto fail;
	}
	c->subscriptions = account_path(a, "subscriptions");
	if (c->subscriptions)
		return 0;
fail:
	tw_conf_release(c);
	return -1;
}

void tw_conf_release(struct tw_conf *c)
{
	if (c->secret.p)
		explicit_bzero(c->secret.p, c->secret.len);
	buf_release(&c->secret);
	free(c->subscriptions);
	c->subscriptions = NULL;
}

bool tw_conf_same(const struct tw_conf *a, const struct tw_conf *b)
{
	return a->transport == b->transport && strcmp(a->client, b->client) == 0 && strcmp(a->user, b->user) == 0 &&
		strcmp(a->helix, b->helix) == 0 && strcmp(a->eventsub, b->eventsub) == 0 && strcmp(a->callback, b->callback) == 0 &&
		strcmp(a->conduit, b->conduit) == 0 && a->shards == b->shards && a->secret.len == b->secret.len &&
		(a->secret.len == 0 || memcmp(a->secret.p, b->secret.p, a->secret.len) == 0);
}
