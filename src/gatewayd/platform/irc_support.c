/* irc_support: what the server says it can (005): how names are folded, which prefixes and modes there are. */
#include <stdio.h>
#include <string.h>

#include "gatewayd/platform/irc_impl.h"

static void copy(char *to, size_t size, const char *p, size_t n)
{
	snprintf(to, size, "%.*s", (int)(n < size ? n : size - 1), p);
}

static void chanmodes(struct irc *c, const char *p, const char *end)
{
	for (int i = 0; i < 4; i++) {
		const char *stop = p < end ? memchr(p, ',', (size_t)(end - p)) : NULL;

		stop = stop ? stop : end;
		copy(c->chanmodes[i], sizeof(c->chanmodes[i]), p, (size_t)(stop - p));
		p = stop + (stop < end);
	}
}

/* Of few digits. */
static unsigned number(struct span s)
{
	unsigned n = 0;

	for (size_t k = 0; k < s.n; k++)
		n = n * 10 + (unsigned)((s.p[k] - '0') & 15);
	return n;
}

void irc_support(struct irc *c, const struct irc_message *m)
{
	for (unsigned i = 1; i < m->nparams; i++) {
		struct span s = m->params[i];
		const char *eq = memchr(s.p, '=', s.n), *v = eq ? eq + 1 : s.p + s.n, *end = s.p + s.n;
		struct span name = {s.p, (size_t)((eq ? eq : end) - s.p)}, value = {v, (size_t)(end - v)};

		if (irc_is(name, "CASEMAPPING")) {
			c->fold = irc_is(value, "rfc1459") ? IRC_FOLD_RFC1459 : irc_is(value, "rfc1459-strict") ||
				irc_is(value, "strict-rfc1459") ? IRC_FOLD_STRICT : IRC_FOLD_ASCII;
			irc_channels_fold(c);
		} else if (irc_is(name, "PREFIX") && value.n > 2 && *v == '(') {
			const char *close = memchr(v, ')', value.n);
			size_t n = close ? (size_t)(close - v - 1) : 0;

			if (n && (size_t)(end - close - 1) == n) {
				copy(c->prefixes[0], sizeof(c->prefixes[0]), v + 1, n);
				copy(c->prefixes[1], sizeof(c->prefixes[1]), close + 1, n);
			}
		} else if (irc_is(name, "CHANMODES")) {
			chanmodes(c, v, end);
		} else if (irc_is(name, "MSGREFTYPES")) {
			irc_history_supports(c, value);
		} else if (irc_is(name, "CHATHISTORY") && value.n && value.n < 6) {
			c->history.max = number(value);
		} else if (irc_is(name, "CHANTYPES") && value.n) {
			copy(c->chantypes, sizeof(c->chantypes), v, value.n);
		} else if (irc_is(name, "NICKLEN") && value.n && value.n < 4) {
			c->nick_max = number(value);
		}
	}
}
