/* gatewayd: the edge. Chat platforms, browsers and HTTP on one side, lines for the hub on the other. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/notify.h"
#include "gatewayd/api.h"
#include "gatewayd/browser/browser.h"
#include "gatewayd/config.h"
#include "gatewayd/control.h"
#include "gatewayd/edge.h"
#include "gatewayd/http/server.h"
#include "gatewayd/intake.h"
#include "gatewayd/metrics.h"
#include "gatewayd/outlet.h"
#include "gatewayd/upstream/upstream.h"

#define OTHER_FDS 64u		/* besides connections */
#define PLATFORM_FDS 8192u	/* connections to platforms, requests to them, files of accounts */

struct gatewayd {
	struct config config;
	struct loop *loop;
	struct edge *edge;
	struct server *server;
	struct outlet *outlet;
	struct browser *browser;
	struct upstream *upstream;	/* NULL: no accounts */
	struct control *control;
	struct intake intake;
	struct api api;
	struct loop_timer drain_end;
	bool ready, draining;
	int code;
};

/* ---- stopping ---- */

static void on_drain_end(void *arg)
{
	struct gatewayd *g = arg;

	if (g->upstream && upstream_waiting(g->upstream))
		log_warn("stopping with %zu lines of platforms that the hub has not acknowledged", upstream_waiting(g->upstream));
	if (outlet_pending(g->outlet) || server_open_requests(g->server))
		log_warn("stopping with %zu events and %zu requests unfinished", outlet_pending(g->outlet),
			server_open_requests(g->server));
	loop_stop(g->loop);
}

static void on_stop(void *arg, int signo)
{
	struct gatewayd *g = arg;

	(void)signo;
	if (g->draining)
		return;
	g->draining = true;
	notify_stopping();
	log_info("stopping");
	server_drain(g->server);
	browser_drain(g->browser);
	if (g->upstream)
		upstream_drain(g->upstream);
	loop_timer_in(g->loop, &g->drain_end, g->config.drain_time);
}

static void on_hup(void *arg, int signo)
{
	struct gatewayd *g = arg;

	(void)signo;
	if (g->upstream)
		upstream_reload(g->upstream);
	else
		log_info("there is nothing to read again; a changed configuration takes a restart");
}

static void on_stdout_gone(void *arg)
{
	struct gatewayd *g = arg;

	log_error("standard output was closed");
	g->code = 1;
	loop_stop(g->loop);
}

static void each_round(void *arg)
{
	struct gatewayd *g = arg;

	if (g->upstream)
		upstream_round(g->upstream);
	outlet_flush(g->outlet);
	if (!g->ready && api_ready(&g->api)) {
		g->ready = true;
		notify_ready();
	}
	if (g->draining && outlet_pending(g->outlet) == 0 && server_open_requests(g->server) == 0 &&
	    browser_clients(g->browser) == 0 && (!g->upstream || upstream_idle(g->upstream)))
		loop_stop(g->loop);
}

/* ---- starting ---- */

/* Every connection is a descriptor. Not unlimited: libwebsockets makes a table of as many as there may be. */
static void raise_files(uint64_t conns, bool platforms)
{
	struct rlimit lim;
	rlim_t want = (rlim_t)conns + OTHER_FDS + (platforms ? PLATFORM_FDS : 0);

	if (getrlimit(RLIMIT_NOFILE, &lim))
		return;
	lim.rlim_cur = lim.rlim_max == RLIM_INFINITY || want < lim.rlim_max ? want : lim.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &lim))
		log_warn("cannot allow %llu open files: %s", (unsigned long long)want, strerror(errno));
	else if (lim.rlim_cur < want)
		log_warn("%llu files may be open, and max-connections%s may need %llu: want a higher limit (ulimit -n, LimitNOFILE)",
			(unsigned long long)lim.rlim_cur, platforms ? " and connections to platforms" : "", (unsigned long long)want);
}

static int open_all(struct gatewayd *g)
{
	const struct config *c = &g->config;

	g->loop = loop_new();
	if (!g->loop || loop_signal(g->loop, SIGTERM, on_stop, g) || loop_signal(g->loop, SIGINT, on_stop, g) ||
	    loop_signal(g->loop, SIGHUP, on_hup, g)) {
		log_error("cannot start the loop: %s", strerror(errno));
		return -1;
	}
	g->drain_end = (struct loop_timer){.fn = on_drain_end, .arg = g};
	g->server = server_open(g->loop, &c->server, &api_handler, &g->api);
	if (!g->server)
		return -1;
	g->edge = edge_open(g->loop, &c->edge);
	if (!g->edge)
		return -1;
	g->outlet = outlet_open(g->loop, c->output, c->backlog, c->backlog_bytes, on_stdout_gone, g);
	if (!g->outlet)
		return -1;
	g->browser = browser_open(g->loop, g->edge, g->server, g->outlet, &c->browser);
	if (!g->browser)
		return -1;
	if (c->upstream.accounts && !(g->upstream = upstream_open(g->loop, g->outlet, &c->upstream)))
		return -1;
	if (c->control && !(g->control = control_open(g->loop, c->control, g->upstream)))
		return -1;
	g->intake = c->intake;
	g->intake.loop = g->loop;
	g->intake.outlet = g->outlet;
	g->api = (struct api){.intake = &g->intake, .browser = g->browser, .outlet = g->outlet, .upstream = g->upstream,
		.hosts = c->hosts, .webhook_rate = c->webhook_rate};
	return 0;
}

static void close_all(struct gatewayd *g)
{
	control_close(g->control);
	outlet_close(g->outlet);	/* tells all who wait: requests are answered, clients refused */
	edge_close(g->edge);
	browser_close(g->browser);
	upstream_close(g->upstream);
	server_close(g->server);
	if (g->loop)
		loop_timer_del(g->loop, &g->drain_end);
	loop_free(g->loop);
}

int main(int argc, char **argv)
{
	struct gatewayd g = {.code = 0};

	config_read(&g.config, argc, argv);
	signal(SIGPIPE, SIG_IGN);
	if (metrics_open())
		return 1;
	raise_files(g.config.server.max_conns, g.config.upstream.accounts != NULL);
	if (open_all(&g)) {
		g.code = 1;
	} else {
		log_info("listening on %s", server_url(g.server));
		if (edge_run(g.edge, each_round, &g))
			g.code = 1;
	}
	close_all(&g);
	return g.code;
}
