/*
 * Recorded telemetry: a directory with manifest.jsonl, a line per request, and a file per body.
 *
 * Of a line this reads t_ms, transport, path, content_type, content_encoding, headers and file.
 */
#ifndef CLIENTS_AGENTBUS_RECORDING_H
#define CLIENTS_AGENTBUS_RECORDING_H

#include <stdbool.h>
#include <stddef.h>

enum recording_transport { RECORDING_HTTP, RECORDING_GRPC, RECORDING_TRANSPORT_COUNT };

struct recording_request {
	double t_ms;      /* since the recording began */
	size_t recording; /* number of the directory it comes from */
	size_t order;     /* in which it was read, for equal times */
	enum recording_transport transport;
	char *path;             /* to post to */
	char *content_type;     /* of the request; of gRPC, too */
	char *content_encoding; /* of the body as it is here; "" for none */
	char *user_agent;       /* "" if it was not recorded */
	char *timeout;          /* gRPC's, in its own spelling; "" for none */
	bool chunked;
	char *body; /* of gRPC the message without its prefix */
	size_t body_len;
};

/* All zero is empty. */
struct recording {
	struct recording_request *requests;
	size_t count;
};

/*
 * Adds the requests of a directory, bodies included. Returns false after having said why not, with what was added so far.
 */
bool recording_add(struct recording *r, const char *directory, size_t number);

/* Puts the requests of all directories on one clock, in order. */
void recording_sort(struct recording *r);

/* Makes OTLP over HTTP of what was recorded over gRPC. Returns false if memory runs out. */
bool recording_to_http(struct recording *r);

void recording_finish(struct recording *r);

#endif
