#include <stdlib.h>
#include <string.h>

#include "base/account.h"
#include "base/log.h"
#include "gatewayd/platform/irc_impl.h"

static int word(const struct account *a, const char *name, const char *otherwise, char *to, size_t size)
{
	const char *v = account_get(a, name, otherwise);

	if (!v)
		return account_bad(a, name, "is missing");
	if (!*v || strlen(v) >= size || !irc_last_ok(v, strlen(v)))
		return account_bad(a, name, "want 1 to %zu bytes without line ends", size - 1);
	strcpy(to, v);
	return 0;
}

static int one_of(const struct account *a, const char *name, const char *no, const char *yes, bool *to)
{
	const char *v = account_get(a, name, no);

	*to = strcmp(v, yes) == 0;
	if (!*to && strcmp(v, no) != 0)
		return account_bad(a, name, "\"%.60s\": want %s or %s", v, no, yes);
	return 0;
}

struct reading { struct irc_conf *c; const struct account *a; };

static int one_channel(void *arg, const char *value)
{
	struct reading *r = arg;
	struct irc_conf *c = r->c;
	size_t n = strlen(value);
	char **more;

	if (!irc_middle_ok(value, n) || n >= IRC_NAME_MAX || strchr(value, ',') || strchr(value, '\a') || !strchr("#&+!", *value))
		return account_bad(r->a, "channels", "\"%.60s\" is no channel: want names like #a, separated by blanks", value);
	if (c->nchannels == IRC_CHANNELS_MAX)
		return account_bad(r->a, "channels", "more than %u", IRC_CHANNELS_MAX);
	more = reallocarray(c->channels, c->nchannels + 1, sizeof(*more));
	if (!more || (c->channels = more, !(more[c->nchannels] = strdup(value))))
		return account_bad(r->a, "channels", "out of memory");
	c->nchannels++;
	return 0;
}

static int order(const void *x, const void *y)
{
	return strcmp(*(char *const *)x, *(char *const *)y);
}

static int channels(struct irc_conf *c, const struct account *a)
{
	struct reading r = {c, a};
	size_t n = 0;

	if (account_each(a, "channels", one_channel, &r))
		return -1;
	if (c->nchannels == 0 && account_get(a, "channels", NULL))
		return account_bad(a, "channels", "names none: a # begins a comment, so put them in quotes: channels = \"#a #b\"");
	if (c->nchannels)
		qsort(c->channels, c->nchannels, sizeof(*c->channels), order);
	for (size_t i = 0; i < c->nchannels; i++) {
		if (n && strcmp(c->channels[n - 1], c->channels[i]) == 0)
			free(c->channels[i]);
		else
			c->channels[n++] = c->channels[i];
	}
	c->nchannels = n;
	return 0;
}

static bool local(const char *url)
{
	return strncmp(url, "irc://127.", 10) == 0 || strncmp(url, "irc://localhost", 15) == 0 || strncmp(url, "irc://[::1]", 11) == 0;
}

static int secret(struct irc_conf *c, const struct account *a)
{
	if (!account_get(a, "password-file", NULL))
		return c->sasl || c->twitch ? account_bad(a, "password-file", "is missing: %s needs it",
			c->sasl ? "sasl = plain" : "dialect = twitch") : 0;
	if (account_secret(a, "password-file", &c->password))
		return -1;
	if (!irc_last_ok(c->password.p, c->password.len) || c->password.len > 400)
		return account_bad(a, "password-file", "want one line of at most 400 bytes");
	if (strncmp(c->url, "irc://", 6) == 0 && !local(c->url))
		log_warn("%s: the password goes over the network as it is: use ircs://", account_file(a));
	return 0;
}

int irc_conf_read(struct irc_conf *c, const struct account *a)
{
	bool again;		/* upstream's business */

	memset(c, 0, sizeof(*c));
	buf_init(&c->password, 64 << 10);
	c->ping = 60 * CLOCK_S;
	if (word(a, "server", NULL, c->url, sizeof(c->url)) || one_of(a, "dialect", "ircv3", "twitch", &c->twitch) ||
	    one_of(a, "sasl", "none", "plain", &c->sasl) || one_of(a, "send-unknown", "never", "again", &again))
		goto bad;
	/* Twitch: 20 messages within 30 s, more and the account is shut out for half an hour; so what is saved up and what comes
	 * along in 30 s are together 20. Others: what the old servers' penalty allows, a line every 2 s. */
	c->rate = c->twitch ? 24 : 30;
	c->burst = c->twitch ? 8 : 5;
	if (strncmp(c->url, "irc://", 6) != 0 && strncmp(c->url, "ircs://", 7) != 0) {
		account_bad(a, "server", "want ircs://host:port or irc://host:port");
		goto bad;
	}
	if (c->twitch && c->sasl) {
		account_bad(a, "sasl", "Twitch has no SASL: it takes the token as the password");
		goto bad;
	}
	if (word(a, "nick", NULL, c->nick, sizeof(c->nick)) || word(a, "user", c->nick, c->user, sizeof(c->user)) ||
	    word(a, "realname", c->nick, c->realname, sizeof(c->realname)) || channels(c, a) || secret(c, a) ||
	    account_bool(a, "raw", &c->raw) || account_u64(a, "rate", 1, 60000, &c->rate) ||
	    account_u64(a, "burst", 1, 1000, &c->burst) || account_time(a, "ping", 100 * CLOCK_MS, 600 * CLOCK_S, &c->ping))
		goto bad;
	if (!irc_middle_ok(c->nick, strlen(c->nick)) || strpbrk(c->nick, "!@,*?#") || strlen(c->nick) > 64) {
		account_bad(a, "nick", "\"%.60s\" is no nick", c->nick);
		goto bad;
	}
	if (!irc_middle_ok(c->user, strlen(c->user)) || strpbrk(c->user, "!@")) {
		account_bad(a, "user", "\"%.60s\": want a word without ! and @", c->user);
		goto bad;
	}
	return 0;
bad:
	irc_conf_release(c);
	return -1;
}

void irc_conf_release(struct irc_conf *c)
{
	for (size_t i = 0; i < c->nchannels; i++)
		free(c->channels[i]);
	free(c->channels);
	if (c->password.p)
		explicit_bzero(c->password.p, c->password.cap);
	buf_release(&c->password);
	c->channels = NULL;
	c->nchannels = 0;
}

bool irc_conf_same(const struct irc_conf *a, const struct irc_conf *b)
{
	return strcmp(a->url, b->url) == 0 && strcmp(a->nick, b->nick) == 0 && strcmp(a->user, b->user) == 0 &&
		strcmp(a->realname, b->realname) == 0 && a->sasl == b->sasl && a->twitch == b->twitch &&
		a->password.len == b->password.len &&
		(a->password.len == 0 || memcmp(a->password.p, b->password.p, a->password.len) == 0);
}
