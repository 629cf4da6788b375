/* shim: names in folders: a journal for each folder says what a loss of power undoes, and graves keep files that lost their names. */
#include "shim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Is this folder of the simulated disk? Not sockets and counters, not logs, not ours. */
bool is_inside(const char *path)
{
	size_t n = strlen(disk->root);
	static const char *const out[] = { "/run", "/log", "/service", "/.grave" };

	if (strncmp(path, disk->root, n) != 0 || (path[n] && path[n] != '/'))
		return false;
	for (size_t i = 0; i < sizeof out / sizeof *out; i++) {
		size_t k = strlen(out[i]);
		if (!strncmp(path + n, out[i], k) && (!path[n + k] || path[n + k] == '/'))
			return false;
	}
	return true;
}

static bool forgettable(const char *name)
{
	size_t n = strlen(name);

	return (n > 4 && !strcmp(name + n - 4, "-shm")) || (n >= 4 && !strcmp(name + n - 4, "lock"));
}

void path_of_fd(int fd, char path[PATH_MAX])
{
	char self[64];
	long n;

	snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
	n = sys(SYS_readlinkat, (long)AT_FDCWD, (long)self, (long)path, (long)PATH_MAX - 1);
	path[n > 0 ? n : 0] = 0;
}

/* The folder of a name, opened; -1: none of ours. */
int folder_of(int dirfd, const char *path, const char **name)
{
	char dir[PATH_MAX], real[PATH_MAX];
	const char *slash;
	int fd;

	if (!disk)
		return -1;
	slash = strrchr(path, '/');
	*name = slash ? slash + 1 : path;
	if (forgettable(*name) || (slash && slash - path >= PATH_MAX))
		return -1;
	snprintf(dir, sizeof dir, "%.*s", slash ? (int)(slash - path) + (slash == path) : 1, slash ? path : ".");
	fd = (int)sys(SYS_openat, (long)dirfd, (long)dir, (long)(O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	if (fd < 0)
		return -1;
	path_of_fd(fd, real);
	if (is_inside(real))
		return fd;
	sys(SYS_close, (long)fd);
	return -1;
}

static void journal_path(int dir, char path[PATH_MAX + 32])
{
	uint64_t ino;
	int64_t born, size;

	identify(dir, &ino, &born, &size, NULL);
	snprintf(path, PATH_MAX + 32, "%s/dir/%llu", state, (unsigned long long)ino);
}

void note_names(int dir, const char *line)
{
	char path[PATH_MAX + 32];
	int fd;

	journal_path(dir, path);
	fd = sys_open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
	if (fd < 0 || sys(SYS_write, (long)fd, (long)line, (long)strlen(line)) < 0)
		broken("write", path);
	sys(SYS_close, (long)fd);
}

/* A second name for what is about to lose its own; grave "-": there is nothing, or it is forgettable. */
static void bury(int dir, const char *name, char grave[32])
{
	char path[PATH_MAX + 64];
	uint64_t number;

	disk_lock();
	number = ++disk->grave;
	disk_unlock();
	snprintf(grave, 32, "%llu", (unsigned long long)number);
	snprintf(path, sizeof path, "%s/.grave/%s", disk->root, grave);
	if (sys(SYS_linkat, (long)dir, (long)name, (long)AT_FDCWD, (long)path, 0L) < 0)
		strcpy(grave, "-");
}

/* Graves of a folder's journal are not needed any more. */
void folder_synced(int dir)
{
	char path[PATH_MAX + 32], grave[PATH_MAX + 64], *text, *save = NULL;
	struct stat st;
	int fd;

	journal_path(dir, path);
	fd = sys_open(path, O_RDWR, 0);
	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0 && st.st_size > 0 && (text = malloc((size_t)st.st_size + 1))) {
		text[sys(SYS_read, (long)fd, (long)text, (long)st.st_size)] = 0;
		sys(SYS_ftruncate, (long)fd, 0L);
		for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
			char *last = strrchr(line, '\t');
			if ((*line == 'U' || *line == 'R') && last && strcmp(last + 1, "-") != 0) {
				snprintf(grave, sizeof grave, "%s/.grave/%s", disk->root, last + 1);
				sys(SYS_unlinkat, (long)AT_FDCWD, (long)grave, 0L);
			}
		}
		free(text);
	}
	sys(SYS_close, (long)fd);
}

/* ---- changing names ---- */

static int rename_any(int fromdir, const char *from, int todir, const char *to)
{
	const char *fname, *tname;
	char grave[32], line[2 * NAME_MAX + 64];
	int dir = folder_of(fromdir, from, &fname), other;

	if (dir < 0 && disk)
		return (int)sys(SYS_renameat2, (long)fromdir, (long)from, (long)todir, (long)to, 0L);
	step();
	if (dir >= 0) {
		other = folder_of(todir, to, &tname);
		if (other >= 0) {
			bury(other, tname, grave);
			/* One folder: all that is done here. */
			snprintf(line, sizeof line, "R\t%s\t%s\t%s\n", fname, tname, grave);
			note_names(dir, line);
			sys(SYS_close, (long)other);
		}
		sys(SYS_close, (long)dir);
	}
	return (int)sys(SYS_renameat2, (long)fromdir, (long)from, (long)todir, (long)to, 0L);
}

int rename(const char *from, const char *to) { return rename_any(AT_FDCWD, from, AT_FDCWD, to); }
int renameat(int fd, const char *from, int td, const char *to) { return rename_any(fd, from, td, to); }

static int unlink_any(int dirfd, const char *path, int flags)
{
	const char *name;
	char grave[32], line[NAME_MAX + 64];
	int dir = flags & AT_REMOVEDIR ? -1 : folder_of(dirfd, path, &name);

	if (dir >= 0 || !disk)
		step();
	if (dir >= 0) {
		bury(dir, name, grave);
		if (strcmp(grave, "-") != 0) {
			snprintf(line, sizeof line, "U\t%s\t%s\n", name, grave);
			note_names(dir, line);
		}
		sys(SYS_close, (long)dir);
	}
	return (int)sys(SYS_unlinkat, (long)dirfd, (long)path, (long)flags);
}

int unlink(const char *path) { return unlink_any(AT_FDCWD, path, 0); }
int unlinkat(int fd, const char *path, int flags) { return unlink_any(fd, path, flags); }

static int mkdir_any(int dirfd, const char *path, mode_t mode)
{
	const char *name;
	char line[NAME_MAX + 8];
	int dir = folder_of(dirfd, path, &name);

	if (dir >= 0) {
		if (sys(SYS_faccessat, (long)dir, (long)name, (long)F_OK) < 0) {
			step();
			snprintf(line, sizeof line, "M\t%s\n", name);
			note_names(dir, line);
		}
		sys(SYS_close, (long)dir);
	}
	return (int)sys(SYS_mkdirat, (long)dirfd, (long)path, (long)mode);
}

int mkdir(const char *path, mode_t mode) { return mkdir_any(AT_FDCWD, path, mode); }
int mkdirat(int fd, const char *path, mode_t mode) { return mkdir_any(fd, path, mode); }
