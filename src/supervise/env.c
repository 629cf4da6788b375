#include "supervise/env.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

static char **vec;		/* ended by NULL; the first `own` entries are borrowed or ours, see mine */
static unsigned char *mine;	/* vec[i] is to be freed */
static size_t count, cap, total;

static int grow(void)
{
	size_t more = cap ? 2 * cap : 64;
	char **v;
	unsigned char *m;

	if (count + 1 < cap)
		return 0;
	v = realloc(vec, more * sizeof *v);
	if (!v)
		return -1;
	vec = v;
	m = realloc(mine, more);
	if (!m)
		return -1;
	mine = m;
	cap = more;
	return 0;
}

static void drop(size_t i)
{
	if (mine[i])
		free(vec[i]);
	count--;
	vec[i] = vec[count];
	mine[i] = mine[count];
	vec[count] = NULL;
}

int env_begin(void)
{
	while (count > 0)
		drop(count - 1);
	total = 0;
	for (char **e = environ; *e; e++) {
		if (grow() < 0)
			return -1;
		vec[count] = *e;
		mine[count++] = 0;
	}
	if (grow() < 0)
		return -1;
	vec[count] = NULL;
	return 0;
}

int env_set(const char *name, const char *value)
{
	size_t n = strlen(name);
	char *text;

	for (size_t i = count; i-- > 0;)
		if (strncmp(vec[i], name, n) == 0 && vec[i][n] == '=')
			drop(i);
	if (!value)
		return 0;
	total += n + strlen(value) + 2;
	if (total > ENV_TOTAL_MAX) {
		errno = E2BIG;
		return -1;
	}
	if (grow() < 0)
		return -1;
	text = malloc(n + strlen(value) + 2);
	if (!text)
		return -1;
	sprintf(text, "%s=%s", name, value);
	vec[count] = text;
	mine[count++] = 1;
	vec[count] = NULL;
	return 0;
}

char *const *env_vector(void)
{
	return vec;
}

/* The file's value is cut out of text, which is ended here. */
static void first_line(char *text, size_t n)
{
	char *lf = memchr(text, '\n', n);

	if (lf)
		n = (size_t)(lf - text);
	while (n > 0 && (text[n - 1] == ' ' || text[n - 1] == '\t'))
		n--;
	for (size_t i = 0; i < n; i++)
		if (!text[i])
			text[i] = '\n';
	text[n] = 0;
}

static int one_file(int dirfd, const char *name)
{
	static char text[ENV_FILE_MAX + 1];
	int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	ssize_t n = -1;

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
		close(fd);
		return 0;
	}
	n = read(fd, text, ENV_FILE_MAX);
	close(fd);
	if (n < 0)
		return -1;
	if (n == ENV_FILE_MAX) {
		errno = EFBIG;
		return -1;
	}
	if (n == 0)
		return env_set(name, NULL);
	first_line(text, (size_t)n);
	return env_set(name, text);
}

int env_folder(int dirfd, const char *dir, const char *label)
{
	int fd = openat(dirfd, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (!d) {
		log_error("%s: environment %s: %s", label, dir, strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	while (rc == 0 && (e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.' || strchr(e->d_name, '='))
			continue;
		rc = one_file(fd, e->d_name);
		if (rc < 0)
			log_error("%s: environment %s/%s: %s", label, dir, e->d_name, strerror(errno));
	}
	closedir(d);
	return rc;
}
