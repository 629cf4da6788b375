/*
 * peer PROTOCOL PORT|PATH CONNS WINDOW < lines: load for other programs' intakes, the counterpart of put. Reads all of stdin into memory,
 * then gives each line as a message of its own to the server at a port of loopback or at a unix socket, on CONNS connections with WINDOW of them unacknowledged on
 * each; requests and answers are pipelined, and gathered into large writes and reads, as a good client would. Prints
 * "lines seconds lines/s". Exits 1 if a line was not acknowledged. PROTOCOL:
 *
 *   nats    JetStream: a file stream is made, every PUB has a reply subject and is acknowledged by the stream
 *   redis   XADD to one stream
 *   amqp    RabbitMQ: a durable quorum queue is made, persistent messages with publisher confirms
 *   relp    rsyslog: acknowledged syslog messages
 *   lines   each line as it is; nothing is acknowledged, all count as soon as they are written
 *
 * Only what this needs of each protocol is spoken; an answer that is not expected ends it with the answer's text.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"

#define OUT_FULL (256u << 10)		/* bytes gathered before they are written */

#define CONNS 256

static struct buf in;			/* the corpus */
static struct conn {
	int fd;
	struct buf out, got;		/* to be sent; received and not understood yet */
	size_t written;			/* of out */
	size_t sent, acked;
	uint64_t upto;			/* amqp: all tags to this one are confirmed; */
	unsigned char *done;		/* which ones are, */
	size_t tags;			/* of how many */
	unsigned number;		/* relp: of the last message */
} conns[CONNS], *c = conns;		/* c: the one at work */
static unsigned nconns;

struct protocol {
	const char *name;
	void (*hello)(void);			/* blocking: everything up to the first message */
	void (*add)(const char *line, size_t n);	/* one message to out */
	size_t (*answers)(const char *p, size_t n);	/* counts acks; bytes that were whole answers */
};

static void fail(const char *what, const char *p, size_t n)
{
	die(1, "%s: %.*s", what, (int)(n > 300 ? 300 : n), p);
}

static void add(const char *p, size_t n)
{
	if (buf_add(&c->out, p, n) < 0)
		die(1, "no memory");
}

static void __attribute__((format(printf, 1, 2))) addf(const char *fmt, ...)
{
	char text[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	add(text, (size_t)n);
}

static void send_all(void)
{
	for (size_t at = 0; at < c->out.len; ) {
		ssize_t n = write(c->fd, c->out.p + at, c->out.len - at);

		if (n < 0)
			die(1, "write: %m");
		at += (size_t)n;
	}
	buf_clear(&c->out);
}

static void receive(void)
{
	ssize_t n = buf_reserve(&c->got, 256 << 10) < 0 ? -1 : read(c->fd, c->got.p + c->got.len, c->got.cap - c->got.len);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0)
		fail(n < 0 ? strerror(errno) : "the server closed the connection", c->got.p, c->got.len);
	c->got.len += (size_t)n;
}

/* The first line end at or behind p, or NULL. */
static const char *line_end(const char *p, const char *end)
{
	return memchr(p, '\n', (size_t)(end - p));
}

/* Blocking: until `text` has come; all up to it is forgotten. */
static void wait_for(const char *text)
{
	for (;;) {
		char *at = c->got.len ? memmem(c->got.p, c->got.len, text, strlen(text)) : NULL;

		if (at) {
			buf_drop(&c->got, (size_t)(at - c->got.p) + strlen(text));
			return;
		}
		if (c->got.len && memmem(c->got.p, c->got.len, "-ERR", 4))
			fail("refused", c->got.p, c->got.len);
		receive();
	}
}

/* ---- NATS JetStream: https://docs.nats.io/reference/reference-protocols ---- */

static void nats_hello(void)
{
	static const char stream[] = "{\"name\":\"S\",\"subjects\":[\"s\"],\"storage\":\"file\",\"retention\":\"limits\",\"discard\":\"old\","
		"\"max_consumers\":-1,\"max_msgs\":-1,\"max_bytes\":-1,\"max_age\":0,\"num_replicas\":1}";

	wait_for("INFO ");
	wait_for("\n");
	addf("CONNECT {\"verbose\":false,\"pedantic\":false}\r\nSUB i%td.* 1\r\nPING\r\n", c - conns);
	send_all();
	wait_for("PONG\r\n");
	addf("PUB $JS.API.STREAM.CREATE.S i%td.made %zu\r\n%s\r\n", c - conns, sizeof stream - 1, stream);
	send_all();
	wait_for("stream_create_response\"");
	wait_for("\n");
}

static void nats_add(const char *line, size_t n)
{
	addf("PUB s i%td.a %zu\r\n", c - conns, n);
	add(line, n);
	add("\r\n", 2);
}

static size_t nats_answers(const char *p, size_t n)
{
	const char *at = p, *end = p + n, *lf, *body;

	while ((lf = line_end(at, end))) {
		if (memcmp(at, "PING", 4) == 0) {
			addf("PONG\r\n");
			at = lf + 1;
			continue;
		}
		if (memcmp(at, "MSG ", 4) != 0)
			fail("nats", at, (size_t)(end - at));
		for (body = lf; body[-1] != ' '; body--)
			;
		size_t size = strtoul(body, NULL, 10) + 2;
		if ((size_t)(end - lf - 1) < size)
			break;
		if (memmem(lf, size, "\"error\"", 7))
			fail("nats", lf + 1, size);
		c->acked++;
		at = lf + 1 + size;
	}
	return (size_t)(at - p);
}

/* ---- Redis: https://redis.io/docs/reference/protocol-spec/ ---- */

static void redis_hello(void)
{
	addf("*1\r\n$4\r\nPING\r\n");
	send_all();
	wait_for("+PONG\r\n");
}

static void redis_add(const char *line, size_t n)
{
	addf("*5\r\n$4\r\nXADD\r\n$1\r\ns\r\n$1\r\n*\r\n$1\r\ne\r\n$%zu\r\n", n);
	add(line, n);
	add("\r\n", 2);
}

static size_t redis_answers(const char *p, size_t n)
{
	const char *at = p, *end = p + n, *lf;

	/* "$15\r\n1795172950082-17\r\n": the id the entry got */
	while ((lf = line_end(at, end))) {
		if (*at != '$')
			fail("redis", at, (size_t)(end - at));
		lf = line_end(lf + 1, end);
		if (!lf)
			break;
		c->acked++;
		at = lf + 1;
	}
	return (size_t)(at - p);
}

/* ---- RELP: https://github.com/rsyslog/librelp/blob/master/doc/relp.html ---- */

static void relp_hello(void)
{
	static const char offer[] = "relp_version=0\nrelp_software=bench\ncommands=syslog";

	addf("%u open %zu %s\n", ++c->number, sizeof offer - 1, offer);
	send_all();
	wait_for(" 200 OK");
	wait_for("commands=");
	wait_for("\n");
}

static void relp_add(const char *line, size_t n)
{
	static const char head[] = "<13>1 - - - - - - ";

	addf("%u syslog %zu %s", ++c->number, sizeof head - 1 + n, head);
	add(line, n);
	add("\n", 1);
}

static size_t relp_answers(const char *p, size_t n)
{
	const char *at = p, *end = p + n, *lf;

	while ((lf = line_end(at, end))) {
		if (!memmem(at, (size_t)(lf - at), " rsp 6 200 OK", 13))
			fail("relp", at, (size_t)(lf - at));
		c->acked++;
		at = lf + 1;
	}
	return (size_t)(at - p);
}

/* ---- AMQP 0-9-1: https://www.rabbitmq.com/resources/specs/amqp0-9-1.pdf ---- */

enum { AMQP_METHOD = 1, AMQP_HEADER = 2, AMQP_BODY = 3, AMQP_HEARTBEAT = 8, AMQP_END = 0xce };

static void put_be(char *p, uint64_t v, int bytes)
{
	while (bytes-- > 0) {
		p[bytes] = (char)v;
		v >>= 8;
	}
}

static uint64_t get_be(const char *p, int bytes)
{
	uint64_t v = 0;

	while (bytes-- > 0)
		v = v << 8 | (unsigned char)*p++;
	return v;
}

static void amqp_frame(int type, int channel, const char *p, size_t n)
{
	char head[7], end = (char)AMQP_END;

	put_be(head, (uint64_t)type, 1);
	put_be(head + 1, (uint64_t)channel, 2);
	put_be(head + 3, n, 4);
	add(head, 7);
	add(p, n);
	add(&end, 1);
}

#define AMQP_SEND(channel, bytes) amqp_frame(AMQP_METHOD, channel, bytes, sizeof(bytes) - 1)

/* Blocking: the next frame must be this method. Its arguments are copied to `to`. */
static void amqp_expect(unsigned klass, unsigned method, char *to, size_t size)
{
	send_all();
	for (;;) {
		size_t n = c->got.len < 7 ? 0 : get_be(c->got.p + 3, 4);

		if (c->got.len < 8 || c->got.len < n + 8) {
			receive();
			continue;
		}
		if (c->got.p[0] != AMQP_METHOD || get_be(c->got.p + 7, 2) != klass || get_be(c->got.p + 9, 2) != method)
			fail("amqp", c->got.p, c->got.len);
		if (size)
			memcpy(to, c->got.p + 11, size);
		buf_drop(&c->got, n + 8);
		return;
	}
}

static void amqp_hello(void)
{
	char tune[8], ok[] = "\0\012\0\037........";

	add("AMQP\0\0\11\1", 8);
	amqp_expect(10, 10, NULL, 0);
	AMQP_SEND(0, "\0\12\0\13" "\0\0\0\0" "\5PLAIN" "\0\0\0\14" "\0guest\0guest" "\5en_US");
	amqp_expect(10, 30, tune, sizeof tune);
	memcpy(ok + 4, tune, 6);
	put_be(ok + 10, 0, 2);		/* no heartbeat */
	amqp_frame(AMQP_METHOD, 0, ok, 12);
	AMQP_SEND(0, "\0\12\0\50" "\1/" "\0" "\0");
	amqp_expect(10, 41, NULL, 0);
	AMQP_SEND(1, "\0\24\0\12" "\0");
	amqp_expect(20, 11, NULL, 0);
	AMQP_SEND(1, "\0\62\0\12" "\0\0" "\1q" "\2" "\0\0\0\30" "\14x-queue-type" "S" "\0\0\0\6quorum");	/* durable */
	amqp_expect(50, 11, NULL, 0);
	AMQP_SEND(1, "\0\125\0\12" "\0");
	amqp_expect(85, 11, NULL, 0);
}

static void amqp_add(const char *line, size_t n)
{
	char head[15] = "\0\74\0\0........\20\0\2";	/* delivery mode 2: persistent */

	AMQP_SEND(1, "\0\74\0\50" "\0\0" "\0" "\1q" "\0");
	put_be(head + 4, n, 8);
	amqp_frame(AMQP_HEADER, 1, head, sizeof head);
	amqp_frame(AMQP_BODY, 1, line, n);
}

static void amqp_done(uint64_t tag)
{
	if (tag >= c->tags) {
		size_t n = 2 * (tag + 1024);
		unsigned char *p = realloc(c->done, n);

		if (!p)
			die(1, "no memory");
		memset(p + c->tags, 0, n - c->tags);
		c->done = p;
		c->tags = n;
	}
	c->acked += !c->done[tag];
	c->done[tag] = 1;
}

/* Confirms may come for many at once ("multiple"), and of a quorum queue out of order. */
static size_t amqp_answers(const char *p, size_t n)
{
	const char *at = p, *end = p + n;

	while (end - at >= 8 && (size_t)(end - at) >= get_be(at + 3, 4) + 8) {
		if (at[0] == AMQP_METHOD && get_be(at + 7, 4) == (60u << 16 | 80u)) {
			uint64_t tag = get_be(at + 11, 8);

			for (; at[19] && c->upto < tag; c->upto++)
				amqp_done(c->upto + 1);
			amqp_done(tag);
		} else if (at[0] != AMQP_HEARTBEAT) {
			fail("amqp", at, (size_t)(end - at));
		}
		at += get_be(at + 3, 4) + 8;
	}
	return (size_t)(at - p);
}

/* ---- bare lines ---- */

static void lines_add(const char *line, size_t n)
{
	add(line, n);
	add("\n", 1);
	c->acked++;
}

static const struct protocol protocols[] = {
	{ "nats", nats_hello, nats_add, nats_answers },
	{ "redis", redis_hello, redis_add, redis_answers },
	{ "amqp", amqp_hello, amqp_add, amqp_answers },
	{ "relp", relp_hello, relp_add, relp_answers },
	{ "lines", NULL, lines_add, NULL },
};

static void slurp(void)
{
	ssize_t n;

	do {
		if (buf_reserve(&in, 1 << 20) < 0 || (n = read(0, in.p + in.len, in.cap - in.len)) < 0)
			die(1, "stdin: %m");
		in.len += (size_t)n;
	} while (n > 0);
}

static void dial(const char *to)
{
	struct sockaddr_in in4 = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(to)), .sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	bool path = strchr(to, '/');
	int one = 1;

	if (strlen(to) >= sizeof un.sun_path)
		die(1, "%s: too long for a unix socket", to);
	strcpy(un.sun_path, to);
	buf_init(&c->out, (size_t)1 << 30);
	buf_init(&c->got, (size_t)64 << 20);
	c->fd = socket(path ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || connect(c->fd, path ? (struct sockaddr *)&un : (struct sockaddr *)&in4, path ? sizeof un : sizeof in4) < 0)
		die(1, "%s: %m", to);
	if (!path)
		setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

/* More lines for a connection, once half its window is free: so they come in bursts, which any server does better with. */
static const char *fill(const struct protocol *with, size_t window, const char *p, const char *end)
{
	const char *lf;

	if (c->written < c->out.len || c->sent - c->acked > window / 2)
		return p;
	buf_clear(&c->out);
	c->written = 0;
	while (p < end && c->sent - c->acked < window && c->out.len < OUT_FULL && (lf = line_end(p, end))) {
		c->sent++;
		with->add(p, (size_t)(lf - p));
		p = lf + 1;
	}
	return p;
}

static void send_some(void)
{
	ssize_t n = write(c->fd, c->out.p + c->written, c->out.len - c->written);

	if (n < 0 && errno != EAGAIN)
		die(1, "write: %m");
	c->written += n > 0 ? (size_t)n : 0;
}

static size_t run(const struct protocol *with, size_t window)
{
	const char *p = in.p, *end = in.p + in.len;
	static struct pollfd pfd[CONNS];
	size_t all = 0;

	for (;;) {
		bool busy = p < end;

		for (unsigned i = 0; i < nconns; i++) {
			c = &conns[i];
			p = fill(with, window, p, end);
			if (c->written < c->out.len)
				send_some();
			busy = busy || c->acked < c->sent || c->written < c->out.len;
			pfd[i] = (struct pollfd){ c->fd, (short)(!with->answers ? POLLOUT : c->written < c->out.len ? POLLIN | POLLOUT : POLLIN), 0 };
		}
		if (!busy)
			break;
		if (poll(pfd, nconns, 60000) <= 0)
			die(1, "nothing moved for a minute");
		for (unsigned i = 0; i < nconns; i++) {
			c = &conns[i];
			if (pfd[i].revents & (POLLIN | POLLHUP | POLLERR) && with->answers) {
				receive();
				buf_drop(&c->got, with->answers(c->got.p, c->got.len));
			}
		}
	}
	for (unsigned i = 0; i < nconns; i++)
		all += conns[i].acked;
	return all;
}

int main(int argc, char **argv)
{
	const struct protocol *with = NULL;
	int64_t begin;
	size_t all;
	double s;

	for (size_t i = 0; argc == 5 && i < sizeof protocols / sizeof *protocols; i++)
		if (strcmp(argv[1], protocols[i].name) == 0)
			with = &protocols[i];
	if (!with || (nconns = (unsigned)atoi(argv[3])) < 1 || nconns > CONNS)
		return fprintf(stderr, "usage: peer nats|redis|amqp|relp|lines PORT|PATH CONNS WINDOW < lines\n"), 2;
	log_init("peer");
	buf_init(&in, (size_t)8 << 30);
	slurp();
	for (c = conns; c < conns + nconns; c++) {
		dial(argv[2]);
		if (with->hello)
			with->hello();
		fcntl(c->fd, F_SETFL, O_NONBLOCK);
	}
	begin = clock_mono();
	all = run(with, (size_t)strtoul(argv[4], NULL, 10));
	s = (double)(clock_mono() - begin) / 1e9;
	printf("%zu %.3f %.0f\n", all, s, (double)all / s);
	return 0;
}
