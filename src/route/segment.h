/*
 * segment: the text of one spool file. Pure: bytes in, answers out. The format is in route(8), SPOOL FORMAT.
 *
 * A segment is the file <first sequence number, 20 digits>.ndjson. It holds groups: event lines, closed by a commit line
 *   {"_commit":{"seq":FIRST,"n":N,"bytes":B,"gen":G,"crc":"8 hex digits"}}
 * seq is the number of the group's first line, n its lines, bytes their length with LFs, gen the generation of the rules
 * that decided about them, crc CRC-32C of those bytes and of the commit line up to `,"crc"`. No event can look like a commit line: `_` cannot begin an attribute
 * name, and a commit line is written without blanks. The first line of a segment is the commit line of an empty group, so that
 * the generation is known before the first event is read; one segment has one generation. This one has two members more, before crc:
 * prev, the number behind the last line of the segment before it (numbers from there to seq were never given to a line), and lines, how many
 * lines the spool had kept in its life before this segment.
 */
#ifndef ROUTE_SEGMENT_H
#define ROUTE_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEGMENT_COMMIT_MAX 192		/* bytes of a commit line, LF included */
#define SEGMENT_GROUP_MAX (12u << 20)	/* no group is larger: a reader that finds no commit line in so much gives up */
#define SEGMENT_NAME_MAX 32

struct commit {
	uint64_t seq; uint32_t n; uint64_t bytes; uint64_t gen; uint32_t crc;
	bool head;			/* of a segment: has the next two */
	uint64_t prev, lines;
};

/* With LF; returns the length. c->crc is that of the lines alone; it is continued over the commit line. */
size_t commit_write(char out[SEGMENT_COMMIT_MAX], const struct commit *c);
int commit_parse(const char *p, size_t n, struct commit *c);	/* without LF, exactly as written; -1: it is none */
bool segment_is_commit(const char *p, size_t n);		/* cheap: does the line begin like one? */

void segment_name(char out[SEGMENT_NAME_MAX], uint64_t first);
int segment_name_parse(const char *name, uint64_t *first);	/* -1: not the name of a segment */

/* How far a search for the end of a group has come; zeroed at the start of a group. */
struct segment_scan { size_t at; uint32_t lines; };
enum segment_result {
	SEGMENT_GROUP,	/* p begins with a whole good group of *len bytes, commit line included */
	SEGMENT_MORE,	/* no commit line yet: call again with the same bytes and more behind them */
	SEGMENT_BAD,	/* what stands there is no group; *why says what is wrong */
};
#define SEGMENT_ANY UINT64_MAX
/* Looks at the n bytes at p, the start of a group whose first line has number `seq` (SEGMENT_ANY: any). */
enum segment_result segment_next(const char *p, size_t n, uint64_t seq, struct segment_scan *s, struct commit *c,
	size_t *len, const char **why);

#endif
