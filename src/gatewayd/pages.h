/*
 * pages: the files of the chat page, compiled in. A new one: a row in pages.c, its name in files.mk.
 */
#ifndef GATEWAYD_PAGES_H
#define GATEWAYD_PAGES_H

#include <stddef.h>

#include "line/line.h"

struct page_file { const char *path, *type; const char *p; size_t n; char etag[16]; };	/* etag with its quotes */

/* NULL: there is no page of that path. */
const struct page_file *pages_find(struct span path);

#endif
