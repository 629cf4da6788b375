#include "link/ack.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/num.h"
#include "base/utf8.h"
#include "link/batch.h"
#include "link/pull.h"
#include "link/refusal_list.h"

/* ---- writing ---- */

static int add_u64(struct buf *out, uint64_t v)
{
	char digits[NUM_U64_DIGITS];

	return buf_add(out, digits, num_put_u64(digits, v));
}

/* Text as a JSON string: cut at max bytes between characters; bytes that are no UTF-8 become '?'. */
static int add_text(struct buf *out, const char *s, size_t max)
{
	char clean[ACK_DETAIL_MAX];
	size_t n = strnlen(s, max), len = 0;

	for (size_t i = 0, c; i < n; i += c) {
		c = utf8_len(s + i, s + i + strnlen(s + i, 4));
		if (len + c > max)
			break;
		if (c == 0) {
			clean[len++] = '?';
			c = 1;
			continue;
		}
		memcpy(clean + len, s + i, c);
		len += c;
	}
	return buf_add_json(out, clean, len);
}

/* The end of it: last words say the most. */
static int add_detail(struct buf *out, const char *s)
{
	size_t n = strlen(s);

	if (n > ACK_DETAIL_MAX) {
		s += n - ACK_DETAIL_MAX;
		for (int i = 0; i < 3 && (*s & 0xc0) == 0x80; i++)
			s++;
	}
	return buf_adds(out, ",\"stderr\":") | add_text(out, s, ACK_DETAIL_MAX);
}

static int add_refused(struct buf *out, const struct refusal *r, size_t n)
{
	int bad = buf_adds(out, ",\"refused\":[");
	size_t details = 0;

	for (size_t i = 0; i < n && !bad; i++) {
		bad |= buf_adds(out, i ? ",{\"n\":" : "{\"n\":");
		bad |= add_u64(out, r[i].n);
		bad |= buf_adds(out, ",\"error\":");
		bad |= add_text(out, r[i].error ? r[i].error : "refused", ACK_ERROR_MAX);
		if (r[i].retry)
			bad |= buf_adds(out, ",\"retry\":true");
		if (r[i].retry && r[i].retry_after) {
			bad |= buf_adds(out, ",\"retry_after\":");
			bad |= add_u64(out, r[i].retry_after);
		}
		if (r[i].detail && *r[i].detail && details < ACK_DETAILS_MAX) {
			size_t before = out->len;
			bad |= add_detail(out, r[i].detail);
			details += out->len - before;
		}
		bad |= buf_addc(out, '}');
	}
	return bad | buf_addc(out, ']');
}

int put_reply_write(struct buf *out, uint32_t acked, const struct refusal *refused, size_t n)
{
	int bad = buf_adds(out, "{\"ack\":");

	bad |= add_u64(out, acked);
	if (n > 0)
		bad |= add_refused(out, refused, n);
	return bad | buf_adds(out, "}\n") ? -1 : 0;
}

int take_reply_write(struct buf *out, const char *batch, uint32_t n, const uint64_t *seq)
{
	int bad = buf_adds(out, "{\"batch\":");

	bad |= add_text(out, batch, ACK_NAME_MAX);
	bad |= buf_adds(out, ",\"n\":");
	bad |= add_u64(out, n);
	if (seq && n > 0) {
		bad |= buf_adds(out, ",\"seq\":[");
		for (uint32_t i = 0; i < n && !bad; i++) {
			if (i)
				bad |= buf_addc(out, ',');
			bad |= add_u64(out, seq[i]);
		}
		bad |= buf_addc(out, ']');
	}
	return bad | buf_adds(out, "}\n") ? -1 : 0;
}

int take_request_write(struct buf *out, const char *as, const char *set, const char *done,
	const struct refusal *refused, size_t n, uint32_t take)
{
	int bad = buf_adds(out, "{\"as\":");

	bad |= add_text(out, as, ACK_NAME_MAX);
	if (set && *set) {
		bad |= buf_adds(out, ",\"set\":");
		bad |= add_text(out, set, ACK_NAME_MAX);
	}
	if (done && *done) {
		bad |= buf_adds(out, ",\"done\":");
		bad |= add_text(out, done, ACK_NAME_MAX);
		if (n > 0)
			bad |= add_refused(out, refused, n);
	}
	if (take > 0) {
		bad |= buf_adds(out, ",\"take\":");
		bad |= add_u64(out, take);
	}
	return bad | buf_adds(out, "}\n") ? -1 : 0;
}

/* ---- reading ---- */

/* What a message refuses, while it is read. */
struct reading {
	struct refusal_list list;
	unsigned char seen[LINK_BATCH_LINES / 8 + 1];	/* a line may be refused once */
	size_t details;		/* bytes */
};

static void give_back(struct refusal **v, size_t *n)
{
	struct refusal_list list = { .v = *v, .n = *n };

	refusal_list_release(&list);
	*v = NULL;
	*n = 0;
}

/* Notes a fault that is not one of JSON. */
static void fault(struct pull *j, const char *why)
{
	if (!j->why)
		j->why = why;
}

static void read_refusal(struct pull *j, struct reading *all)
{
	char name[16], error[ACK_ERROR_MAX + 1] = "refused", detail[ACK_DETAIL_MAX + 1] = "";
	uint64_t n = 0, after = 0;
	bool retry = false;

	if (!pull_open(j, '{'))
		return;
	while (pull_member(j, name, sizeof name)) {
		if (!strcmp(name, "n"))
			pull_u64(j, LINK_BATCH_LINES, &n);
		else if (!strcmp(name, "error"))
			pull_string(j, error, sizeof error, true);
		else if (!strcmp(name, "stderr"))
			pull_string(j, detail, sizeof detail, true);
		else if (!strcmp(name, "retry"))
			pull_bool(j, &retry);
		else if (!strcmp(name, "retry_after"))
			pull_u64(j, INT64_MAX, &after);
		else
			pull_skip(j);
	}
	if (j->why)
		return;
	if (n == 0 || all->seen[n / 8] & 1u << n % 8) {
		fault(j, n ? "a line is refused twice" : "a refusal without n");
		return;
	}
	bool keep = detail[0] && all->details < ACK_DETAILS_MAX;
	struct refusal r = { .n = (uint32_t)n, .retry = retry, .error = error, .detail = keep ? detail : NULL,
		.retry_after = !retry ? 0 : after < ACK_RETRY_AFTER_MAX ? (uint32_t)after : ACK_RETRY_AFTER_MAX };
	all->details += strlen(detail);
	if (refusal_list_add(&all->list, &r)) {
		fault(j, "out of memory");
		return;
	}
	all->seen[n / 8] |= (unsigned char)(1u << n % 8);
}

static void read_refusals(struct pull *j, struct reading *all)
{
	if (all->list.v)
		fault(j, "refused stands twice");
	if (!pull_open(j, '['))
		return;
	while (pull_element(j)) {
		read_refusal(j, all);
	}
}

static void read_u32(struct pull *j, uint64_t max, uint32_t *out)
{
	uint64_t v;

	pull_u64(j, max, &v);
	*out = (uint32_t)v;
}

/* All is read: what was refused is the caller's, or the message is not to be understood. */
static int end(struct pull *j, struct reading *refused, struct refusal **v, size_t *n, const char **why)
{
	if (j->why) {
		refusal_list_release(&refused->list);
		*why = pull_why(j);
		return -1;
	}
	*v = refused->list.v;
	*n = refused->list.n;
	return 0;
}

int take_request_parse(const char *p, size_t n, struct take_request *out, const char **why)
{
	struct reading refused = { 0 };
	struct pull j;
	char name[16];

	*out = (struct take_request){ 0 };
	pull_init(&j, p, n);
	if (pull_open(&j, '{')) {
		while (pull_member(&j, name, sizeof name)) {
			if (!strcmp(name, "as"))
				pull_string(&j, out->as, sizeof out->as, false);
			else if (!strcmp(name, "set"))
				pull_string(&j, out->set, sizeof out->set, false);
			else if (!strcmp(name, "done"))
				pull_string(&j, out->done, sizeof out->done, false);
			else if (!strcmp(name, "take"))
				read_u32(&j, UINT32_MAX, &out->take);
			else if (!strcmp(name, "refused"))
				read_refusals(&j, &refused);
			else
				pull_skip(&j);
		}
	}
	pull_end(&j);
	if (!out->take && !out->done[0])
		fault(&j, "neither take nor done");
	if (refused.list.n && !out->done[0])
		fault(&j, "refused without done");
	if (end(&j, &refused, &out->refused, &out->nrefused, why)) {
		*out = (struct take_request){ 0 };
		return -1;
	}
	if (out->take > LINK_BATCH_LINES)
		out->take = LINK_BATCH_LINES;
	return 0;
}

void take_request_release(struct take_request *r)
{
	give_back(&r->refused, &r->nrefused);
}

int put_reply_parse(const char *p, size_t n, struct put_reply *out, const char **why)
{
	struct reading refused = { 0 };
	struct pull j;
	char name[16];
	bool acked = false;

	*out = (struct put_reply){ 0 };
	pull_init(&j, p, n);
	if (pull_open(&j, '{')) {
		while (pull_member(&j, name, sizeof name)) {
			if (!strcmp(name, "ack")) {
				read_u32(&j, LINK_BATCH_LINES, &out->acked);
				acked = true;
			} else if (!strcmp(name, "refused")) {
				read_refusals(&j, &refused);
			} else {
				pull_skip(&j);
			}
		}
	}
	pull_end(&j);
	if (!acked)
		fault(&j, "no ack");
	if (end(&j, &refused, &out->refused, &out->nrefused, why)) {
		*out = (struct put_reply){ 0 };
		return -1;
	}
	return 0;
}

void put_reply_release(struct put_reply *r)
{
	give_back(&r->refused, &r->nrefused);
}

/* The sequence numbers; how many in *n. */
static uint64_t *read_seq(struct pull *j, size_t *n)
{
	uint64_t *v = NULL;
	size_t cap = 0;

	*n = 0;
	if (!pull_open(j, '['))
		return NULL;
	while (pull_element(j)) {
		if (*n == cap) {
			cap = cap ? cap * 2 : 256;
			uint64_t *more = cap <= 2 * LINK_BATCH_LINES ? realloc(v, cap * sizeof *v) : NULL;
			if (!more) {
				fault(j, "more sequence numbers than lines");
				break;
			}
			v = more;
		}
		pull_u64(j, INT64_MAX, &v[(*n)++]);
	}
	return v;
}

int take_reply_parse(const char *p, size_t len, struct take_reply *out, const char **why)
{
	const char *lf = memchr(p, '\n', len);
	size_t nseq = 0;
	struct pull j;
	char name[16];
	bool named = false, numbered = false;

	*out = (struct take_reply){ .head = lf ? (size_t)(lf - p) + 1 : len };
	pull_init(&j, p, out->head);
	if (pull_open(&j, '{')) {
		while (pull_member(&j, name, sizeof name)) {
			if (!strcmp(name, "batch")) {
				pull_string(&j, out->batch, sizeof out->batch, false);
				named = true;
			} else if (!strcmp(name, "n")) {
				read_u32(&j, LINK_BATCH_LINES, &out->n);
			} else if (!strcmp(name, "seq")) {
				if (numbered)
					fault(&j, "seq stands twice");
				numbered = true;
				if (!j.why)
					out->seq = read_seq(&j, &nseq);
			} else {
				pull_skip(&j);
			}
		}
	}
	pull_end(&j);
	if (!named)
		fault(&j, "no batch");
	if (out->n > 0 && !out->batch[0])
		fault(&j, "a batch without a name");
	if (numbered && nseq != out->n)
		fault(&j, "as many sequence numbers as lines are needed");
	if (!j.why && batch_count(p + out->head, len - out->head) != (int64_t)out->n)
		fault(&j, "n is not the number of lines that follow");
	if (j.why) {
		take_reply_release(out);
		*why = pull_why(&j);
		return -1;
	}
	return 0;
}

void take_reply_release(struct take_reply *r)
{
	free(r->seq);
	r->seq = NULL;
}
