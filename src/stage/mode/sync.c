/*
 * sync: any number of lines out. Behind each task goes an event of type penstock.sync, which the program passes on as it does with
 * all that it does not know (law 1); when it comes back, everything before it is done. A program may write it anew, in other
 * bytes; its id tells which it is.
 */
#include "stage/mode/mode.h"

#include <stdio.h>
#include <string.h>

#include "line/scan.h"

#define TYPE "penstock.sync"
#define ANEW_MAX 1024u		/* a sync line that was written anew is not longer; lines beyond are not looked into */

static size_t tail(const struct task *t, char out[MODE_TAIL_MAX])
{
	return (size_t)snprintf(out, MODE_TAIL_MAX, "{\"specversion\":\"1.0\",\"id\":\"%s-%llu\",\"source\":\"/penstock/stage\",\"type\":\""
		TYPE "\",\"data\":{}}\n", t->key, (unsigned long long)t->number);
}

/* Is the line a sync line of this process, and which? */
static bool mine(const char *key, const char *p, size_t n, uint64_t *number)
{
	struct envelope e;
	struct line_err err;
	char id[64];
	unsigned long long v;
	int used = 0;

	if (n > ANEW_MAX || !memmem(p, n, TYPE, sizeof TYPE - 1) || !memmem(p, n, key, strlen(key)))
		return false;
	if (scan_strict(p, n, &e, &err) || !scan_is(e.a[LA_TYPE], TYPE) || scan_cstr(e.a[LA_ID], id, sizeof id) < 0)
		return false;
	if (strncmp(id, key, strlen(key)) != 0 || sscanf(id + strlen(key), "-%llu%n", &v, &used) != 1 || id[strlen(key) + (size_t)used])
		return false;
	*number = v;
	return true;
}

static enum mode_says line(const struct task *t, const char *p, size_t n)
{
	uint64_t number;

	if (n == 0)
		return MODE_STRAY;
	if (t->open && n + 1 == t->tail_n && memcmp(p, t->tail, n) == 0)
		return MODE_DONE;
	if (!mine(t->key, p, n, &number))
		return MODE_OUT;
	return t->open && number == t->number ? MODE_DONE : MODE_WRONG;
}

const struct mode mode_sync = {
	.name = "sync",
	.about = "any number of lines out; passes on what it does not know, the penstock.sync lines among it",
	.lives = true,
	.tail = tail,
	.line = line,
};
