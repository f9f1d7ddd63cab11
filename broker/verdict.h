/*
 * What became of a request: one list gives the enum, the HTTP status, the gRPC status and the text of the answer.
 */
#ifndef AGENTBUS_VERDICT_H
#define AGENTBUS_VERDICT_H

/*       name               HTTP gRPC text */
#define VERDICTS(X)                                                                                                              \
	X(OK, 200, 0, "ok")                                                                                                      \
	X(MALFORMED, 400, 3, "the body is not a valid OTLP export request")                                                      \
	X(TOO_DEEP, 400, 3, "values are nested too deeply")                                                                      \
	X(BAD_ENCODING, 400, 3, "the body does not match its Content-Encoding")                                                  \
	X(UNKNOWN_SIGNAL, 400, 3, "the body is neither logs, traces nor metrics")                                                \
	X(NOT_FOUND, 404, 12, "no such path; use /v1/logs, /v1/traces or /v1/metrics")                                           \
	X(BAD_METHOD, 405, 12, "use POST")                                                                                       \
	X(TOO_LARGE, 413, 8, "the body is larger than the limit")                                                                \
	X(BAD_TYPE, 415, 3, "use Content-Type application/x-protobuf or application/json, and Content-Encoding gzip or none")    \
	X(BUSY, 503, 14, "the broker is busy or stopping; try again")                                                            \
	X(NO_MEMORY, 503, 14, "out of memory; try again")

enum verdict {
#define X(name, http, grpc, text) VERDICT_##name,
	VERDICTS(X)
#undef X
	    VERDICT_COUNT
};

unsigned verdict_http_status(enum verdict v);
unsigned verdict_grpc_status(enum verdict v);

/* A sentence for the person who reads the exporter's log. Static. */
const char *verdict_text(enum verdict v);

#endif
