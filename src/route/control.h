/*
 * control: the socket on which the hub is asked and told things. Reads a question, calls its verb (verb/verb.h), sends the answer.
 */
#ifndef ROUTE_CONTROL_H
#define ROUTE_CONTROL_H

struct hub;
struct link_opts;
struct link_server;
struct loop;

struct control {
	struct hub *hub;
	struct link_server *server;
	struct call *calls;		/* those not answered yet */
};

int control_listen(struct control *c, struct hub *h, struct loop *l, const char *url, const struct link_opts *o);	/* -1 with a message */
/* Nobody is heard any more. Calls that verbs still keep may be answered later: the answer goes nowhere. */
void control_close(struct control *c);

#endif
