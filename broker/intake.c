#include "intake.h"
#include "inflate.h"
#include "otlp_json.h"
#include "otlp_pb.h"
#include "pipeline.h"

/* A decoded tree is larger than its text, but not without limit. */
#define ARENA_FACTOR 12
#define ARENA_SPARE  ((size_t)1 << 20)

static bool
pb_signal(const uint8_t *bytes, size_t len, enum otlp_signal *ret)
{
	return otlp_pb_signal(bytes, len, ret);
}

static bool
json_signal(const uint8_t *bytes, size_t len, enum otlp_signal *ret)
{
	return otlp_json_signal((const char *)bytes, len, ret);
}

static enum verdict
pb_decode(enum otlp_signal signal, const uint8_t *bytes, size_t len, size_t depth, struct arena *a, struct otlp_request *ret)
{
	return otlp_pb_decode(signal, bytes, len, (unsigned)depth, a, ret);
}

static enum verdict
json_decode(enum otlp_signal signal, const uint8_t *bytes, size_t len, size_t depth, struct arena *a, struct otlp_request *ret)
{
	return otlp_json_decode(signal, (const char *)bytes, len, (unsigned)depth, a, ret);
}

static const struct {
	bool (*signal)(const uint8_t *bytes, size_t len, enum otlp_signal *ret);
	enum verdict (*decode)(enum otlp_signal signal, const uint8_t *bytes, size_t len, size_t depth, struct arena *a,
			       struct otlp_request *ret);
} encodings[OTLP_ENCODING_COUNT] = {
	[OTLP_PROTOBUF] = { pb_signal, pb_decode },
	[OTLP_JSON] = { json_signal, json_decode },
};

void
intake_init(struct intake *in, const struct clock *clock, struct sessions *sessions, struct publisher *publisher,
	    const struct limits *limits)
{
	*in = (struct intake){ .clock = clock, .sessions = sessions, .publisher = publisher, .limits = limits };
	arena_init(&in->arena, ARENA_FACTOR * limits->max_inflated + ARENA_SPARE);
}

void
intake_finish(struct intake *in)
{
	arena_finish(&in->arena);
}

static enum verdict
decode(struct intake *in, const struct intake_body *body, struct otlp_request *ret)
{
	const uint8_t *bytes = body->bytes;
	size_t len = body->len;
	enum otlp_signal signal = body->signal;

	if (len > in->limits->max_body)
		return VERDICT_TOO_LARGE;
	if (body->compressed) {
		uint8_t *inflated;
		const enum verdict v = inflate_body(bytes, len, in->limits->max_inflated, &in->arena, &inflated, &len);

		if (v != VERDICT_OK)
			return v;
		bytes = inflated;
	}
	if (!body->signal_known && !encodings[body->encoding].signal(bytes, len, &signal))
		return VERDICT_UNKNOWN_SIGNAL;
	return encodings[body->encoding].decode(signal, bytes, len, in->limits->max_depth, &in->arena, ret);
}

bool
intake_hold(struct intake *in, size_t len)
{
	if (len > in->limits->max_held - in->held)
		return false;
	in->held += len;
	return true;
}

void
intake_release(struct intake *in, size_t len)
{
	in->held -= len;
}

enum verdict
intake_take(struct intake *in, const struct intake_body *body)
{
	struct otlp_request request;
	enum verdict v = in->closed;

	if (v == VERDICT_OK)
		v = decode(in, body, &request);

	if (v == VERDICT_OK)
		v = pipeline_apply(in->sessions, &request, in->limits->max_attributes, body->peer, clock_now(in->clock),
				   &in->arena);
	/* From here on the tree is another's to change. Not even a part of it may be lost after an answer. */
	if (v == VERDICT_OK && in->enricher && !body->passed_on)
		v = enricher_take(in->enricher, &request, body->peer, clock_now(in->clock), &in->arena);
	publish_flush(in->publisher);
	arena_reset(&in->arena);
	return v;
}

enum verdict
intake_take_hook(struct intake *in, const struct provider *p, const char *text, size_t len)
{
	const uint64_t now_ns = clock_now(in->clock);
	enum verdict v = in->closed;
	struct observation o;

	if (v == VERDICT_OK)
		v = p ? hook_read_payload(p, text, len, now_ns, &in->arena, &o)
		      : hook_read_message(text, len, now_ns, &in->arena, &o);
	if (v == VERDICT_OK && o.means != MEANS_NOTHING)
		sessions_observe(in->sessions, &o, now_ns);
	publish_flush(in->publisher);
	arena_reset(&in->arena);
	return v;
}

enum verdict
intake_take_told(struct intake *in, const struct observation *o)
{
	if (in->closed != VERDICT_OK)
		return in->closed;
	sessions_observe(in->sessions, o, clock_now(in->clock));
	publish_flush(in->publisher);
	return VERDICT_OK;
}

void
intake_peer_closed(struct intake *in, uint64_t peer, unsigned requests)
{
	sessions_peer_closed(in->sessions, peer, requests, clock_now(in->clock));
	publish_flush(in->publisher);
}

void
intake_tick(struct intake *in)
{
	sessions_tick(in->sessions, clock_now(in->clock));
	publish_flush(in->publisher);
}
