/*
 * fuzz_ack: the answers and requests of both exchanges. The first byte says which. What is understood must be written and
 * understood again as the same.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "link/ack.h"
#include "link/batch.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void need(int holds)
{
	if (!holds)
		abort();
}

static void same_refused(const struct refusal *a, size_t na, const struct refusal *b, size_t nb)
{
	need(na == nb);
	for (size_t i = 0; i < na; i++)
		need(a[i].n == b[i].n && a[i].retry == b[i].retry && !strcmp(a[i].error, b[i].error) && !a[i].detail == !b[i].detail &&
			(!a[i].detail || !strcmp(a[i].detail, b[i].detail)));
}

static void put_reply(const char *p, size_t n, struct buf *b)
{
	struct put_reply r, again;
	const char *why = NULL;

	if (put_reply_parse(p, n, &r, &why)) {
		need(why && !r.refused);
		return;
	}
	need(!put_reply_write(b, r.acked, r.refused, r.nrefused));
	need(!put_reply_parse(b->p, b->len, &again, &why));
	need(r.acked == again.acked);
	same_refused(r.refused, r.nrefused, again.refused, again.nrefused);
	put_reply_release(&r);
	put_reply_release(&again);
}

static void take_request(const char *p, size_t n, struct buf *b)
{
	struct take_request r, again;
	const char *why = NULL;

	if (take_request_parse(p, n, &r, &why)) {
		need(why && !r.refused);
		return;
	}
	need(!take_request_write(b, r.as, r.set, r.done, r.refused, r.nrefused, r.take));
	need(!take_request_parse(b->p, b->len, &again, &why));
	need(!strcmp(r.as, again.as) && !strcmp(r.done, again.done) && r.take == again.take);
	same_refused(r.refused, r.nrefused, again.refused, again.nrefused);
	take_request_release(&r);
	take_request_release(&again);
}

static void take_reply(const char *p, size_t n, struct buf *b)
{
	struct take_reply r, again;
	const char *why = NULL;

	if (take_reply_parse(p, n, &r, &why)) {
		need(why && !r.seq);
		return;
	}
	need(r.head <= n && batch_count(p + r.head, n - r.head) == (int64_t)r.n);
	need(!take_reply_write(b, r.batch, r.n, r.seq) && !buf_add(b, p + r.head, n - r.head));
	need(!take_reply_parse(b->p, b->len, &again, &why));
	need(!strcmp(r.batch, again.batch) && r.n == again.n && (!r.seq || r.n == 0) == !again.seq);
	need(!again.seq || !memcmp(r.seq, again.seq, r.n * sizeof *r.seq));
	take_reply_release(&r);
	take_reply_release(&again);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct buf b;

	if (size == 0)
		return 0;
	buf_init(&b, 64u << 20);
	if (data[0] == 'p')
		put_reply((const char *)data + 1, size - 1, &b);
	else if (data[0] == 'r')
		take_request((const char *)data + 1, size - 1, &b);
	else
		take_reply((const char *)data + 1, size - 1, &b);
	buf_release(&b);
	return 0;
}
