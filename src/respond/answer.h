/*
 * answer: one event in, the message.send lines it causes out. Pure: no clock, no randomness; the same event and the same
 * replies give the same bytes.
 *
 * chat.message: a command (and then nothing else), or the first word or contains trigger that matches.
 * command.invoked: the same commands; the arguments in their order. A message.send carries the platform, the account and the interaction of its
 * cause, which deliver needs. analysis.emotion: the first emotion trigger that matches. Anything else, and what a bot said, is left alone, and so is
 * what was written in another channel of a Shared Chat (data.shared_id), unless the replies want it.
 */
#ifndef RESPOND_ANSWER_H
#define RESPOND_ANSWER_H

#include "base/buf.h"
#include "line/err.h"
#include "line/scan.h"

struct replies;

#define ANSWER_MAX_BYTES 2000u		/* of one text: a longer one is cut and ends in an ellipsis */

/* Memory kept from line to line; zeroed by answer_init. */
struct answer { struct buf text, folded, value, said, list; size_t max_line; char why[LINE_ERR_TEXT]; };

void answer_init(struct answer *a, size_t max_line);
void answer_release(struct answer *a);

/* Appends whole lines to out; returns their number. -1: the line cannot be handled, for the reason *why (valid until the next call).
 * r NULL: no replies. */
int answer_event(struct answer *a, const struct replies *r, const char *line, const struct envelope *e, struct buf *out,
	const char **why);

#endif
