#include "penstock/words.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "penstock/penstock.h"

void words_add(struct words *w, const char *word)
{
	if (w->n + 1 >= w->cap) {
		size_t cap = w->cap ? w->cap * 2 : 32;
		char **v = realloc(w->v, cap * sizeof *v);
		if (!v)
			die(1, "no memory");
		w->v = v;
		w->cap = cap;
	}
	w->v[w->n++] = (char *)(uintptr_t)word;
	w->v[w->n] = NULL;
}

void words_release(struct words *w)
{
	free(w->v);
	*w = (struct words){ .n = 0 };
}

void words_option(struct words *w, const char *name, const char *value)
{
	if (!value)
		return;
	words_add(w, name);
	words_add(w, value);
}

void words_route(struct words *w, const struct tree *t, const char *tool, const char *verb)
{
	words_add(w, "penstock");
	words_add(w, tool);
	if (verb)
		words_add(w, verb);
	words_option(w, "-L", log_form_word());
	words_option(w, "-d", tree_path(t, "spool"));
	words_option(w, "-R", tree_path(t, "run"));
}

void words_exec(const struct words *w, const char *path)
{
	execv(path, w->v);
	die(1, "%s: %s", path, strerror(errno));
}
