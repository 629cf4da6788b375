/* What a worker writes of each line it did: appended before it reports, by all workers to one file. 16 bytes, so that no page holds a part of one. */
#ifndef TORTURE_DONE_H
#define TORTURE_DONE_H

#include <stdint.h>

struct done_record { uint64_t seq; uint32_t source, number; };

#endif
