#include "supervise/order.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "supervise/instance.h"

#define CIRCLE_TEXT 512

/* ---- names ---- */

/* "web" of "web@3". */
static size_t base_of(const char *name)
{
	size_t base;

	return instance_number(name, &base) ? base : strlen(name);
}

static unsigned bucket(const char *p, size_t n)
{
	unsigned h = 5381;

	while (n-- > 0)
		h = h * 33 + (unsigned char)*p++;
	return h % ORDER_BUCKETS;
}

/* target names this node, or the template that it is of. */
static bool is_named(const char *target, const struct order_node *node)
{
	size_t base = base_of(node->name);

	return strcmp(target, node->name) == 0 || (strlen(target) == base && memcmp(target, node->name, base) == 0);
}

int order_parse(const char *p, size_t len, char **names, const char **why)
{
	const char *end = p + len;
	char *out = malloc(len + 1), *to = out;
	int n = 0;

	*why = "no memory";
	if (!out)
		return -1;
	while (p < end) {
		const char *from;

		if (strchr(" \t\r\n", *p) && *p) {
			p++;
			continue;
		}
		if (*p == '#') {
			const char *lf = memchr(p, '\n', (size_t)(end - p));

			p = lf ? lf : end;
			continue;
		}
		for (from = p; p < end && !strchr(" \t\r\n#", *p); p++)
			;
		if (p == from || memchr(from, '/', (size_t)(p - from)) || *from == '.' || n == ORDER_NAMES_MAX) {
			*why = n == ORDER_NAMES_MAX ? "too many names" : "not a name of a service";
			free(out);
			return -1;
		}
		memcpy(to, from, (size_t)(p - from));
		to += p - from;
		*to++ = 0;
		n++;
	}
	if (n == 0) {
		free(out);
		out = NULL;
	}
	*names = out;
	return n;
}

int order_read(int dirfd, const char *label, char **names)
{
	static char text[ORDER_FILE_MAX + 1];
	const char *why = "too long";
	int fd = openat(dirfd, "after", O_RDONLY | O_CLOEXEC | O_NONBLOCK), count = -1;
	ssize_t n;

	*names = NULL;
	if (fd < 0 && errno == ENOENT)
		return 0;
	n = fd < 0 ? -1 : read(fd, text, sizeof text);
	if (n < 0)
		why = strerror(errno);
	else if ((size_t)n < sizeof text)
		count = order_parse(text, (size_t)n, names, &why);
	if (fd >= 0)
		close(fd);
	if (count < 0)
		log_error("%s/after: %s: write names of services; it waits for none", label, why);
	return count;
}

/* ---- nodes ---- */

int order_add(struct order *o, struct order_node *node, const char *name, void *owner, char *names, size_t n)
{
	struct order_node **at = &o->nodes[bucket(name, base_of(name))];
	struct order_edge *edges = n ? calloc(n, sizeof *edges) : NULL;

	if (n && !edges)
		return -1;
	*node = (struct order_node){ .name = name, .owner = owner, .edges = edges, .n = n, .text = names, .next = *at };
	*at = node;
	for (size_t i = 0; i < n; i++) {
		/* "web@2" is found where "web" is. */
		struct order_edge **to = &o->targets[bucket(names, base_of(names))];

		edges[i] = (struct order_edge){ .next = *to, .owner = node, .target = names };
		*to = &edges[i];
		names += strlen(names) + 1;
	}
	o->edges += n;
	o->changed = true;
	return 0;
}

void order_del(struct order *o, struct order_node *node)
{
	struct order_node **at = &o->nodes[bucket(node->name, base_of(node->name))];

	while (*at != node)
		at = &(*at)->next;
	*at = node->next;
	for (size_t i = 0; i < node->n; i++) {
		const char *target = node->edges[i].target;
		struct order_edge **e = &o->targets[bucket(target, base_of(target))];

		while (*e != &node->edges[i])
			e = &(*e)->next;
		*e = node->edges[i].next;
	}
	o->edges -= node->n;
	o->changed = true;
	free(node->edges);
	free(node->text);
	node->edges = NULL;
	node->text = NULL;
	node->n = 0;
}

/* ---- circles ---- */

enum { NEW, ON_PATH, DONE };
struct path { struct order_node **v; size_t n; void (*say)(const char *circle); bool found; };

/* The nodes of the path from `first` on wait for each other. */
static void name_circle(struct path *p, const struct order_node *first)
{
	char text[CIRCLE_TEXT] = "";
	size_t i = p->n, at = 0;

	while (p->v[i - 1] != first)
		i--;
	for (i--; i < p->n; i++) {
		p->v[i]->circle = true;
		if (at < sizeof text)
			at += (size_t)snprintf(text + at, sizeof text - at, "%s -> ", p->v[i]->name);
	}
	if (at < sizeof text)
		snprintf(text + at, sizeof text - at, "%s", first->name);
	p->found = true;
	p->say(text);
}

static void visit(const struct order *o, struct order_node *node, struct path *p)
{
	node->mark = ON_PATH;
	p->v[p->n++] = node;
	for (size_t i = 0; i < node->n && !node->circle; i++) {
		const char *target = node->edges[i].target;

		for (struct order_node *to = o->nodes[bucket(target, base_of(target))]; to; to = to->next) {
			if (to->circle || !is_named(target, to))
				continue;
			if (to->mark == ON_PATH)
				name_circle(p, to);
			else if (to->mark == NEW)
				visit(o, to, p);
		}
	}
	p->n--;
	node->mark = DONE;
}

bool order_circles(struct order *o, void (*say)(const char *circle))
{
	struct path p = { .say = say };
	size_t n = 0;

	if (!o->changed || o->edges == 0) {
		o->changed = false;
		return false;
	}
	o->changed = false;
	for (unsigned b = 0; b < ORDER_BUCKETS; b++)
		for (struct order_node *node = o->nodes[b]; node; node = node->next, n++)
			node->mark = NEW;
	p.v = calloc(n + 1, sizeof(*p.v));
	for (unsigned b = 0; p.v && b < ORDER_BUCKETS; b++)
		for (struct order_node *node = o->nodes[b]; node; node = node->next)
			if (node->mark == NEW && !node->circle)
				visit(o, node, &p);
	free(p.v);
	return p.found;
}

/* ---- questions ---- */

const char *order_waits(const struct order *o, const struct order_node *node, bool (*up)(const void *owner),
	void (*missing)(const struct order_node *node, const char *name))
{
	for (size_t i = 0; i < node->n && !node->circle; i++) {
		const char *target = node->edges[i].target;
		bool found = false;

		for (struct order_node *to = o->nodes[bucket(target, base_of(target))]; to; to = to->next) {
			if (!is_named(target, to))
				continue;
			found = true;
			if (!up(to->owner))
				return target;
		}
		if (!found)
			missing(node, target);
	}
	return NULL;
}

bool order_needed(const struct order *o, const struct order_node *node, bool (*lives)(const void *owner))
{
	if (o->edges == 0)
		return false;
	for (const struct order_edge *e = o->targets[bucket(node->name, base_of(node->name))]; e; e = e->next)
		if (!e->owner->circle && e->owner != node && is_named(e->target, node) && lives(e->owner->owner))
			return true;
	return false;
}
