#include "link/link.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "link/name.h"

void link_name(const struct link_opts *o, char out[ACK_NAME_MAX + 1])
{
	if (o && o->as)
		snprintf(out, ACK_NAME_MAX + 1, "%s", o->as);
	else
		snprintf(out, ACK_NAME_MAX + 1, "%.48s-%d", log_prog(), (int)getpid());
}

bool link_is_pipe(const char *url)
{
	return url && strcmp(url, "-") == 0;
}

/* ---- the blocking question ---- */

struct call {
	struct loop *loop;
	struct buf *reply;
	int rc;
	bool overflow;
};

static void on_reply(void *arg, void *cookie, const char *p, size_t n)
{
	struct call *c = arg;

	(void)cookie;
	if (p) {
		buf_clear(c->reply);
		c->overflow = buf_add(c->reply, p, n) != 0;
		c->rc = c->overflow ? -1 : 0;
	}
	loop_stop(c->loop);
}

int link_call(const char *url, const char *p, size_t n, int64_t timeout_ns, struct buf *reply)
{
	struct call c = { .loop = loop_new(), .reply = reply, .rc = -1 };
	struct link_req *r = NULL;
	const char *trouble;

	if (!c.loop) {
		log_error("%s: %s", url, strerror(errno));
		return -1;
	}
	r = link_req_open(c.loop, url, &(struct link_opts){ .quiet = true }, on_reply, &c);
	if (!r)
		goto done;
	if (link_req_send(r, p, n, timeout_ns, NULL) || loop_run(c.loop)) {
		log_error("%s: %s", url, strerror(errno));
		goto done;
	}
	trouble = link_req_trouble(r);
	if (c.overflow)
		log_error("%s: the answer is over the limit of %zu bytes", url, reply->max);
	else if (c.rc)
		log_error("%s: no answer within %lld ms: %s", url, (long long)(timeout_ns / CLOCK_MS),
			*trouble ? trouble : "whoever listens there is busy or hangs");
done:
	if (r)
		link_req_close(r);
	loop_free(c.loop);
	return c.rc;
}
