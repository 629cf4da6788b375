/*
 * work_args: the options that every stage has, as rows for its own table (base/args.h), and what they fill in.
 *
 *   static struct work_args stage = WORK_ARGS_INIT;
 *   static const struct arg rows[] = { WORK_ARGS_ROWS(stage), {'r', "replies", ...} };
 *   ...
 *   work_args_fill(&work, &stage);
 */
#ifndef LINK_WORK_ARGS_H
#define LINK_WORK_ARGS_H

#include "base/args.h"
#include "link/work.h"

struct work_args {
	const char *in, *out, *as, *set, *tls_ca, *tls_cert, *tls_key;
	uint64_t take;
};
#define WORK_ARGS_INIT { .in = "-", .out = "-", .take = LINK_TAKE_DEFAULT }

#define WORK_ARGS_ROWS(w) \
	{'i', "in", ARG_STR, &(w).in, 0, 0, "URL", "where events come from", NULL, 0}, \
	{'o', "out", ARG_STR, &(w).out, 0, 0, "URL", "where the events go that it makes", NULL, 0}, \
	{'n', "take", ARG_U64, &(w).take, 1, LINK_BATCH_LINES, "N", "lines taken at a time", NULL, 0}, \
	{'a', "as", ARG_STR, &(w).as, 0, 0, "NAME", "name of this worker", NULL, 0}, \
	{0, "set", ARG_STR, &(w).set, 0, 0, "NAME", "worker set it belongs to (route(8), SPLIT)", NULL, 0}, \
	{0, "tls-ca", ARG_STR, &(w).tls_ca, 0, 0, "FILE", "certificates to trust, for tls+tcp", NULL, 0}, \
	{0, "tls-cert", ARG_STR, &(w).tls_cert, 0, 0, "FILE", "own certificate, for tls+tcp", NULL, 0}, \
	{0, "tls-key", ARG_STR, &(w).tls_key, 0, 0, "FILE", "its private key", NULL, 0}

/* Two batches in flight, so that the next one is at hand when one is done. */
static inline void work_args_fill(struct work *to, const struct work_args *from)
{
	to->in = from->in;
	to->out = from->out;
	to->opts = (struct link_opts){
		.take = (unsigned)from->take, .conns = 2, .as = from->as, .set = from->set,
		.tls_ca = from->tls_ca, .tls_cert = from->tls_cert, .tls_key = from->tls_key,
	};
}

#endif
