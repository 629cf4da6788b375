#include "link/transport/sp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/notify.h"
#include "base/tls.h"
#include "link/transport/addr.h"
#include "link/transport/conn.h"

#define BACKOFF_FIRST (20 * CLOCK_MS)
#define BACKOFF_MAX CLOCK_S
#define USUAL_NS (CLOCK_S)		/* so long whoever starts or stops together with others may wait for them */
#define STEADY_NS (5 * CLOCK_S)		/* a connection that lasted this long was a good one */

struct sp_dial {
	struct sp_endpoint base;	/* first */
	struct conn c;
	struct addr addr;
	struct tls_ctx *tls;
	struct loop *loop;
	struct loop_timer again;
	struct backoff backoff;
	unsigned turn;			/* attempts, to try several addresses in turn */
	int64_t since;			/* connected since; 0 = not */
	const struct dial_events *ev;
	void *arg;
	struct iovec parts[TRANSPORT_PARTS];	/* the open question */
	int nparts;
	bool asking, quiet;
	bool known;			/* was connected once */
	bool told;			/* of this outage, and not only to who debugs */
	int64_t away;			/* not connected since */
	uint32_t id;
	char trouble[200];		/* what was said of this outage; "" = nothing yet */
};

static struct sp_dial *of(struct conn *c)
{
	return (struct sp_dial *)((char *)c - offsetof(struct sp_dial, c));
}

/* Once for each kind of trouble of an outage, so that a hub that is away for a night does not fill a disk. */
static void complain(struct sp_dial *d, const char *why)
{
	static const struct log_ctx nothing;
	bool again = strcmp(d->trouble, why) == 0;
	enum log_level level = d->known ? LOG_WARN : LOG_INFO;

	/* The usual thing for a while when all start or stop at the same time. */
	if ((!d->known || notify_stops()) && clock_mono() - d->away < USUAL_NS)
		level = LOG_DEBUG;
	if (again && (d->told || level == LOG_DEBUG))
		return;
	if (!again)
		snprintf(d->trouble, sizeof d->trouble, "%s", why);
	d->told = level != LOG_DEBUG;
	if (!d->quiet)
		log_about(level, &nothing, "%s: %s; trying again", d->addr.url, why);
}

static void retry(struct sp_dial *d)
{
	int64_t wait = backoff_next(&d->backoff, hash_random());

	if (loop_timer_in(d->loop, &d->again, wait))
		die(1, "%s: %s", d->addr.url, strerror(ENOMEM));
}

static void dial(void *arg)
{
	struct sp_dial *d = arg;
	bool connecting;
	char why[160];
	int fd;

	if (d->trouble[0])
		complain(d, d->trouble);
	fd = addr_dial(&d->addr, d->turn++, &connecting, why, sizeof why);
	if (fd < 0) {
		complain(d, why);
		retry(d);
	} else if (conn_start(&d->c, fd, connecting, d->addr.ipc, d->tls, d->addr.host, SP_REQ, SP_REP)) {
		complain(d, d->c.why);
		retry(d);
	}
}

static void send_question(struct sp_dial *d)
{
	unsigned char id[4];

	d->id = (d->id + 1) | SP_ID;
	frame_word_write(id, d->id);
	conn_send(&d->c, id, sizeof id, d->parts, d->nparts, false);
	conn_read(&d->c, true);
}

static void on_up(struct conn *c)
{
	struct sp_dial *d = of(c);

	d->base.ep.up = d->known = true;
	d->since = loop_now(d->loop);
	if (d->told && !d->quiet)
		log_info("%s: connected", d->addr.url);
	d->trouble[0] = 0;
	d->told = false;
	if (d->asking)
		send_question(d);
}

static const char SAID[] = "";	/* why a connection is over, where whoever asked has said it */

static void on_gone(struct conn *c, const char *why)
{
	struct sp_dial *d = of(c);

	d->base.ep.up = false;
	if (!why)
		why = "connection closed by the other side";
	if (d->since) {
		/* Told when it dials again: who stops together with the hub has heard of it by then. */
		d->away = clock_mono();
		snprintf(d->trouble, sizeof d->trouble, "%s", why);
	} else {
		complain(d, why);
	}
	if (d->since && loop_now(d->loop) - d->since > STEADY_NS)
		backoff_reset(&d->backoff);
	d->since = 0;
	retry(d);
}

static void on_frame(struct conn *c, const char *p, size_t n)
{
	struct sp_dial *d = of(c);
	struct backoff before = d->backoff;

	/* An answer to what is not asked any more may still arrive: REQ drops it. */
	if (!d->asking || n < 4 || frame_word(p) != d->id) {
		conn_release(c);
		return;
	}
	d->asking = false;
	conn_read(c, false);
	backoff_reset(&d->backoff);
	if (d->ev->reply(d->arg, p + 4, n - 4) == 0)
		return;
	/* d is still alive: who says -1 neither asks nor closes. */
	d->asking = true;
	d->backoff = before;
	conn_release(c);
	conn_shut(c);
	on_gone(c, SAID);
}

static void on_free(struct conn *c)
{
	struct sp_dial *d = of(c);

	tls_ctx_free(d->tls);
	free(d);
}

static const struct conn_ops ops = { .up = on_up, .frame = on_frame, .gone = on_gone, .free = on_free };

struct endpoint *sp_dial(struct loop *l, const char *url, enum transport_role role, const struct link_opts *o,
	const struct dial_events *ev, void *arg)
{
	struct sp_dial *d = calloc(1, sizeof *d);

	(void)role;
	if (!d) {
		log_error("%s: %s", url, strerror(errno));
		return NULL;
	}
	d->base.ep = (struct endpoint){ .t = &transport_sp, .url = url, .trouble = d->trouble };
	d->quiet = o && o->quiet;
	d->loop = l;
	d->ev = ev;
	d->arg = arg;
	d->id = (uint32_t)hash_random();
	d->away = clock_mono();
	d->backoff = (struct backoff){ .base = BACKOFF_FIRST, .max = BACKOFF_MAX };
	d->again = (struct loop_timer){ .fn = dial, .arg = d };
	conn_init(&d->c, l, &ops, NULL, SP_PAYLOAD_MAX);
	if (addr_parse(&d->addr, url))
		goto fail;
	if (!d->addr.ipc && !d->addr.host[0]) {
		log_error("%s: the host is missing", url);
		goto fail;
	}
	if (d->addr.tls && !(d->tls = tls_ctx_new(false, o ? o->tls_ca : NULL, o ? o->tls_cert : NULL,
	    o ? o->tls_key : NULL)))
		goto fail;
	if (loop_timer_in(l, &d->again, 0)) {
		log_error("%s: %s", url, strerror(ENOMEM));
		goto fail;
	}
	return &d->base.ep;
fail:
	tls_ctx_free(d->tls);
	free(d);
	return NULL;
}

void sp_ask(struct endpoint *e, const struct iovec *parts, int n)
{
	struct sp_dial *d = (struct sp_dial *)e;

	conn_release(&d->c);
	memcpy(d->parts, parts, (size_t)n * sizeof *parts);
	d->nparts = n;
	d->asking = true;
	if (e->up)
		send_question(d);
}

void sp_forget(struct endpoint *e)
{
	struct sp_dial *d = (struct sp_dial *)e;

	conn_release(&d->c);
	if (!d->asking)
		return;
	d->asking = false;
	/* The listener still works on it, and a second request beside it there may not be: a new connection. */
	if (e->up) {
		e->up = false;
		d->since = 0;
		d->away = clock_mono();
		conn_shut(&d->c);
		loop_timer_in(d->loop, &d->again, 0);
	}
}

void sp_dial_close(struct sp_dial *d)
{
	loop_timer_del(d->loop, &d->again);
	conn_end(&d->c);
}
