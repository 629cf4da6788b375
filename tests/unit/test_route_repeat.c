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

static void size(void)
{
	struct repeat r;

	repeat_init(&r, REPEAT_WINDOW);
	repeat_add(&r, key(1));
	CHECK((r.cap * sizeof(*r.ring) + (r.mask + 1) * sizeof(*r.index)) < 32768, "idle it is small");
	for (uint64_t i = 0; i < 1200000; i++)
		repeat_add(&r, key(i));
	size_t bytes = r.cap * sizeof(*r.ring) + (r.mask + 1) * sizeof(*r.index);
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
	undo();
	size();
	return check_done();
}
