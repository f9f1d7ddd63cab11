/*
 * Any bytes as gRPC: as what a peer sends on a connection, as one message, and as the fields of a head. The first bytes of the
 * input choose how the connection is set up and how its input is cut; whatever comes, it stays within its limits and leaves
 * nothing behind.
 */
#include "grpc_conn.h"
#include "grpc_frame.h"
#include "grpc_rules.h"
#include "require.h"

#include <stdlib.h>
#include <string.h>

#define OPTIONS  3
#define SCRIPT   0xe0 /* from here on the second byte tells that the input is a script of frames */
#define MAX_HELD ((size_t)16 << 10)

/* --- a message, and fields --- */

static void
fuzz_frame(const uint8_t *data, size_t size)
{
	struct grpc_frame whole = { .have = 0 }, f = { .have = 0 };
	const uint8_t *part;
	size_t len = 0, part_len, all = 0;
	const enum verdict v = grpc_frame_push(&whole, MAX_HELD, data, size, &part, &len);
	enum verdict again = VERDICT_OK;

	for (size_t i = 0; i < size && again == VERDICT_OK; i++) {
		again = grpc_frame_push(&f, MAX_HELD, data + i, 1, &part, &part_len);
		all += again == VERDICT_OK ? part_len : 0;
	}
	/* One fault may hide another that comes behind it, but never a sound message. */
	require((v == VERDICT_OK) == (again == VERDICT_OK));
	if (v == VERDICT_OK)
		require(len == all && grpc_frame_complete(&f) == grpc_frame_complete(&whole) && all <= MAX_HELD);
}

static void
fuzz_rules(const uint8_t *data, size_t size)
{
	struct str field[GRPC_FIELD_COUNT] = { { NULL, 0 } };
	char message[GRPC_MESSAGE_MAX], text[256];
	const struct str all = { (const char *)data, size };
	struct grpc_head head;
	size_t len = size < sizeof(text) ? size : sizeof(text) - 1;
	uint64_t ns = 0;
	bool flag;

	/* Fields are lines. */
	for (size_t i = 0, at = 0; i < GRPC_FIELD_COUNT && at < size; i++) {
		const char *line = all.ptr + at, *end = memchr(line, '\n', size - at);

		field[i] = (struct str){ line, end ? (size_t)(end - line) : size - at };
		at += field[i].len + 1;
	}
	require(grpc_head_read(field, &head) < VERDICT_COUNT);
	grpc_content_type(all);
	grpc_coding(all, &flag);
	if (grpc_timeout(all, &ns))
		require(size >= 2 && size <= 9);
	if (len > 0)
		memcpy(text, data, len);
	text[len] = '\0';
	len = grpc_message(text, message);
	require(len <= sizeof(message));
	for (size_t i = 0; i < len; i++)
		require(message[i] >= ' ' && message[i] <= '~');
}

/* --- a connection --- */

struct bed {
	struct intake intake; /* first: take() finds the bed by it */
	struct limits limits;
	struct access_policy access;
	struct grpc_host host;
	struct peer peer;
	size_t waiting, in_flight;
	uint64_t now;
	unsigned sum, meddling;
};

static enum verdict
take(struct intake *in, const struct intake_body *body)
{
	struct bed *b = (struct bed *)in;

	require(body->len <= b->limits.max_body && body->signal < OTLP_SIGNAL_COUNT);
	for (size_t i = 0; i < body->len; i++)
		b->sum += body->bytes[i];
	return body->len > 0 && body->bytes[0] < VERDICT_COUNT ? (enum verdict)body->bytes[0] : VERDICT_OK;
}

static uint64_t
now(void *ctx)
{
	return ((struct bed *)ctx)->now;
}

static void
refused(void *ctx, enum verdict v, const char *what)
{
	(void)ctx;
	require(v != VERDICT_OK && v < VERDICT_COUNT && strlen(what) > 0);
}

static void
set_up(struct bed *b, unsigned options)
{
	b->limits = (struct limits){ .max_streams = 1 + (options & 7),
				     .max_header = 512,
				     .max_body = MAX_HELD / 2,
				     .max_held = MAX_HELD,
				     .header_ns = 10 * NS_PER_S,
				     .request_ns = 30 * NS_PER_S,
				     .idle_ns = 600 * NS_PER_S };
	b->intake.limits = &b->limits;
	b->intake.deferred = options & 8;
	b->intake.closed = (options & 0x70) == 0x70 ? VERDICT_BUSY : VERDICT_OK;
	b->access.token = (options & 0x70) == 0x60 ? "secret" : NULL;
	b->peer.verdict = (options & 0x70) == 0x50 ? VERDICT_FOREIGN_USER : VERDICT_OK;
	b->peer.id = 1;
	b->now = b->peer.arrived_ns = NS_PER_S;
	b->host = (struct grpc_host){ .intake = &b->intake,
				      .access = &b->access,
				      .take = take,
				      .now = now,
				      .refused = refused,
				      .ctx = b,
				      .waiting = &b->waiting,
				      .in_flight = &b->in_flight };
}

static void
check(const struct bed *b, const struct grpc_conn *c)
{
	const uint8_t *bytes;

	require(b->intake.held <= MAX_HELD);
	require(b->waiting <= b->in_flight && b->waiting == c->waiting && b->in_flight <= b->limits.max_streams + 1);
	require(grpc_conn_output(c, &bytes) < GRPC_OUT_MAX + (32 << 10));
}

/* What else may happen between two pieces of input. */
static void
meddle(struct bed *b, struct grpc_conn *c, unsigned what)
{
	const uint8_t *bytes;
	const size_t output = grpc_conn_output(c, &bytes);

	b->now += NS_PER_MS * (what & 0xf0);
	switch (what & 7) {
	case 0:
		grpc_conn_settle(c, VERDICT_OK);
		break;
	case 1:
		grpc_conn_settle(c, VERDICT_NO_STORE);
		break;
	case 2:
		b->now = grpc_conn_due(c) == GRPC_NEVER ? b->now : grpc_conn_due(c);
		break;
	case 3:
		grpc_conn_drain(c);
		break;
	default:
		grpc_conn_sent(c, what & 8 ? output : output / 2);
	}
	if (grpc_conn_due(c) <= b->now) {
		grpc_conn_tick(c);
		require(grpc_conn_due(c) > b->now);
	}
}

/* Gives one piece to the connection, and lets something else happen. */
static void
push(struct bed *b, struct grpc_conn *c, const uint8_t *bytes, size_t len)
{
	grpc_conn_receive(c, bytes, len);
	check(b, c);
	meddle(b, c, b->meddling);
	check(b, c);
	b->meddling = b->meddling * 5 + 1;
}

static void
push_pieces(struct bed *b, struct grpc_conn *c, const uint8_t *data, size_t size, size_t cut)
{
	for (size_t at = 0, piece; at < size && !grpc_conn_over(c); at += piece) {
		piece = cut && cut < size - at ? cut : size - at;
		push(b, c, data + at, piece);
	}
}

static size_t
put_field(uint8_t *out, const char *name, const char *value)
{
	const size_t n = strlen(name), v = strlen(value);

	out[0] = 0;
	out[1] = (uint8_t)n;
	memcpy(out + 2, name, n);
	out[2 + n] = (uint8_t)v;
	memcpy(out + 3 + n, value, v);
	return 3 + n + v;
}

/* The block of a sound head; what varies are the route and the coding. */
static size_t
put_head(uint8_t *out, unsigned which)
{
	size_t len = put_field(out, ":method", "POST");

	len += put_field(out + len, ":scheme", "http");
	len += put_field(out + len, ":path", grpc_routes[which % grpc_route_count].path);
	len += put_field(out + len, "content-type", "application/grpc");
	return len + put_field(out + len, "grpc-encoding", which & 8 ? "gzip" : "identity");
}

/*
 * Frames that are sound at least outside: each of a byte for its type, one for its stream and flags, one for the length of
 * what follows, and that. So much of the input gets past libnghttp2.
 */
static void
push_frames(struct bed *b, struct grpc_conn *c, const uint8_t *data, size_t size)
{
	static const uint8_t types[] = { 1, 0, 0, 3, 1, 6, 8, 9 };

	while (size >= 3 && !grpc_conn_over(c)) {
		uint8_t frame[9 + 512 + 255] = { 0 };
		const unsigned type = data[0], stream = data[1] & 15;
		const size_t given = data[2] < size - 3 ? data[2] : size - 3;
		size_t len = types[type & 7] == 1 ? put_head(frame + 9, type >> 3) : 0;

		memcpy(frame + 9 + len, data + 3, given);
		len += types[type & 7] == 3 || types[type & 7] == 8 ? 4 : given;
		frame[1] = (uint8_t)(len >> 8);
		frame[2] = (uint8_t)len;
		frame[3] = types[type & 7];
		frame[4] = (data[1] & 16 ? 0 : 4) | (data[1] & 32 ? 1 : 0);
		frame[8] = frame[3] == 6 ? 0 : (uint8_t)(2 * stream + 1);
		if (frame[3] == 0)
			frame[4] &= 1;
		push(b, c, frame, 9 + len);
		data += 3 + given;
		size -= 3 + given;
	}
}

static void
fuzz_conn(const uint8_t *data, size_t size)
{
	static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0";
	const unsigned options = data[0], cut = data[1];
	struct bed b = { .meddling = data[2] };
	struct grpc_conn c;

	set_up(&b, options);
	require(grpc_conn_init(&c, &b.host, &b.peer));
	if (!(options & 0x80))
		grpc_conn_receive(&c, (const uint8_t *)preface, sizeof(preface) - 1);
	if (cut >= SCRIPT)
		push_frames(&b, &c, data + OPTIONS, size - OPTIONS);
	else
		push_pieces(&b, &c, data + OPTIONS, size - OPTIONS, cut);
	grpc_conn_settle(&c, VERDICT_OK);
	require(b.waiting == 0);
	grpc_conn_finish(&c);
	require(b.in_flight == 0 && b.intake.held == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_frame(data, size);
	fuzz_rules(data, size);
	if (size >= OPTIONS)
		fuzz_conn(data, size);
	return 0;
}
