/* sp: nng's REQ and REP on our own loop, over unix sockets, TCP and TLS. Diallers are REQ, listeners REP. */
#include "link/transport/sp.h"

static void sp_pause(struct endpoint *e, bool on)
{
	struct sp_endpoint *s = (struct sp_endpoint *)e;

	if (s->listens)
		sp_listen_pause((struct sp_listen *)e, on);
}

static void sp_close(struct endpoint *e)
{
	struct sp_endpoint *s = (struct sp_endpoint *)e;

	if (s->listens)
		sp_listen_close((struct sp_listen *)e);
	else
		sp_dial_close((struct sp_dial *)e);
}

const struct transport transport_sp = {
	.name = "sp",
	.schemes = "ipc abstract tcp tls+tcp",
	.dial = sp_dial,
	.listen = sp_listen,
	.ask = sp_ask,
	.forget = sp_forget,
	.pause = sp_pause,
	.reply = sp_reply,
	.release = sp_release,
	.drop = sp_drop,
	.close = sp_close,
};
