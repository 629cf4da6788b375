/*
 * say: a line that deliver acts on, with what it needs of it decoded. Pure.
 *
 *   message.send      data: channel.id, text, and where there: platform, account, reply_to, edit (number of a message to be
 *                     changed), mentions (array of "users" "roles" "everyone" "reply"), split (true: a text that is too long goes out in pieces),
 *                     interaction {id, token, application_id, type}
 *   command.invoked   data: platform, account, interaction
 *
 * Everything else, and what another program carries out (platforms browser and irc), is SAY_OTHER.
 */
#ifndef DELIVER_SAY_H
#define DELIVER_SAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "line/envelope.h"

#define SAY_NAME_MAX 256u		/* bytes of a number, name or account; of an interaction's token 1024 */
#define SAY_KEY 16			/* bytes */
#define SAY_NONCE 24			/* hex digits */

enum say_kind { SAY_OTHER, SAY_MESSAGE, SAY_COMMAND };
enum { MENTION_USERS = 1, MENTION_ROLES = 2, MENTION_EVERYONE = 4, MENTION_REPLY = 8 };

/* What of a message is asked for next. The first two are of channels, the others of interactions. */
enum form { FORM_CREATE, FORM_EDIT, FORM_CALLBACK, FORM_DEFER, FORM_ORIGINAL, FORM_FOLLOWUP, FORM_COUNT };

/* Strings end with NUL and are "" when the line has none; they hold no NUL but for text. */
struct say {
	enum say_kind kind;
	unsigned char key[SAY_KEY];	/* of source and id: the same for every repeat of the event, in every process */
	char nonce[SAY_NONCE + 1];	/* the same as text, for a platform; another one for each piece */
	char tenant[TENANT_MAX + 1];
	const char *platform, *account, *channel, *reply_to, *edit;
	const char *interaction, *token, *application;
	int interaction_type;		/* 2 command, 3 component, 4 autocomplete, 5 modal; 0 unknown */
	const char *text;
	size_t ntext;
	unsigned mentions;
	bool split;
	const char *line;		/* the line itself, without LF: borrowed */
	size_t nline;
	/* Set by who carries it out, read by a target: */
	const char *piece;		/* of text, what goes out now */
	size_t npiece;
	enum form form;
	struct buf mem;			/* private */
};

/* strict: nobody has checked the line before. p must stay as long as s. 0; -1 with *err, and s needs no release. */
int say_parse(struct say *s, const char *p, size_t n, bool strict, struct line_err *err);
void say_release(struct say *s);
/* The nonce of piece number n of its text. */
void say_nonce(struct say *s, unsigned n);

#endif
