/*
 * control: a socket for people's tools (penstock status, reload and drain). A request and its answer are one line of JSON each over link's REQ/REP:
 *
 *   {"do":"accounts"}                                      {"waiting":0,"held":false,"accounts":[...],"faults":[...]}
 *   {"do":"reload"}                                        {"faults":[{"level":"error","text":"..."}]}, those of upstream_faults
 *   {"do":"drain","tenant":"default","account":"bot"}      {"draining":3} or {"draining":0,"error":"no other process waits for it"}
 *                                                           tenant and account may be left out: all
 * Anything else is answered {"error":"..."}.
 */
#ifndef GATEWAYD_CONTROL_H
#define GATEWAYD_CONTROL_H

struct control;
struct loop;
struct upstream;

/* upstream may be NULL: there are no accounts. NULL with a message. */
struct control *control_open(struct loop *l, const char *url, struct upstream *u);
void control_close(struct control *c);

#endif
