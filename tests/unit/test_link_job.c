/* test_link_job: which line of a batch made which line of the output, chunks, refusals from downstream, undoing. */
#include <string.h>

#include "base/buf.h"
#include "check.h"
#include "link/job.h"

static struct job *start(struct batch *b, const char *lines, uint32_t n)
{
	*b = (struct batch){ .lines = lines, .len = strlen(lines), .n = n };
	struct job *j = job_new(b);

	CHECK(j, "a job of %u lines", n);
	return j;
}

static void make(struct job *j, const char *text)
{
	buf_adds(&j->out, text);
	CHECK(job_made(j), "line %u is booked", j->lines);
}

static bool chunk_is(const struct job *j, const char *text, uint32_t n)
{
	return j->chunk.n == n && j->chunk.len == strlen(text) && !memcmp(j->chunk.p, text, j->chunk.len);
}

static void causes(void)
{
	struct batch b;
	struct job *j = start(&b, "a\nb\nc\nd\n", 4);
	bool again;

	make(j, "");
	make(j, "b1\nb2\n");
	make(j, "");
	make(j, "d1\n");
	CHECK(job_chunk(j) && chunk_is(j, "b1\nb2\nd1\n", 3), "three lines to put");
	struct refusal r[] = { { .n = 2, .error = "no" }, { .n = 3, .error = "never" } };
	CHECK(!job_answered(j, &(struct put_result){ .acked = 1, .refused = r, .nrefused = 2 }, &again) && !again,
		"two are refused for good");
	CHECK(j->refused.n == 2 && j->refused.v[0].n == 2 && j->refused.v[1].n == 4 && !j->refused.v[0].retry, "b and d are");
	CHECK(strstr(j->refused.v[1].error, "never"), "with the reason");
	CHECK(!job_chunk(j), "nothing is left");
	job_free(j);
}

static void again_and_again(void)
{
	struct batch b;
	struct job *j = start(&b, "a\nb\nc\n", 3);
	bool again;

	make(j, "a1\na2\n");
	make(j, "b1\n");
	make(j, "c1\n");
	job_chunk(j);
	struct refusal r[] = { { .n = 2, .retry = true, .error = "later" }, { .n = 3, .error = "no" },
		{ .n = 4, .retry = true, .error = "later" } };
	CHECK(!job_answered(j, &(struct put_result){ .acked = 1, .refused = r, .nrefused = 3 }, &again) && again,
		"two are to be put again");
	CHECK(chunk_is(j, "a2\nc1\n", 2), "those two");
	CHECK(j->refused.n == 1 && j->refused.v[0].n == 2, "b is refused for good");
	struct refusal r2[] = { { .n = 1, .retry = true, .error = "later" } };
	CHECK(!job_answered(j, &(struct put_result){ .acked = 1, .refused = r2, .nrefused = 1 }, &again) && again &&
		chunk_is(j, "a2\n", 1), "and one more time the first");
	struct refusal r3[] = { { .n = 1, .error = "never" } };
	CHECK(!job_answered(j, &(struct put_result){ .refused = r3, .nrefused = 1 }, &again) && !again, "now for good");
	CHECK(j->refused.n == 2 && j->refused.v[1].n == 1, "its cause is a");
	job_free(j);
}

static void chunks(void)
{
	static char big[LINK_BATCH_BYTES];
	struct batch b;
	struct job *j = start(&b, "a\nb\n", 2);

	for (uint32_t i = 0; i < LINK_BATCH_LINES; i++)
		buf_adds(&j->out, "x\n");
	CHECK(job_made(j), "a full batch from one line");
	memset(big, 'y', sizeof big);
	big[sizeof big - 1] = '\n';
	buf_adds(&j->out, "x\n");
	buf_add(&j->out, big, sizeof big);
	buf_adds(&j->out, "z\n");
	CHECK(job_made(j), "and a huge line among small ones");
	CHECK(job_chunk(j) && j->chunk.n == LINK_BATCH_LINES && j->chunk.first == 0, "as many lines as a batch may hold");
	CHECK(job_chunk(j) && chunk_is(j, "x\n", 1) && j->chunk.first == LINK_BATCH_LINES, "the small one before");
	CHECK(job_chunk(j) && j->chunk.n == 1 && j->chunk.len == sizeof big, "the huge one alone");
	CHECK(job_chunk(j) && chunk_is(j, "z\n", 1), "the small one behind");
	CHECK(!job_chunk(j), "all");
	job_free(j);
}

static void undo(void)
{
	struct batch b;
	struct job *j = start(&b, "a\nb\nc\n", 3);

	make(j, "A\n");
	struct job_mark m = job_mark(j);
	make(j, "B\n");
	CHECK(!job_refuse(j, 3, true, "x") && j->refused.n == 1, "something after the mark");
	CHECK(!job_refuse(j, 3, false, "y") && j->refused.n == 1 && j->refused.v[0].retry, "the first reason stays");
	buf_adds(&j->out, "half");
	job_undo(j, &m);
	CHECK(j->lines == 1 && j->made == 1 && j->refused.n == 0 && j->out.len == 2, "is gone");
	make(j, "B\n");
	CHECK(!job_refuse(j, 3, false, "z") && j->refused.n == 1 && !strcmp(j->refused.v[0].error, "z"), "and done anew");
	make(j, "");
	CHECK(job_chunk(j) && chunk_is(j, "A\nB\n", 2), "what was made before stays");
	buf_adds(&j->out, "no line feed");
	CHECK(!job_made(j), "half a line is noticed");
	for (uint32_t n = 1; n <= 3; n++)
		job_refuse(j, n, true, "");
	CHECK(j->refused.n == 3, "every line once");
	job_free(j);
}

/* Lines booked one by one, in any order, while a chunk is on its way. */
static void kept(void)
{
	struct batch b;
	struct job *j = start(&b, "a\nb\nc\n", 3);
	bool again, kept_all = true;

	buf_adds(&j->out, "c1\n");
	CHECK(!job_keep(j, 3), "made from c");
	CHECK(job_chunk(j) && chunk_is(j, "c1\n", 1), "one line to put");
	for (unsigned i = 0; i < 3000; i++) {
		buf_adds(&j->out, i ? "a1\n" : "x1\n");
		kept_all &= !job_keep(j, i ? 1 : 0);
	}
	CHECK(kept_all, "made from a, and one from who knows");
	CHECK(!memcmp(job_chunk_bytes(j), "c1\n", 3) && chunk_is(j, "c1\n", 1), "the chunk moves with the output");
	struct refusal no = { .n = 1, .error = "no" };
	CHECK(!job_answered(j, &(struct put_result){ .refused = &no, .nrefused = 1 }, &again) && !again, "it is refused");
	CHECK(j->refused.n == 1 && j->refused.v[0].n == 3, "c is");
	CHECK(job_chunk(j) && j->chunk.n == 3000, "the rest");
	struct refusal two[] = { { .n = 1, .error = "no" }, { .n = 3000, .retry = true, .error = "later" } };
	CHECK(!job_answered(j, &(struct put_result){ .acked = 2998, .refused = two, .nrefused = 2 }, &again) && again, "one again");
	CHECK(j->refused.n == 1, "what nobody knows the cause of is blamed on the last line, which is refused already");
	CHECK(!memcmp(job_chunk_bytes(j), "a1\n", 3) && j->chunk.n == 1, "the last one again");
	CHECK(!job_answered(j, &(struct put_result){ .refused = &no, .nrefused = 1 }, &again) && !again, "refused for good");
	CHECK(j->refused.n == 2 && j->refused.v[1].n == 1, "a is");
	job_free(j);
}

int main(void)
{
	causes();
	kept();
	again_and_again();
	chunks();
	undo();
	return check_done();
}
