/* What a service of scripts/bench supervise says when it begins. Smaller than PIPE_BUF: never mixed with another's. */
#ifndef BENCH_SV_BORN_H
#define BENCH_SV_BORN_H

#include <stdint.h>

struct sv_born {
	int64_t at;	/* monotonic, the first thing in main() */
	int32_t pid;
	int32_t service;	/* the number that its directory is named by */
};

#endif
