/* shim: a node for each file of the simulated disk: what of it is on the disk, and what a loss of power, or a failed sync, takes back. */
#include "shim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

void identify(int fd, uint64_t *ino, int64_t *born, int64_t *size, bool *is_dir)
{
	struct statx x;

	if (sys(SYS_statx, (long)fd, (long)"", (long)AT_EMPTY_PATH, (long)(STATX_BASIC_STATS | STATX_BTIME), (long)&x) < 0)
		broken("statx", "");
	*ino = x.stx_ino;
	*born = x.stx_btime.tv_sec * 1000000000ll + x.stx_btime.tv_nsec;
	*size = (int64_t)x.stx_size;
	if (is_dir)
		*is_dir = S_ISDIR(x.stx_mode);
}

/* The node of an open file; made with `durable` bytes if there is none and make is set. NULL: none. */
struct disk_node *node_at(int fd, bool make, bool fresh)
{
	struct disk_node *n, *found = NULL;
	uint64_t ino;
	int64_t born, size;

	identify(fd, &ino, &born, &size, NULL);
	disk_lock();
	for (uint32_t i = 0, at = (uint32_t)(ino * 2654435761u) % NODES; i < NODES && !found; i++, at = (at + 1) % NODES) {
		n = &disk->node[at];
		if (n->ino == ino && n->born == born) {
			found = n;
		} else if (!n->ino) {
			if (!make)
				break;
			if (++disk->nnodes > NODES - NODES / 8)
				broken("too many files", disk->root);
			n->born = born;
			n->durable = fresh ? 0 : size;
			n->undo = n->dropped = n->errors = 0;
			n->ino = ino;
			found = n;
		}
	}
	disk_unlock();
	return found;
}

static void undo_path(const struct disk_node *n, char path[PATH_MAX + 32])
{
	snprintf(path, PATH_MAX + 32, "%s/undo/%u", state, (unsigned)(n - disk->node));
}

/* Notes what stands at off..off+len now, as far as the disk has it. */
void note_bytes(struct disk_node *n, int fd, int64_t off, int64_t len)
{
	char path[PATH_MAX + 32], self[64];
	struct undo u = { .off = off };
	int in, out;
	char *copy;

	if (off + len > n->durable)
		len = n->durable - off;
	if (len <= 0)
		return;
	/* The descriptor may be for writing only. */
	snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
	in = sys_open(self, O_RDONLY, 0);
	copy = malloc((size_t)len + sizeof u);
	if (in < 0 || !copy)
		broken("note", self);
	u.len = sys(SYS_pread64, (long)in, (long)(copy + sizeof u), (long)len, (long)off);
	sys(SYS_close, (long)in);
	if (u.len > 0) {
		undo_path(n, path);
		memcpy(copy, &u, sizeof u);
		out = sys_open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
		if (out < 0 || sys(SYS_write, (long)out, (long)copy, (long)(u.len + (int64_t)sizeof u)) != u.len + (int64_t)sizeof u)
			broken("write", path);
		sys(SYS_close, (long)out);
		__atomic_add_fetch(&n->undo, u.len + (int64_t)sizeof u, __ATOMIC_SEQ_CST);
	}
	free(copy);
}

/* ---- pages that a failed sync dropped ---- */

static int drop_open(const struct disk_node *n)
{
	char path[PATH_MAX + 32];
	int fd;

	snprintf(path, sizeof path, "%s/drop/%u", state, (unsigned)(n - disk->node));
	fd = sys_open(path, O_RDWR | O_CREAT, 0600);
	if (fd < 0)
		broken("open", path);
	return fd;
}

/* Bytes from..to of the file are written again; or (synced) all that were are on the disk now. */
void drop_touch(struct disk_node *n, int64_t from, int64_t to, bool synced)
{
	struct dropped d;
	int fd;

	if (!n->dropped)
		return;
	fd = drop_open(n);
	for (int64_t at = 0; sys(SYS_pread64, (long)fd, (long)&d, (long)sizeof d, (long)at) == (long)sizeof d; at += (int64_t)sizeof d) {
		if (d.page < 0 || (synced ? !d.written : d.page * DROP_PAGE >= to || (d.page + 1) * DROP_PAGE <= from))
			continue;
		if (synced)
			d.page = -1;
		else
			d.written = 1;
		sys(SYS_pwrite64, (long)fd, (long)&d, (long)sizeof d, (long)at);
	}
	sys(SYS_close, (long)fd);
}

/* What the disk has of page `page`, from the page cache and the notes (all of STATE/undo/NODE). */
static void drop_image(const struct disk_node *n, int in, const char *notes, size_t len, struct dropped *d)
{
	struct { size_t at; struct undo u; } *list = malloc((len / sizeof(struct undo) + 1) * sizeof *list);
	int64_t begin = d->page * DROP_PAGE, end = begin + DROP_PAGE;
	size_t count = 0;

	memset(d->bytes, 0, sizeof d->bytes);
	sys(SYS_pread64, (long)in, (long)d->bytes, (long)DROP_PAGE, (long)begin);
	for (size_t at = 0; at + sizeof(struct undo) <= len; at += sizeof(struct undo) + (size_t)list[count - 1].u.len) {
		memcpy(&list[count].u, notes + at, sizeof(struct undo));
		list[count++].at = at + sizeof(struct undo);
	}
	while (count--) {
		const struct undo *u = &list[count].u;
		int64_t from = u->off > begin ? u->off : begin, to = u->off + u->len < end ? u->off + u->len : end;
		if (from < to)
			memcpy(d->bytes + (from - begin), notes + list[count].at + (from - u->off), (size_t)(to - from));
	}
	free(list);
	d->len = (int32_t)(n->durable <= begin ? 0 : n->durable < end ? n->durable - begin : DROP_PAGE);
}

/* Which pages are dropped already. That they were written again was of no use. */
static void drop_known(int fd, char *known, int64_t pages)
{
	struct dropped d;

	for (int64_t at = 0; sys(SYS_pread64, (long)fd, (long)&d, (long)sizeof d, (long)at) == (long)sizeof d; at += (int64_t)sizeof d) {
		if (d.page < 0)
			continue;
		if (d.page < pages)
			known[d.page] = 1;
		d.written = 0;
		sys(SYS_pwrite64, (long)fd, (long)&d, (long)sizeof d, (long)at);
	}
}

static void drop_page(struct disk_node *n, int out, int in, int64_t page, char *known, const char *notes, size_t len)
{
	struct dropped d = { .page = page };
	off_t end = lseek(out, 0, SEEK_END);

	if (known[page])
		return;
	known[page] = 1;
	drop_image(n, in, notes, len, &d);
	if (sys(SYS_pwrite64, (long)out, (long)&d, (long)sizeof d, (long)end) != (long)sizeof d)
		broken("write", "drop");
	n->dropped++;
}

/* A sync failed, and the kernel takes the dirty pages for clean. */
void drop_dirty(struct disk_node *n, int fd, int64_t size)
{
	char path[PATH_MAX + 32], *notes = NULL;
	int64_t pages = (size > n->durable ? size : n->durable) / DROP_PAGE + 1;
	char *known = calloc(1, (size_t)pages);
	size_t len = 0;
	struct stat st;
	int in, undo, out = drop_open(n);

	if (!known)
		broken("memory", "drop");
	drop_known(out, known, pages);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	in = sys_open(path, O_RDONLY, 0);
	undo_path(n, path);
	undo = sys_open(path, O_RDONLY, 0);
	if (in < 0)
		broken("open", path);
	if (undo >= 0 && fstat(undo, &st) == 0 && st.st_size > 0 && (notes = malloc((size_t)st.st_size)))
		len = (size_t)sys(SYS_read, (long)undo, (long)notes, (long)st.st_size);
	for (size_t at = 0; at + sizeof(struct undo) <= len; ) {
		struct undo u;
		memcpy(&u, notes + at, sizeof u);
		for (int64_t page = u.off / DROP_PAGE; page < pages && page * DROP_PAGE < u.off + u.len; page++)
			drop_page(n, out, in, page, known, notes, len);
		at += sizeof u + (size_t)u.len;
	}
	for (int64_t page = n->durable / DROP_PAGE; page * DROP_PAGE < size; page++)
		drop_page(n, out, in, page, known, notes, len);
	free(known);
	sys(SYS_close, (long)in);
	sys(SYS_close, (long)out);
	if (undo >= 0)
		sys(SYS_close, (long)undo);
	free(notes);
	/* As for the rest, it is as if it had been synced. */
	node_synced(n, size);
}

void node_synced(struct disk_node *n, int64_t size)
{
	char path[PATH_MAX + 32];

	if (__atomic_load_n(&n->undo, __ATOMIC_SEQ_CST)) {
		undo_path(n, path);
		sys(SYS_truncate, (long)path, 0L);
		n->undo = 0;
	}
	n->durable = size;
}

struct disk_node *node_of_fd(int fd)
{
	return disk && fd >= 0 && fd < FDS && node_of[fd] ? &disk->node[node_of[fd] - 1] : NULL;
}
