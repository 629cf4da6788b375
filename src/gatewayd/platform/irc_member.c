#include "gatewayd/platform/irc_member.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

void irc_members_init(struct irc_members *s, size_t max, const uint64_t key[2])
{
	memset(s, 0, sizeof(*s));
	s->max = max;
	memcpy(s->key, key, sizeof(s->key));
}

void irc_members_release(struct irc_members *s)
{
	for (size_t i = 0; i < s->cap; i++) {
		while (s->v[i]) {
			struct irc_member *m = s->v[i];

			s->v[i] = m->next;
			free(m);
		}
	}
	free(s->v);
	s->v = NULL;
	s->cap = s->count = 0;
}

static struct irc_member **place(const struct irc_members *s, const char *name, size_t n)
{
	struct irc_member **at = &s->v[sip_hash(s->key, name, n).a & (s->cap - 1)];

	while (*at && !((*at)->n == n && memcmp((*at)->name, name, n) == 0))
		at = &(*at)->next;
	return at;
}

struct irc_member *irc_members_find(const struct irc_members *s, const char *name, size_t n)
{
	return s->cap ? *place(s, name, n) : NULL;
}

/* Doubles the table; without memory it stays, and only gets slower. */
static void grow(struct irc_members *s)
{
	struct irc_members more = *s;

	more.cap = s->cap ? s->cap * 2 : 16;
	more.v = calloc(more.cap, sizeof(*more.v));
	if (!more.v)
		return;
	for (size_t i = 0; i < s->cap; i++) {
		while (s->v[i]) {
			struct irc_member *m = s->v[i], **at = &more.v[sip_hash(s->key, m->name, m->n).a & (more.cap - 1)];

			s->v[i] = m->next;
			m->next = *at;
			*at = m;
		}
	}
	free(s->v);
	*s = more;
}

struct irc_member *irc_members_add(struct irc_members *s, const char *name, size_t n)
{
	struct irc_member *m = irc_members_find(s, name, n), **at;

	if (m || s->count >= s->max)
		return m;
	if (s->count >= s->cap)
		grow(s);
	if (!s->cap || !(m = calloc(1, sizeof(*m) + n + 1)))
		return NULL;
	memcpy(m->name, name, n);
	m->n = n;
	at = place(s, name, n);
	*at = m;
	s->count++;
	return m;
}

bool irc_members_remove(struct irc_members *s, const char *name, size_t n)
{
	struct irc_member **at = s->cap ? place(s, name, n) : NULL, *m = at ? *at : NULL;

	if (!m)
		return false;
	*at = m->next;
	free(m);
	s->count--;
	return true;
}

void irc_member_set(struct irc_member *m, char letter, bool on)
{
	size_t i = 0;

	while (i < sizeof(m->modes) && m->modes[i] && m->modes[i] != (uint8_t)letter)
		i++;
	if (i == sizeof(m->modes))
		return;
	if (on) {
		m->modes[i] = (uint8_t)letter;
	} else if (m->modes[i]) {
		memmove(m->modes + i, m->modes + i + 1, sizeof(m->modes) - i - 1);
		m->modes[sizeof(m->modes) - 1] = 0;
	}
}

unsigned irc_member_roles(const struct irc_member *m)
{
	unsigned roles = 0;

	for (size_t i = 0; m && i < sizeof(m->modes) && m->modes[i]; i++) {
		switch (m->modes[i]) {
		case 'q': roles |= IRC_OWNER; break;
		case 'a':
		case 'o':
		case 'h': roles |= IRC_MODERATOR; break;
		case 'v': roles |= IRC_VOICE; break;
		}
	}
	return roles;
}
