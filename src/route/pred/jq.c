/*
 * jq: jq 'PROGRAM': the first thing that the jq program says of the event is neither false nor null. What runs it is behind pred_jq
 * (route/jq.h); this is its text. A program sees one event and nothing else: no time, no other input.
 */
#include "route/pred/pred.h"

#include <string.h>

const struct pred_jq_runner *pred_jq;

static const char *const OPS[] = { "jq", NULL };

/* They answer by more than the event, or end the process. */
static const char *const REFUSED[] = { "input", "inputs", "now", "halt", "halt_error", "input_line_number", "env", "debug", "stderr",
	"input_filename", "import", "include", "get_search_list", NULL };

#define NESTED 64u

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* The name at p, which moves behind it; NULL or why it is refused. */
static const char *name(const char **p, const char *start)
{
	const char *from = *p;
	size_t n;

	while (is_word(**p))
		(*p)++;
	n = (size_t)(*p - from);
	/* .now is a member. */
	if (from > start && from[-1] == '.')
		return NULL;
	if (from > start && from[-1] == '$')
		return n == 3 && memcmp(from, "ENV", 3) == 0 ? "$ENV" : NULL;
	for (size_t i = 0; REFUSED[i]; i++)
		if (strlen(REFUSED[i]) == n && memcmp(REFUSED[i], from, n) == 0)
			return REFUSED[i];
	return NULL;
}

/*
 * Brackets must be closed and texts ended: the program is put between others' text (route/jq.c). Names in texts count only inside \(...).
 * `open` holds what has to come: a closing bracket, or " for a text.
 */
static int check(const char *text, struct parser *in)
{
	char open[NESTED];
	unsigned depth = 0;

	for (const char *p = text; *p; ) {
		bool in_text = depth && open[depth - 1] == '"';
		const char *refused = NULL;
		char want = *p == '(' ? ')' : *p == '[' ? ']' : *p == '{' ? '}' : *p == '"' ? '"' : '\0';
		if (depth == NESTED)
			return pred_fail_value(in, "more than %u brackets inside each other in a jq program", NESTED - 1);
		if (in_text && *p == '\\' && p[1] == '(') {
			open[depth++] = ')';
			p += 2;
		} else if (in_text && *p == '\\' && p[1]) {
			p += 2;
		} else if (depth && *p == open[depth - 1]) {
			depth--;
			p++;
		} else if (in_text) {
			p++;
		} else if (want) {
			open[depth++] = want;
			p++;
		} else if (strchr(")]}", *p)) {
			return pred_fail_value(in, "in this jq program, byte %zu: a %c that closes nothing", (size_t)(p - text) + 1, *p);
		} else if (*p == '#') {
			p += strcspn(p, "\n");
		} else if (is_word(*p)) {
			refused = name(&p, text);
		} else {
			p++;
		}
		if (refused)
			return pred_fail_value(in, "%s: where a line goes may depend on the line only", refused);
	}
	return depth ? pred_fail_value(in, "in this jq program a %c is missing", open[depth - 1]) : 0;
}

static int parse(struct pred *p, struct parser *in)
{
	if (pred_value(in, p) < 0)
		return -1;
	if (p->v[0].kind != VALUE_STRING || strspn(p->v[0].text, " \t\n") == p->v[0].n)
		return pred_fail_value(in, "jq needs a program in quotes, as jq '.data.n > 5'");
	if (check(p->v[0].text, in) < 0 || pred_jq_one_more(in) < 0)
		return -1;
	if (pred_jq && !(p->own = pred_jq->open(p->v[0].text, p->line, p->column)))
		return pred_fail_value(in, "no memory");
	return 0;
}

static int ready(struct pred *p, char why[PRED_WHY])
{
	return p->own ? pred_jq->ready(p->own, why) : 0;
}

static bool match(const struct pred *p, const struct pred_line *l)
{
	const char *why = "nothing runs jq here";
	int r = p->own ? pred_jq->ask(p->own, l->raw.p, l->raw.n, &why) : -1;

	if (r < 0 && l->trouble)
		*l->trouble = why;
	return r > 0;
}

static int describe(const struct pred *p, struct buf *out)
{
	return buf_adds(out, "jq ") < 0 ? -1 : value_describe(&p->v[0], out);
}

static void rest(struct pred *p)
{
	if (p->own)
		pred_jq->rest(p->own);
}

static void release(struct pred *p)
{
	if (p->own)
		pred_jq->close(p->own);
}

const struct pred_kind pred_jq_program = {
	.name = "jq", .ops = OPS, .infix = false, .parse = parse, .match = match, .describe = describe, .ready = ready, .rest = rest, .release = release,
};
