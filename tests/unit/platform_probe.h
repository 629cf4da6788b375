/*
 * platform_probe: what a unit check of a platform (gatewayd/platform/platform.h) needs: an `out` that writes each wish down as a line of text,
 * and a script that plays upstream. So a check is text in and text out:
 *
 *	struct out *o = probe_new(platform_find("discord"));
 *	probe_file(o, "bot.token", "secret");
 *	CHECK(probe_account(o, "platform = discord\ntoken-file = bot.token\n") == 0, "open");
 *	probe_run(o, "start\nanswer 1 200 {}\ndial 0\n");
 *	CHECK(strcmp(probe_take(o), "...") == 0, ...);   or CHECK(probe_saw(o, "live 0 resumed"), ...)
 *
 * tests/unit/probe_platform does the same for files: PLATFORM, account, script; the record comes on stdout.
 *
 * Time stands still but for `advance`; out_random gives the same number again and again (`random`). The record, a wish a line:
 *
 *	connections N                     budget keys=1 every=5000ms total=1000 remaining=9 reset=14400000ms
 *	send C.S TEXT                     close C.S CODE REASON           dial-next C URL opening=MS     switch C
 *	linger C +MS [FROM] [TO] (and it did)
 *	live C up|resumed                 lost C resume|fresh|stop CODE wait=MS REASON                   expect C.S MS WHY | expect C.S off
 *	line C mark=N ticket=N JSON       mark C N                        gap C [FROM] [TO] REASON       timer C.T +MS | timer C.T off
 *	http N METHOD URL [token=user|app] [within=MS]  with lines "  Header: value" and "  > BODY"                  save C TEXT
 *	reply TICKET STATUS TYPE [kept] BODY                              saying TICKET     said TICKET ID|- ERROR|- [again|invalid|unknown]
 *	dial C URL [identify=KEY] opening=MS greeting=MS | dial C no      expired C.S WHY (then gone is called)
 * Bytes below 0x20 and from 0x7f are \r \n \t \xNN, a backslash is \\; so a line is a line. A conn of UINT_MAX is written as "-".
 *
 * The script, a step a line; blank lines and those that begin with # mean nothing. TEXT goes to the end of the line; \r \n \t \xNN \\ in
 * that of stream.
 *
 *	start | dial C [SAVED] | opened C[.S] | frame C[.S] TEXT | binary C[.S] HEX | stream C[.S] TEXT | gone C[.S] CODE REASON
 *	acked C MARK | drain C | due C T | say TICKET JSON | status | random PERCENT | wall SECONDS
 *	advance MS                        every timer and expectation that comes due meanwhile, in order; a timer of MS 41250.5 is fine
 *	answer N STATUS [Name: value | Name: value |] BODY    STATUS 0: no answer, BODY is the error
 *	hook TICKET PATH [Name: value | Name: value |] BODY   PATH "-" is none
 *	reload FILE-TEXT                  the account with \n for line ends; "reload yes" or "reload no" is written down
 *	disk C SECONDS SAVED              is on disk, and its connection was whole at SECONDS (wall) last
 * dial without SAVED hands over what out_save kept last; "dial C -" nothing. A step that is none ends the program with a message.
 */
#ifndef UNIT_PLATFORM_PROBE_H
#define UNIT_PLATFORM_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gatewayd/platform/platform.h"

struct out *probe_new(const struct platform *pl);
void probe_free(struct out *o);
/* A file beside the account's, mode 0600. */
void probe_file(struct out *o, const char *name, const char *text);
/* Reads the account (tenant t, name bot) and opens the platform with it: 0, or -1 when either refused. */
int probe_account(struct out *o, const char *conf);
/* The platform's object anew with the same account; timers and what was saved are forgotten. */
int probe_again(struct out *o);
void *probe_object(struct out *o);		/* what the platform's open gave */
const char *probe_bot(const struct out *o);	/* out_bot; "": not told */
int64_t probe_now(struct out *o);
void probe_quiet(struct out *o, bool quiet);	/* count lines and marks, record nothing (for speed and for fuzzing) */
uint64_t probe_lines(struct out *o);		/* out_line was called so often */
/* Called with each line of out_line, as it came. */
void probe_on_line(struct out *o, void (*fn)(void *arg, const char *line, size_t n), void *arg);

void probe_run(struct out *o, const char *script);
/* The record since the last take, and empties it. Good until the next call of any probe_ function. */
const char *probe_take(struct out *o);
/* Is there a line in the record that begins with text? The record stays. */
bool probe_saw(struct out *o, const char *text);

#endif
