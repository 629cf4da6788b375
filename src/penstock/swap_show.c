/* What the records say, for people, for programs and for other commands. */
#include "penstock/swap.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"

const char *swapped(const struct tree *t, const char *name)
{
	static struct swap s;

	return swap_load(t, name, &s) < 0 ? name : swap_top(&s);
}

struct search { const char *service; bool found; };

static int look_for(void *arg, const struct tree *t, struct swap *s)
{
	struct search *f = arg;

	(void)t;
	for (unsigned i = 0; i + 1 < s->n; i++)
		f->found |= strcmp(s->service[i], f->service) == 0;
	return 0;
}

bool swapped_out(const struct tree *t, const char *service)
{
	struct search f = { service, false };

	swap_each(t, look_for, &f);
	return f.found;
}

static void print_trial(const struct tree *t, const struct swap *s)
{
	struct swap_split split;
	bool known = swap_split_ask(t, s, &split) == 0;

	printf("  %s %s", swap_how_word(s->how), s->trial);
	if (s->how == SWAP_CANARY)
		printf(" gets %" PRIu64 " %%", known ? (uint64_t)split.percent : s->percent);
	printf(": %s\n", s->trial_about ? s->trial_about : "");
	if (known)
		printf("  %" PRId64 " given, %" PRId64 " done, %" PRId64 " refused%s%s\n", split.set_has.given, split.set_has.done, split.set_has.refused,
			split.on ? "" : "; route took its lines back: ", split.on ? "" : split.because);
}

static int print_one(void *arg, const struct tree *t, struct swap *s)
{
	char when[CLOCK_RFC3339_MAX];

	clock_rfc3339(when, s->since);
	printf("%s%s: %s is in force%s%s, since %s\n", arg ? (const char *)arg : "", s->name, swap_top(s), s->about[s->n - 1] ? ": " : "",
		s->about[s->n - 1] ? s->about[s->n - 1] : "", when);
	if (s->n > 1)
		printf("  --back brings %s\n", s->service[s->n - 2]);
	if (s->trial && s->phase == SWAP_REST)
		print_trial(t, s);
	if (s->phase != SWAP_REST)
		printf("  a swap is under way, or was killed (%s): the next one, or penstock up, ends it\n", swap_phase_word(s->phase));
	if (s->because)
		printf("  taken back by itself: %s\n", s->because);
	return 0;
}

int swapped_print(const struct tree *t)
{
	return swap_each(t, print_one, (void *)"\n");
}

static void add_member(struct buf *b, const char *member, const char *text)
{
	buf_printf(b, ",\"%s\":", member);
	if (text)
		buf_add_json(b, text, strlen(text));
	else
		buf_adds(b, "null");
}

static int json_one(void *arg, const struct tree *t, struct swap *s)
{
	struct buf *b = arg;
	struct swap_split split;

	buf_adds(b, b->p[b->len - 1] == '[' ? "{\"name\":" : ",{\"name\":");
	buf_add_json(b, s->name, strlen(s->name));
	add_member(b, "service", swap_top(s));
	add_member(b, "about", s->about[s->n - 1]);
	add_member(b, "before", s->n > 1 ? s->service[s->n - 2] : NULL);
	add_member(b, "phase", swap_phase_word(s->phase));
	add_member(b, "trial", s->trial);
	add_member(b, "because", s->because);
	if (s->trial) {
		add_member(b, "how", swap_how_word(s->how));
		add_member(b, "trial_about", s->trial_about);
		buf_printf(b, ",\"percent\":%" PRIu64, s->percent);
		if (s->how != SWAP_WHOLE && swap_split_ask(t, s, &split) == 0) {
			buf_printf(b, ",\"given\":%" PRId64 ",\"done\":%" PRId64 ",\"refused\":%" PRId64, split.set_has.given, split.set_has.done, split.set_has.refused);
			add_member(b, "off_because", split.on ? NULL : split.because);
		}
	}
	return buf_addc(b, '}');
}

int swapped_json(const struct tree *t, struct buf *out)
{
	if (buf_addc(out, '[') < 0 || swap_each(t, json_one, out) < 0)
		return -1;
	return buf_addc(out, ']');
}

int swap_show(const struct tree *t, const char *name, bool json)
{
	static struct swap s;
	struct buf b;
	int rc;

	if (json) {
		buf_init(&b, SERVICES_TEXT_MAX);
		rc = swapped_json(t, &b) < 0 || buf_addc(&b, '\n') < 0 ? -1 : 0;
		if (rc == 0)
			fwrite(b.p, 1, b.len, stdout);
		buf_release(&b);
	} else if (name) {
		rc = swap_load(t, name, &s);
		if (rc == 0 && s.since)
			print_one(NULL, t, &s);
		else if (rc == 0)
			printf("%s: not swapped\n", name);
	} else {
		rc = swap_each(t, print_one, NULL);
		if (rc == 0)
			printf("nothing is swapped\n");
	}
	return rc < 0 || fflush(stdout) != 0 ? 1 : 0;
}
