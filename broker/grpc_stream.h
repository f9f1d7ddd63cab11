/*
 * A request on an HTTP/2 connection: from its head to its answer. grpc_conn.c moves the frames.
 */
#ifndef AGENTBUS_GRPC_STREAM_H
#define AGENTBUS_GRPC_STREAM_H

#include "buf.h"
#include "grpc_conn.h"
#include "grpc_frame.h"
#include "grpc_rules.h"

#include <nghttp2/nghttp2.h>

struct grpc_stream {
	struct grpc_stream *previous, *next;
	int32_t id;
	nghttp2_rcbuf *field[GRPC_FIELD_COUNT]; /* until the head is whole */
	size_t head_size;
	struct grpc_head head;
	bool headed, waiting, answered;
	struct grpc_frame frame;
	struct buf body;
	size_t held; /* bytes accounted for it */
	uint64_t deadline_ns;
	size_t sent; /* of the answer's message */
};

/* A new stream, in the connection's list until grpc_stream_end() forgets it, answered or not. NULL without memory. */
struct grpc_stream *grpc_stream_begin(struct grpc_conn *c, int32_t id);
void grpc_stream_end(struct grpc_conn *c, struct grpc_stream *s);

/* Keeps a field of the head, or counts one after the body. False if there is more than anybody sends. */
bool grpc_stream_field(const struct grpc_conn *c, struct grpc_stream *s, nghttp2_rcbuf *name, nghttp2_rcbuf *value);

/* The head is whole, a piece of the body came, the request is whole. The first two answer it if they refuse it. */
void grpc_stream_headed(struct grpc_conn *c, struct grpc_stream *s);
void grpc_stream_piece(struct grpc_conn *c, struct grpc_stream *s, const uint8_t *bytes, size_t len);
void grpc_stream_ended(struct grpc_conn *c, struct grpc_stream *s);

/* The one place where a request is answered: what it did is in the journal, and stored if it had to wait. */
void grpc_stream_answer(struct grpc_conn *c, struct grpc_stream *s, enum verdict v);

#endif
