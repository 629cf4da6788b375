#include "gatewayd/wire/wsio.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "gatewayd/wire/wsio_impl.h"

#define FIN 0x80u
#define RSV 0x70u
#define MASK 0x80u
#define HEAD_MIN 2u

struct head { unsigned op; bool fin; size_t head, len; };	/* head: bytes before the payload */

static int fault(struct wsio *w, unsigned code, const char *why)
{
	w->code = code;
	snprintf(w->why, sizeof(w->why), "%s", why);
	return -1;
}

void wsio_release(struct wsio *w)
{
	buf_release(&w->part);
	buf_release(&w->msg);
}

/* ---- the head of a frame ---- */

static int check_head(struct wsio *w, const struct head *f, uint64_t len)
{
	if (f->op > WSIO_BINARY && f->op < WSIO_CLOSE)
		return fault(w, 1002, "a frame of an unknown kind");
	if (f->op > WSIO_PONG)
		return fault(w, 1002, "a control frame of an unknown kind");
	if (f->op >= WSIO_CLOSE && (!f->fin || len > WSIO_SMALL))
		return fault(w, 1002, "a control frame that is too long or in pieces");
	if (f->op == WSIO_MORE && !w->op)
		return fault(w, 1002, "a continuation of nothing");
	if ((f->op == WSIO_TEXT || f->op == WSIO_BINARY) && w->op)
		return fault(w, 1002, "a new message inside another");
	if (f->op < WSIO_CLOSE && (len > w->max || w->msg.len > w->max - len)) {
		w->code = 1009;
		snprintf(w->why, sizeof(w->why), "a message of %llu bytes; at most %zu are taken", (unsigned long long)(w->msg.len + len), w->max);
		return -1;
	}
	return 0;
}

/* 1 the head is whole, 0 more bytes are needed (f->head: at least so many), -1 a fault. */
static int read_head(struct wsio *w, const unsigned char *p, size_t n, struct head *f)
{
	uint64_t len;

	f->head = HEAD_MIN;
	if (n < HEAD_MIN)
		return 0;
	if (p[0] & RSV)
		return fault(w, 1002, "reserved bits are set: no extension was agreed on");
	if (p[1] & MASK)
		return fault(w, 1002, "a masked frame from a server");
	f->fin = p[0] & FIN;
	f->op = p[0] & 15u;
	len = p[1];
	if (len >= 126) {
		f->head = len == 126 ? 4 : 10;
		if (n < f->head)
			return 0;
		len = 0;
		for (size_t i = 2; i < f->head; i++)
			len = len << 8 | p[i];
	}
	if (check_head(w, f, len))
		return -1;
	f->len = (size_t)len;
	return 1;
}

/* ---- a whole frame ---- */

static bool code_ok(unsigned code)
{
	return (code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006) || (code >= 3000 && code <= 4999);
}

static int on_close(struct wsio *w, const char *p, size_t n, const struct wsio_handler *h, void *arg)
{
	char reason[WSIO_SMALL];
	unsigned code = 1005;

	w->closed = true;
	reason[0] = '\0';
	if (n == 1)
		return fault(w, 1002, "a close frame of one byte");
	if (n >= 2) {
		code = (unsigned)(unsigned char)p[0] << 8 | (unsigned char)p[1];
		if (!code_ok(code))
			return fault(w, 1002, "a close code that is none");
		if (utf8_bad(p + 2, p + n))
			return fault(w, 1007, "a close reason that is no UTF-8");
		memcpy(reason, p + 2, n - 2);
		reason[n - 2] = '\0';
	}
	return h->closed(arg, code, reason) ? 1 : 0;
}

static int on_message(struct wsio *w, unsigned op, const char *p, size_t n, const struct wsio_handler *h, void *arg)
{
	if (op == WSIO_TEXT && utf8_bad(p, p + n))
		return fault(w, 1007, "a text message that is no UTF-8");
	return h->message(arg, p, n, op == WSIO_BINARY) ? 1 : 0;
}

static int on_frame(struct wsio *w, const struct head *f, const char *p, const struct wsio_handler *h, void *arg)
{
	int rc;

	switch (f->op) {
	case WSIO_CLOSE:
		return on_close(w, p, f->len, h, arg);
	case WSIO_PING:
		return h->ping(arg, p, f->len) ? 1 : 0;
	case WSIO_PONG:
		return h->pong(arg) ? 1 : 0;
	case WSIO_TEXT:
	case WSIO_BINARY:
		if (f->fin)
			return on_message(w, f->op, p, f->len, h, arg);
		w->op = f->op;
		break;
	default:
		break;
	}
	if (buf_add(&w->msg, p, f->len))
		return fault(w, 1013, "no memory");
	if (!f->fin)
		return 0;
	/* The handler may end the struct: what is to be cleared is cleared before, and the bytes are its own until it returns. */
	struct buf whole = w->msg;
	unsigned op = w->op;

	buf_init(&w->msg, w->max);
	w->op = 0;
	rc = on_message(w, op, whole.p ? whole.p : "", whole.len, h, arg);
	buf_release(&whole);
	return rc;
}

/* ---- bytes ---- */

/* Takes from p what the frame in `part` still lacks; *used tells how much. */
static int feed_part(struct wsio *w, const char *p, size_t n, size_t *used, const struct wsio_handler *h, void *arg)
{
	struct head f;
	size_t want, k;
	int rc = read_head(w, (const unsigned char *)w->part.p, w->part.len, &f);

	if (rc < 0)
		return -1;
	want = rc ? f.head + f.len : f.head;
	k = want - w->part.len < n ? want - w->part.len : n;
	if (buf_add(&w->part, p, k))
		return fault(w, 1013, "no memory");
	*used = k;
	/* The head that has just become whole may be all there is. */
	if (!rc && (rc = read_head(w, (const unsigned char *)w->part.p, w->part.len, &f)) < 0)
		return -1;
	if (!rc || w->part.len < f.head + f.len)
		return 0;
	struct buf whole = w->part;

	buf_init(&w->part, w->max + 16);
	rc = on_frame(w, &f, whole.p + f.head, h, arg);
	buf_release(&whole);
	return rc;
}

static int feed_frames(struct wsio *w, const char *p, size_t n, const struct wsio_handler *h, void *arg)
{
	struct head f;
	int rc;

	while (n && !w->closed) {
		size_t used;

		if (w->part.len) {
			rc = feed_part(w, p, n, &used, h, arg);
		} else {
			rc = read_head(w, (const unsigned char *)p, n, &f);
			if (rc < 0)
				return -1;
			if (rc && f.len <= n - f.head) {
				used = f.head + f.len;
				rc = on_frame(w, &f, p + f.head, h, arg);
			} else {
				used = n;
				rc = buf_add(&w->part, p, n) ? fault(w, 1013, "no memory") : 0;
			}
		}
		if (rc)
			return rc;
		p += used;
		n -= used;
	}
	return 0;
}

/* Behind the end of the head; 0: it has not come. */
static size_t head_end(const char *p, size_t n)
{
	const char *end = memmem(p, n, "\r\n\r\n", 4);

	return end ? (size_t)(end - p) + 4 : 0;
}

int wsio_feed(struct wsio *w, const char *p, size_t n, const struct wsio_handler *h, void *arg)
{
	size_t end, before = w->part.len;

	if (w->open)
		return feed_frames(w, p, n, h, arg);
	/* At most the ceiling is kept: the rest of these bytes can only be frames. */
	size_t take = n < w->part.max - before ? n : w->part.max - before;

	if (buf_add(&w->part, p, take))
		return fault(w, 0, "no memory");
	end = head_end(w->part.p ? w->part.p : "", w->part.len);
	if (!end && w->part.len == w->part.max)
		return fault(w, 0, "handshake: the head of the answer is too long");
	if (!end) {
		/* Who answers something else than HTTP is not waited for. */
		if (w->part.len >= 7 && memcmp(w->part.p, "HTTP/1.", 7) != 0)
			return fault(w, 0, "handshake: the answer is no HTTP");
		return 0;
	}
	if (wsio_hello(w, w->part.p, end))
		return -1;
	buf_release(&w->part);
	buf_init(&w->part, w->max + 16);
	w->open = true;
	if (h->open(arg))
		return 1;
	return feed_frames(w, p + (end - before), n - (end - before), h, arg);
}

int wsio_frame(struct buf *out, enum wsio_op op, const void *data, size_t n, uint32_t mask)
{
	const unsigned char *p = data;
	unsigned char head[14], key[4];
	size_t k = 0;
	char *to;

	head[k++] = (unsigned char)(FIN | (unsigned)op);
	if (n < 126) {
		head[k++] = (unsigned char)(MASK | n);
	} else {
		unsigned bytes = n < 65536 ? 2 : 8;

		head[k++] = (unsigned char)(MASK | (bytes == 2 ? 126u : 127u));
		while (bytes--)
			head[k++] = (unsigned char)((uint64_t)n >> (8 * bytes));
	}
	memcpy(key, &mask, 4);
	memcpy(head + k, key, 4);
	k += 4;
	if (buf_reserve(out, k + n))
		return -1;
	buf_add(out, head, k);
	to = out->p + out->len;
	for (size_t i = 0; i < n; i++)
		to[i] = (char)(p[i] ^ key[i & 3]);
	out->len += n;
	return 0;
}

size_t wsio_close_text(char out[WSIO_SMALL], unsigned code, const char *reason)
{
	size_t n = strlen(reason);
	const char *bad;

	if (n > WSIO_SMALL - 2)
		n = WSIO_SMALL - 2;
	bad = utf8_bad(reason, reason + n);
	if (bad)
		n = (size_t)(bad - reason);
	out[0] = (char)(code >> 8);
	out[1] = (char)code;
	memcpy(out + 2, reason, n);
	return n + 2;
}
