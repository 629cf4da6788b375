/*
 * analyze_text SHARE < TEXTS: microseconds of processor time that analyze needs to judge a line of
 * text, everything but the scanning and writing of events; the best of five rounds over all lines
 * of stdin.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "analyze/verdict.h"
#include "base/buf.h"
#include "base/fd.h"
#include "base/log.h"

#define ROUNDS 5

static double cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void read_share(const char *dir, const char *name, struct buf *b)
{
	char path[4096];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	buf_init(b, 8u << 20);
	if (fd_read_file(path, b))
		die(1, "%s: %m", path);
}

int main(int argc, char **argv)
{
	struct model model;
	struct emotes emotes;
	struct cleaner how = { .emotes = &emotes };
	struct analysis *a = malloc(sizeof *a);
	struct buf file, text;
	const char *why;
	size_t line, lines = 0;
	double best = 0;

	log_init("analyze_text");
	if (argc != 2 || !a)
		die(2, "usage: analyze_text SHARE < TEXTS");
	read_share(argv[1], "emotion.model", &file);
	if (model_init(&model, file.p, file.len, &why))
		die(1, "emotion.model: %s", why);
	buf_release(&file);
	read_share(argv[1], "emotes.tsv", &file);
	if (emotes_init(&emotes, file.p, file.len, &line, &why))
		die(1, "emotes.tsv:%zu: %s", line, why);
	buf_init(&text, 1u << 30);
	if (fd_read_file("/dev/stdin", &text) || !text.len)
		die(1, "want lines of text on standard input");
	analysis_init(a, &model);
	for (int round = 0; round < ROUNDS; round++) {
		double start = cpu_us(), took;

		lines = 0;
		for (const char *p = text.p, *end = p + text.len, *eol; p < end; p = eol + 1, lines++) {
			eol = memchr(p, '\n', (size_t)(end - p));
			eol = eol ? eol : end;
			verdict_of(a, &how, p, (size_t)(eol - p));
		}
		took = (cpu_us() - start) / (double)lines;
		best = round == 0 || took < best ? took : best;
	}
	printf("%zu lines, %.0f bytes each: %.2f us\n", lines, (double)text.len / (double)lines, best);
	buf_release(&text);
	buf_release(&file);
	emotes_release(&emotes);
	model_release(&model);
	free(a);
	return 0;
}
