/*
 * scene: what the templates of one answer see: the event, the command, the emotion. Pure. Private to respond.
 */
#ifndef RESPOND_SCENE_H
#define RESPOND_SCENE_H

#include <stdbool.h>

#include "line/scan.h"
#include "respond/answer.h"
#include "respond/command.h"

struct replies;
struct trigger;

struct scene {
	struct answer *a;
	const struct replies *r;
	const struct envelope *e;
	const struct trigger *t;	/* what fired */
	struct command cmd;		/* of a COMMAND; spans into a->text */
	struct span emotion;		/* of an EMOTION, with its probability */
	double probability;
	char small[96];			/* values made on the spot */
};

struct span scene_data(const struct scene *s, const char *path);	/* raw value in data */

/* A template_value whose arg is a scene, and the names it knows besides parameters and numbers. */
bool scene_value(void *scene, struct span name, struct span *out);
bool scene_value_known(struct span name);

/* "!hug NAME" */
void scene_add_usage(struct buf *b, const struct replies *r, const struct trigger *t);

/* Appends what fits below the ceiling. */
void scene_put(struct buf *b, const char *p, size_t n);

#endif
