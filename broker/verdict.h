/*
 * What became of a request: one list gives the enum, the HTTP status, the gRPC status and the text of the answer.
 */
#ifndef AGENTBUS_VERDICT_H
#define AGENTBUS_VERDICT_H

#include <stdbool.h>

/* How long whoever is told to come back should wait, in seconds. */
#define VERDICT_RETRY_S 5

/*       name               HTTP gRPC retry text */
#define VERDICTS(X)                                                                                                              \
	X(OK, 200, 0, false, "ok")                                                                                               \
	X(MALFORMED, 400, 3, false, "the body is not a valid OTLP export request")                                               \
	X(TOO_DEEP, 400, 3, false, "values are nested too deeply")                                                               \
	X(BAD_ENCODING, 400, 3, false, "the body does not match its Content-Encoding")                                           \
	X(BAD_FRAMING, 400, 3, false, "the body is not one gRPC message")                                                        \
	X(UNKNOWN_SIGNAL, 400, 3, false, "the body is neither logs, traces nor metrics")                                         \
	X(BAD_HOOK, 400, 3, false, "the body is not the JSON of a hook")                                                         \
	X(NO_TOKEN, 401, 16, false, "a bearer token is needed, and this request has none or a wrong one")                        \
	X(FOREIGN_USER, 403, 7, false, "only processes of the broker's own user may send; see allow-other-users")                \
	X(FOREIGN_HOST, 403, 7, false, "the broker does not go by that name; see allow-hosts")                                   \
	X(FOREIGN_ORIGIN, 403, 7, false, "web pages may not send; see allow-origins")                                            \
	X(NOT_FOUND, 404, 12, false, "no such path; use /v1/logs, /v1/traces or /v1/metrics")                                    \
	X(BAD_METHOD, 405, 12, false, "use POST")                                                                                \
	X(TIMEOUT, 408, 4, false, "the request took too long to arrive")                                                         \
	X(TOO_LARGE, 413, 8, false, "the body is larger than the limit")                                                         \
	X(BAD_TYPE, 415, 3, false,                                                                                               \
	  "use Content-Type application/x-protobuf or application/json, and Content-Encoding gzip or none")                      \
	X(BAD_CODING, 415, 12, false, "use grpc-encoding gzip or identity")                                                      \
	X(TOO_MANY, 429, 8, true, "too many connections from one address; try again")                                            \
	X(LARGE_HEADER, 431, 8, false, "the header is larger than the limit")                                                    \
	X(BUSY, 503, 14, true, "the broker is busy or stopping; try again")                                                      \
	X(NO_MEMORY, 503, 14, true, "out of memory; try again")                                                                  \
	X(NO_STORE, 503, 14, true, "the broker cannot write its database; try again")

enum verdict {
#define X(name, http, grpc, retry, text) VERDICT_##name,
	VERDICTS(X)
#undef X
	    VERDICT_COUNT
};

unsigned verdict_http_status(enum verdict v);
unsigned verdict_grpc_status(enum verdict v);

/* Whether the same request may succeed after VERDICT_RETRY_S. */
bool verdict_retry(enum verdict v);

/* A sentence for the person who reads the exporter's log. Static. */
const char *verdict_text(enum verdict v);

#endif
