#include "publish.h"
#include "bus_socket.h"

#include <errno.h>
#include <nng/protocol/pubsub0/pub.h>
#include <nng/supplemental/util/platform.h>
#include <stdio.h>
#include <sys/random.h>

#define SEND_QUEUE 8192 /* messages per subscriber; nng allows no more */
#define LINGER_MS  200

static struct batch *
find_batch(struct publisher *p, const struct session *s)
{
	/* Newest first: the events of a request mostly come session by session. */
	for (size_t i = p->open; i-- > 0;)
		if (batch_is_for(&p->batches[i], s))
			return &p->batches[i];
	if (p->open == PUBLISH_SESSIONS_MAX)
		publish_flush(p);
	batch_open(&p->batches[p->open], s);
	return &p->batches[p->open++];
}

static void
emit(struct event_sink *sink, const struct event *e)
{
	struct publisher *p = (struct publisher *)((char *)sink - offsetof(struct publisher, sink));
	struct batch *b = find_batch(p, e->session);
	const size_t before = b->events.len;

	if (!batch_add(b, e, p->boot_id))
		log_error(p->log, "out of memory: an event is lost");
	p->held += b->events.len - before;
	if (p->held >= PUBLISH_BYTES_MAX)
		publish_flush(p);
}

static bool
make_boot_id(char boot_id[33])
{
	uint8_t random[16];

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return false;
	for (size_t i = 0; i < sizeof(random); i++)
		snprintf(boot_id + 2 * i, 3, "%02x", random[i]);
	return true;
}

static int
open_socket(struct publisher *p)
{
	int error = nng_pub0_open(&p->bus.socket);

	if (error == 0)
		error = nng_socket_set_int(p->bus.socket, NNG_OPT_SENDBUF, SEND_QUEUE);
	if (error == 0)
		error = nng_aio_alloc(&p->sending, NULL, NULL);
	if (error == 0)
		nng_aio_set_timeout(p->sending, NNG_DURATION_ZERO);
	return error;
}

bool
publish_open(struct publisher *p, const char *url, struct journal *journal, const struct log *log)
{
	*p = (struct publisher){ .sink.emit = emit, .journal = journal, .log = log };
	if (!make_boot_id(p->boot_id)) {
		log_error(log, "no random numbers: %s", strerror(errno));
		return false;
	}
	const int error = open_socket(p);
	/* Subscribers have nothing to say here. */
	if (error == 0 && bus_socket_listen(&p->bus, url, 1, log))
		return true;
	if (error != 0)
		log_error(log, "cannot open the bus: %s", nng_strerror(error));
	nng_close(p->bus.socket);
	nng_aio_free(p->sending);
	return false;
}

void
publish_resume(struct publisher *p, const char *boot_id, uint64_t seq)
{
	snprintf(p->boot_id, sizeof(p->boot_id), "%s", boot_id);
	p->seq = seq;
	journal_begin(p->journal, seq);
}

static void
drop_queue(struct publisher *p)
{
	for (size_t i = 0; i < p->queued; i++)
		nng_msg_free(p->queue[i]);
	p->queued = p->queued_bytes = 0;
}

void
publish_rewind(struct publisher *p, uint64_t seq)
{
	for (size_t i = 0; i < p->open; i++)
		batch_clear(&p->batches[i]);
	p->open = p->held = 0;
	drop_queue(p);
	p->seq = seq;
	journal_rewind(p->journal, seq);
}

/* There is no room for more messages, and the turn of the loop is not over. */
static void
make_room(struct publisher *p)
{
	if (!p->secure || p->secure(p->secure_ctx))
		publish_send(p);
	else
		drop_queue(p);
}

/* Makes the message of a batch. */
static void
close_batch(struct publisher *p, const struct batch *b)
{
	const uint64_t first_seq = p->seq + 1;
	nng_msg *msg;

	if (nng_msg_alloc(&msg, batch_size(b, first_seq)) != 0) {
		log_error(p->log, "out of memory: %zu events are lost", b->count);
		return;
	}
	batch_write(b, first_seq, nng_msg_body(msg), p->journal);
	p->seq += b->count;
	p->queue[p->queued++] = msg;
	p->queued_bytes += nng_msg_len(msg);
	if (p->queued == PUBLISH_QUEUE_MAX || p->queued_bytes > PUBLISH_UNSENT_MAX)
		make_room(p);
}

void
publish_flush(struct publisher *p)
{
	for (size_t i = 0; i < p->open; i++) {
		if (p->batches[i].count > 0)
			close_batch(p, &p->batches[i]);
		batch_clear(&p->batches[i]);
	}
	p->open = 0;
	p->held = 0;
}

/* As nng_sendmsg() does it, which makes an aio and asks the kernel for random numbers each time. */
static void
send_message(struct publisher *p, nng_msg *msg)
{
	nng_aio_set_msg(p->sending, msg);
	nng_send_aio(p->bus.socket, p->sending);
	nng_aio_wait(p->sending);
	if (nng_aio_result(p->sending) != 0)
		nng_msg_free(msg);
}

void
publish_send(struct publisher *p)
{
	if (p->queued > 0)
		p->sent_ms = nng_clock();
	for (size_t i = 0; i < p->queued; i++)
		send_message(p, p->queue[i]);
	p->queued = p->queued_bytes = 0;
}

void
publish_close(struct publisher *p)
{
	publish_flush(p);
	publish_send(p);
	/* nng_close() drops what nng still holds, and cannot tell how much that is. */
	const uint64_t now = nng_clock();
	if (p->sent_ms != 0 && now - p->sent_ms < LINGER_MS)
		nng_msleep((nng_duration)(LINGER_MS - (now - p->sent_ms)));
	bus_socket_finish(&p->bus);
	nng_close(p->bus.socket);
	nng_aio_free(p->sending);
	for (size_t i = 0; i < PUBLISH_SESSIONS_MAX; i++)
		batch_finish(&p->batches[i]);
}
