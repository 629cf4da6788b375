#include "gatewayd/pages.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"

/* The assembler reads the files; paths are from the folder that make runs in. */
#define EMBED(name, file) \
	__asm__(".section .rodata\n" #name ":\n.incbin \"src/gatewayd/pages/" file "\"\n" #name "_end:\n.byte 0\n.previous\n"); \
	extern const char name[] __attribute__((visibility("hidden"))); \
	extern const char name##_end[] __attribute__((visibility("hidden")))

EMBED(page_index, "index.html");
EMBED(page_css, "chat.css");
EMBED(page_js, "chat.js");
EMBED(page_icon, "icon.svg");

const struct page_file *pages_find(struct span path)
{
	static struct page_file rows[] = {
		{.path = "/", .type = "text/html; charset=utf-8", .p = page_index},
		{.path = "/chat.css", .type = "text/css; charset=utf-8", .p = page_css},
		{.path = "/chat.js", .type = "text/javascript; charset=utf-8", .p = page_js},
		{.path = "/icon.svg", .type = "image/svg+xml", .p = page_icon},
	};
	static const char *const ends[] = {page_index_end, page_css_end, page_js_end, page_icon_end};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (strlen(rows[i].path) != path.n || memcmp(rows[i].path, path.p, path.n) != 0)
			continue;
		if (!*rows[i].etag) {
			rows[i].n = (size_t)(ends[i] - rows[i].p);
			snprintf(rows[i].etag, sizeof(rows[i].etag), "\"%08x\"", hash_crc32c(0, rows[i].p, rows[i].n));
		}
		return &rows[i];
	}
	return NULL;
}
