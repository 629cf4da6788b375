/* test_route_repeat: the window against a plain list; growing, wrapping, undoing, size. */
#include <string.h>

#include "check.h"
#include "route/repeat.h"

static struct hash128 key(uint64_t i)
{
	/* Low bits collide on purpose. */
	return (struct hash128){ .a = (i * UINT64_C(0x9e3779b97f4a7c15)) >> 7 & ~UINT64_C(0xc), .b = i };
}

static void window(uint32_t size, uint64_t count)
{
	struct repeat r;
	uint64_t wrong = 0;

	repeat_init(&r, size);
	for (uint64_t i = 0; i < count; i++) {
		wrong += repeat_add(&r, key(i)) != 1;
		if (i % 97 == 0) {
			wrong += repeat_add(&r, key(i)) != 0;
			wrong += i >= size - 1 && repeat_add(&r, key(i - (size - 1))) != 0;
		}
	}
	CHECK(wrong == 0, "window of %u, %llu keys: new ones are new, the last %u are known", size, (unsigned long long)count, size);
	CHECK(r.n == (count < size ? count : size), "it holds %u", r.n);
	CHECK(count <= size || repeat_add(&r, key(count - size - 1)) == 1, "what left the window is new again");
	repeat_release(&r);
}

static void undo(void)
{
	struct repeat r;

	repeat_init(&r, 100);
	for (uint64_t i = 0; i < 250; i++)
		repeat_add(&r, key(i));
	repeat_undo(&r, 30);
	unsigned known = 0;
	for (uint64_t i = 150; i < 220; i++)
		known += repeat_add(&r, key(i)) == 0;
	CHECK(known == 70, "after undoing 30 the 70 before are known");
	for (uint64_t i = 220; i < 250; i++)
		known += repeat_add(&r, key(i)) == 1;
	CHECK(known == 100 && r.n == 100, "and the 30 are new");
	repeat_undo(&r, 1000);
	CHECK(r.n == 0 && repeat_add(&r, key(5)) == 1, "undoing more than there is empties it");
	repeat_release(&r);
}

/* Undoing while the index of a grown ring is being filled, at every stage of that. */
static void undo_growing(void)
{
	unsigned wrong = 0;

	for (uint64_t at = 1020; at < 1400; at += 7)
		for (uint32_t back = 1; back < at; back += 301) {
			struct repeat r;

			repeat_init(&r, 1u << 20);
			for (uint64_t i = 0; i < at; i++)
				repeat_add(&r, key(i));
			repeat_undo(&r, back);
			for (uint64_t i = 0; i < at - back; i++)
				wrong += repeat_add(&r, key(i)) != 0;
			for (uint64_t i = at - back; i < at + 3000; i++)
				wrong += repeat_add(&r, key(i)) != 1;
			for (uint64_t i = 0; i < at + 3000; i++)
				wrong += repeat_add(&r, key(i)) != 0;
			repeat_release(&r);
		}
	CHECK(wrong == 0, "what was undone while growing is new, what was not is known");
}

static size_t taken(const struct repeat *r)
{
	return r->cap * sizeof(*r->ring) + (r->index.mask + 1) * sizeof(*r->index.words);
}

static void size(void)
{
	struct repeat r;

	repeat_init(&r, REPEAT_WINDOW);
	repeat_add(&r, key(1));
	CHECK(taken(&r) < 32768, "idle it is small");
	for (uint64_t i = 0; i < 1200000; i++)
		repeat_add(&r, key(i));
	size_t bytes = taken(&r);
	CHECK(bytes <= 25000000, "a full window takes %zu bytes", bytes);
	repeat_release(&r);
	repeat_init(&r, 0);
	CHECK(repeat_add(&r, key(1)) == 1 && repeat_add(&r, key(1)) == 1, "a window of 0 knows nothing");
	repeat_release(&r);
}

int main(void)
{
	window(1, 50);
	window(7, 1000);
	window(1024, 5000);
	window(5000, 4000);
	window(5000, 60000);
	window(4097, 60000);
	window(100000, 400000);
	undo();
	undo_growing();
	size();
	return check_done();
}
