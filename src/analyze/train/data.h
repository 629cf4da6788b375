/*
 * data: the training texts, read and turned into features once.
 *
 * Reads GoEmotions' TSV (text, comma-separated label numbers, comment id; no quoting). A row's key
 * is a hash of its text: folds are cut by key, so that equal texts are never on both sides.
 * Everything is owned by struct data; nothing changes after data_load, so threads may share it.
 */
#ifndef ANALYZE_TRAIN_DATA_H
#define ANALYZE_TRAIN_DATA_H

#include <stddef.h>
#include <stdint.h>

struct data_row {
	const char *text;	/* as read, not cleaned, not terminated */
	uint32_t len;
	uint32_t key;
	uint64_t outputs;	/* bit per output */
	size_t first;		/* in feature[] */
	uint32_t n;
};

struct data {
	struct data_row *row;
	size_t n, room;
	uint32_t *feature;	/* ids of the features of all rows */
	size_t features, feature_room;
	/* by id */
	uint32_t *hash;
	uint8_t *kind;		/* enum feature_kind */
	uint8_t *word;		/* 1: a word that counts for the known-word set */
	uint32_t ids, id_room;
	/* hash -> id + 1 */
	uint32_t *slot;
	uint32_t slots;
	char *file[8];
	unsigned files;
};

/*
 * Adds a file; -1 with a message that names file and line. Texts are cleaned without a table of
 * emotes.
 */
int data_load(struct data *d, const char *path);
void data_release(struct data *d);

/* Dies when there is no memory; for every file of the trainer. */
void *xrealloc(void *p, size_t n, size_t size);

#endif
