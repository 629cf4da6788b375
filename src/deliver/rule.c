#include "deliver/rule.h"

/* A column for each enum repeat: SAFE, SOON (inside its window), NEVER (and SOON behind it). */
static const struct { const char *cause; enum act act[3]; } table[R_COUNT] = {
	[R_SAID]	 = {"",		   {ACT_SAID,	     ACT_SAID,	      ACT_SAID}},
	[R_REFUSED]	 = {"refused",	   {ACT_FAIL,	     ACT_FAIL,	      ACT_FAIL}},
	[R_LIMITED]	 = {"limited",	   {ACT_AGAIN,	     ACT_AGAIN,	      ACT_AGAIN}},
	[R_BROKEN]	 = {"unknown",	   {ACT_AGAIN,	     ACT_AGAIN,	      ACT_UNKNOWN}},
	[R_DENIED]	 = {"credentials", {ACT_CREDENTIALS, ACT_CREDENTIALS, ACT_CREDENTIALS}},
	[R_ANSWERED]	 = {"answered",	   {ACT_FORM,	     ACT_FORM,	      ACT_FORM}},
	[R_NOT_THAT_WAY] = {"refused",	   {ACT_FORM,	     ACT_FORM,	      ACT_FORM}},
	[R_GONE]	 = {"gone",	   {ACT_STOP,	     ACT_STOP,	      ACT_STOP}},
	[R_ABSENT]	 = {"absent",	   {ACT_AGAIN,	     ACT_AGAIN,	      ACT_AGAIN}},
	[R_UNREACHED]	 = {"unreachable", {ACT_AGAIN,	     ACT_AGAIN,	      ACT_AGAIN}},
	[R_LOST]	 = {"unknown",	   {ACT_AGAIN,	     ACT_AGAIN,	      ACT_UNKNOWN}},
	[R_PRIVATE]	 = {"private",	   {ACT_FAIL,	     ACT_FAIL,	      ACT_FAIL}},
};

enum act rule_act(enum result r, enum repeat repeat, int64_t first)
{
	if (repeat == REPEAT_SOON && first >= REPEAT_WINDOW)
		repeat = REPEAT_NEVER;
	return table[r].act[repeat];
}

const char *rule_cause(enum result r)
{
	return table[r].cause;
}
