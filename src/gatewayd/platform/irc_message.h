/*
 * irc_message: lines of IRC, read and written. Pure.
 *
 * Sources: RFC 1459 and RFC 2812 (section 2.3.1), IRCv3 message tags (the form of tags and the limit of 8191 bytes for them), modern.ircdocs.horse.
 *
 * Bytes come in any cut. A line ends at LF; a CR before it is dropped, empty lines are skipped. What is accepted: up to IRC_IN_MAX
 * bytes a line (more than the standard's 8191 + 512: reading is lenient), 15 parameters (what follows the 15th belongs to it). A line with a
 * NUL or a CR inside, one without a command, one that is longer: refused, and the reader goes on behind its LF.
 *
 * Text is UTF-8 by rule, but old networks carry other bytes: every byte that is no part of a valid character becomes U+FFFD when a value
 * is taken out (irc_text, irc_name); the line is not refused for it.
 */
#ifndef GATEWAYD_PLATFORM_IRC_MESSAGE_H
#define GATEWAYD_PLATFORM_IRC_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "line/line.h"

#define IRC_LINE_MAX 512u	/* a line we send, with its CR LF, without tags */
#define IRC_TAGS_MAX 4096u	/* tags of a client, with @ and the blank */
#define IRC_IN_MAX 16384u	/* a line we read, without its LF */
#define IRC_PARAMS 15u

/* Everything points into the line. */
struct irc_message {
	struct span line;
	struct span tags;		/* behind the @; p NULL: none */
	struct span nick, user, host;	/* of the prefix; a server's name is in nick; p NULL: absent */
	struct span command;
	struct span params[IRC_PARAMS];	/* p NULL behind the last */
	unsigned nparams;
};

struct irc_reader {
	struct buf held;		/* the beginning of a line */
	bool skipping;			/* the rest of one that was too long */
};

void irc_reader_init(struct irc_reader *r);
void irc_reader_release(struct irc_reader *r);

/* Takes bytes and calls fn for each line that ends in them; fn returns false to stop (the rest is dropped). why: the line was refused, its
 * message is empty. -1: no memory. */
typedef bool irc_line_fn(void *arg, const struct irc_message *m, const char *why);
int irc_read(struct irc_reader *r, const char *p, size_t n, irc_line_fn *fn, void *arg);

/* One line without its end. NULL, or why it is none. */
const char *irc_parse(const char *p, size_t n, struct irc_message *m);

unsigned irc_code(struct span s);			/* three digits as a number; 0: it is something else */
bool irc_is(struct span s, const char *text);		/* the same bytes, ASCII letters in any case */

/* The value of a tag as it stands there, escaped; p NULL: no such tag (the last of several counts). One without a value has n 0. */
struct span irc_tag_raw(const struct irc_message *m, const char *name);
/* The same, unescaped and made UTF-8, appended. false: no such tag, or it has no value. */
bool irc_tag(const struct irc_message *m, const char *name, struct buf *to);
uint64_t irc_tag_u64(const struct irc_message *m, const char *name);	/* 0: none, or no number */

/* Appends with every bad byte replaced. irc_utf8: no more than that. irc_name: control characters and noncharacters too (what is fit for an attribute). irc_text: without
 * IRC's formatting codes (bold 02, colour 03 and 04, reset 0f, monospace 11, reverse 16, italics 1d, strike 1e, underline 1f). */
int irc_utf8(struct span s, struct buf *to);
int irc_name(struct span s, struct buf *to);
int irc_text(struct span s, struct buf *to);

/* Folds the ASCII letters, and []\^ to {}|~ where rfc1459 is true (^ not, where strict). */
enum irc_fold { IRC_FOLD_RFC1459, IRC_FOLD_STRICT, IRC_FOLD_ASCII };
void irc_fold(char *p, size_t n, enum irc_fold how);

/* ---- writing ---- */

/* May this be a parameter that is not the last: no blank, CR, LF, NUL, not empty, no colon first. */
bool irc_middle_ok(const char *p, size_t n);
/* May this be the last parameter: no CR, LF, NUL. */
bool irc_last_ok(const char *p, size_t n);
/* Escapes a tag's value. */
int irc_tag_escape(const char *p, size_t n, struct buf *to);
/* How many bytes of text go into a message of at most max bytes: all of it, or up to a blank in the last quarter, or between two
 * characters; never 0 for a text that is not empty and a max of 4 or more. Bad UTF-8 is cut anywhere. */
size_t irc_cut(const char *p, size_t n, size_t max);

#endif
