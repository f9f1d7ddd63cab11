/* The answers of the HTTP server, as libmicrohttpd has them: each is made once and sent often. */
#ifndef AGENTBUS_HTTP_ANSWER_H
#define AGENTBUS_HTTP_ANSWER_H

#include "buf.h"
#include "http_rules.h"

#include <microhttpd.h>

/* The answer to an export request; NULL without memory. The caller destroys it. */
struct MHD_Response *http_answer_make(enum verdict v, enum otlp_encoding e);

/* The same for a page of that origin, which may send: it may also read the answer. */
struct MHD_Response *http_answer_make_for(enum verdict v, enum otlp_encoding e, const char *origin);

/* What a browser asks before it lets a page of that origin post. */
struct MHD_Response *http_answer_preflight(const char *origin);

struct MHD_Response *http_answer_health(size_t sessions, uint64_t uptime_s, enum verdict state);

/* A page of that type. Takes the text, whatever becomes of it. */
struct MHD_Response *http_answer_text(struct buf *text, const char *type);

/* To who asks for a page in another way than by GET and HEAD. */
struct MHD_Response *http_answer_not_so(void);

#endif
