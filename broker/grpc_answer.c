#include "grpc_answer.h"
#include "grpc_frame.h"
#include "grpc_rules.h"

#include <stdio.h>
#include <string.h>

#define FIELDS_MAX 8
#define NUMBER_MAX 12

#define STATIC_FIELD(n, v)                                                                                                       \
	{                                                                                                                        \
		.name = (uint8_t *)(n), .value = (uint8_t *)(v), .namelen = sizeof(n) - 1, .valuelen = sizeof(v) - 1,            \
		.flags = NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE                                            \
	}

static const nghttp2_nv ok_head[] = {
	STATIC_FIELD(":status", "200"),
	STATIC_FIELD("content-type", "application/grpc"),
	STATIC_FIELD("grpc-accept-encoding", GRPC_ACCEPT_ENCODING),
};
static const nghttp2_nv ok_trailer[] = { STATIC_FIELD("grpc-status", "0") };

/* The empty message, as far as it is not sent, and after it the trailers. */
static ssize_t
read_message(nghttp2_session *session, int32_t stream, uint8_t *buf, size_t size, uint32_t *flags, nghttp2_data_source *source,
	     void *ctx)
{
	size_t *sent = source->ptr, n = GRPC_FRAME_HEAD - *sent;

	(void)ctx;
	if (n > size)
		n = size;
	memset(buf, 0, n);
	*sent += n;
	if (*sent < GRPC_FRAME_HEAD)
		return (ssize_t)n;
	*flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
	if (nghttp2_submit_trailer(session, stream, ok_trailer, sizeof(ok_trailer) / sizeof(ok_trailer[0])) != 0)
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	return (ssize_t)n;
}

struct fields {
	nghttp2_nv nv[FIELDS_MAX];
	size_t count;
};

static void
add(struct fields *f, const char *name, const char *value, size_t len)
{
	f->nv[f->count++] = (nghttp2_nv){ .name = (uint8_t *)name,
					  .value = (uint8_t *)value,
					  .namelen = strlen(name),
					  .valuelen = len,
					  .flags = NGHTTP2_NV_FLAG_NO_COPY_NAME };
}

static void
add_number(struct fields *f, const char *name, char text[NUMBER_MAX], unsigned number)
{
	add(f, name, text, (size_t)snprintf(text, NUMBER_MAX, "%u", number));
}

static int
submit_refusal(nghttp2_session *session, int32_t stream, enum verdict v, bool grpc)
{
	char http[NUMBER_MAX], status[NUMBER_MAX], retry[NUMBER_MAX], message[GRPC_MESSAGE_MAX], details[GRPC_DETAILS_MAX];
	const size_t details_len = grpc_details(v, details);
	struct fields f = { .count = 0 };

	add_number(&f, ":status", http, grpc_http_status(v, grpc));
	if (grpc) {
		add(&f, "content-type", "application/grpc", strlen("application/grpc"));
		add(&f, "grpc-accept-encoding", GRPC_ACCEPT_ENCODING, strlen(GRPC_ACCEPT_ENCODING));
	} else if (v == VERDICT_BAD_METHOD) {
		add(&f, "allow", "POST", strlen("POST"));
	} else if (verdict_retry(v)) {
		add_number(&f, "retry-after", retry, VERDICT_RETRY_S);
	}
	add_number(&f, "grpc-status", status, verdict_grpc_status(v));
	add(&f, "grpc-message", message, grpc_message(grpc_text(v), message));
	if (details_len > 0)
		add(&f, "grpc-status-details-bin", details, details_len);
	return nghttp2_submit_response(session, stream, f.nv, f.count, NULL);
}

int
grpc_answer_submit(nghttp2_session *session, int32_t stream, enum verdict v, bool grpc, size_t *sent)
{
	const nghttp2_data_provider message = { .source.ptr = sent, .read_callback = read_message };

	if (v != VERDICT_OK)
		return submit_refusal(session, stream, v, grpc);
	return nghttp2_submit_response(session, stream, ok_head, sizeof(ok_head) / sizeof(ok_head[0]), &message);
}
