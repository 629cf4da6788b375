/*
 * clean: a chat message as it was typed to plain text. Pure.
 *
 * Emotes and emoji become their words (emote.h), repeats of one in a row only once; unknown
 * platform emotes (<:name:id>) vanish, mentions (@user, <@id>) become [NAME] as in the training
 * data; URLs, channel references, code blocks (``` ... ```) and quoted lines (> ...) are dropped.
 *
 * At most CLEAN_INPUT bytes of the message are looked at. The result has at most CLEAN_MAX bytes.
 */
#ifndef ANALYZE_CLEAN_H
#define ANALYZE_CLEAN_H

#include <stdbool.h>
#include <stddef.h>

#include "analyze/emote.h"

#define CLEAN_INPUT 2048
#define CLEAN_MAX 4096

struct cleaner {
	const struct emotes *emotes;	/* may be NULL */
	const char *channel;		/* for rows of one channel */
	size_t channel_len;
};

struct clean {
	char buf[CLEAN_MAX];
	size_t len;
	bool sarcasm;			/* an emote said so */
	unsigned emotes;		/* how many were replaced */
	const struct emote *last;	/* private: the emote that ends buf, NULL if another thing does */
};

void clean_text(struct clean *c, const struct cleaner *how, const char *p, size_t n);

#endif
