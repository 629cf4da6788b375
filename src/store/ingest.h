/*
 * ingest: a batch of lines into the databases of their tenants.
 *
 * ingest_batch checks every line (envelope), deals the batch out by tenant, carries out one transaction for each, and syncs them
 * all at once; when it returns, what is not refused is on the disk. An event that is there already (same source and id, decoded; the bytes need not be the same) counts as
 * stored and is left as it was. A line that is no event is refused for good; the lines of a tenant whose database fails are
 * refused with retry and do not touch other tenants' lines. When the fault is not one tenant's (a full disk), tenants->stuck is set:
 * the batch had better be kept and given again whole.
 *
 * An event's seq is the one the hub gave it; without one, or when another event has it (two hubs, a spool made anew with the
 * clock set back), the tenant's highest plus one.
 */
#ifndef STORE_INGEST_H
#define STORE_INGEST_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "link/link.h"
#include "store/row.h"

struct tenant;
struct tenants;

struct ingest {
	struct tenants *tenants;
	struct row *row;			/* LINK_BATCH_LINES of each */
	uint32_t *next;				/* next line of the same tenant, 0: last; lines count from 1 */
	struct refusal *refusal;
	int64_t *late;				/* seqs of this tenant's transaction that fill must take at once */
	size_t nlate;
	struct done {				/* transactions that were committed and wait for the sync */
		struct tenant *tenant;
		uint32_t first;			/* of its lines */
		uint64_t events, bytes, repeats;
	} *done;
	size_t ndone;
	uint64_t nrepeats;
	struct buf scratch, reasons;
	uint64_t *events, *repeats, *refused, *bytes, *commits;	/* metric cells */
};

int ingest_init(struct ingest *in, struct tenants *ts);		/* -1: no memory. The cells are the caller's to set */
void ingest_release(struct ingest *in);

/* The number of refused lines; *refused is ascending in n and valid until the next call. */
size_t ingest_batch(struct ingest *in, const struct batch *b, const struct refusal **refused);

/* The number, above after, of the line that begins at p in the batch last given. */
uint32_t ingest_number(const struct ingest *in, const char *p, uint32_t after);

#endif
