/*
 * curl_limit URL CONNS REQUESTS BYTES: libcurl alone, as fast as it goes: curl_multi with CONNS requests under way, each a POST of BYTES bytes, the handles used
 * again. Prints requests a second.
 */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static size_t drop(char *p, size_t one, size_t n, void *arg)
{
	(void)p, (void)arg;
	return one * n;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	long conns = argc == 5 ? atol(argv[2]) : 0, todo = argc == 5 ? atol(argv[3]) : 0, bytes = argc == 5 ? atol(argv[4]) : 0, done = 0, begun = 0;
	struct curl_slist *fields = curl_slist_append(NULL, "Content-Type: application/json");
	CURLM *m = curl_multi_init();
	char *body = malloc((size_t)bytes + 1);
	double begin;
	int running;

	if (conns < 1 || todo < 1 || bytes < 1 || !m || !body || !(fields = curl_slist_append(fields, "Expect:"))) {
		fprintf(stderr, "usage: curl_limit URL CONNS REQUESTS BYTES\n");
		return 2;
	}
	memset(body, 'x', (size_t)bytes);
	for (; begun < conns && begun < todo; begun++) {
		CURL *e = curl_easy_init();

		curl_easy_setopt(e, CURLOPT_URL, argv[1]);
		curl_easy_setopt(e, CURLOPT_POSTFIELDS, body);
		curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE, bytes);
		curl_easy_setopt(e, CURLOPT_HTTPHEADER, fields);
		curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, drop);
		curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
		curl_multi_add_handle(m, e);
	}
	begin = now();
	while (done < todo) {
		struct CURLMsg *msg;
		int left;

		curl_multi_perform(m, &running);
		while ((msg = curl_multi_info_read(m, &left))) {
			CURL *e = msg->easy_handle;

			if (msg->msg != CURLMSG_DONE || msg->data.result != CURLE_OK) {
				fprintf(stderr, "curl_limit: %s\n", curl_easy_strerror(msg->data.result));
				return 1;
			}
			done++;
			curl_multi_remove_handle(m, e);
			if (begun < todo) {
				curl_multi_add_handle(m, e);
				begun++;
			} else {
				curl_easy_cleanup(e);
			}
		}
		if (done < todo)
			curl_multi_poll(m, NULL, 0, 1000, NULL);
	}
	printf("%.0f\n", (double)todo / (now() - begin));
	curl_multi_cleanup(m);
	curl_slist_free_all(fields);
	free(body);
	return 0;
}
