/*
 * report: a verdict as an event, as JSON for a person, and what weighed most. Pure.
 */
#ifndef ANALYZE_REPORT_H
#define ANALYZE_REPORT_H

#include "analyze/verdict.h"
#include "line/scan.h"

struct buf;

#define REPORT_STAGE "analyze"

/*
 * Appends the analysis.emotion line that message e (chat.message) caused: 0, or -1 with the reason
 * in *err.
 */
int report_event(const struct analysis *a, const struct envelope *e, size_t max_line, struct buf *out,
	struct line_err *err);

/* Appends the verdict's members, as the event has them, as one JSON object and LF. */
int report_json(const struct analysis *a, struct buf *out);

/*
 * Appends what the text was read as, and for the class on top of each task its probability, where
 * it would start if nothing were known, and the features that weighed most: their parts of the
 * logit before the second layer.
 */
int report_explain(const struct analysis *a, struct buf *out);

#endif
