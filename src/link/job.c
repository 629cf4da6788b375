#include "link/job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "link/ack.h"

struct job *job_new(struct batch *b)
{
	struct job *j = calloc(1, sizeof *j);

	if (!j)
		return NULL;
	j->batch = b;
	j->at = b->lines;
	buf_init(&j->out, JOB_OUT_MAX);
	buf_init(&j->again, LINK_MESSAGE_BYTES);
	j->upto = calloc(b->n, sizeof *j->upto);
	if (!j->upto) {
		free(j);
		return NULL;
	}
	return j;
}

void job_free(struct job *j)
{
	refusal_list_release(&j->refused);
	free(j->chunk.ids);
	free(j->upto);
	free(j->causes);
	buf_release(&j->out);
	buf_release(&j->again);
	free(j);
}

/* ---- making ---- */

bool job_made(struct job *j)
{
	while (j->counted < j->out.len) {
		const char *p = j->out.p + j->counted;
		const char *lf = memchr(p, '\n', j->out.len - j->counted);
		if (!lf)
			return false;
		j->counted += (size_t)(lf + 1 - p);
		j->made++;
	}
	j->upto[j->lines++] = j->made;
	return true;
}

int job_keep(struct job *j, uint32_t n)
{
	if (j->made == j->capcauses) {
		uint32_t cap = j->capcauses ? j->capcauses * 2 : 64;
		uint32_t *v = realloc(j->causes, cap * sizeof *v);
		if (!v)
			return -1;
		j->causes = v;
		j->capcauses = cap;
	}
	j->causes[j->made++] = n;
	j->counted = j->out.len;
	return 0;
}

struct job_mark job_mark(const struct job *j)
{
	return (struct job_mark){ .at = j->at, .lines = j->lines, .made = j->made, .counted = j->counted,
		.nrefused = j->refused.n };
}

void job_undo(struct job *j, const struct job_mark *m)
{
	for (size_t i = m->nrefused; i < j->refused.n; i++)
		j->seen[j->refused.v[i].n / 8] &= (unsigned char)~(1u << j->refused.v[i].n % 8);
	refusal_list_cut(&j->refused, m->nrefused);
	j->at = m->at;
	j->lines = m->lines;
	j->made = m->made;
	j->counted = j->out.len = m->counted;
}

int job_refuse(struct job *j, uint32_t n, bool retry, const char *error)
{
	char cut[ACK_ERROR_MAX + 1];

	if (j->seen[n / 8] & 1u << n % 8)
		return 0;
	snprintf(cut, sizeof cut, "%s", error);
	if (refusal_list_add(&j->refused, &(struct refusal){ .n = n, .retry = retry, .error = cut }))
		return -1;
	j->seen[n / 8] |= (unsigned char)(1u << n % 8);
	return 0;
}

int job_explain(struct job *j, uint32_t n, const char *detail)
{
	size_t len = strlen(detail);

	for (size_t i = j->refused.n; i--; ) {
		if (j->refused.v[i].n != n)
			continue;
		if (!j->refused.v[i].detail && len &&
		    !(j->refused.v[i].detail = strdup(len > ACK_DETAIL_MAX ? detail + len - ACK_DETAIL_MAX : detail)))
			return -1;
		break;
	}
	return 0;
}

/* ---- putting ---- */

bool job_chunk(struct job *j)
{
	const char *from, *at, *end;
	uint32_t n = 0;

	free(j->chunk.ids);
	j->chunk = (struct chunk){ 0 };
	if (j->put_at == j->counted)
		return false;
	from = at = j->out.p + j->put_at;
	end = j->out.p + j->counted;
	while (at < end && n < LINK_BATCH_LINES) {
		const char *next = (const char *)memchr(at, '\n', (size_t)(end - at)) + 1;
		if (n && (size_t)(next - from) > LINK_BATCH_BYTES)
			break;
		at = next;
		n++;
	}
	j->chunk = (struct chunk){ .p = from, .len = (size_t)(at - from), .n = n, .first = j->put_n };
	j->put_at += j->chunk.len;
	j->put_n += n;
	return true;
}

const char *job_chunk_bytes(struct job *j)
{
	if (!j->chunk.ids && j->chunk.n)
		j->chunk.p = j->out.p + j->put_at - j->chunk.len;
	return j->chunk.p;
}

/* The line (from 1) of the batch that output line `number` was made from; the last one when nobody knows. */
static uint32_t cause(const struct job *j, uint32_t number)
{
	uint32_t low = 0, high = j->lines - 1;

	if (j->causes)
		return j->causes[number] ? j->causes[number] : j->batch->n;
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		if (j->upto[mid] > number)
			high = mid;
		else
			low = mid + 1;
	}
	return low + 1;
}

static const struct refusal *find(const struct put_result *r, uint32_t n)
{
	for (size_t i = 0; i < r->nrefused; i++)
		if (r->refused[i].n == n)
			return &r->refused[i];
	return NULL;
}

/* The lines of the chunk that were refused with retry, as a chunk of their own. */
static int chunk_again(struct job *j, const struct put_result *r, const uint32_t *ids)
{
	struct buf lines;
	const char *p = j->chunk.p;
	uint32_t n = 0, *kept = malloc(r->nrefused * sizeof *kept);

	buf_init(&lines, LINK_MESSAGE_BYTES);
	if (!kept)
		return -1;
	for (uint32_t i = 0; i < j->chunk.n; i++) {
		const char *next = (const char *)memchr(p, '\n', (size_t)(j->chunk.p + j->chunk.len - p)) + 1;
		const struct refusal *f = find(r, i + 1);
		if (f && f->retry) {
			if (buf_add(&lines, p, (size_t)(next - p))) {
				buf_release(&lines);
				free(kept);
				return -1;
			}
			kept[n++] = ids ? ids[i] : j->chunk.first + i;
		}
		p = next;
	}
	free(j->chunk.ids);
	buf_release(&j->again);
	j->again = lines;
	j->chunk = (struct chunk){ .p = j->again.p, .len = j->again.len, .n = n, .ids = kept };
	return 0;
}

int job_answered(struct job *j, const struct put_result *r, bool *again)
{
	const uint32_t *ids = j->chunk.ids;
	char why[ACK_ERROR_MAX + 1];

	*again = false;
	job_chunk_bytes(j);
	for (size_t i = 0; i < r->nrefused; i++) {
		uint32_t at = r->refused[i].n - 1;
		if (r->refused[i].retry) {
			*again = true;
			continue;
		}
		snprintf(why, sizeof why, "what was made from it was refused: %s", r->refused[i].error);
		if (job_refuse(j, cause(j, ids ? ids[at] : j->chunk.first + at), false, why))
			return -1;
	}
	return *again ? chunk_again(j, r, ids) : 0;
}
