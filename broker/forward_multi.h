/*
 * libcurl's transfers on the loop: its sockets are watched by libev, its timeouts are a timer, and nothing runs while it has
 * nothing to do. Nothing blocks; names are looked up by a thread of libcurl's own.
 */
#ifndef AGENTBUS_FORWARD_MULTI_H
#define AGENTBUS_FORWARD_MULTI_H

#include <curl/curl.h>
#include <ev.h>
#include <stdbool.h>

struct forward_multi {
	struct ev_loop *loop;
	CURLM *curl;
	ev_timer timer;
	void (*done)(CURL *easy, CURLcode code); /* a transfer is over; it was removed before */
};

/* False without memory. */
bool forward_multi_open(struct forward_multi *m, struct ev_loop *loop, void (*done)(CURL *easy, CURLcode code));

/* Begins a transfer. False if that cannot be. */
bool forward_multi_add(struct forward_multi *m, CURL *easy);

/* Ends one before its time; it is not told of as done. */
void forward_multi_remove(struct forward_multi *m, CURL *easy);

/* All transfers were removed before. */
void forward_multi_close(struct forward_multi *m);

#endif
