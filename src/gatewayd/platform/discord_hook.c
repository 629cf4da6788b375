/*
 * Interactions that Discord sends by HTTP instead of over the gateway (interactions/receiving-and-responding, "Security and Authorization"):
 * signed with Ed25519 over timestamp and body. A bad signature is answered 401: Discord probes for that. The replay window is ours; the timestamp is
 * taken as Unix seconds, which is not documented: one that is no number is refused.
 *
 * 202 without a body leaves the answer to deliver(8), which has 3 s for it.
 */
#include "gatewayd/platform/discord_impl.h"

#include <string.h>

#include "base/num.h"
#include "base/sign.h"

#define WINDOW (300 * CLOCK_S)

static void reply(struct discord *d, const struct hook *h, int status, const char *body)
{
	out_hook_reply(d->out, h->ticket, status, *body ? "application/json" : NULL, body, strlen(body), status == 202);
}

static bool signed_(const struct discord *d, const struct hook *h)
{
	size_t nsig = 0, nstamp = 0;
	const char *sig = h->field(h, "x-signature-ed25519", &nsig), *stamp = h->field(h, "x-signature-timestamp", &nstamp), *why;
	unsigned char bytes[SIGN_ED25519];
	char text[24];
	uint64_t at;

	if (!sig || !stamp || nstamp >= sizeof(text) || sign_unhex(bytes, sizeof(bytes), sig, nsig))
		return false;
	memcpy(text, stamp, nstamp);
	text[nstamp] = '\0';
	if (!sign_ed25519(d->conf.key, bytes, (struct sign_part[]){{stamp, nstamp}, {h->body, h->nbody}}, 2))
		return false;
	if (num_u64(text, 0, UINT32_MAX, &at, &why))
		return false;
	return (int64_t)at * CLOCK_S > h->wall - WINDOW && (int64_t)at * CLOCK_S < h->wall + WINDOW;
}

/* The connection that the guild belongs to knows its names. */
static unsigned conn_of(const struct discord *d, struct span body)
{
	uint64_t guild = names_id(scan_member(body, "guild_id"));

	return d->nconns ? (unsigned)((guild >> 22) % d->nconns) : 0;
}

void hook_take(struct discord *d, const struct hook *h, int64_t now)
{
	struct event e = {.ticket = h->ticket, .now = now};
	struct span type;
	struct line_err err;

	if (!d->conf.have_key || *h->path) {
		reply(d, h, 404, "");
		return;
	}
	if (!signed_(d, h)) {
		reply(d, h, 401, "");
		return;
	}
	buf_clear(&d->plain);
	if (scan_value(h->body, h->nbody, &err) || buf_add(&d->plain, h->body, h->nbody)) {
		reply(d, h, 400, "");
		return;
	}
	for (size_t i = 0; i < d->plain.len; i++)
		if (d->plain.p[i] == '\n' || d->plain.p[i] == '\r')
			d->plain.p[i] = ' ';
	e.d = (struct span){d->plain.p, d->plain.len};
	while (e.d.n && *e.d.p == ' ') {
		e.d.p++;
		e.d.n--;
	}
	type = scan_member(e.d, "type");
	if (type.p && type.n == 1 && *type.p == '1') {
		reply(d, h, 200, "{\"type\":1}");
		return;
	}
	if (type.p && type.n == 1 && *type.p == '4') {	/* somebody types: nothing to choose from */
		reply(d, h, 200, "{\"type\":8,\"data\":{\"choices\":[]}}");
		return;
	}
	e.conn = conn_of(d, e.d);
	if (d->nconns)
		e.mark = e.before = d->conns[e.conn].top;
	d->why = NULL;
	reply(d, h, d->nconns == 0 ? 503 : event_command(d, &e) && !d->why ? 202 : 400, "");
	event_tell(d, &e);
}
