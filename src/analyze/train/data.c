#include "analyze/train/data.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/clean.h"
#include "analyze/feature.h"
#include "analyze/labels.h"
#include "analyze/lexicon.h"
#include "base/buf.h"
#include "base/fd.h"
#include "base/log.h"

#define FILE_MAX (256u << 20)

void *xrealloc(void *p, size_t n, size_t size)
{
	void *q = reallocarray(p, n ? n : 1, size);

	if (!q)
		die(1, "no memory for %zu items of %zu bytes", n, size);
	return q;
}

static void slots_grow(struct data *d)
{
	uint32_t slots = d->slots ? d->slots * 2 : 1u << 20;

	d->slot = xrealloc(d->slot, slots, sizeof *d->slot);
	memset(d->slot, 0, slots * sizeof *d->slot);
	d->slots = slots;
	for (uint32_t id = 0; id < d->ids; id++) {
		uint32_t i = d->hash[id] & (slots - 1);

		while (d->slot[i])
			i = (i + 1) & (slots - 1);
		d->slot[i] = id + 1;
	}
}

static uint32_t id_of(struct data *d, const struct feature *f)
{
	uint32_t i;

	if (d->ids * 2 >= d->slots)
		slots_grow(d);
	for (i = f->hash & (d->slots - 1); d->slot[i]; i = (i + 1) & (d->slots - 1))
		if (d->hash[d->slot[i] - 1] == f->hash)
			return d->slot[i] - 1;
	if (d->ids == d->id_room) {
		d->id_room = d->id_room ? d->id_room * 2 : 1u << 18;
		d->hash = xrealloc(d->hash, d->id_room, sizeof *d->hash);
		d->kind = xrealloc(d->kind, d->id_room, sizeof *d->kind);
		d->word = xrealloc(d->word, d->id_room, sizeof *d->word);
	}
	d->hash[d->ids] = f->hash;
	d->kind[d->ids] = f->kind;
	d->word[d->ids] = 0;
	d->slot[i] = ++d->ids;
	return d->ids - 1;
}

static uint32_t key_of(const char *p, size_t n)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)p[i]) * 0x100000001b3u;
	return (uint32_t)((h ^ h >> 29) * 0xbf58476d1ce4e5b9u >> 32);
}

/* "2,11" to bits; 0 when it is no list of labels. */
static uint32_t parse_labels(const char *p, const char *end)
{
	uint32_t bits = 0;

	while (p < end) {
		unsigned v = 0, digits = 0;

		for (; p < end && *p >= '0' && *p <= '9' && digits < 3; p++, digits++)
			v = v * 10 + (unsigned)(*p - '0');
		if (!digits || v >= LABELS || (p < end && *p++ != ','))
			return 0;
		bits |= 1u << v;
	}
	return bits;
}

static void add_row(struct data *d, const char *text, size_t len, uint32_t labels)
{
	static struct clean clean;
	static struct text t;
	static struct features f;
	static struct lexicon lexicon;
	/* No emotes: the data has few, and they are learnt better as they are. */
	static const struct cleaner plain;
	struct data_row *r;

	if (d->n == d->room) {
		d->room = d->room ? d->room * 2 : 1u << 15;
		d->row = xrealloc(d->row, d->room, sizeof *d->row);
	}
	if (!d->n)
		lexicon_init(&lexicon);
	clean_text(&clean, &plain, text, len);
	text_parse(&t, clean.buf, clean.len);
	features_of(&f, &t, &lexicon);
	r = &d->row[d->n++];
	*r = (struct data_row){ .text = text, .len = (uint32_t)len, .key = key_of(text, len),
		.outputs = labels_outputs(labels), .first = d->features, .n = (uint32_t)f.n };
	if (d->features + f.n > d->feature_room) {
		d->feature_room = d->feature_room ? d->feature_room * 2 : 1u << 22;
		d->feature = xrealloc(d->feature, d->feature_room, sizeof *d->feature);
	}
	for (size_t i = 0; i < f.n; i++)
		d->feature[d->features++] = id_of(d, &f.v[i]);
	for (size_t i = 0; i < t.n; i++) {
		struct feature w = { .hash = feature_word_hash(t.buf + t.token[i].off, t.token[i].len) };

		if (t.token[i].kind == TOKEN_WORD)
			d->word[id_of(d, &w)] = 1;
	}
}

int data_load(struct data *d, const char *path)
{
	struct buf b;
	const char *p, *end;
	size_t line = 1;

	buf_init(&b, FILE_MAX);
	if (d->files == sizeof d->file / sizeof d->file[0] || fd_read_file(path, &b) < 0) {
		log_error("cannot read %s: %s", path, strerror(errno));
		buf_release(&b);
		return -1;
	}
	d->file[d->files++] = b.p;
	end = b.p + b.len;
	for (p = b.p; p < end; line++) {
		const char *eol = memchr(p, '\n', (size_t)(end - p)), *tab, *tab2;
		uint32_t labels;

		eol = eol ? eol : end;
		tab = memchr(p, '\t', (size_t)(eol - p));
		tab2 = tab ? memchr(tab + 1, '\t', (size_t)(eol - tab - 1)) : NULL;
		labels = tab ? parse_labels(tab + 1, tab2 ? tab2 : eol) : 0;
		if (!labels) {
			log_error("%s:%zu: want text, TAB, label numbers below %d, TAB, id", path, line, LABELS);
			return -1;
		}
		add_row(d, p, (size_t)(tab - p), labels);
		p = eol < end ? eol + 1 : end;
	}
	return 0;
}

void data_release(struct data *d)
{
	for (unsigned i = 0; i < d->files; i++)
		free(d->file[i]);
	free(d->row);
	free(d->feature);
	free(d->hash);
	free(d->kind);
	free(d->word);
	free(d->slot);
	memset(d, 0, sizeof *d);
}
