/*
 * probe_link: the link room from a shell.
 *
 *   transports                 the schemes there are
 *   server URL [WORD...]       a REP server; prints "ready URL", then a line for each event. WORD says how the first, second ... request is
 *                              answered, the last one all further: ack, refuse:N, retry:N, echo, parts (the request back,
 *                              in 100 parts), hold, drop, die, lines (prints the
 *                              request too, then acks), text:REPLY; default ack
 *   newest URL                 a server with newest_wins that holds every request; SIGUSR1 answers all with "late"
 *   paused URL                 a server that reads nothing until SIGUSR1
 *   deal URL FILE [N]          the hub's side of take: the lines of FILE, at most N in a batch; what a lost worker had goes round again
 *   put URL [BATCH]            stdin to the hub, BATCH lines at a time (default 256); prints the outcome of each batch
 *   take URL AS N [BATCHES]    takes N lines at a time and prints them; ends after BATCHES, or at the end of input; =LINES: when it has
 *                              so many, in however many batches they come
 *   ask URL TEXT [MS]          one question by link_call; prints the answer
 *   askfile URL FILE [MS]      the same by link_req, with what FILE holds
 *   work IN OUT [WORD]         a stage. Each line {...} makes: upper: itself in capitals; none: nothing; refuse: lines with "bad" refused; retry: lines with
 *                              "later" refused with retry the first 2 times; poison: every time; two: two lines; big: 5000 lines; tell: as upper, and says "has LINE" on
 *                              stderr; filter may precede: filter-upper
 *   hand URL N WORD MEMBERS    a worker by hand: takes N lines at a time, prints "batch N at MS" and the lines, and refuses those with WORD in
 *                              them with MEMBERS ("error":"no","retry":true,...); MEMBERS "die": exits at such a line
 *
 * -F N before the command: readiness (notify.h). TLS files come from $TLS_CA, $TLS_CERT, $TLS_KEY. PROBE_CONNS: connections of put, take and work. PROBE_SET: worker set.
 */
#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/notify.h"
#include "link/ack.h"
#include "link/batch.h"
#include "link/link.h"
#include "link/transport/transport.h"
#include "link/work.h"

static struct loop *loop;

static struct link_opts options(void)
{
	const char *conns = getenv("PROBE_CONNS");

	return (struct link_opts){
		.tls_ca = getenv("TLS_CA"), .tls_cert = getenv("TLS_CERT"), .tls_key = getenv("TLS_KEY"),
		.set = getenv("PROBE_SET"),
		.conns = conns ? (unsigned)atoi(conns) : 0,
	};
}

static void stop(void *arg, int signo)
{
	(void)arg, (void)signo;
	loop_stop(loop);
}

static int run(void)
{
	loop_signal(loop, SIGTERM, stop, NULL);	/* who is ready can be stopped */
	notify_ready();
	return loop_run(loop) ? 1 : 0;
}

static void reply(struct link_peer *peer, const char *p, size_t n)
{
	link_reply(peer, &(struct iovec){ .iov_base = (char *)(uintptr_t)p, .iov_len = n }, 1);
}

/* ---- server ---- */

struct script { char **words; int n, at; };

static void answer(struct link_peer *peer, const char *word, const char *p, size_t n)
{
	struct buf out;
	uint32_t lines = (uint32_t)batch_count(p, n);
	struct refusal r = { .error = "no good" };

	buf_init(&out, LINK_MESSAGE_BYTES);
	if (!strcmp(word, "lines")) {
		fwrite(p, 1, n, stdout);
		word = "ack";
	}
	if (!strcmp(word, "ack")) {
		put_reply_write(&out, lines, NULL, 0);
	} else if (!strncmp(word, "refuse:", 7) || !strncmp(word, "retry:", 6)) {
		r.n = (uint32_t)atoi(strchr(word, ':') + 1);
		r.retry = word[2] == 't';
		put_reply_write(&out, lines - 1, &r, 1);
	} else if (!strcmp(word, "echo")) {
		reply(peer, p, n);
	} else if (!strcmp(word, "parts")) {
		struct iovec v[100];
		for (size_t i = 0; i < 100; i++)
			v[i] = (struct iovec){ .iov_base = (char *)(uintptr_t)p + n * i / 100, .iov_len = n * (i + 1) / 100 - n * i / 100 };
		link_reply(peer, v, 100);
	} else if (!strncmp(word, "text:", 5)) {
		buf_adds(&out, word + 5);
	} else if (!strcmp(word, "drop")) {
		link_drop(peer, "as told");
	} else if (!strcmp(word, "die")) {
		kill(getpid(), SIGKILL);
	}
	if (out.len)
		reply(peer, out.p, out.len);
	buf_release(&out);
}

static void on_request(void *arg, struct link_peer *peer, const char *p, size_t n)
{
	struct script *s = arg;
	const char *word = s->n ? s->words[s->at < s->n ? s->at : s->n - 1] : "ack";

	s->at++;
	printf("request %zu bytes %lld lines\n", n, (long long)batch_count(p, n));
	answer(peer, word, p, n);
	fflush(stdout);
}

static void on_gone(void *arg, struct link_peer *peer)
{
	(void)arg, (void)peer;
	puts("gone");
}

static int serve(const char *url, const struct link_handler *h, void *arg, struct link_server **out)
{
	struct link_opts o = options();
	struct link_server *s = link_listen(loop, url, &o, h, arg);

	if (!s)
		return 1;
	if (out) {
		*out = s;
		link_server_pause(s, true);
	}
	printf("ready %s\n", link_server_url(s));
	int rc = run();
	link_server_close(s);
	return rc;
}

static int cmd_server(int argc, char **argv)
{
	struct script s = { .words = argv + 1, .n = argc - 1 };

	return serve(argv[0], &(struct link_handler){ .on_request = on_request, .on_gone = on_gone }, &s, NULL);
}

static void unpause(void *arg, int signo)
{
	(void)signo;
	link_server_pause(*(struct link_server **)arg, false);
	puts("reading");
}

static int cmd_paused(int argc, char **argv)
{
	static struct link_server *server;
	struct script s = { .words = argv + 1, .n = argc - 1 };

	loop_signal(loop, SIGUSR1, unpause, &server);
	return serve(argv[0], &(struct link_handler){ .on_request = on_request, .on_gone = on_gone }, &s, &server);
}

/* ---- newest ---- */

static struct link_peer *waiting[64];	/* NULL at the end */

static void on_newest(void *arg, struct link_peer *peer, const char *p, size_t n)
{
	size_t i = 0;

	(void)arg;
	printf("request %.*s\n", (int)n, p);
	while (waiting[i] && waiting[i] != peer)
		i++;
	if (i < sizeof waiting / sizeof *waiting - 1)
		waiting[i] = peer;
}

static void answer_all(void *arg, int signo)
{
	(void)arg, (void)signo;
	for (size_t i = 0; waiting[i]; i++) {
		reply(waiting[i], "late", 4);
		waiting[i] = NULL;
	}
}

static void on_newest_gone(void *arg, struct link_peer *peer)
{
	(void)arg;
	for (size_t i = 0; waiting[i]; i++) {
		if (waiting[i] != peer)
			continue;
		puts("gone while waiting");
		for (; waiting[i]; i++)
			waiting[i] = waiting[i + 1];
		return;
	}
}

static int cmd_newest(int argc, char **argv)
{
	(void)argc;
	loop_signal(loop, SIGUSR1, answer_all, NULL);
	return serve(argv[0], &(struct link_handler){ .on_request = on_newest, .on_gone = on_newest_gone,
		.newest_wins = true }, NULL, NULL);
}

/* ---- deal ---- */

struct dealt { struct dealt *next; char name[16]; const char *p; size_t len; uint32_t n; struct link_peer *to; };

struct dealer {
	struct buf text;
	size_t at;
	uint32_t most;
	unsigned made;
	uint64_t seq;
	struct dealt *out;		/* with a worker, or (to NULL) given back */
	struct link_peer *idle[16];
	size_t nidle;
};

static void deal_to(struct dealer *d, struct link_peer *peer, struct dealt *b)
{
	struct buf head;
	uint64_t seq[LINK_BATCH_LINES];

	for (uint32_t i = 0; i < b->n; i++)
		seq[i] = d->seq + i;
	buf_init(&head, LINK_MESSAGE_BYTES);
	take_reply_write(&head, b->name, b->n, seq);
	b->to = peer;
	printf("given %s %u\n", b->name, b->n);
	link_reply(peer, (struct iovec[]){ { head.p, head.len }, { (char *)(uintptr_t)b->p, b->len } }, 2);
	buf_release(&head);
}

static void deal(struct dealer *d, struct link_peer *peer, uint32_t take)
{
	struct dealt *b = d->out;

	while (b && b->to)
		b = b->next;
	if (!b && d->at < d->text.len) {
		const char *p = d->text.p + d->at, *end = d->text.p + d->text.len;
		size_t n;
		b = calloc(1, sizeof *b);
		b->p = p;
		while (b->n < take && b->n < d->most && batch_next(&p, end, &n))
			b->n++;
		b->len = (size_t)(p - b->p);
		d->at += b->len;
		snprintf(b->name, sizeof b->name, "b%u", ++d->made);
		b->next = d->out;
		d->out = b;
	}
	if (b)
		deal_to(d, peer, b);
	else
		d->idle[d->nidle++] = peer;
}

static void on_take(void *arg, struct link_peer *peer, const char *p, size_t n)
{
	struct dealer *d = arg;
	struct take_request r;
	const char *why;

	if (take_request_parse(p, n, &r, &why)) {
		link_drop(peer, why);
		return;
	}
	if (r.done[0]) {
		printf("done %s by %s, %zu refused", r.done, r.as, r.nrefused);
		for (size_t i = 0; i < r.nrefused; i++)
			printf(" [%u %s%s]", r.refused[i].n, r.refused[i].error, r.refused[i].retry ? ", retry" : "");
		puts("");
		for (struct dealt **b = &d->out; *b; b = &(*b)->next) {
			struct dealt *gone = *b;
			if (!strcmp(gone->name, r.done)) {
				*b = gone->next;
				free(gone);
				break;
			}
		}
		if (!d->out && d->at == d->text.len)
			puts("all done");
	}
	if (r.take)
		deal(d, peer, r.take);
	else
		reply(peer, "{\"ok\":true}\n", 12);
	take_request_release(&r);
}

static void on_worker_gone(void *arg, struct link_peer *peer)
{
	struct dealer *d = arg;

	for (size_t i = 0; i < d->nidle; i++)
		if (d->idle[i] == peer)
			d->idle[i--] = d->idle[--d->nidle];
	for (struct dealt *b = d->out; b; b = b->next) {
		if (b->to != peer)
			continue;
		printf("lost %s\n", b->name);
		b->to = NULL;
		if (d->nidle)
			deal(d, d->idle[--d->nidle], d->most);
	}
}

static int cmd_deal(int argc, char **argv)
{
	struct dealer d = { .most = argc > 2 ? (uint32_t)atoi(argv[2]) : 256, .seq = 1000 };
	FILE *f = fopen(argv[1], "r");
	char part[65536];
	size_t n;

	if (!f)
		die(1, "%s: %s", argv[1], strerror(errno));
	buf_init(&d.text, 1u << 30);
	while ((n = fread(part, 1, sizeof part, f)) > 0)
		buf_add(&d.text, part, n);
	fclose(f);
	int rc = serve(argv[0], &(struct link_handler){ .on_request = on_take, .on_gone = on_worker_gone,
		.newest_wins = true }, &d, NULL);
	buf_release(&d.text);
	for (struct dealt *b = d.out, *next; b; b = next) {
		next = b->next;
		free(b);
	}
	return rc;
}

/* ---- put ---- */

struct putter { struct link_put *put; struct buf lines; uint32_t n, most; bool end; int bad; };

static bool next_batch(struct putter *p)
{
	static char *line;
	static size_t cap;
	ssize_t n;

	if (p->n)
		return true;
	buf_clear(&p->lines);
	while (p->n < p->most && (n = getline(&line, &cap, stdin)) > 0) {
		buf_add(&p->lines, line, (size_t)n);
		p->n++;
	}
	p->end = p->n == 0;
	if (p->end) {
		free(line);
		line = NULL;
	}
	return !p->end;
}

static void put_more(void *arg)
{
	struct putter *p = arg;

	while (!p->end && next_batch(p)) {
		int rc = link_put_send(p->put, p->lines.p, p->lines.len, p->n, NULL);
		if (rc == 0)
			return;
		if (rc < 0) {
			printf("not sent: %s\n", strerror(errno));
			p->bad = 1;
		}
		p->n = 0;
	}
	if (link_put_pending(p->put) == 0)
		loop_stop(loop);
}

static void on_result(void *arg, void *cookie, const struct put_result *r)
{
	struct putter *p = arg;

	(void)cookie;
	printf("acked %u refused %zu", r->acked, r->nrefused);
	for (size_t i = 0; i < r->nrefused; i++)
		printf(" [%u %s%s]", r->refused[i].n, r->refused[i].error, r->refused[i].retry ? ", retry" : "");
	puts("");
	put_more(p);
}

static void on_dead(void *arg)
{
	struct putter *p = arg;

	p->bad = 1;
	fprintf(stderr, "dead\n");
	loop_stop(loop);
}

static int cmd_put(int argc, char **argv)
{
	struct putter p = { .most = argc > 1 ? (uint32_t)atoi(argv[1]) : 256 };
	struct link_opts o = options();

	if (!strcmp(argv[0], "-"))
		stdout = stderr;	/* stdout is where the lines go */
	buf_init(&p.lines, 1u << 30);
	p.put = link_put_open(loop, argv[0], &o, on_result, put_more, on_dead, &p);
	if (!p.put)
		return 1;
	put_more(&p);
	int rc = run() || p.bad;
	link_put_close(p.put);
	buf_release(&p.lines);
	return rc;
}

/* ---- take ---- */

struct taker { struct link_take *take; long left; bool lines; unsigned most; };	/* left: batches, or lines; 0 at first: no end */

static void drained(void *arg)
{
	(void)arg;
	loop_stop(loop);
}

/* No more than are to come. */
static unsigned wanted(const struct taker *t)
{
	return t->lines && t->left < t->most ? (unsigned)t->left : t->most;
}

static void on_batch(void *arg, struct batch *b)
{
	struct taker *t = arg;

	fwrite(b->lines, 1, b->len, stdout);
	if (b->seq)
		fprintf(stderr, "seq %llu to %llu\n", (unsigned long long)b->seq[0], (unsigned long long)b->seq[b->n - 1]);
	fflush(stdout);
	bool over = t->left > 0 && (t->left -= t->lines ? b->n : 1) <= 0;
	if (t->lines && !over)
		link_take_want(t->take, wanted(t));
	link_take_done(t->take, b, NULL, 0);
	if (over)
		link_take_drain(t->take, drained);
}

static int cmd_take(int argc, char **argv)
{
	bool lines = argc > 3 && argv[3][0] == '=';
	struct taker t = { .left = argc > 3 ? atol(argv[3] + lines) : 0, .lines = lines, .most = (unsigned)atoi(argv[2]) };
	struct link_opts o = options();

	o.as = argv[1];
	o.take = wanted(&t);
	t.take = link_take_open(loop, argv[0], &o, on_batch, drained, &t);
	if (!t.take)
		return 1;
	int rc = run() || link_take_dropped(t.take);
	link_take_close(t.take);
	return rc;
}

/* ---- ask ---- */

static int cmd_ask(int argc, char **argv)
{
	struct buf out;

	buf_init(&out, LINK_MESSAGE_BYTES);
	int rc = link_call(argv[0], argv[1], strlen(argv[1]), (argc > 2 ? atoi(argv[2]) : 5000) * CLOCK_MS, &out);
	if (rc == 0)
		fwrite(out.p, 1, out.len, stdout);
	buf_release(&out);
	return rc ? 1 : 0;
}

static void on_answer(void *arg, void *cookie, const char *p, size_t n)
{
	bool *answered = arg;

	(void)cookie;
	*answered = p != NULL;
	if (p)
		fwrite(p, 1, n, stdout);
	loop_stop(loop);
}

static int cmd_askfile(int argc, char **argv)
{
	struct link_opts o = options();
	bool answered = false;
	struct buf in;

	buf_init(&in, LINK_MESSAGE_BYTES);
	if (fd_read_file(argv[1], &in))
		die(1, "%s: %s", argv[1], strerror(errno));
	struct link_req *r = link_req_open(loop, argv[0], &o, on_answer, &answered);
	if (r && link_req_send(r, in.p, in.len, (argc > 2 ? atoi(argv[2]) : 5000) * CLOCK_MS, NULL) == 0)
		run();
	if (r)
		link_req_close(r);
	buf_release(&in);
	return !answered;
}

/* ---- work ---- */

struct stage { const char *word; unsigned tries; };

static int on_line(void *arg, const char *p, size_t n, uint64_t seq, struct buf *out, const char **why, bool *retry)
{
	struct stage *s = arg;

	(void)seq;
	if (!strcmp(s->word, "refuse") && memmem(p, n, "bad", 3)) {
		*why = "it is bad";
		return -1;
	}
	if (!strcmp(s->word, "poison") && memmem(p, n, "later", 5)) {
		*why = "never";
		*retry = true;
		return -1;
	}
	if (!strcmp(s->word, "retry") && memmem(p, n, "later", 5) && s->tries++ < 2) {
		*why = "not now";
		*retry = true;
		return -1;
	}
	if (!strcmp(s->word, "none"))
		return 0;
	if (!strcmp(s->word, "tell"))
		fprintf(stderr, "has %.*s\n", (int)n, p);
	int copies = !strcmp(s->word, "big") ? 5000 : !strcmp(s->word, "two") ? 2 : 1;
	for (int c = 0; c < copies; c++) {
		for (size_t i = 0; i < n; i++)
			buf_addc(out, (char)toupper((unsigned char)p[i]));
		buf_addc(out, '\n');
	}
	return 0;
}

static void on_reload(void *arg)
{
	(void)arg;
	fprintf(stderr, "reloaded\n");
}

static int fail_once(void *arg)
{
	struct stage *s = arg;

	return !strcmp(s->word, "commit") && s->tries++ < 2 ? -1 : 0;
}

static int cmd_work(int argc, char **argv)
{
	struct stage s = { .word = argc > 2 ? argv[2] : "upper" };
	struct work w = { .in = argv[0], .out = strcmp(argv[1], "none") ? argv[1] : NULL, .opts = options(), .arg = &s,
		.line = on_line, .reload = on_reload, .commit = fail_once };

	w.opts.as = "probe";
	if (!strncmp(s.word, "filter-", 7)) {
		s.word += 7;
		w.filter = true;
	}
	return work_run(&w);
}

/* ---- hand ---- */

struct hand { struct link_req *req; const char *n, *word, *members; };

static void hand_ask(struct hand *h, const char *done, const struct buf *refused)
{
	const char *set = getenv("PROBE_SET");
	struct buf b;

	buf_init(&b, LINK_MESSAGE_BYTES);
	buf_printf(&b, "{\"as\":\"hand\",\"take\":%s", h->n);
	if (set)
		buf_printf(&b, ",\"set\":\"%s\"", set);
	if (done)
		buf_printf(&b, ",\"done\":\"%s\"", done);
	if (refused && refused->len)
		buf_printf(&b, ",\"refused\":[%.*s]", (int)refused->len, refused->p);
	buf_adds(&b, "}");
	if (link_req_send(h->req, b.p, b.len, 0, NULL))
		die(1, "%s", strerror(errno));
	buf_release(&b);
}

static void on_hand(void *arg, void *cookie, const char *p, size_t n)
{
	struct hand *h = arg;
	struct take_reply r;
	const char *why, *at = p, *line;
	struct buf refused;
	size_t len;

	(void)cookie;
	if (!p || take_reply_parse(p, n, &r, &why))
		die(1, "no batch: %.*s", p ? (int)n : 0, p ? p : "");
	buf_init(&refused, LINK_MESSAGE_BYTES);
	at += r.head;
	printf("batch %u at %lld\n", r.n, (long long)(clock_mono() / CLOCK_MS));
	for (uint32_t i = 1; (line = batch_next(&at, p + n, &len)); i++) {
		printf("%.*s\n", (int)len, line);
		if (!memmem(line, len, h->word, strlen(h->word)))
			continue;
		if (!strcmp(h->members, "die"))
			_exit(1);
		buf_printf(&refused, "%s{\"n\":%u,%s}", refused.len ? "," : "", i, h->members);
	}
	fflush(stdout);
	hand_ask(h, r.batch[0] ? r.batch : NULL, &refused);
	buf_release(&refused);
	take_reply_release(&r);
}

static int cmd_hand(int argc, char **argv)
{
	struct link_opts o = options();
	struct hand h = { .n = argv[1], .word = argv[2], .members = argv[3] };

	(void)argc;
	h.req = link_req_open(loop, argv[0], &o, on_hand, &h);
	if (!h.req)
		return 1;
	hand_ask(&h, NULL, NULL);
	int rc = run();
	link_req_close(h.req);
	return rc;
}

static int cmd_transports(int argc, char **argv)
{
	(void)argc, (void)argv;
	for (size_t i = 0; transports[i]; i++)
		puts(transports[i]->schemes);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct { const char *name; int least; int (*fn)(int argc, char **argv); } commands[] = {
		{ "transports", 0, cmd_transports },
		{ "server", 1, cmd_server },
		{ "newest", 1, cmd_newest },
		{ "paused", 1, cmd_paused },
		{ "deal", 2, cmd_deal },
		{ "put", 1, cmd_put },
		{ "take", 3, cmd_take },
		{ "ask", 2, cmd_ask },
		{ "askfile", 2, cmd_askfile },
		{ "work", 2, cmd_work },
		{ "hand", 4, cmd_hand },
	};

	log_init("probe");
	log_set(LOG_TEXT, LOG_INFO);
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc > 2 && !strcmp(argv[1], "-F")) {
		notify_fd = atoi(argv[2]);
		argv += 2;
		argc -= 2;
	}
	for (size_t i = 0; argc > 1 && i < sizeof commands / sizeof *commands; i++) {
		if (strcmp(argv[1], commands[i].name) || argc - 2 < commands[i].least)
			continue;
		loop = loop_new();
		if (!loop)
			die(1, "%s", strerror(errno));
		int rc = commands[i].fn(argc - 2, argv + 2);
		loop_free(loop);
		return rc;
	}
	fprintf(stderr, "usage: see the head of tests/unit/probe_link.c\n");
	return 2;
}
