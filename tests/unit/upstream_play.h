/*
 * upstream_play: what is around upstream, played: sockets that do nothing but remember, a hub that keeps lines when it is told to, HTTP requests that
 * never come, counters that nobody reads.
 */
#ifndef UNIT_UPSTREAM_PLAY_H
#define UNIT_UPSTREAM_PLAY_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "gatewayd/http/server.h"
#include "gatewayd/metrics.h"
#include "gatewayd/outlet.h"
#include "gatewayd/wire/edge_client.h"
#include "gatewayd/wire/wire.h"

static uint64_t play_cell;
uint64_t *metrics[M_COUNT];

static void play_counters(void)
{
	for (unsigned i = 0; i < M_COUNT; i++)
		metrics[i] = &play_cell;
}

/* ---- sockets ---- */

struct edge_client { const struct edge_client_handler *h; void *arg; bool paused, half, closed; };

#define CLIENTS 16u
static struct edge_client clients[CLIENTS];
static unsigned nclients;

const char *edge_client_bad_url(const char *url)
{
	(void)url;
	return NULL;
}

struct edge_client *edge_client_dial(struct wires *ws, const char *url, const char *ca, int64_t opening, const struct edge_client_handler *h, void *arg)
{
	struct edge_client *c = &clients[nclients++];

	(void)ws, (void)url, (void)ca, (void)opening;
	*c = (struct edge_client){.h = h, .arg = arg};
	return c;
}

void edge_client_close(struct edge_client *c, unsigned code, const char *reason)
{
	(void)code, (void)reason;
	c->closed = true;
}

void edge_client_half_close(struct edge_client *c, unsigned code, const char *reason)
{
	(void)code, (void)reason;
	c->half = true;
}

void edge_client_send(struct edge_client *c, const char *p, size_t n)
{
	(void)c, (void)p, (void)n;
}

void edge_client_pause(struct edge_client *c, bool pause)
{
	c->paused = pause;
}

static void says(struct edge_client *c, const char *text)
{
	c->h->on_data(c->arg, text, strlen(text), false);
}

struct wires *wires_open(struct loop *l, int64_t stall)
{
	(void)stall;
	return (struct wires *)l;
}

void wires_close(struct wires *w)
{
	(void)w;
}

/* ---- the hub ---- */

static struct { outlet_fn *fn; void *arg; uint32_t index; } sent[64];
static unsigned nsent;
static char hub_line[4096];	/* the last one that it was given */

const char *outlet_room(const struct outlet *o, size_t n, size_t bytes)
{
	(void)o, (void)n, (void)bytes;
	return nsent < 64 ? NULL : "full";
}

int outlet_add(struct outlet *o, const char *line, size_t n, outlet_fn *fn, void *arg, uint32_t index)
{
	(void)o;
	snprintf(hub_line, sizeof(hub_line), "%.*s", (int)n, line);
	sent[nsent].fn = fn;
	sent[nsent].arg = arg;
	sent[nsent++].index = index;
	return 0;
}

/* It keeps all that it was given until now. */
static void hub_acks(void)
{
	unsigned n = nsent;

	for (unsigned i = 0; i < n; i++)
		sent[i].fn(sent[i].arg, sent[i].index, OUT_DONE, NULL);
	nsent -= n;
	memmove(sent, sent + n, nsent * sizeof(*sent));
}

/* ---- requests: none come ---- */

const struct http_head *request_head(const struct request *r)
{
	(void)r;
	return NULL;
}

const char *request_body(const struct request *r, size_t *n)
{
	(void)r;
	*n = 0;
	return "";
}

void request_reply(struct request *r, int status, const char *type, const char *extra, const char *body, size_t n)
{
	(void)r, (void)status, (void)type, (void)extra, (void)body, (void)n;
}

void request_problem(struct request *r, const struct problem *p)
{
	(void)r, (void)p;
}

void request_on_gone(struct request *r, void (*fn)(void *arg), void *arg)
{
	(void)r, (void)fn, (void)arg;
}

#endif
