/* What outbox.c (the database, messages) and outbox_kept.c (what else a restart must not forget) share. Private to them. */
#ifndef DELIVER_OUTBOX_IMPL_H
#define DELIVER_OUTBOX_IMPL_H

#include "base/db.h"
#include "base/loop.h"
#include "deliver/outbox.h"

enum sql { Q_ONE, Q_KNOWN, Q_TAKE, Q_STATE, Q_OUTCOME, Q_GONE, Q_DONE, Q_INTERACTION, Q_USED, Q_REFUSED, Q_CLOSED, Q_STOPPED, Q_NOT_STOPPED, Q_SPOT, Q_COUNT };

struct outbox {
	struct db *db;
	struct db_stmt *q[Q_COUNT];
	struct loop *loop;
	struct loop_io io;	/* an eventfd */
	bool syncing;
	void (*synced)(void *arg, int rc);
	void *arg;
	bool told;		/* of a fault that lasts */
};

int outbox_fail(struct outbox *o);		/* logs it: a fault that lasts, once; -1 */
int outbox_run(struct outbox *o, enum sql q);	/* a statement without rows; -1 was logged */

#endif
