/*
 * What HTTP means for OTLP: paths, types, encodings, and the bodies of answers. Pure, and knows no HTTP library.
 */
#ifndef AGENTBUS_HTTP_RULES_H
#define AGENTBUS_HTTP_RULES_H

#include "otlp.h"
#include "verdict.h"

#include <stdbool.h>
#include <stddef.h>

#define HTTP_ANSWER_MAX 256

/* Pages are for GET and HEAD. */
enum http_page { HTTP_NO_PAGE, HTTP_HEALTH, HTTP_METRICS, HTTP_PAGE_COUNT };

/* A path and what is done there: export requests by POST, or a page. */
struct http_route {
	const char *path;
	enum http_page page;
	bool signal_known; /* else the body tells */
	enum otlp_signal signal;
	const char *hook; /* the provider whose hooks post here, in JSON and not OTLP; NULL for others */
};

extern const struct http_route http_routes[];
extern const size_t http_route_count;

/* The route of exactly this path (nothing is unescaped), or NULL. */
const struct http_route *http_route_find(const char *path);

/* Reads a Content-Type, parameters allowed. False if it is NULL or none of OTLP's. */
bool http_media_type(const char *header, enum otlp_encoding *ret);

const char *http_media_name(enum otlp_encoding e);

/* Reads a Content-Encoding; NULL is none. False if it is one that we do not take. */
bool http_content_encoding(const char *header, bool *ret_compressed);

/* Whether an Accept prefers OpenMetrics to the older text format. NULL does not. */
bool http_wants_openmetrics(const char *accept);

/* Whether a User-Agent is a broker's own: such a request was passed on already. NULL is not. */
bool http_passed_on(const char *user_agent);

/*
 * Writes the body of an answer: an empty Export*ServiceResponse, which all signals have in common, or a google.rpc.Status.
 * Returns its length.
 */
size_t http_answer_body(enum verdict v, enum otlp_encoding e, char body[HTTP_ANSWER_MAX]);

#endif
