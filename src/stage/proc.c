#include "stage/proc.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

size_t proc_children(pid_t pid, pid_t list[PROC_MAX], size_t n)
{
	char path[64];
	FILE *f;
	int child;

	snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)pid, (int)pid);
	f = fopen(path, "re");
	if (!f)
		return n;
	while (n < PROC_MAX && fscanf(f, "%d", &child) == 1)
		list[n++] = child;
	fclose(f);
	return n;
}

bool proc_input_is(pid_t pid, const struct stat *ours)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof path, "/proc/%d/fd/0", (int)pid);
	return stat(path, &st) == 0 && st.st_ino == ours->st_ino && st.st_dev == ours->st_dev;
}

/* Does this thread sleep in read(2) of standard input? It cannot be told of one that runs, or is another user's. */
static bool thread_reads(pid_t pid, const char *thread)
{
	char path[96], text[128];
	unsigned long arg = 1;
	long call = -1;
	FILE *f;
	bool ok;

	snprintf(path, sizeof path, "/proc/%d/task/%.20s/syscall", (int)pid, thread);
	f = fopen(path, "re");
	if (!f)
		return false;
	ok = fgets(text, sizeof text, f) && sscanf(text, "%ld %lx", &call, &arg) == 2;
	fclose(f);
	return ok && call == SYS_read && arg == 0;
}

bool proc_reads_input(pid_t pid)
{
	char path[64];
	struct dirent *e;
	bool reads = false;
	DIR *d;

	snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
	d = opendir(path);
	if (!d)
		return false;
	for (unsigned n = 0; !reads && n < PROC_LOOK && (e = readdir(d)); n++)
		reads = e->d_name[0] != '.' && thread_reads(pid, e->d_name);
	closedir(d);
	return reads;
}

static int waits(pid_t pid, int in)
{
	pid_t list[PROC_MAX] = { pid };
	size_t n = 1;
	struct stat st;
	int unread = 0, readers = 0;

	if (ioctl(in, FIONREAD, &unread) || unread > 0 || fstat(in, &st))
		return 0;
	for (size_t i = 0; i < n; i++) {
		n = proc_children(list[i], list, n);
		if (!proc_input_is(list[i], &st))
			continue;
		readers++;
		if (proc_reads_input(list[i]))
			return 1;
	}
	return readers ? 0 : -1;
}

int proc_waits(pid_t pid, int in, int out)
{
	int rc = waits(pid, in), unread;

	/* Said before it waited, and still in the pipe: it is we who were held up. */
	return rc && out >= 0 && ioctl(out, FIONREAD, &unread) == 0 && unread > 0 ? 0 : rc;
}
