#include "store/ask.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "base/log.h"
#include "base/metric.h"
#include "link/link.h"
#include "store/fill.h"
#include "store/folder.h"
#include "store/query/query.h"
#include "store/row.h"
#include "store/tenant.h"

#define WHOLE_TIME (100 * CLOCK_MS)	/* a question to all tenants ends after it, with more set */

struct ask {
	struct tenants *tenants;
	struct link_server *server;
	struct answer answer;
	struct buf head;
	uint64_t *queries, *errors;
};

/* ---- the history a kind sees ---- */

static struct db_stmt *statement(struct history *h, const char *sql)
{
	struct tenant *t = h->arg;
	int i;

	for (i = 0; i < TENANT_QUERIES && t->query[i].sql; i++)
		if (t->query[i].sql == sql)
			return t->query[i].s;
	if (i == TENANT_QUERIES) {
		/* More texts than places: the first gives way. */
		i = 0;
		db_finish(t->query[i].s);
		t->query[i].sql = NULL;
	}
	t->query[i].s = db_prepare(t->db, sql);
	if (t->query[i].s)
		t->query[i].sql = sql;
	return t->query[i].s;
}

static int64_t number(struct history *h, bool conversation, struct text text)
{
	struct tenant *t = h->arg;

	return names_find(&t->names, conversation ? NAME_CONVERSATION : NAME_TYPE, text.p, text.n);
}

static void range(struct history *h, struct text id, int64_t *from, int64_t *to)
{
	struct tenant *t = h->arg;

	row_id_range(id.p, id.n, t->salt, from, to);
}

/* ---- one question ---- */

static int bring_up_to_date(struct ask *k, struct tenant *t)
{
	if (t->fresh.n == 0)
		return 0;
	if (db_begin(t->db) == 0 && fill(t) == 0 && db_commit(t->db) == 0)
		return 0;
	tenants_fail(k->tenants, t);
	return answer_fail(&k->answer, "%s", t->error.text);
}

static int ask_tenant(struct ask *k, const struct query *q, const char *name)
{
	const char *why;
	struct tenant *t = tenants_get(k->tenants, name, false, &why);
	struct history h = { .tenant = name, .statement = statement, .number = number, .range = range, .arg = t };
	int rc;

	if (!t)
		return *why ? answer_fail(&k->answer, "%s", why) : 0;	/* a tenant without history has no lines */
	if (q->kind->filled && bring_up_to_date(k, t))
		return -1;
	h.db = t->db;
	db_deadline(t->db, clock_mono() + QUERY_TIME);
	rc = q->kind->run(&h, q, &k->answer);
	db_deadline(t->db, 0);
	if (rc && db_error(t->db)->fault == DB_CORRUPT)
		tenants_fail(k->tenants, t);
	return rc;
}

/* One tenant's trouble is a line among the others'. */
static void add_failed(struct answer *a, const char *tenant)
{
	struct buf line;

	buf_init(&line, 8192);
	if (buf_printf(&line, "{\"tenant\":\"%s\",\"error\":", tenant) == 0 &&
	    buf_add_json(&line, a->error, strlen(a->error)) == 0 && buf_addc(&line, '}') == 0) {
		a->error[0] = '\0';
		answer_add(a, 0, line.p, line.len);
	}
	buf_release(&line);
}

static int ask_all(struct ask *k, const struct query *q)
{
	struct answer *a = &k->answer;
	int64_t end = clock_mono() + WHOLE_TIME;
	struct folder f;

	if (folder_read(&f, k->tenants->dir))
		return answer_fail(a, "%s: %s", k->tenants->dir, strerror(errno));
	for (size_t i = 0; i < f.n && !a->error[0]; i++) {
		if (q->from.p && strcmp(f.name[i], q->from.p) <= 0)
			continue;
		a->more = a->count == a->most || (a->count && clock_mono() > end);
		if (a->more)
			break;
		if (ask_tenant(k, q, f.name[i]))
			add_failed(a, f.name[i]);
	}
	folder_release(&f);
	return a->error[0] ? -1 : 0;
}

static void on_request(void *arg, struct link_peer *peer, const char *p, size_t n)
{
	struct iovec parts[QUERY_PARTS];
	struct ask *k = arg;
	struct query q;
	char why[512];
	int rc;

	answer_clear(&k->answer, 0);
	if (query_parse(&q, p, n, why, sizeof(why)))
		answer_fail(&k->answer, "%s", why);
	k->answer.most = q.n;
	if (!k->answer.error[0] && q.kind->whole && !(q.given & QM(TENANT)))
		ask_all(k, &q);
	else if (!k->answer.error[0])
		ask_tenant(k, &q, q.tenant);
	query_release(&q);
	metric_add(k->queries, 1);
	metric_add(k->errors, k->answer.error[0] != '\0');
	rc = answer_parts(&k->answer, &k->head, parts);
	if (rc < 0)
		link_drop(peer, "no memory for an answer");
	else
		link_reply(peer, parts, rc);
}

struct ask *ask_open(struct loop *l, const char *url, const struct link_opts *tls, struct tenants *ts, uint64_t *queries, uint64_t *errors)
{
	static const struct link_handler handler = { .on_request = on_request };
	struct link_opts opts = { .tls_ca = tls->tls_ca, .tls_cert = tls->tls_cert, .tls_key = tls->tls_key };
	struct ask *k = calloc(1, sizeof(*k));

	if (!k) {
		log_error("%s: %s", url, strerror(ENOMEM));
		return NULL;
	}
	*k = (struct ask){ .tenants = ts, .queries = queries, .errors = errors };
	answer_init(&k->answer);
	buf_init(&k->head, 64u << 10);
	k->server = link_listen(l, url, &opts, &handler, k);
	if (!k->server) {
		ask_close(k);
		return NULL;
	}
	return k;
}

void ask_close(struct ask *k)
{
	if (!k)
		return;
	if (k->server)
		link_server_close(k->server);
	answer_release(&k->answer);
	buf_release(&k->head);
	free(k);
}
