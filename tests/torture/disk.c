/*
 * disk: the tool beside the shim.
 *
 *   disk init STATE ROOT               makes STATE: what is below ROOT now is on the disk
 *   disk arm STATE CLASS WORD=N...     clock (ns), kill_at, part, good_syncs, fail_syncs, fail_mode, slow_syncs, slow_ms, full; CLASS all: every one
 *   disk show STATE                    a line for each class: its name, calls and faults felt
 *   disk lose STATE [SEED]             loss of power: ROOT becomes what the disk had. No process may run there. Without SEED in the
 *                                      strictest reading: nothing that was not synced is there. With it each unsynced write may be
 *                                      there, or not, or up to any byte, with holes of whole sectors, and each folder has the names of some moment
 *                                      since its last sync. Prints what was taken back.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "disk.h"

#define SECTOR 512

static struct disk *disk;
static const char *state;
static uint64_t seed;
static bool strict = true;
static unsigned long writes, tails, names;	/* taken back */

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "disk: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* splitmix64 */
static uint64_t random_below(uint64_t n)
{
	uint64_t z = seed += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return (z ^ (z >> 31)) % n;
}

static void map_state(bool make)
{
	char path[PATH_MAX];

	snprintf(path, sizeof path, "%s/ctl", state);
	int fd = open(path, O_RDWR | (make ? O_CREAT | O_TRUNC : 0), 0600);
	if (fd < 0 || (make && ftruncate(fd, sizeof *disk) < 0))
		fail(path);
	disk = mmap(NULL, sizeof *disk, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (disk == MAP_FAILED)
		fail(path);
	close(fd);
}

static void make_dir(const char *a, const char *b)
{
	char path[PATH_MAX];

	snprintf(path, sizeof path, "%s/%s", a, b);
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		fail(path);
}

static void init(const char *root)
{
	pthread_mutexattr_t a;

	make_dir(state, "");
	make_dir(state, "undo");
	make_dir(state, "dir");
	make_dir(state, "drop");
	map_state(true);
	if (!realpath(root, disk->root))
		fail(root);
	make_dir(disk->root, ".grave");
	pthread_mutexattr_init(&a);
	pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&disk->lock, &a);
	disk->magic = DISK_MAGIC;
}

/* ---- arm, show ---- */

static const char *const classes[CLASS_N] = {
#define X(name) #name,
	CLASSES(X)
#undef X
};

static bool arm_one(struct disk_class_state *c, const char *word)
{
	const char *eq = strchr(word, '=');
	long long v = eq ? atoll(eq + 1) : 0;

#define FIELD(name) \
	if (eq && (size_t)(eq - word) == strlen(#name) && !strncmp(word, #name, strlen(#name))) { \
		__atomic_store_n(&c->name, (__typeof__(c->name))v, __ATOMIC_SEQ_CST); \
		return true; \
	}
	FIELD(clock) FIELD(part) FIELD(kill_at) FIELD(fail_mode) FIELD(fail_syncs) FIELD(good_syncs) FIELD(slow_ms) FIELD(slow_syncs) FIELD(full)
	return false;
}

static int arm(int argc, char **argv)
{
	int found = 0;

	for (int i = 0; i < CLASS_N; i++) {
		if (strcmp(argv[0], "all") != 0 && strcmp(argv[0], classes[i]) != 0)
			continue;
		found = 1;
		for (int k = 1; k < argc; k++)
			if (!arm_one(&disk->of[i], argv[k]))
				return fprintf(stderr, "disk: %s: no such fault\n", argv[k]), 2;
	}
	if (!found)
		return fprintf(stderr, "disk: %s: no such class\n", argv[0]), 2;
	return 0;
}

static void show(void)
{
	for (int i = 0; i < CLASS_N; i++) {
		const struct disk_class_state *c = &disk->of[i];
		printf("%s changes %lld syncs %lld kill %lld fail %lld slow %lld full %lld\n", classes[i], (long long)c->changes,
			(long long)c->syncs, (long long)c->hit_kill, (long long)c->hit_fail, (long long)c->hit_slow, (long long)c->hit_full);
	}
}

/* ---- losing files ---- */

static void undo_one(int fd, const struct undo *u, const char *old)
{
	int64_t from = 0, len = u->len;

	if (!strict) {
		switch (random_below(4)) {
		case 0:		/* it had reached the disk */
			return;
		case 1:		/* its beginning had */
			from = (int64_t)random_below((uint64_t)len);
			break;
		case 2:		/* its end had */
			len = (int64_t)random_below((uint64_t)len) + 1;
			break;
		default:
			break;
		}
	}
	if (pwrite(fd, old + from, (size_t)(len - from), u->off + from) != len - from)
		fail("pwrite");
	writes++;
}

/* What was written behind the durable end. */
static void lose_tail(int fd, int64_t durable)
{
	struct stat st;
	int64_t keep = 0, tail;
	char zero[SECTOR] = { 0 };

	if (fstat(fd, &st) < 0)
		fail("fstat");
	tail = st.st_size - durable;
	if (tail <= 0)
		return;
	if (!strict)
		switch (random_below(4)) {
		case 0:
			break;
		case 1:
			keep = tail;
			break;
		default:
			keep = (int64_t)random_below((uint64_t)tail + 1);
		}
	if (keep < tail) {
		if (ftruncate(fd, durable + keep) < 0)
			fail("ftruncate");
		tails++;
	}
	/* Sectors reach the disk in any order. */
	while (!strict && keep > SECTOR && random_below(3) == 0) {
		int64_t at = durable + (int64_t)random_below((uint64_t)(keep - SECTOR));
		at = (at + SECTOR - 1) / SECTOR * SECTOR;
		if (at + SECTOR <= durable + keep && pwrite(fd, zero, SECTOR, at) != SECTOR)
			fail("pwrite");
	}
}

/* Pages that never got there. Such as were written again may have. */
static void lose_dropped(const struct disk_node *n, int fd)
{
	char path[PATH_MAX];
	struct dropped d;
	struct stat st;
	int in;

	snprintf(path, sizeof path, "%s/drop/%u", state, (unsigned)(n - disk->node));
	in = open(path, O_RDONLY);
	if (!n->dropped || in < 0)
		return;
	if (fstat(fd, &st) < 0)
		fail("fstat");
	while (read(in, &d, sizeof d) == sizeof d) {
		int64_t at = d.page * DROP_PAGE, len = at + DROP_PAGE > st.st_size ? st.st_size - at : DROP_PAGE;
		if (d.page < 0 || len <= 0 || (d.written && !strict && random_below(2)))
			continue;
		memset(d.bytes + d.len, 0, (size_t)(DROP_PAGE - d.len));
		if (pwrite(fd, d.bytes, (size_t)len, at) != len)
			fail("pwrite");
		writes++;
	}
	close(in);
}

static void lose_file(const struct disk_node *n, const char *path)
{
	char undo_path[PATH_MAX];
	struct stat st;
	int fd = open(path, O_RDWR), in;
	char *all = NULL;
	size_t count = 0, at = 0;

	if (fd < 0)
		fail(path);
	snprintf(undo_path, sizeof undo_path, "%s/undo/%u", state, (unsigned)(n - disk->node));
	in = open(undo_path, O_RDONLY);
	if (in >= 0 && fstat(in, &st) == 0 && st.st_size > 0) {
		all = malloc((size_t)st.st_size);
		if (!all || read(in, all, (size_t)st.st_size) != st.st_size)
			fail(undo_path);
		size_t *starts = malloc(((size_t)st.st_size / sizeof(struct undo) + 1) * sizeof *starts);
		struct undo u;
		while (at + sizeof u <= (size_t)st.st_size) {
			memcpy(&u, all + at, sizeof u);
			if (u.len <= 0 || at + sizeof u + (size_t)u.len > (size_t)st.st_size)
				break;
			starts[count++] = at;
			at += sizeof u + (size_t)u.len;
		}
		while (count) {
			memcpy(&u, all + starts[--count], sizeof u);
			undo_one(fd, &u, all + starts[count] + sizeof u);
		}
		free(starts);
		free(all);
	}
	if (in >= 0)
		close(in);
	lose_tail(fd, n->durable);
	lose_dropped(n, fd);
	close(fd);
}

static int visit_file(const char *path, const struct stat *st, int type, struct FTW *f)
{
	struct statx x;

	(void)f;
	if (type != FTW_F || statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_BTIME, &x) < 0)
		return 0;
	int64_t born = x.stx_btime.tv_sec * 1000000000ll + x.stx_btime.tv_nsec;
	for (uint32_t i = 0, at = (uint32_t)(st->st_ino * 2654435761u) % NODES; i < NODES; i++, at = (at + 1) % NODES) {
		struct disk_node *n = &disk->node[at];
		if (!n->ino)
			return 0;
		if (n->ino != st->st_ino || n->born != born)
			continue;
		/* A file may have two names, its grave one of them. */
		if (n->durable >= 0)
			lose_file(n, path);
		n->durable = -1;
		return 0;
	}
	return 0;
}

/* ---- losing names ---- */

static int remove_it(const char *path, const struct stat *st, int type, struct FTW *f)
{
	(void)st, (void)type, (void)f;
	return remove(path);
}

static void dig_up(const char *grave, const char *dir, const char *name)
{
	char from[PATH_MAX + 64], to[2 * PATH_MAX];

	snprintf(from, sizeof from, "%s/.grave/%s", disk->root, grave);
	snprintf(to, sizeof to, "%s/%s", dir, name);
	if (link(from, to) < 0 && errno != EEXIST && errno != ENOENT)
		fail(to);
}

static void undo_name(const char *dir, char *line)
{
	char *word[4] = { NULL }, *save = NULL, path[2 * PATH_MAX], other[2 * PATH_MAX];
	int n = 0;

	for (char *w = strtok_r(line, "\t", &save); w && n < 4; w = strtok_r(NULL, "\t", &save))
		word[n++] = w;
	if (n < 2)
		return;
	snprintf(path, sizeof path, "%s/%s", dir, word[1]);
	names++;
	switch (*word[0]) {
	case 'C':
		unlink(path);
		break;
	case 'M':
		nftw(path, remove_it, 16, FTW_DEPTH | FTW_PHYS);
		break;
	case 'U':
		dig_up(word[2], dir, word[1]);
		break;
	case 'R':
		snprintf(other, sizeof other, "%s/%s", dir, word[2]);
		if (rename(other, path) < 0 && errno != ENOENT)
			fail(other);
		if (strcmp(word[3], "-") != 0)
			dig_up(word[3], dir, word[2]);
		break;
	}
}

static int visit_dir(const char *path, const struct stat *st, int type, struct FTW *f)
{
	char journal[PATH_MAX], *text = NULL, **lines = NULL, *save = NULL;
	size_t size = 0, n = 0, keep = 0;

	(void)f;
	if (type != FTW_D)
		return 0;
	snprintf(journal, sizeof journal, "%s/dir/%llu", state, (unsigned long long)st->st_ino);
	FILE *in = fopen(journal, "r");
	if (!in)
		return 0;
	if (getdelim(&text, &size, '\0', in) > 0) {
		for (char *l = strtok_r(text, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
			lines = realloc(lines, (n + 1) * sizeof *lines);
			lines[n++] = l;
		}
		if (!strict)
			keep = random_below(n + 1);
		while (n > keep)
			undo_name(path, lines[--n]);
	}
	fclose(in);
	free(lines);
	free(text);
	return 0;
}

static int empty_it(const char *path, const struct stat *st, int type, struct FTW *f)
{
	(void)st;
	return type == FTW_F && f->level > 0 ? remove(path) : 0;
}

static void lose(void)
{
	char path[PATH_MAX + 16];

	nftw(disk->root, visit_file, 32, FTW_PHYS);
	nftw(disk->root, visit_dir, 32, FTW_PHYS);
	memset(disk->node, 0, sizeof disk->node);
	disk->nnodes = 0;
	snprintf(path, sizeof path, "%s/.grave", disk->root);
	nftw(path, empty_it, 16, FTW_PHYS);
	snprintf(path, sizeof path, "%s/undo", state);
	nftw(path, empty_it, 16, FTW_PHYS);
	snprintf(path, sizeof path, "%s/dir", state);
	nftw(path, empty_it, 16, FTW_PHYS);
	snprintf(path, sizeof path, "%s/drop", state);
	nftw(path, empty_it, 16, FTW_PHYS);
	printf("writes %lu ends %lu names %lu\n", writes, tails, names);
}

int main(int argc, char **argv)
{
	if (argc < 3 || (argc < 4 && !strcmp(argv[1], "init")) || (argc < 5 && !strcmp(argv[1], "arm")))
		return fprintf(stderr, "usage: disk init STATE ROOT | arm STATE CLASS WORD=N... | show STATE | lose STATE [SEED]\n"), 2;
	state = argv[2];
	if (!strcmp(argv[1], "init"))
		return init(argv[3]), 0;
	map_state(false);
	if (disk->magic != DISK_MAGIC)
		return fprintf(stderr, "disk: %s: not the state of a disk\n", state), 1;
	if (!strcmp(argv[1], "arm"))
		return arm(argc - 3, argv + 3);
	if (!strcmp(argv[1], "show"))
		return show(), 0;
	if (!strcmp(argv[1], "lose")) {
		if (argc > 3) {
			strict = false;
			seed = strtoull(argv[3], NULL, 10);
		}
		return lose(), 0;
	}
	return fprintf(stderr, "disk: %s: no such command\n", argv[1]), 2;
}
