/*
 * What HTTP/2 and gRPC mean for OTLP: methods, types, codings, timeouts, and the fields of answers. Pure, and knows no HTTP
 * library.
 */
#ifndef AGENTBUS_GRPC_RULES_H
#define AGENTBUS_GRPC_RULES_H

#include "otlp.h"
#include "str.h"
#include "verdict.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GRPC_MESSAGE_MAX     512
#define GRPC_DETAILS_MAX     512
#define GRPC_NO_TIMEOUT      UINT64_MAX
#define GRPC_ACCEPT_ENCODING "identity,deflate,gzip"

/* A method of one of OTLP's services. */
struct grpc_route {
	const char *path;
	enum otlp_signal signal;
};

extern const struct grpc_route grpc_routes[];
extern const size_t grpc_route_count;

/* The fields of a request's head that count here. */
enum grpc_field {
	GRPC_METHOD,
	GRPC_PATH,
	GRPC_AUTHORITY,
	GRPC_HOST,
	GRPC_ORIGIN,
	GRPC_AUTHORIZATION,
	GRPC_CONTENT_TYPE,
	GRPC_ENCODING,
	GRPC_TIMEOUT,
	GRPC_FIELD_COUNT
};

/* Which field has this name, in lower case. False if none has. */
bool grpc_field_find(struct str name, enum grpc_field *ret);

/* What a head asks for. */
struct grpc_head {
	const struct grpc_route *route; /* NULL: none that we know */
	bool grpc;                      /* whoever asks speaks gRPC: POST, and its content type */
	bool compressible;              /* messages may be compressed */
	uint64_t timeout_ns;            /* or GRPC_NO_TIMEOUT */
};

/*
 * Reads a head; a ptr of NULL: the request has no such field. *ret is always filled. Returns VERDICT_OK, or BAD_METHOD,
 * BAD_TYPE, NOT_FOUND, BAD_CODING, in this order. Who may send is not judged here.
 */
enum verdict grpc_head_read(const struct str field[GRPC_FIELD_COUNT], struct grpc_head *ret);

/* The route of exactly this path, or NULL. */
const struct grpc_route *grpc_route_find(struct str path);

/* Whether a Content-Type, parameters allowed, is gRPC with protobuf in it. */
bool grpc_content_type(struct str header);

/* Reads a grpc-encoding; a ptr of NULL is none. False if it is one that we do not take. */
bool grpc_coding(struct str header, bool *ret_compressible);

/* Reads a grpc-timeout: at most 8 digits and a unit. */
bool grpc_timeout(struct str header, uint64_t *ret_ns);

/* The HTTP status: the verdict's own, but 200 for those who look into grpc-status. */
unsigned grpc_http_status(enum verdict v, bool grpc);

/* What verdict_text() says, in the words of gRPC where they differ. Static. */
const char *grpc_text(enum verdict v);

/* Writes text as grpc-message wants it: what is not printable ASCII, and '%', as %XX; cut if too long. Returns its length. */
size_t grpc_message(const char *text, char out[GRPC_MESSAGE_MAX]);

/* Writes grpc-status-details-bin, which tells when to come back. Returns its length; 0 where nothing is to be told. */
size_t grpc_details(enum verdict v, char out[GRPC_DETAILS_MAX]);

#endif
