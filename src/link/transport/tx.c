#include "link/transport/tx.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/tls.h"

#define RECORD 16384u		/* most bytes in one record of TLS */

/* Joins parts into memory of our own, which becomes the only part. */
static int join(struct tx *t, const struct iovec *parts, int n)
{
	size_t len = 0, at = 0;
	char *p;

	for (int i = 0; i < n; i++)
		len += parts[i].iov_len;
	p = malloc(len ? len : 1);
	if (!p)
		return -1;
	for (int i = 0; i < n; at += parts[i++].iov_len)
		if (parts[i].iov_len)
			memcpy(p + at, parts[i].iov_base, parts[i].iov_len);
	free(t->copy);
	t->copy = p;
	t->v[0] = (struct iovec){ .iov_base = p, .iov_len = len };
	t->at = 0;
	t->n = len > 0;
	return 0;
}

int tx_set(struct tx *t, const struct iovec *parts, int n)
{
	t->at = t->n = 0;
	if (n > TX_PARTS)
		return join(t, parts, n);
	for (int i = 0; i < n; i++)
		if (parts[i].iov_len > 0)
			t->v[t->n++] = parts[i];
	return 0;
}

static ssize_t write_some(struct tx *t, int fd, struct tls *tls)
{
	struct iovec *v = t->v + t->at;
	int n = t->n - t->at;
	char gather[RECORD];
	size_t len = 0;

	if (!tls)
		return sendmsg(fd, &(struct msghdr){ .msg_iov = v, .msg_iovlen = (size_t)n }, MSG_NOSIGNAL);
	if (v->iov_len >= sizeof gather)
		return tls_write(tls, v->iov_base, v->iov_len);
	/* Small parts go in one record: head and message would be two packets otherwise. */
	for (; n > 0 && len < sizeof gather; v++, n--) {
		size_t k = v->iov_len < sizeof gather - len ? v->iov_len : sizeof gather - len;
		memcpy(gather + len, v->iov_base, k);
		len += k;
	}
	return tls_write(tls, gather, len);
}

int tx_flush(struct tx *t, int fd, struct tls *tls)
{
	while (tx_left(t)) {
		ssize_t n = write_some(t, fd, tls);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 0 : -1;
		for (size_t left = (size_t)n; tx_left(t); t->at++) {
			struct iovec *v = &t->v[t->at];
			if (left < v->iov_len) {
				v->iov_base = (char *)v->iov_base + left;
				v->iov_len -= left;
				break;
			}
			left -= v->iov_len;
		}
	}
	tx_drop(t);
	return 1;
}

int tx_keep(struct tx *t)
{
	struct iovec rest[TX_PARTS];
	int n = t->n - t->at;

	memcpy(rest, t->v + t->at, (size_t)n * sizeof *rest);
	return t->copy ? 0 : join(t, rest, n);
}

void tx_drop(struct tx *t)
{
	t->at = t->n = 0;
	free(t->copy);
	t->copy = NULL;
}
