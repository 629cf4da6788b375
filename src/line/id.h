/*
 * id: derived ids (law 2), keys for repeats, lanes, trace contexts. Pure.
 */
#ifndef LINE_ID_H
#define LINE_ID_H

#include "base/hash.h"
#include "line/scan.h"
#include "line/writer.h"

/* What makes two lines the same event: source + id, decoded, under a key. 128 bits: at a million remembered
 * events the chance of a wrong match is below 1e-26. */
struct hash128 id_key(const struct envelope *e, const uint64_t key[2]);

/* Events with the same tenant and partitionkey stay in order; a line without a partitionkey is alone: it hashes by its id. */
uint64_t id_lane(const struct envelope *e);
/* The lane and the tenant alone, which is never 0. Tenants that come out alike only share a turn. */
void id_place(const struct envelope *e, uint64_t *lane, uint64_t *tenant);

/* Attributes id and source of an output: <input id>.<stage>, or <input id>.<stage>.<n> for n > 0, under the input's own
 * source: two inputs whose ids are alike under different sources have outputs that are not alike. */
void id_derive(struct writer *w, const struct envelope *cause, const char *stage, unsigned n);

/* What an output takes over from its cause: tenant, partitionkey, causationid (the cause's id), and traceparent
 * with a new span id derived from the cause's span id, stage and n (same input, same output), tracestate behind it; nothing if
 * the cause has no traceparent or a malformed one. */
void id_inherit(struct writer *w, const struct envelope *cause, const char *stage, unsigned n);

/* A new traceparent for the edge: "00-<32 hex>-<16 hex>-03". */
#define TRACEPARENT_LEN 55
void id_trace_new(char out[TRACEPARENT_LEN + 1], uint64_t r1, uint64_t r2, uint64_t r3);

#endif
