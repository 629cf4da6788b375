#include "base/args_row.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/num.h"

void row_load(const struct row *r, struct value *v)
{
	*v = (struct value){0};
	switch (r->arg->kind) {
	case ARG_FLAG: v->flag = *(bool *)r->arg->to; break;
	case ARG_STR: v->s = *(const char **)r->arg->to; break;
	case ARG_LIST: v->list = *(struct arg_list *)r->arg->to; break;
	case ARG_U64:
	case ARG_SIZE: v->u = *(uint64_t *)r->arg->to; break;
	case ARG_TIME: v->ns = *(int64_t *)r->arg->to; break;
	case ARG_ENUM: v->choice = *(int *)r->arg->to; break;
	}
}

void row_store(const struct row *r, const struct value *v)
{
	switch (r->arg->kind) {
	case ARG_FLAG: *(bool *)r->arg->to = v->flag; break;
	case ARG_STR: *(const char **)r->arg->to = v->s; break;
	case ARG_LIST: *(struct arg_list *)r->arg->to = v->list; break;
	case ARG_U64:
	case ARG_SIZE: *(uint64_t *)r->arg->to = v->u; break;
	case ARG_TIME: *(int64_t *)r->arg->to = v->ns; break;
	case ARG_ENUM: *(int *)r->arg->to = v->choice; break;
	}
}

/* A number of the row's kind as people write it. */
static void show(enum arg_kind kind, uint64_t v, char *out, size_t size)
{
	static const struct { int64_t ns; const char *word; } times[] = {
		{86400 * CLOCK_S, "d"}, {3600 * CLOCK_S, "h"}, {60 * CLOCK_S, "m"}, {CLOCK_S, "s"}, {CLOCK_MS, "ms"},
	};
	static const char units[] = "gmk";

	if (kind == ARG_SIZE) {
		for (unsigned i = 0, shift = 30; i < 3; i++, shift -= 10) {
			if (v && v % (UINT64_C(1) << shift) == 0) {
				snprintf(out, size, "%" PRIu64 "%c", v >> shift, units[i]);
				return;
			}
		}
	}
	if (kind == ARG_TIME) {
		for (size_t i = 0; i < sizeof(times) / sizeof(*times); i++) {
			if (v && v % (uint64_t)times[i].ns == 0) {
				snprintf(out, size, "%" PRIu64 "%s", v / (uint64_t)times[i].ns, times[i].word);
				return;
			}
		}
		snprintf(out, size, "%gs", (double)v / (double)CLOCK_S);
		return;
	}
	snprintf(out, size, "%" PRIu64, v);
}

static int out_of_range(const struct arg *a, const char *reason, char why[ROW_WHY])
{
	char min[32], max[32];

	show(a->kind, (uint64_t)a->min, min, sizeof(min));
	show(a->kind, (uint64_t)a->max, max, sizeof(max));
	if (a->max)
		snprintf(why, ROW_WHY, "%s; want %s to %s", reason, min, max);
	else
		snprintf(why, ROW_WHY, "%s; want %s or more", reason, min);
	return -1;
}

static int parse_choice(const struct arg *a, const char *text, struct value *v, char why[ROW_WHY])
{
	size_t len = strlen(text);
	const char *p = a->choices;

	for (int i = 0; ; i++) {
		size_t n = strcspn(p, "|");

		if (n == len && memcmp(p, text, n) == 0) {
			v->choice = i;
			return 0;
		}
		if (!p[n])
			break;
		p += n + 1;
	}
	snprintf(why, ROW_WHY, "not one of %s", a->choices);
	return -1;
}

static int parse_flag(const char *text, struct value *v, char why[ROW_WHY])
{
	v->flag = strcmp(text, "yes") == 0;
	if (v->flag || strcmp(text, "no") == 0)
		return 0;
	snprintf(why, ROW_WHY, "not yes or no");
	return -1;
}

/* The old array stays as it is: a list that was handed out keeps its words. The new one remembers it in front of its own words,
 * so that it is not lost to a leak checker. */
static int add_to_list(const char *text, struct value *v, char why[ROW_WHY])
{
	const char **words = calloc(v->list.n + 2, sizeof(*words));

	if (!words) {
		snprintf(why, ROW_WHY, "out of memory");
		return -1;
	}
	*words++ = (const char *)v->list.v;
	if (v->list.n)
		memcpy(words, v->list.v, v->list.n * sizeof(*words));
	words[v->list.n] = text;
	v->list.v = words;
	v->list.n++;
	return 0;
}

int row_parse(const struct arg *a, const char *text, struct value *v, char why[ROW_WHY])
{
	uint64_t max = a->max ? (uint64_t)a->max : UINT64_MAX;
	const char *reason;
	int rc;

	switch (a->kind) {
	case ARG_FLAG: return parse_flag(text, v, why);
	case ARG_ENUM: return parse_choice(a, text, v, why);
	case ARG_LIST: return add_to_list(text, v, why);
	case ARG_STR:
		v->s = text;
		return 0;
	case ARG_U64: rc = num_u64(text, (uint64_t)a->min, max, &v->u, &reason); break;
	case ARG_SIZE: rc = num_size(text, (uint64_t)a->min, max, &v->u, &reason); break;
	case ARG_TIME: rc = num_duration(text, a->min, a->max ? a->max : INT64_MAX, &v->ns, &reason); break;
	default: return -1;
	}
	return rc ? out_of_range(a, reason, why) : 0;
}

/* ---- --help ---- */

static void show_default(const struct row *r, char *out, size_t size)
{
	const struct value *v = &r->initial;
	char text[32];

	*out = '\0';
	switch (r->arg->kind) {
	case ARG_STR:
		if (v->s)
			snprintf(out, size, " [%s]", v->s);
		break;
	case ARG_U64:		/* UINT64_MAX: none is set */
	case ARG_SIZE:
	case ARG_TIME:
		if ((r->arg->kind == ARG_TIME ? v->ns != 0 : v->u != 0) && v->u != UINT64_MAX) {
			show(r->arg->kind, r->arg->kind == ARG_TIME ? (uint64_t)v->ns : v->u, text, sizeof(text));
			snprintf(out, size, " [%s]", text);
		}
		break;
	case ARG_ENUM: {
		const char *p = r->arg->choices;

		for (int i = 0; v->choice >= 0 && i < v->choice && *p; i++)
			p += strcspn(p, "|") + 1;
		if (v->choice >= 0)
			snprintf(out, size, " [%.*s]", (int)strcspn(p, "|"), p);
		break;
	}
	default:
		break;
	}
}

const char *row_value(const struct arg *a)
{
	return a->kind == ARG_ENUM ? a->choices : a->value;
}

void row_help(const struct args *a, const struct row *rows, size_t n)
{
	const char *p = a->synopsis;
	int width = 0;

	for (const char *before = "Usage: "; ; before = "       ") {
		size_t len = strcspn(p, "\n");

		printf("%s%s%s%.*s\n", before, a->prog, len ? " " : "", (int)len, p);
		if (!p[len] || !p[len + 1])
			break;
		p += len + 1;
	}
	printf("%s\n\n", a->about);
	for (size_t i = 0; i < n; i++) {
		const char *value = row_value(rows[i].arg);
		int w = (int)strlen(rows[i].arg->word) + (value ? (int)strlen(value) + 1 : 0);

		if (w > width)
			width = w;
	}
	for (size_t i = 0; i < n; i++) {
		const struct arg *r = rows[i].arg;
		const char *value = row_value(r);
		char left[96], letter[5] = "    ", def[96];

		if (r->letter)
			snprintf(letter, sizeof(letter), "-%c, ", r->letter);
		snprintf(left, sizeof(left), "%s%s%s", r->word, value ? " " : "", value ? value : "");
		show_default(&rows[i], def, sizeof(def));
		printf("  %s--%-*s  %s%s\n", letter, width, left, r->help, def);
	}
	/* "penstock send" is a chapter of penstock(1), "route dead" one of route(8). */
	n = strcspn(a->prog, " ");
	printf("\nThe manual is %.*s(%c).\n", (int)n, a->prog, a->flags & ARGS_USER || strncmp(a->prog, "penstock", n) == 0 ? '1' : '8');
}
