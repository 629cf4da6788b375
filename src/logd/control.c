#include "logd/control.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"

static void control_end(struct control *c)
{
	loop_io_del(c->desk->loop, &c->io);
	close(c->io.fd);
	c->io.fd = -1;
}

static void drain_all(struct desk *d)
{
	for (struct source *s = d->all; s; s = s->next)
		source_drain(s);
	loop_stop(d->loop);
}

/* One message; -1 when there is none now or ever again. */
static int receive(struct control *c)
{
	union { struct cmsghdr head; char room[CMSG_SPACE(sizeof(int))]; } ctl;
	char text[CONTROL_NAME_MAX + 1];
	struct iovec iov = { text, sizeof text - 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &ctl, .msg_controllen = sizeof ctl };
	ssize_t n = recvmsg(c->io.fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	struct cmsghdr *h;
	int fd = -1;

	if (n < 0)
		return -1;
	if (n == 0) {
		c->orphan = true;
		control_end(c);
		if (c->desk->open == 0)
			loop_stop(c->desk->loop);
		return -1;
	}
	h = CMSG_FIRSTHDR(&m);
	if (h && h->cmsg_level == SOL_SOCKET && h->cmsg_type == SCM_RIGHTS && h->cmsg_len == CMSG_LEN(sizeof fd))
		memcpy(&fd, CMSG_DATA(h), sizeof fd);
	text[n] = 0;
	if (text[0] == '+' && fd >= 0 && text[1] && text[1] != '.' && !strchr(text + 1, '/')) {
		source_add(c->desk, text + 1, fd);
		return 0;
	}
	if (fd >= 0)
		close(fd);
	if (text[0] != '.') {
		log_error("control: a message that is none is passed over");
		return 0;
	}
	control_end(c);
	drain_all(c->desk);
	return -1;
}

static void on_control(void *arg, unsigned events)
{
	(void)events;
	while (receive(arg) == 0)
		;
}

int control_open(struct control *c, struct desk *d, int fd)
{
	*c = (struct control){ .desk = d, .io = { .fd = fd, .fn = on_control, .arg = c } };
	return fd_nonblock(fd) < 0 ? -1 : loop_io_add(d->loop, &c->io, LOOP_IN);
}
