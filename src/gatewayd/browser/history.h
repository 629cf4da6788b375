/*
 * history: older lines of a room, from store's query socket.
 *
 * One question at a time is under way; others wait in link. An answer is a page: lines in the order of their numbers.
 */
#ifndef GATEWAYD_HISTORY_H
#define GATEWAYD_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;
struct history;
struct ask;

/* Walks with page_next. Zeroed = empty. */
struct page { char *bytes; const char *at, *end; uint64_t *seq; uint32_t n, i; bool more; };

/* url NULL: there is no history, and history_here is always false. NULL with a message. */
struct history *history_open(struct loop *l, const char *url);
void history_close(struct history *h);		/* no answers come any more */
bool history_here(const struct history *h);	/* is store connected? */

/* The last n lines of a room, or with `after` those behind that number. fn is called once, never from inside this call; page NULL: no answer in
 * time, or an error; else the page is the callee's to keep (page_release). NULL: too many questions wait. */
struct ask *history_ask(struct history *h, const char *tenant, const char *room, const uint64_t *after, unsigned n,
	void (*fn)(void *arg, struct page *page), void *arg);
void history_forget(struct ask *a);		/* fn will not be called */

/* Reads an answer: 0, or -1 and *why (static). Pure; copies. */
int page_parse(const char *p, size_t n, struct page *out, const char **why);
void page_release(struct page *p);
size_t page_bytes(const struct page *p);
/* The next line without its LF, and its number; NULL at the end. */
const char *page_next(struct page *p, size_t *n, uint64_t *seq);

#endif
