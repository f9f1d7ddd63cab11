/* Answers to gRPC requests, as libnghttp2 sends them. */
#ifndef AGENTBUS_GRPC_ANSWER_H
#define AGENTBUS_GRPC_ANSWER_H

#include "verdict.h"

#include <nghttp2/nghttp2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Queues the answer of a stream: of VERDICT_OK an empty Export*ServiceResponse, which all signals have in common, and its
 * trailers; else trailers only, which for those who do not speak gRPC carry an HTTP status. *sent must be 0 and last as long
 * as the stream. Returns 0 or an error of nghttp2.
 */
int grpc_answer_submit(nghttp2_session *session, int32_t stream, enum verdict v, bool grpc, size_t *sent);

#endif
