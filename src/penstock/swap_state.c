/* The record of a swap: service/.swap/NAME, one JSON object. */
#include "penstock/swap.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/log.h"

#define FOLDER "service/.swap"
#define RECORD_MAX (4u << 20)

static const char *const phases[] = {
	[SWAP_REST] = "rest", [SWAP_TRY] = "try", [SWAP_TURN] = "turn", [SWAP_REACH] = "reach", [SWAP_BACK] = "back",
};
static const char *const hows[] = { [SWAP_WHOLE] = "whole", [SWAP_CANARY] = "canary", [SWAP_SHADOW] = "shadow" };

const char *swap_phase_word(enum swap_phase p) { return phases[p]; }
const char *swap_how_word(enum swap_how h) { return hows[h]; }
const char *swap_top(const struct swap *s) { return s->service[s->n - 1]; }

static int find_word(const char *const words[], size_t n, const char *word)
{
	for (size_t i = 0; word && i < n; i++)
		if (strcmp(words[i], word) == 0)
			return (int)i;
	return -1;
}

int swap_lock(const struct tree *t, bool quietly)
{
	char *folder = tree_path(t, FOLDER), *path = tree_path(t, FOLDER "/.lock");

	if (mkdir(folder, 0755) < 0 && errno != EEXIST) {
		log_error("%s: %s", folder, strerror(errno));
		return -1;
	}
	if (fd_lock(path) >= 0)
		return 0;
	if (errno == EWOULDBLOCK && quietly)
		return -2;
	if (errno == EWOULDBLOCK)
		log_error("another penstock swap is at work on %s (process %ld)", t->dir, (long)fd_lock_owner(path));
	else
		log_error("%s: %s", path, strerror(errno));
	return -1;
}

/* ---- reading ---- */

static char *keep(const struct json *j)
{
	const char *p = json_str(j, NULL);

	return p ? text_of("%s", p) : NULL;
}

static int read_words(const struct json *list, char *out[SWAP_WORDS_MAX + 1])
{
	size_t n = json_count(list);

	if (n > SWAP_WORDS_MAX)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (!(out[i] = keep(json_at(list, i))))
			return -1;
	return 0;
}

static int read_chain(const struct json *list, struct swap *s)
{
	size_t n = json_count(list);

	if (n < 1 || n > SWAP_CHAIN_MAX)
		return -1;
	for (s->n = 0; s->n < n; s->n++) {
		const struct json *one = json_at(list, s->n);

		s->service[s->n] = keep(json_member(one, "service"));
		s->about[s->n] = keep(json_member(one, "about"));
		if (!s->service[s->n])
			return -1;
	}
	return 0;
}

static int read_record(const struct json *doc, struct swap *s)
{
	const struct json *program = json_member(doc, "program");
	int phase = find_word(phases, sizeof phases / sizeof *phases, json_str(json_member(doc, "phase"), NULL));
	int how = find_word(hows, sizeof hows / sizeof *hows, json_str(json_member(doc, "how"), NULL));

	if (phase < 0 || how < 0 || read_chain(json_member(doc, "chain"), s) < 0)
		return -1;
	s->phase = (enum swap_phase)phase;
	s->how = (enum swap_how)how;
	s->dest = keep(json_member(doc, "dest"));
	s->stage = keep(json_member(doc, "stage"));
	s->trial = keep(json_member(doc, "trial"));
	s->trial_about = keep(json_member(doc, "trial_about"));
	s->aside = keep(json_member(doc, "aside"));
	s->aside_about = keep(json_member(doc, "aside_about"));
	s->because = keep(json_member(doc, "because"));
	s->percent = (uint64_t)json_int(json_member(doc, "percent"), 0);
	s->from = (uint64_t)json_int(json_member(doc, "from"), 0);
	s->next = (uint64_t)json_int(json_member(doc, "next"), 1);
	s->since = json_int(json_member(doc, "since"), 0);
	s->program.folder = keep(json_member(program, "folder"));
	s->program.mode = keep(json_member(program, "mode"));
	if (read_words(json_member(program, "words"), s->program.words) < 0 ||
	    read_words(json_member(program, "options"), s->program.options) < 0)
		return -1;
	if ((phase == SWAP_TURN && !s->trial) || ((phase == SWAP_REACH || phase == SWAP_BACK) && s->n < 2))
		return -1;
	return s->dest && s->stage ? 0 : -1;
}

static void nothing_swapped(struct swap *s)
{
	s->service[0] = text_of("%s", s->name);
	s->n = 1;
	s->next = 1;
}

int swap_load(const struct tree *t, const char *name, struct swap *s)
{
	char *path = text_of("%s/" FOLDER "/%s", t->dir, name);
	struct json_error err;
	struct json *doc;
	struct buf b;
	int rc = -1;

	memset(s, 0, sizeof *s);
	s->name = name;
	buf_init(&b, RECORD_MAX);
	if (fd_read_file(path, &b) < 0) {
		if (errno == ENOENT) {
			nothing_swapped(s);
			rc = 0;
		} else {
			log_error("%s: %s", path, strerror(errno));
		}
		goto out;
	}
	doc = json_parse(b.p, b.len, &err);
	rc = doc ? read_record(doc, s) : -1;
	json_free(doc);
	if (rc < 0)
		log_error("%s: is no record of a swap; see which of service/%s* are down, then remove it", path, name);
out:
	buf_release(&b);
	return rc;
}

/* ---- writing ---- */

static void add_text(struct buf *b, const char *member, const char *text)
{
	if (!text)
		return;
	buf_printf(b, ",\"%s\":", member);
	buf_add_json(b, text, strlen(text));
}

static void add_words(struct buf *b, const char *member, char *const words[])
{
	buf_printf(b, ",\"%s\":[", member);
	for (size_t i = 0; words[i]; i++) {
		buf_adds(b, i ? "," : "");
		buf_add_json(b, words[i], strlen(words[i]));
	}
	buf_addc(b, ']');
}

static int print_record(struct buf *b, const struct swap *s)
{
	buf_printf(b, "{\"phase\":\"%s\",\"how\":\"%s\",\"percent\":%" PRIu64 ",\"from\":%" PRIu64 ",\"next\":%" PRIu64 ",\"since\":%" PRId64,
		phases[s->phase], hows[s->how], s->percent, s->from, s->next, s->since);
	add_text(b, "dest", s->dest);
	add_text(b, "stage", s->stage);
	add_text(b, "trial", s->trial);
	add_text(b, "trial_about", s->trial_about);
	add_text(b, "aside", s->aside);
	add_text(b, "aside_about", s->aside_about);
	add_text(b, "because", s->because);
	buf_adds(b, ",\"chain\":[");
	for (unsigned i = 0; i < s->n; i++) {
		buf_adds(b, i ? ",{\"service\":" : "{\"service\":");
		buf_add_json(b, s->service[i], strlen(s->service[i]));
		add_text(b, "about", s->about[i]);
		buf_addc(b, '}');
	}
	buf_adds(b, "],\"program\":{\"native\":");
	buf_adds(b, s->program.mode ? "false" : "true");
	add_text(b, "folder", s->program.folder);
	add_text(b, "mode", s->program.mode);
	add_words(b, "words", s->program.words);
	add_words(b, "options", s->program.options);
	return buf_adds(b, "}}\n");
}

int swap_save(const struct tree *t, struct swap *s)
{
	char *path = text_of("%s/" FOLDER "/%s", t->dir, s->name);
	struct buf b;
	int rc = 0;

	s->since = clock_wall();
	if (s->phase == SWAP_REST && s->n == 1 && !s->trial && !s->because) {
		if ((unlink(path) < 0 && errno != ENOENT) || fd_sync_dir(path) < 0)
			rc = -1;
	} else {
		buf_init(&b, RECORD_MAX);
		if (print_record(&b, s) < 0 || fd_replace(path, b.p, b.len, 0644) < 0)
			rc = -1;
		buf_release(&b);
	}
	if (rc < 0)
		log_error("%s: %s", path, strerror(errno));
	return rc;
}

int swap_step(const struct tree *t, struct swap *s, enum swap_phase phase)
{
	s->phase = phase;
	return swap_save(t, s);
}

/* ---- all ---- */

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_record(const struct dirent *e)
{
	size_t n = strlen(e->d_name);

	/* fd_replace's own file of a process that was killed */
	return e->d_name[0] != '.' && !(n > 4 && strcmp(e->d_name + n - 4, ".new") == 0);
}

int swap_each(const struct tree *t, int (*fn)(void *arg, const struct tree *t, struct swap *s), void *arg)
{
	char *folder = tree_path(t, FOLDER), **names = NULL;
	DIR *d = opendir(folder);
	size_t n = 0;
	struct dirent *e;
	int rc = 0;

	if (!d && errno == ENOENT)
		return 0;
	if (!d) {
		log_error("%s: %s", folder, strerror(errno));
		return -1;
	}
	while ((e = readdir(d)) != NULL) {
		char **more;

		if (!is_record(e) || e->d_type == DT_DIR)
			continue;
		more = realloc(names, (n + 1) * sizeof *names);
		if (!more)
			die(1, "no memory");
		names = more;
		names[n++] = text_of("%s", e->d_name);
	}
	closedir(d);
	if (n)
		qsort(names, n, sizeof *names, by_name);
	for (size_t i = 0; i < n && rc >= 0; i++) {
		struct swap *s = calloc(1, sizeof *s);

		if (!s)
			die(1, "no memory");
		if (swap_load(t, names[i], s) < 0 || fn(arg, t, s) < 0)
			rc = -1;
		free(s);
	}
	free(names);
	return rc < 0 ? -1 : (int)n;
}
