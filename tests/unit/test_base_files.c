/* fd, metric, json, log: what is on disk and on stderr. */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scratch.h"

#include "base/buf.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/log.h"
#include "base/metric.h"

static char dir[SCRATCH];

static const char *path(const char *name)
{
	static char out[4][PATH_MAX];
	static unsigned turn;
	char *p = out[turn++ % 4];

	snprintf(p, PATH_MAX, "%s/%s", dir, name);
	return p;
}

static void files(void)
{
	struct buf b;
	struct stat st;
	int fd, status;
	pid_t child;

	CHECK(fd_mkdirs(path("a/b/c"), 0755) == 0 && fd_mkdirs(path("a/b/c"), 0755) == 0, "mkdir -p, twice");
	CHECK(fd_replace(path("a/f"), "hello", 5, 0600) == 0 && stat(path("a/f"), &st) == 0 && st.st_size == 5 &&
	      (st.st_mode & 0777) == 0600, "a new file");
	CHECK(fd_replace(path("a/f"), "world!", 6, 0640) == 0 && stat(path("a/f"), &st) == 0 && (st.st_mode & 0777) == 0640, "replaced");
	CHECK(access(path("a/f.new"), F_OK) == -1, "nothing left beside it");
	CHECK(fd_replace(path("none/f"), "x", 1, 0600) == -1 && errno == ENOENT, "no folder");
	CHECK(fd_mkdirs(path("a/f/g"), 0755) == -1 && errno == ENOTDIR, "a file in the way");
	CHECK(fd_mkdirs(path("a/f"), 0755) == -1 && errno == ENOTDIR, "a file at the end");
	buf_init(&b, 6);
	CHECK(fd_read_file(path("a/f"), &b) == 0 && b.len == 6 && memcmp(b.p, "world!", 6) == 0, "a file of exactly the ceiling");
	buf_release(&b);
	buf_init(&b, 5);
	CHECK(fd_read_file(path("a/f"), &b) == -1 && errno == EMSGSIZE, "a file beyond it");
	buf_release(&b);
	CHECK(fd_lock_owner(path("lock")) == -1 && errno == ENOENT, "nobody without a file");
	fd = fd_lock(path("lock"));
	CHECK(fd >= 0, "a lock");
	child = fork();
	if (child == 0)
		_exit(fd_lock(path("lock")) == -1 && errno == EWOULDBLOCK && fd_lock_owner(path("lock")) == getppid() ? 0 : 1);
	CHECK(waitpid(child, &status, 0) == child && status == 0, "is held once, and its owner is known to others");
	close(fd);
	CHECK(fd_lock_owner(path("lock")) == 0, "free again");
}

/* What is killed while it makes a child leaves its flock to that: here for as long as the child waits for a byte. */
static void dead_owner(void)
{
	int go[2], fd, status;
	pid_t owner, child, who = -1;
	char c;

	CHECK(pipe(go) == 0, "a pipe");
	owner = fork();
	if (owner == 0) {
		fd = fd_lock(path("lock"));
		close(go[1]);
		child = fd < 0 ? -1 : fork();
		if (child == 0)
			_exit(read(go[0], &c, 1) != 0);
		_exit(child < 0);
	}
	CHECK(waitpid(owner, &status, 0) == owner && status == 0, "one that leaves a child behind");
	CHECK(fd_lock_at(AT_FDCWD, path("lock")) == -1 && errno == EWOULDBLOCK, "it holds the lock");
	CHECK(fd_lock_wait(AT_FDCWD, path("lock"), 0, 0, &who) == -1 && errno == EWOULDBLOCK && who == 0, "without patience");
	child = fork();
	if (child == 0) {
		usleep(50000);
		_exit(0);
	}
	close(go[0]);
	close(go[1]);	/* the last end is the one of the child that sleeps */
	fd = fd_lock(path("lock"));
	CHECK(fd >= 0, "with patience: %s", strerror(errno));
	close(fd);
	CHECK(waitpid(child, NULL, 0) == child, "collected");
}

struct seen { int rows; uint64_t lines, depth; };

static void see(void *arg, const struct metric_view *r)
{
	struct seen *s = arg;

	s->rows++;
	if (strcmp(r->name, "x_lines_total") == 0 && strcmp(r->labels, "dest=\"store\"") == 0 && r->kind == METRIC_COUNTER)
		s->lines = r->value;
	if (strcmp(r->name, "x_depth") == 0 && r->kind == METRIC_GAUGE && strcmp(r->help, "how deep") == 0)
		s->depth = r->value;
}

static int run_counts(void)
{
	uint64_t *lines, *depth;

	metric_path = path("metrics");
	if (metric_open("x"))
		return 1;
	lines = metric_row("x_lines_total", "dest=\"store\"", METRIC_COUNTER, "lines");
	depth = metric_row("x_depth", "", METRIC_GAUGE, "how deep");
	if (metric_get(depth) != 0 || metric_row("x_depth", "", METRIC_GAUGE, "how deep") != depth)
		return 2;
	metric_add(lines, 5);
	metric_set(depth, 7);
	return 0;
}

static int in_child(int (*fn)(void))
{
	pid_t child = fork();
	int status;

	if (child == 0)
		_exit(fn());
	return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int refused(void)
{
	metric_path = path("a/f");
	log_set(LOG_TEXT, LOG_ERROR);
	if (!freopen("/dev/null", "w", stderr))
		return 9;
	return metric_open("x") == -1 ? 0 : 1;
}

static int too_many(void)
{
	uint64_t *first, *spare;
	char name[32];

	if (!freopen("/dev/null", "w", stderr))
		return 9;
	first = metric_row("first", "", METRIC_COUNTER, "");
	for (int i = 1; i < METRIC_ROWS; i++) {
		snprintf(name, sizeof(name), "row%d", i);
		metric_add(metric_row(name, "", METRIC_COUNTER, ""), 1);
	}
	spare = metric_row("one more", "", METRIC_COUNTER, "");
	metric_add(spare, 1);
	return spare == metric_row("and another", "", METRIC_COUNTER, "") && spare != first && metric_get(first) == 0 ? 0 : 1;
}

static void metrics(void)
{
	struct seen s = {0};
	struct stat st;

	CHECK(in_child(run_counts) == 0 && in_child(run_counts) == 0, "two runs count into one file");
	CHECK(metric_read(path("metrics"), see, &s) == 0 && s.rows == 2 && s.lines == 10 && s.depth == 7, "counters go on, gauges do not");
	CHECK(metric_read(path("a/f"), see, &s) == -1 && errno == EINVAL, "another file is no metrics file");
	CHECK(in_child(refused) == 0 && stat(path("a/f"), &st) == 0 && st.st_size == 6, "and is not written over");
	CHECK(in_child(too_many) == 0, "one row too many goes to a spare cell");
	CHECK(truncate(path("metrics"), 100) == 0 && metric_read(path("metrics"), see, &s) == -1, "a cut file is refused");
}

static int count_member(void *arg, const char *name, const struct json *value)
{
	(void)value;
	strcat(arg, name);
	return 0;
}

static void documents(void)
{
	static const char text[] = "{\"a\":{\"b\":[1,2.5,true,\"x\\u0000y\"]},\"c\":null}";
	struct json_error e;
	struct json *d = json_parse(text, sizeof(text) - 1, &e);
	const struct json *b = json_path(d, "a.b");
	char names[8] = "";
	struct buf out;
	size_t n;

	CHECK(d && json_is_object(d) && json_is_array(b) && json_count(b) == 4 && json_count(d) == 2, "a document");
	CHECK(json_int(json_at(b, 0), 9) == 1 && json_int(json_at(b, 1), 9) == 9 && json_double(json_at(b, 1), 0) == 2.5 &&
	      json_double(json_at(b, 0), 0) == 1.0, "numbers");
	CHECK(json_bool(json_at(b, 2), false) && !json_bool(json_at(b, 0), false), "a truth");
	CHECK(json_str(json_at(b, 3), &n) && n == 3 && !json_str(json_at(b, 0), NULL), "a string with a NUL");
	CHECK(!json_member(NULL, "x") && !json_path(d, "a.x.y") && !json_at(d, 0) && !json_is_object(NULL), "what is not there is NULL");
	CHECK(json_each(d, count_member, names) == 0 && strcmp(names, "ac") == 0, "members in order");
	buf_init(&out, 1000);
	CHECK(json_print(d, &out) == 0 && out.len == sizeof(text) - 1 && memcmp(out.p, text, out.len) == 0, "printed as it was");
	out.max = out.cap = out.len + 3;
	CHECK(json_print(d, &out) == -1 && out.len == sizeof(text) - 1, "all or nothing");
	buf_release(&out);
	json_free(d);
	CHECK(!json_parse("{\"a\":1,\n \"a\":2}", 15, &e) && e.line == 2 && e.text[0], "a name twice is refused, with its line");
	CHECK(!json_parse("[1,]", 4, &e) && !json_parse("", 0, &e) && !json_parse("1 2", 3, &e), "what is no JSON is refused");
}

static int speak(void)
{
	static char big[20000];
	int fd = open(path("log"), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	memset(big, 'x', sizeof(big) - 1);
	if (fd < 0 || dup2(fd, 2) != 2)
		return 1;
	log_init("unit");
	log_set(LOG_JSON, LOG_INFO);
	log_debug("not said");
	log_warn("a \"quote\", a \\, a line\nfeed, bad \xff utf-8, esc \x1b[31m, \xc3\xa9");
	log_about(LOG_INFO, &(struct log_ctx){"t\"1", "e1", NULL}, "about");
	log_error("%s", big);
	log_set(LOG_TEXT, LOG_INFO);
	log_warn("esc \x1b[31m, \xc3\xa9, line\nfeed");
	close(2);
	log_error("nobody hears this");
	return 0;
}

static int speak_closed(void)
{
	int fd;

	for (fd = 0; fd < 3; fd++)
		close(fd);
	log_init("unit");
	fd = open(path("not-a-log"), O_RDWR | O_CREAT | O_TRUNC, 0600);
	log_error("must not get into the file");
	return fd < 3 || lseek(fd, 0, SEEK_END) != 0 || write(1, "x", 1) != -1 || errno != EBADF || read(0, &fd, 1) != -1 || errno != EBADF;
}

static void messages(void)
{
	struct buf b;
	struct json_error e;
	struct json *j;
	char *line, *end;

	CHECK(in_child(speak_closed) == 0, "descriptors 0 to 2 that came closed are not a file's");
	CHECK(in_child(speak) == 0, "messages");
	buf_init(&b, 1 << 20);
	CHECK(fd_read_file(path("log"), &b) == 0, "were written");
	line = b.p;
	end = memchr(line, '\n', b.len);
	j = json_parse(line, (size_t)(end - line), &e);
	CHECK(j && strcmp(json_str(json_member(j, "msg"), NULL),
		"a \"quote\", a \\, a line\nfeed, bad \xef\xbf\xbd utf-8, esc \x1b[31m, \xc3\xa9") == 0 &&
	      strcmp(json_str(json_member(j, "level"), NULL), "warn") == 0 && strcmp(json_str(json_member(j, "prog"), NULL), "unit") == 0,
	      "a line of JSON, whatever is in it");
	json_free(j);
	line = end + 1;
	end = strchr(line, '\n');
	j = json_parse(line, (size_t)(end - line), &e);
	CHECK(j && strcmp(json_str(json_member(j, "tenant"), NULL), "t\"1") == 0 && !json_member(j, "trace_id"), "with its event");
	json_free(j);
	line = end + 1;
	end = strchr(line, '\n');
	j = json_parse(line, (size_t)(end - line), &e);
	CHECK(j && strlen(json_str(json_member(j, "msg"), NULL)) == 8191, "a long message is cut");
	json_free(j);
	CHECK(strcmp(buf_cstr(&b) + (end + 1 - b.p), "unit: warning: esc \\x1b[31m, \xc3\xa9, line\\x0afeed\n") == 0, "text for people");
	buf_release(&b);
}

int main(void)
{
	scratch_make(dir);
	files();
	dead_owner();
	metrics();
	documents();
	messages();
	return check_done();
}
