#include "supervise/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/num.h"

#define LINE 512

enum form { SIZE, COUNT, SECONDS };
static const struct { const char *word; int resource; enum form form; } resources[] = {
	{ "memory", RLIMIT_AS, SIZE }, { "memory", RLIMIT_DATA, SIZE }, { "data", RLIMIT_DATA, SIZE }, { "stack", RLIMIT_STACK, SIZE },
	{ "locked", RLIMIT_MEMLOCK, SIZE }, { "core", RLIMIT_CORE, SIZE }, { "file-size", RLIMIT_FSIZE, SIZE },
	{ "files", RLIMIT_NOFILE, COUNT }, { "processes", RLIMIT_NPROC, COUNT }, { "cpu", RLIMIT_CPU, SECONDS },
};

/* ---- names ---- */

static bool is_number(const char *s)
{
	return *s && s[strspn(s, "0123456789")] == 0;
}

static int number(const char *s, uint32_t *out, const char **why)
{
	uint64_t v;

	if (num_u64(s, 0, UINT32_MAX - 1, &v, why) < 0)
		return -1;
	*out = (uint32_t)v;
	return 0;
}

/* A user by name or number. A number that no line has gets the group of the same number. */
static int find_user(const char *name, uid_t *uid, gid_t *gid, const char **why)
{
	FILE *f = fopen("/etc/passwd", "re");
	struct passwd *p;
	uint32_t id = 0;
	bool by_id = is_number(name);

	if (by_id && number(name, &id, why) < 0) {
		if (f)
			fclose(f);
		return -1;
	}
	while (f && (p = fgetpwent(f)) != NULL)
		if (by_id ? p->pw_uid == id : strcmp(p->pw_name, name) == 0) {
			*uid = p->pw_uid;
			*gid = p->pw_gid;
			fclose(f);
			return 0;
		}
	if (f)
		fclose(f);
	*uid = *gid = id;
	*why = "no such user in /etc/passwd";
	return by_id ? 0 : -1;
}

static int find_group(const char *name, gid_t *gid, const char **why)
{
	FILE *f;
	struct group *g;

	if (is_number(name))
		return number(name, gid, why);
	f = fopen("/etc/group", "re");
	while (f && (g = fgetgrent(f)) != NULL)
		if (strcmp(g->gr_name, name) == 0) {
			*gid = g->gr_gid;
			fclose(f);
			return 0;
		}
	if (f)
		fclose(f);
	*why = "no such group in /etc/group";
	return -1;
}

static int groups(char *value, struct limits *l, const char **why)
{
	char *rest = NULL;

	l->spawn.ngroups = 0;
	for (char *s = strtok_r(value, ", \t", &rest); s; s = strtok_r(NULL, ", \t", &rest)) {
		if (l->spawn.ngroups == LIMITS_GROUPS) {
			*why = "too many groups";
			return -1;
		}
		if (find_group(s, &l->groups[l->spawn.ngroups], why) < 0)
			return -1;
		l->spawn.ngroups++;
	}
	*why = "name a group";
	return l->spawn.ngroups ? 0 : -1;
}

/* ---- lines ---- */

static int value_of(const char *text, enum form form, rlim_t *out, const char **why)
{
	uint64_t v = 0;
	int64_t ns = 0;
	int rc;

	if (strcmp(text, "unlimited") == 0) {
		*out = RLIM_INFINITY;
		return 0;
	}
	if (form == SECONDS) {
		rc = num_duration(text, CLOCK_S, INT64_C(86400000) * CLOCK_S, &ns, why);
		v = (uint64_t)(ns / CLOCK_S);
	} else if (form == SIZE) {
		rc = num_size(text, 0, UINT64_C(1) << 50, &v, why);
	} else {
		rc = num_u64(text, 1, 1u << 30, &v, why);
	}
	*out = v;
	return rc;
}

/* Neither soft nor hard may exceed the hard limit of this process, unless it is root's. */
static int resource(struct limits *l, int which, rlim_t want, const char **why)
{
	struct rlimit own;
	unsigned i = 0;

	if (getrlimit(which, &own) == 0 && want > own.rlim_max && (want == RLIM_INFINITY || geteuid() != 0)) {
		*why = "above the hard limit that supervise has itself";
		if (want != RLIM_INFINITY)
			return -1;
		want = own.rlim_max;
	}
	while (i < l->spawn.n && l->spawn.v[i].resource != which)
		i++;
	if (i == l->spawn.n)
		l->spawn.n++;
	l->spawn.v[i].resource = which;
	l->spawn.v[i].value = (struct rlimit){ want, want };
	return 0;
}

static int resource_line(const char *word, const char *value, struct limits *l, const char **why)
{
	bool known = false;
	rlim_t v;

	for (size_t i = 0; i < sizeof resources / sizeof *resources; i++) {
		if (strcmp(resources[i].word, word) != 0)
			continue;
		known = true;
		if (value_of(value, resources[i].form, &v, why) < 0 || resource(l, resources[i].resource, v, why) < 0)
			return -1;
	}
	*why = "no such limit; there are memory data stack locked files processes core file-size cpu nice user group environment";
	return known ? 0 : -1;
}

static int other_line(const char *word, char *value, struct limits *l, gid_t *primary, const char **why)
{
	uint64_t v;

	if (strcmp(word, "nice") == 0) {
		bool minus = value[0] == '-';

		if (num_u64(value + minus, 0, minus ? 20 : 19, &v, why) < 0) {
			*why = "write a number from -20 to 19";
			return -1;
		}
		l->spawn.nice = minus ? -(int)v : (int)v;
		return 0;
	}
	if (strcmp(word, "user") == 0) {
		l->spawn.user = true;
		return find_user(value, &l->spawn.uid, primary, why);
	}
	if (strcmp(word, "group") == 0)
		return groups(value, l, why);
	if (strcmp(word, "environment") == 0) {
		*why = "too long";
		return snprintf(l->environment, sizeof l->environment, "%s", value) < (int)sizeof l->environment ? 0 : -1;
	}
	return resource_line(word, value, l, why);
}

static char *trim(char *s)
{
	size_t n = strlen(s);

	while (n > 0 && strchr(" \t\r", s[n - 1]))
		s[--n] = 0;
	return s + strspn(s, " \t");
}

static int line_parse(char *text, struct limits *l, gid_t *primary, const char **why)
{
	char *hash = strchr(text, '#'), *eq, *word, *value;

	if (hash)
		*hash = 0;
	word = trim(text);
	if (!*word)
		return 0;
	eq = strchr(word, '=');
	*why = "write WORD = VALUE";
	if (!eq)
		return -1;
	*eq = 0;
	word = trim(word);
	value = trim(eq + 1);
	*why = "a value is missing";
	return *value ? other_line(word, value, l, primary, why) : -1;
}

unsigned limits_parse(const char *p, size_t n, struct limits *out,
	void (*bad)(void *arg, unsigned line, const char *text, const char *why), void *arg)
{
	const char *end = p + n;
	gid_t primary = getegid();
	unsigned count = 0;

	memset(out, 0, sizeof *out);
	for (unsigned line = 1; p < end; line++) {
		const char *lf = memchr(p, '\n', (size_t)(end - p)), *why = "too long, or with a NUL byte";
		size_t len = (size_t)((lf ? lf : end) - p);
		char text[LINE], shown[LINE];
		bool fits = len < sizeof text && !memchr(p, 0, len);

		memcpy(text, p, fits ? len : 0);
		text[fits ? len : 0] = 0;
		memcpy(shown, text, sizeof shown);
		if (!fits || line_parse(text, out, &primary, &why) < 0) {
			bad(arg, line, shown, why);
			count++;
		}
		p = lf ? lf + 1 : end;
	}
	if (out->spawn.ngroups && !out->spawn.user) {
		out->spawn.user = true;
		out->spawn.uid = geteuid();
	}
	if (out->spawn.user && !out->spawn.ngroups)
		out->groups[out->spawn.ngroups++] = primary;
	out->spawn.gid = out->groups[0];
	out->spawn.groups = out->groups;
	return count;
}

struct said { const char *label; };

static void say_bad(void *arg, unsigned line, const char *text, const char *why)
{
	const struct said *s = arg;

	log_error("%s/limits: line %u: %s: %s", s->label, line, text, why);
}

int limits_read(int dirfd, const char *label, struct limits *out)
{
	static char text[LIMITS_FILE_MAX + 1];
	struct said said = { label };
	int fd = openat(dirfd, "limits", O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n;
	unsigned bad;

	if (fd < 0 && errno == ENOENT)
		return 0;
	n = fd < 0 ? -1 : read(fd, text, sizeof text);
	if (n < 0) {
		log_error("%s/limits: %s: not started without its limits", label, strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	close(fd);
	if ((size_t)n == sizeof text) {
		log_error("%s/limits: more than %d bytes: not started without its limits", label, LIMITS_FILE_MAX);
		return -1;
	}
	bad = limits_parse(text, (size_t)n, out, say_bad, &said);
	if (bad)
		log_error("%s: not started without the limits of %s", label, bad == 1 ? "that line" : "those lines");
	return bad ? -1 : 1;
}
