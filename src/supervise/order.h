/*
 * order: who starts after whom: the optional file `after` of a service directory.
 *
 * It holds names of services in the same directory, separated by blanks or line feeds; # begins a comment. The service's first start waits until each of them
 * is up: running, and ready if it can say so. One that is meant to be down, or is not there, is not waited for: the file gives an order, it is no
 * requirement. Starts after a death, and after commands, do not wait. When everything stops, a service is told to stop when those that name
 * it have ended. The name of a template stands for all its instances.
 *
 * Services that wait for each other in a circle would never start: the circle is named in an error, and those in it start as if they had no file.
 *
 * The graph is pure: names and answers come as arguments. A node belongs to its caller and stays where it is until order_del.
 */
#ifndef SUPERVISE_ORDER_H
#define SUPERVISE_ORDER_H

#include <stdbool.h>
#include <stddef.h>

#define ORDER_FILE_MAX 16384
#define ORDER_NAMES_MAX 256
#define ORDER_BUCKETS 1024

struct order_edge {
	struct order_edge *next;	/* of those with the same hash of the target */
	struct order_node *owner;
	const char *target;
};

struct order_node {
	const char *name;		/* borrowed */
	void *owner;
	struct order_node *next;	/* of those with the same hash of the name's base */
	struct order_edge *edges;	/* ours, n of them */
	size_t n;
	char *text;			/* the names */
	bool circle;			/* it is in one: its file does not count */
	unsigned mark;			/* of the search */
};

struct order {
	struct order_node *nodes[ORDER_BUCKETS];
	struct order_edge *targets[ORDER_BUCKETS];
	size_t edges;
	bool changed;			/* since order_circles */
};

/* The names in the text of a file: n of them, each ended by NUL, in one allocation; -1 with a static reason (ENOMEM, too many, a name with a slash). */
int order_parse(const char *p, size_t len, char **names, const char **why);

/* Takes names (of order_parse, NULL for none). -1: no memory, nothing changed. */
int order_add(struct order *o, struct order_node *node, const char *name, void *owner, char *names, size_t n);
void order_del(struct order *o, struct order_node *node);

/* Finds circles, if nodes came or went: say gets each as "a -> b -> a". True: there is a new one. */
bool order_circles(struct order *o, void (*say)(const char *circle));

/* The first name that node waits for; NULL: none. up says whether a node is, or need not be waited for; missing gets each name that is nobody's. */
const char *order_waits(const struct order *o, const struct order_node *node, bool (*up)(const void *owner),
	void (*missing)(const struct order_node *node, const char *name));

/* Does one that names this node still live? */
bool order_needed(const struct order *o, const struct order_node *node, bool (*lives)(const void *owner));

/* The file of a directory: its names (0 or more), or -1 with a message: none counts. */
int order_read(int dirfd, const char *label, char **names);

#endif
