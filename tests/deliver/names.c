/*
 * names: preloaded in front of a program, the resolver of a stranger whose answers change. The file $NAMES has a line for each host,
 *
 *   HOST ANSWER ANSWER ...        an answer is ADDRESS[,ADDRESS...]; the n-th question gets the n-th, later ones the last
 *
 * and FILE.log gets a line for each question, "asked HOST N", and each connection to anything but loopback, "connect ADDRESS", which is refused
 * without leaving the machine. Other hosts are answered as ever.
 */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define HOSTS 64

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned asked[HOSTS];		/* by line */

static void __attribute__((format(printf, 1, 2))) note(const char *fmt, ...)
{
	char path[4096];
	FILE *f;
	va_list ap;

	snprintf(path, sizeof(path), "%s.log", getenv("NAMES"));
	f = fopen(path, "ae");
	if (!f)
		abort();
	va_start(ap, fmt);
	vfprintf(f, fmt, ap);
	va_end(ap);
	fclose(f);
}

/* The answer that is due, into text. */
static int answer(const char *host, char *text, size_t size)
{
	FILE *f = getenv("NAMES") ? fopen(getenv("NAMES"), "re") : NULL;
	char line[4096];
	int found = 0;

	for (unsigned i = 0; f && !found && i < HOSTS && fgets(line, sizeof(line), f); i++) {
		char *save, *word = strtok_r(line, " \n", &save);

		if (!word || strcmp(word, host) != 0)
			continue;
		found = 1;
		asked[i]++;
		for (unsigned n = 0; n < asked[i] && (word = strtok_r(NULL, " \n", &save)); n++)
			snprintf(text, size, "%s", word);
		note("asked %s %u\n", host, asked[i]);
	}
	if (f)
		fclose(f);
	return found;
}

int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **list)
{
	int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
	struct addrinfo h = hints ? *hints : (struct addrinfo){0}, **end = list;
	char text[4096], *save;
	int found, rc = 0;

	*(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
	pthread_mutex_lock(&lock);
	found = host && answer(host, text, sizeof(text));
	pthread_mutex_unlock(&lock);
	if (!found)
		return real(host, service, hints, list);
	h.ai_family = AF_UNSPEC;
	h.ai_flags = AI_NUMERICHOST;
	/* glibc frees each entry of a list by itself. */
	for (char *a = strtok_r(text, ",", &save); a && rc == 0; a = strtok_r(NULL, ",", &save)) {
		rc = real(a, service, &h, end);
		while (rc == 0 && *end)
			end = &(*end)->ai_next;
	}
	return rc;
}

static int loopback(const struct sockaddr *a)
{
	const struct sockaddr_in *in = (const void *)a;
	const struct sockaddr_in6 *in6 = (const void *)a;

	if (a->sa_family == AF_INET)
		return (ntohl(in->sin_addr.s_addr) >> 24) == 127;
	return a->sa_family != AF_INET6 || IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
}

int connect(int fd, const struct sockaddr *a, socklen_t n)
{
	int (*real)(int, const struct sockaddr *, socklen_t);
	char text[INET6_ADDRSTRLEN] = "";

	*(void **)&real = dlsym(RTLD_NEXT, "connect");
	if (loopback(a))
		return real(fd, a, n);
	getnameinfo(a, n, text, sizeof(text), NULL, 0, NI_NUMERICHOST);
	note("connect %s\n", text);
	errno = ECONNREFUSED;
	return -1;
}
