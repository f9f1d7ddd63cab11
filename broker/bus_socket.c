#include "bus_socket.h"

#include <stdio.h>
#include <string.h>

static int
listen_anew(struct bus_socket *b)
{
	int error = nng_listener_create(&b->listener, b->socket, b->url);

	b->failures = 0;
	if (error == 0)
		error = nng_listener_set_size(b->listener, NNG_OPT_RECVMAXSZ, b->max_message);
	/* Before the start: there is no moment in which others could connect. */
	if (error == 0)
		error = nng_listener_set_int(b->listener, NNG_OPT_IPC_PERMISSIONS, 0600);
	if (error == 0)
		error = nng_listener_start(b->listener, 0);
	if (error != 0)
		log_error(b->log, "cannot listen on %s: %s", b->url, nng_strerror(error));
	return error;
}

bool
bus_socket_listen(struct bus_socket *b, const char *url, size_t max_message, const struct log *log)
{
	b->max_message = max_message;
	b->log = log;
	snprintf(b->url, sizeof(b->url), "%s", url);
	return listen_anew(b) == 0;
}

static nng_stat *
child_named(nng_stat *parent, const char *name)
{
	nng_stat *s = parent ? nng_stat_child(parent) : NULL;

	while (s && strcmp(nng_stat_name(s), name) != 0)
		s = nng_stat_next(s);
	return s;
}

/* The statistics of the listener with that id, among all of the process. */
static nng_stat *
listener_named(nng_stat *root, int id)
{
	for (nng_stat *s = nng_stat_child(root); s; s = nng_stat_next(s)) {
		nng_stat *number = strcmp(nng_stat_name(s), "listener") == 0 ? child_named(s, "id") : NULL;

		if (number && nng_stat_value(number) == (uint64_t)id)
			return s;
	}
	return NULL;
}

/* "other" counts what has no counter of its own; the fatal kind is among it. */
static uint64_t
count_failures(const struct bus_socket *b)
{
	nng_stat *root, *other;
	uint64_t failures = b->failures;

	if (nng_stats_get(&root) != 0)
		return failures;
	other = child_named(listener_named(root, nng_listener_id(b->listener)), "other");
	if (other)
		failures = nng_stat_value(other);
	nng_stats_free(root);
	return failures;
}

void
bus_socket_mend(struct bus_socket *b)
{
	const uint64_t failures = count_failures(b);

	if (failures == b->failures)
		return;
	log_info(b->log, "a peer left %s before it was greeted: listening anew", b->url);
	nng_listener_close(b->listener);
	listen_anew(b);
}
