#include "store/folder.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "line/envelope.h"

static int add(struct folder *f, size_t *cap, const char *name, size_t n)
{
	char **more;

	if (f->n == *cap) {
		more = realloc(f->name, (*cap ? *cap * 2 : 64) * sizeof(*more));
		if (!more)
			return -1;
		f->name = more;
		*cap = *cap ? *cap * 2 : 64;
	}
	f->name[f->n] = strndup(name, n);
	if (!f->name[f->n])
		return -1;
	f->n++;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int folder_read(struct folder *f, const char *dir)
{
	struct dirent *e;
	size_t cap = 0;
	DIR *d = opendir(dir);
	int rc = 0, err;

	*f = (struct folder){ 0 };
	if (!d)
		return -1;
	while (rc == 0 && (errno = 0, e = readdir(d))) {
		size_t n = strlen(e->d_name);

		if (n > 3 && strcmp(e->d_name + n - 3, ".db") == 0 && envelope_tenant_ok(e->d_name, n - 3))
			rc = add(f, &cap, e->d_name, n - 3);
	}
	err = rc ? ENOMEM : errno;
	closedir(d);
	if (err) {
		folder_release(f);
		errno = err;
		return -1;
	}
	if (f->n)
		qsort(f->name, f->n, sizeof(*f->name), by_name);
	return 0;
}

void folder_release(struct folder *f)
{
	for (size_t i = 0; i < f->n; i++)
		free(f->name[i]);
	free(f->name);
	*f = (struct folder){ 0 };
}
