/* A request over HTTP/1.1, from its head to its answer. For http*.c only. */
#ifndef AGENTBUS_HTTP_REQUEST_H
#define AGENTBUS_HTTP_REQUEST_H

#include "buf.h"
#include "http.h"

struct http_connection {
	struct http *http;
	struct peer peer;
	int fd;
	uint64_t heard_ns;    /* when its last request ended */
	uint64_t deadline_ns; /* of the request that has begun, 0: none has */
	unsigned requests;
	bool refused; /* its last request, by its head: the body may still be under way */
	bool expired; /* we close it since it took too long */
	struct http_connection *next, *previous;
};

struct http_request {
	const struct http_route *route;
	struct http_connection *connection;
	struct MHD_Connection *mhd;
	enum verdict verdict; /* why it is refused whatever its body says, or VERDICT_OK */
	enum otlp_encoding encoding;
	bool compressed;
	bool cors;      /* of a web page that may send */
	bool preflight; /* it only asks whether that page may */
	bool waits;     /* taken; suspended until the store has it */
	bool taken;     /* waits no more: verdict is the answer */
	struct buf body;
	uint64_t received;                    /* bytes of the body, kept or not */
	struct http_request *next, *previous; /* waiting ones */
};

/* When a connection's present request must be complete; 0: there is none. Keeps http.timed right. */
void http_set_deadline(struct http_connection *c, uint64_t deadline_ns);

/* Callbacks of libmicrohttpd; ctx is the struct http. */
enum MHD_Result http_on_request(void *ctx, struct MHD_Connection *c, const char *path, const char *method, const char *version,
				const char *bytes, size_t *len, void **context);
void http_on_request_over(void *ctx, struct MHD_Connection *c, void **context, enum MHD_RequestTerminationCode why);

#endif
