/*
 * metric: counters and gauges in a small mapped file, so that a count costs an add, survives a crash,
 * and needs no thread and no port. Any process can read it while it is written.
 *
 * File: 4096-byte multiples, MAP_SHARED. A header { magic "PENSTKM1", pid, started (wall ns), rows, row size } and
 * rows { name[64], labels[64], help[96], kind, u64 value }; a row is complete before the row count says so.
 * Values are read and written with relaxed atomics. Without a file (-M not given) the counts live in private memory.
 * A file left by an earlier run of the same name is continued: counters go on, gauges start at 0. A file that is something
 * else, or that another process writes (flock) for a second more, is refused. Names, labels and helps longer than their cell are cut.
 * metric_open comes before the first metric_row; rows are made by one thread, counted by any.
 *
 * Rows come from the program's metrics.def: METRIC(ID, "name", COUNTER|GAUGE, "unit", "help"), without labels; and from
 * metric_row for those with labels (a destination). At most METRIC_ROWS rows; then metric_row returns a
 * spare cell that nobody reads and warns once.
 */
#ifndef BASE_METRIC_H
#define BASE_METRIC_H

#include <stddef.h>
#include <stdint.h>

#define METRIC_ROWS 1000

enum metric_kind { METRIC_COUNTER = 1, METRIC_GAUGE = 2 };

extern const char *metric_path;		/* set by args (-M); NULL: private memory */

int metric_open(const char *prog);	/* creates or continues metric_path; -1 with a message */

/* The cell of name{labels}; made if new. labels like `dest="store"` or "". Never NULL. Not for the hot path: keep the pointer. */
uint64_t *metric_row(const char *name, const char *labels, enum metric_kind kind, const char *help);

/* The cell if it is there already, else NULL; and how many more rows there is room for. For rows that are nice to have: they must not
 * take the room of others. */
uint64_t *metric_find(const char *name, const char *labels);
unsigned metric_room(void);

static inline void metric_add(uint64_t *cell, uint64_t n)
{
	__atomic_fetch_add(cell, n, __ATOMIC_RELAXED);
}
static inline void metric_set(uint64_t *cell, uint64_t v)
{
	__atomic_store_n(cell, v, __ATOMIC_RELAXED);
}
static inline uint64_t metric_get(const uint64_t *cell)
{
	return __atomic_load_n(cell, __ATOMIC_RELAXED);
}

/* Reads the file of another process: fn for every row. -1 with errno (EINVAL: not a metrics file). */
struct metric_view { const char *name, *labels, *help; enum metric_kind kind; uint64_t value; };
int metric_read(const char *path, void (*fn)(void *arg, const struct metric_view *row), void *arg);

#endif
