#include "gatewayd/edge.h"

#include <errno.h>
#include <libwebsockets.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"

_Static_assert(EDGE_PRE >= LWS_PRE, "libwebsockets writes a longer frame header");

#define CLOSE_TIMEOUT 5		/* seconds for a peer to take part in closing */

/* Hands a connection to libwebsockets; open until the handshake was answered. */
struct ws {
	struct edge *edge;
	struct lws *wsi;
	const struct ws_handler *h;
	void *arg;
	struct buf in;			/* a message whose last piece has not come */
	struct ws *next;		/* among those waiting to be handed over */
	int fd;
	char *head;			/* the handshake and what came behind it, until handed over */
	size_t nhead;
	unsigned close_code;
	char close_reason[124];
	bool open;
	bool close_sent;		/* libwebsockets was told: it waits for the peer's close frame */
};

struct edge {
	struct loop *loop;
	struct edge_opts opts;
	struct lws_context *ctx;
	struct lws_vhost *vhost;
	struct ws *waiting;		/* to be handed over at the end of this round */
	struct ws *entering;		/* being handed over now: its wsi is not known yet */
	lws_retry_bo_t idle;
	struct lws_protocols protocols[3];
};

/* libwebsockets' own messages are about its insides: only for -v. */
static void emit(int level, const char *line)
{
	(void)level;
	log_debug("libwebsockets: %.*s", (int)strcspn(line, "\n"), line);
}

static void ws_free(struct ws *ws)
{
	buf_release(&ws->in);
	free(ws->head);
	free(ws);
}

static void ws_end(struct ws *ws)
{
	ws->h->on_gone(ws->arg);
	ws_free(ws);
}

/* ---- messages in ---- */

static int receive(struct ws *ws, const char *p, size_t n)
{
	struct lws *wsi = ws->wsi;

	if (ws->close_code)
		return 0;
	if (lws_frame_is_binary(wsi)) {
		ws_close(ws, 1003, "text messages only");
		return 0;
	}
	if (buf_add(&ws->in, p, n)) {
		if (errno == EMSGSIZE)
			ws_close(ws, 1009, "the message is too large");
		else
			ws_close(ws, 1013, "no memory, try again later");
		return 0;
	}
	/* Pieces come as they are read, not as they were sent. */
	if (lws_remaining_packet_payload(wsi) || !lws_is_final_fragment(wsi))
		return 0;
	ws->h->on_text(ws->arg, ws->in.p ? ws->in.p : "", ws->in.len);
	buf_clear(&ws->in);
	return 0;
}

static int writable(struct ws *ws)
{
	if (!ws->close_code) {
		ws->h->on_writable(ws->arg);
		if (!ws->close_code)
			return 0;
	}
	if (ws->close_sent)
		return 0;	/* a second -1 would end the connection under the close frame that is on its way */
	ws->close_sent = true;
	lws_close_reason(ws->wsi, (enum lws_close_status)ws->close_code, (unsigned char *)ws->close_reason,
		strlen(ws->close_reason));
	return -1;
}

static int established(struct edge *e, struct lws *wsi, struct ws **user)
{
	struct ws *ws = e->entering;

	if (!ws)
		return -1;
	*user = ws;
	ws->wsi = wsi;
	ws->open = true;
	ws->h->on_open(ws->arg, ws);
	return 0;
}

static int on_event(struct lws *wsi, enum lws_callback_reasons why, void *user, void *in, size_t len)
{
	struct edge *e = lws_context_user(lws_get_context(wsi));
	struct ws **slot = user, *ws = slot ? *slot : NULL;

	switch (why) {
	case LWS_CALLBACK_ESTABLISHED:
		return established(e, wsi, slot);
	case LWS_CALLBACK_RECEIVE:
		return ws ? receive(ws, in, len) : -1;
	case LWS_CALLBACK_SERVER_WRITEABLE:
		return ws ? writable(ws) : -1;
	case LWS_CALLBACK_CLOSED:
		if (ws) {
			*slot = NULL;
			if (e->entering == ws)
				e->entering = NULL;
			ws_end(ws);
		}
		return 0;
	case LWS_CALLBACK_HTTP:
		return -1;		/* nothing but handshakes is handed over */
	default:
		return 0;
	}
}

/* ---- handing over ---- */

int edge_upgrade(struct edge *e, int fd, const char *key, size_t nkey, const char *rest, size_t nrest,
	const struct ws_handler *h, void *arg)
{
	struct ws *ws = calloc(1, sizeof(*ws));
	struct buf head;

	/* libwebsockets is given a handshake of our own wording: the stranger's was read by http/http.c. */
	buf_init(&head, 512 + nkey + nrest);
	if (!ws || buf_printf(&head, "GET /chat HTTP/1.1\r\nHost: penstock\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %.*s\r\nSec-WebSocket-Protocol: %s\r\n\r\n", (int)nkey, key,
		e->opts.protocol) || buf_add(&head, rest, nrest)) {
		buf_release(&head);
		free(ws);
		close(fd);
		return -1;
	}
	ws->edge = e;
	ws->fd = fd;
	ws->h = h;
	ws->arg = arg;
	ws->head = head.p;
	ws->nhead = head.len;
	buf_init(&ws->in, e->opts.max_message);
	ws->next = e->waiting;
	e->waiting = ws;
	return 0;
}

static void hand_over(struct edge *e)
{
	struct ws *ws;

	while ((ws = e->waiting)) {
		struct lws *wsi;

		e->waiting = ws->next;
		e->entering = ws;
		/* The handshake is answered inside this call, and on_open called. */
		wsi = lws_adopt_socket_vhost_readbuf(e->vhost, ws->fd, ws->head, ws->nhead);
		if (!e->entering)
			continue;	/* opened and ended inside the call */
		e->entering = NULL;
		if (!ws->open) {
			log_warn("a WebSocket handshake failed");
			if (wsi)
				lws_set_timeout(wsi, PENDING_TIMEOUT_CLOSE_ACK, LWS_TO_KILL_ASYNC);
			ws_end(ws);
			continue;
		}
		free(ws->head);
		ws->head = NULL;
	}
}

void ws_want_write(struct ws *ws)
{
	lws_callback_on_writable(ws->wsi);
}

int ws_send(struct ws *ws, char *p, size_t n)
{
	if (lws_write(ws->wsi, (unsigned char *)p + EDGE_PRE, n, LWS_WRITE_TEXT) >= (int)n)
		return 0;
	ws_close(ws, 1011, "the connection is lost");
	return -1;
}

bool ws_room(struct ws *ws)
{
	return !ws->close_code && !lws_send_pipe_choked(ws->wsi);
}

void ws_close(struct ws *ws, unsigned code, const char *reason)
{
	if (ws->close_code)
		return;
	ws->close_code = code;
	snprintf(ws->close_reason, sizeof(ws->close_reason), "%s", reason);
	lws_set_timeout(ws->wsi, PENDING_TIMEOUT_CLOSE_SEND, CLOSE_TIMEOUT);
	lws_callback_on_writable(ws->wsi);
}

/* ---- life ---- */

static int watch_loop(struct edge *e)
{
	lws_sock_file_fd_type fd;

	/* A copy: libwebsockets closes what it was given. */
	fd.filefd = loop_fd(e->loop) < 0 ? -1 : dup(loop_fd(e->loop));
	if (fd.filefd < 0)
		return -1;
	return lws_adopt_descriptor_vhost(e->vhost, LWS_ADOPT_RAW_FILE_DESC, fd, "loop", NULL) ? 0 : -1;
}

struct edge *edge_open(struct loop *l, const struct edge_opts *o)
{
	struct edge *e = calloc(1, sizeof(*e));
	struct lws_context_creation_info info;

	if (!e) {
		log_error("out of memory");
		return NULL;
	}
	e->loop = l;
	e->opts = *o;
	e->idle.secs_since_valid_ping = (uint16_t)(o->ping / CLOCK_S);
	e->idle.secs_since_valid_hangup = (uint16_t)(o->hangup / CLOCK_S);
	e->protocols[0] = (struct lws_protocols){.name = "loop", .callback = on_event};
	e->protocols[1] = (struct lws_protocols){.name = o->protocol, .callback = on_event,
		.per_session_data_size = sizeof(struct ws *)};
	lws_set_log_level(LLL_ERR | LLL_WARN, emit);
	memset(&info, 0, sizeof(info));
	info.port = CONTEXT_PORT_NO_LISTEN_SERVER;
	info.protocols = e->protocols;
	info.gid = (gid_t)-1;
	info.uid = (uid_t)-1;
	info.user = e;
	info.retry_and_idle_policy = &e->idle;
	info.timeout_secs = 10;
	info.options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_VALIDATE_UTF8 |
		LWS_SERVER_OPTION_SKIP_SERVER_CANONICAL_NAME;
	e->ctx = lws_create_context(&info);
	if (e->ctx)
		e->vhost = lws_create_vhost(e->ctx, &info);
	if (!e->vhost || watch_loop(e)) {
		log_error("libwebsockets cannot be started");
		edge_close(e);
		return NULL;
	}
	return e;
}

void edge_close(struct edge *e)
{
	if (!e)
		return;
	while (e->waiting) {
		struct ws *ws = e->waiting;

		e->waiting = ws->next;
		close(ws->fd);
		ws_end(ws);
	}
	if (e->ctx)
		lws_context_destroy(e->ctx);
	free(e);
}

int edge_run(struct edge *e, void (*each_round)(void *arg), void *arg)
{
	for (;;) {
		int rc = loop_poll(e->loop);

		hand_over(e);
		each_round(arg);
		if (rc < 0 || loop_stopping(e->loop))
			return 0;
		if (lws_service(e->ctx, 0) < 0) {
			log_error("libwebsockets gave up waiting: %s", strerror(errno));
			return -1;
		}
	}
}
