/*
 * addr: where a URL of sp leads: ipc://PATH, abstract://NAME, tcp://HOST:PORT, tls+tcp://HOST:PORT.
 *
 * PATH may be relative and of any length: one that a socket address (108 bytes) can't hold is reached through
 * /proc/self/fd of its folder. A listener holds a lock on PATH.lock, so that of two programs started on one path the
 * second is told so; a socket file left by a dead one is replaced. The file's mode is 0660 less the umask.
 * HOST is a name, an IPv4 address or an IPv6 address in brackets; for a listener also * (all addresses). A name is looked
 * up while the program waits, at each attempt: give an address or a line in /etc/hosts where that matters.
 */
#ifndef LINK_TRANSPORT_ADDR_H
#define LINK_TRANSPORT_ADDR_H

#include <stdbool.h>
#include <stddef.h>

struct addr {
	const char *url;	/* borrowed */
	bool ipc;		/* frames carry a type byte */
	bool abstract, tls;
	const char *path;	/* ipc: into url */
	char host[256];		/* tcp, without brackets */
	char port[8];
};

int addr_parse(struct addr *a, const char *url);	/* -1 with a message */

/* A non-blocking socket on its way: *connecting says whether it is there yet. turn counts attempts: a name with several addresses
 * has them tried in turn. -1 with a reason in why. */
int addr_dial(const struct addr *a, unsigned turn, bool *connecting, char *why, size_t size);

/* A listening socket, or -1 with a message; *lock is the descriptor of PATH.lock, -1 where there is none. */
int addr_listen(const struct addr *a, int *lock);
void addr_unlisten(const struct addr *a, int fd, int lock);	/* closes both, removes both files if they are still ours */

/* tcp: no delay, and a peer that is gone without a word is noticed within half a minute. */
void addr_tune(const struct addr *a, int fd);
/* Who is at the other end: "pid 123", "127.0.0.1:5000", "[::1]:5000". */
void addr_peer(const struct addr *a, int fd, char *out, size_t size);
/* The URL of a listening socket, with the port that was given for port 0. */
void addr_url(const struct addr *a, int fd, char *out, size_t size);

#endif
