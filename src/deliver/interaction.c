#include "deliver/interaction.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

static struct interaction **place(struct interactions *all, const char *name)
{
	return &all->v[sip_hash(all->key, name, strlen(name)).a % INTERACTION_TABLE];
}

struct interaction *interactions_find(const struct interactions *all, const char *name)
{
	struct interaction *i = all->v[sip_hash(all->key, name, strlen(name)).a % INTERACTION_TABLE];

	while (i && strcmp(i->name, name) != 0)
		i = i->chain;
	return i;
}

struct interaction *interactions_get(struct interactions *all, const char *name, int64_t wall)
{
	struct interaction *i = interactions_find(all, name), **at;

	if (i || !(i = calloc(1, sizeof(*i))))
		return i;
	i->name = strdup(name);
	if (!i->name) {
		free(i);
		return NULL;
	}
	i->at = wall;
	at = place(all, name);
	i->chain = *at;
	*at = i;
	all->n++;
	return i;
}

void interactions_sweep(struct interactions *all, int64_t wall)
{
	for (size_t k = 0; k < INTERACTION_TABLE; k++)
		for (struct interaction **at = &all->v[k], *i; (i = *at); ) {
			if (i->answers || i->command || i->is_changed || wall - i->at < INTERACTION_LIFE) {
				at = &i->chain;
				continue;
			}
			*at = i->chain;
			all->n--;
			free(i->name);
			free(i);
		}
}

void interactions_release(struct interactions *all)
{
	for (size_t k = 0; k < INTERACTION_TABLE; k++)
		for (struct interaction *i = all->v[k], *next; i; i = next) {
			next = i->chain;
			free(i->name);
			free(i);
		}
	memset(all->v, 0, sizeof(all->v));
}

enum form interaction_form(const struct interaction *i)
{
	if (i->state == INTERACTION_DEFERRED)
		return FORM_ORIGINAL;
	return i->state == INTERACTION_ANSWERED ? FORM_FOLLOWUP : FORM_CALLBACK;
}

int interaction_after(int state, enum form form)
{
	if (form == FORM_DEFER)
		return state == INTERACTION_ANSWERED ? state : INTERACTION_DEFERRED;
	return INTERACTION_ANSWERED;
}
