#include "log/line.h"

#include "common/json.h"

#include <string.h>

#define KIND(k)         (1u << (k))
#define CHANGES         (KIND(AGENTBUS_SESSION_STARTED) | KIND(AGENTBUS_STATE_CHANGED) | KIND(AGENTBUS_SESSION_ENDED))
#define BROKERS         0xffffffffu
#define EVENT(member)   .offset = offsetof(struct agentbus_event, member)
#define SESSION(member) .of_session = true, .offset = offsetof(struct agentbus_session, member)

enum value_type {
	VALUE_NONE = 0,
	VALUE_TEXT,
	VALUE_NUMBER,
	VALUE_BOOL,
	VALUE_MONEY, /* pico-dollars, written as dollars */
	VALUE_TIME,  /* nanoseconds since the epoch, written as RFC 3339 in UTC */
	VALUE_HEX
};

struct value {
	enum value_type type;
	union {
		const char *text;
		uint64_t number; /* NUMBER and TIME */
		int64_t money;
		bool truth;
		struct {
			const uint8_t *bytes;
			size_t len;
		} hex;
	};
};

static const struct value none = { .type = VALUE_NONE };

/* What a column is read from. */
struct subject {
	const struct agentbus_event *e;
	uint64_t now;
};

/* Where a value lies in the event or its session, and how it lies there. */
enum member_type { MEMBER_TEXT, MEMBER_U64, MEMBER_U32, MEMBER_BOOL, MEMBER_COST };

struct source {
	uint32_t kinds; /* which broker's events have it; 0 ends a list */
	enum member_type type;
	bool of_session;
	bool zero_is_none;
	size_t offset;
};

/* A column has a function, or the first of its sources that the event's kind has. */
struct column {
	const char *name;
	struct value (*get)(const struct subject *s);
	struct source sources[3];
};

static struct value
value_text(const char *text)
{
	return (struct value){ .type = text && *text ? VALUE_TEXT : VALUE_NONE, .text = text };
}

static struct value
value_number(uint64_t number)
{
	return (struct value){ .type = VALUE_NUMBER, .number = number };
}

static struct value
value_hex(bool known, const uint8_t *bytes, size_t len)
{
	return (struct value){ .type = known ? VALUE_HEX : VALUE_NONE, .hex = { bytes, len } };
}

static struct value
value_cost(const struct agentbus_cost *cost)
{
	if (cost->has_reported || cost->has_computed)
		return (struct value){ .type = VALUE_MONEY, .money = cost->total };
	return none;
}

static bool
changes_state(const struct agentbus_event *e)
{
	return e->kind < 32 && (CHANGES & KIND(e->kind));
}

/* A change that ends a turn which failed. */
static bool
failed_turn(const struct agentbus_event *e)
{
	return changes_state(e) && e->session && e->session->failed && e->state_change.from != e->state_change.to &&
	       (e->state_change.to == AGENTBUS_COMPLETED || e->state_change.turn_duration_ms > 0);
}

static struct value
get_time(const struct subject *s)
{
	uint64_t ns = s->e->time ? s->e->time : s->e->observed ? s->e->observed : s->now;

	return (struct value){ .type = VALUE_TIME, .number = ns };
}

static struct value
get_level(const struct subject *s)
{
	if (s->e->kind == AGENTBUS_API_ERROR)
		return value_text("error");
	return value_text(s->e->kind == AGENTBUS_GAP || failed_turn(s->e) ? "warn" : "info");
}

static struct value
get_kind(const struct subject *s)
{
	return value_text(agentbus_kind_name(s->e->kind));
}

static struct value
get_seq(const struct subject *s)
{
	return s->e->seq ? value_number(s->e->seq) : none;
}

/* A gap stands where the lost events were: in their boot, not in the one that reports it. */
static struct value
get_boot_id(const struct subject *s)
{
	return value_text(s->e->kind == AGENTBUS_GAP ? s->e->gap.boot_id : s->e->boot_id);
}

static struct value
get_gap_first(const struct subject *s)
{
	return s->e->kind == AGENTBUS_GAP ? value_number(s->e->gap.first_seq) : none;
}

static struct value
get_gap_last(const struct subject *s)
{
	return s->e->kind == AGENTBUS_GAP && s->e->gap.last_seq ? value_number(s->e->gap.last_seq) : none;
}

static struct value
get_state(const struct subject *s)
{
	return s->e->session ? value_text(agentbus_state_name(s->e->session->state)) : none;
}

static struct value
get_previous_state(const struct subject *s)
{
	if (!changes_state(s->e) || s->e->state_change.from == s->e->state_change.to)
		return none;
	return value_text(s->e->state_change.from == AGENTBUS_UNKNOWN ? "" : agentbus_state_name(s->e->state_change.from));
}

static struct value
get_evidence(const struct subject *s)
{
	return s->e->evidence == AGENTBUS_EVIDENCE_NONE ? none : value_text(agentbus_evidence_name(s->e->evidence));
}

/* The event's own error; for the end of a failed turn the session's last one. */
static const struct agentbus_failure *
failure_of(const struct agentbus_event *e)
{
	if (e->kind == AGENTBUS_API_ERROR)
		return &e->api_error.error;
	return failed_turn(e) ? &e->session->last_error : NULL;
}

static struct value
get_error_type(const struct subject *s)
{
	const struct agentbus_failure *f = failure_of(s->e);

	if (s->e->kind == AGENTBUS_TOOL)
		return value_text(s->e->tool.error_type);
	return f ? value_text(f->type) : none;
}

static struct value
get_error_message(const struct subject *s)
{
	const struct agentbus_failure *f = failure_of(s->e);

	return f ? value_text(f->message) : none;
}

static struct value
get_http_status(const struct subject *s)
{
	const struct agentbus_failure *f = failure_of(s->e);

	return f && f->status ? value_number(f->status) : none;
}

static struct value
get_trace_id(const struct subject *s)
{
	return value_hex(s->e->has_trace_id, s->e->trace_id, sizeof(s->e->trace_id));
}

static struct value
get_span_id(const struct subject *s)
{
	return value_hex(s->e->has_span_id, s->e->span_id, sizeof(s->e->span_id));
}

static const struct column columns[] = {
	{ "time", get_time, { { 0 } } },
	{ "level", get_level, { { 0 } } },
	{ "event", get_kind, { { 0 } } },
	{ "seq", get_seq, { { 0 } } },
	{ "boot_id", get_boot_id, { { 0 } } },
	{ "gap_first_seq", get_gap_first, { { 0 } } },
	{ "gap_last_seq", get_gap_last, { { 0 } } },
	{ "session_id", NULL, { { BROKERS, MEMBER_TEXT, SESSION(id) } } },
	{ "provider", NULL, { { BROKERS, MEMBER_TEXT, SESSION(provider) } } },
	{ "service_name", NULL, { { BROKERS, MEMBER_TEXT, SESSION(service_name) } } },
	{ "project", NULL, { { BROKERS, MEMBER_TEXT, SESSION(project) } } },
	{ "state", get_state, { { 0 } } },
	{ "previous_state", get_previous_state, { { 0 } } },
	{ "reason", NULL, { { BROKERS, MEMBER_TEXT, EVENT(reason) } } },
	{ "evidence", get_evidence, { { 0 } } },
	{ "model",
	  NULL,
	  { { KIND(AGENTBUS_API_REQUEST), MEMBER_TEXT, EVENT(api_request.model) },
	    { KIND(AGENTBUS_API_ERROR), MEMBER_TEXT, EVENT(api_error.model) },
	    { BROKERS, MEMBER_TEXT, SESSION(model) } } },
	{ "input_tokens", NULL, { { KIND(AGENTBUS_API_REQUEST), MEMBER_U64, EVENT(api_request.tokens.input) } } },
	{ "output_tokens", NULL, { { KIND(AGENTBUS_API_REQUEST), MEMBER_U64, EVENT(api_request.tokens.output) } } },
	{ "cache_read_tokens", NULL, { { KIND(AGENTBUS_API_REQUEST), MEMBER_U64, EVENT(api_request.tokens.cache_read) } } },
	{ "cache_write_tokens", NULL, { { KIND(AGENTBUS_API_REQUEST), MEMBER_U64, EVENT(api_request.tokens.cache_write) } } },
	{ "reasoning_tokens", NULL, { { KIND(AGENTBUS_API_REQUEST), MEMBER_U64, EVENT(api_request.tokens.reasoning) } } },
	{ "cost_usd", NULL, { { KIND(AGENTBUS_API_REQUEST), MEMBER_COST, EVENT(api_request.cost) } } },
	{ "duration_ms",
	  NULL,
	  { { KIND(AGENTBUS_API_REQUEST), MEMBER_U64, EVENT(api_request.duration_ms) },
	    { KIND(AGENTBUS_API_ERROR), MEMBER_U64, EVENT(api_error.duration_ms) },
	    { KIND(AGENTBUS_TOOL), MEMBER_U64, EVENT(tool.duration_ms) } } },
	{ "turn_duration_ms", NULL, { { CHANGES, MEMBER_U64, EVENT(state_change.turn_duration_ms), .zero_is_none = true } } },
	{ "tool", NULL, { { KIND(AGENTBUS_TOOL), MEMBER_TEXT, EVENT(tool.name) } } },
	{ "tool_success", NULL, { { KIND(AGENTBUS_TOOL), MEMBER_BOOL, EVENT(tool.success) } } },
	{ "call_id", NULL, { { KIND(AGENTBUS_TOOL), MEMBER_TEXT, EVENT(tool.call_id) } } },
	{ "request_id",
	  NULL,
	  { { KIND(AGENTBUS_API_REQUEST), MEMBER_TEXT, EVENT(api_request.request_id) },
	    { KIND(AGENTBUS_API_ERROR), MEMBER_TEXT, EVENT(api_error.request_id) } } },
	{ "error_type", get_error_type, { { 0 } } },
	{ "error_message", get_error_message, { { 0 } } },
	{ "http_status", get_http_status, { { 0 } } },
	{ "attempt", NULL, { { KIND(AGENTBUS_API_ERROR), MEMBER_U32, EVENT(api_error.attempt), .zero_is_none = true } } },
	{ "attempts", NULL, { { KIND(AGENTBUS_API_ERROR), MEMBER_U32, EVENT(api_error.attempts), .zero_is_none = true } } },
	{ "final", NULL, { { KIND(AGENTBUS_API_ERROR), MEMBER_BOOL, EVENT(api_error.final) } } },
	{ "retried", NULL, { { KIND(AGENTBUS_API_ERROR), MEMBER_BOOL, EVENT(api_error.retried) } } },
	{ "trace_id", get_trace_id, { { 0 } } },
	{ "span_id", get_span_id, { { 0 } } },
	{ "parent_id", NULL, { { BROKERS, MEMBER_TEXT, SESSION(parent_id) } } },
	{ "auxiliary", NULL, { { BROKERS, MEMBER_BOOL, SESSION(auxiliary) } } },
	{ "session_input_tokens", NULL, { { BROKERS, MEMBER_U64, SESSION(tokens.input) } } },
	{ "session_output_tokens", NULL, { { BROKERS, MEMBER_U64, SESSION(tokens.output) } } },
	{ "session_cost_usd", NULL, { { BROKERS, MEMBER_COST, SESSION(cost) } } },
};

#define COLUMN_COUNT (sizeof(columns) / sizeof(columns[0]))

const char *
line_key(size_t i)
{
	return i < COLUMN_COUNT ? columns[i].name : NULL;
}

static struct value
value_of_number(uint64_t number, const struct source *from)
{
	return number == 0 && from->zero_is_none ? none : value_number(number);
}

static struct value
value_from(const struct agentbus_event *e, const struct source *from)
{
	const char *base = from->of_session ? (const char *)e->session : (const char *)e;

	if (!base)
		return none;
	const void *member = base + from->offset;
	switch (from->type) {
	case MEMBER_TEXT:
		return value_text(*(const char *const *)member);
	case MEMBER_U64:
		return value_of_number(*(const uint64_t *)member, from);
	case MEMBER_U32:
		return value_of_number(*(const unsigned *)member, from);
	case MEMBER_BOOL:
		return (struct value){ .type = VALUE_BOOL, .truth = *(const bool *)member };
	case MEMBER_COST:
		return value_cost(member);
	}
	return none;
}

static struct value
column_value(const struct column *c, const struct subject *s)
{
	if (c->get)
		return c->get(s);
	for (size_t i = 0; i < sizeof(c->sources) / sizeof(c->sources[0]) && c->sources[i].kinds; i++)
		if (s->e->kind < 32 && (c->sources[i].kinds & KIND(s->e->kind)))
			return value_from(s->e, &c->sources[i]);
	return none;
}

static void
put_value(struct json *j, const char *key, const struct value *v)
{
	switch (v->type) {
	case VALUE_NONE:
		json_null(j, key);
		break;
	case VALUE_TEXT:
		json_string(j, key, v->text);
		break;
	case VALUE_NUMBER:
		json_uint(j, key, v->number);
		break;
	case VALUE_BOOL:
		json_bool(j, key, v->truth);
		break;
	case VALUE_MONEY:
		json_usd(j, key, v->money);
		break;
	case VALUE_TIME:
		json_time(j, key, v->number);
		break;
	case VALUE_HEX:
		json_hex(j, key, v->hex.bytes, v->hex.len);
		break;
	}
}

static bool
put_json(struct buffer *out, const struct subject *s)
{
	struct json j = { 0 };

	json_object(&j, NULL);
	for (size_t i = 0; i < COLUMN_COUNT; i++) {
		struct value v = column_value(&columns[i], s);

		put_value(&j, columns[i].name, &v);
	}
	json_end(&j);
	const char *text = json_text(&j);
	bool ok = text && buffer_text(out, text) && buffer_text(out, "\n");
	json_finish(&j);
	return ok;
}

/* Whether a JSON string is a word that needs no quotes in logfmt: nothing in it that a reader could mistake. */
static bool
is_bare(const char *string, size_t len)
{
	for (size_t i = 1; i + 1 < len; i++)
		if (string[i] <= ' ' || string[i] > '~' || strchr("\"=\\", string[i]))
			return false;
	return true;
}

/* A value is written as in JSON, without the quotes where logfmt needs none. */
static bool
put_pair(struct buffer *out, struct json *scratch, const char *name, const struct value *v)
{
	json_clear(scratch);
	put_value(scratch, NULL, v);
	const char *text = json_text(scratch);
	if (!text)
		return false;
	size_t len = strlen(text);
	size_t quote = text[0] == '"' && is_bare(text, len) ? 1 : 0;
	return buffer_text(out, name) && buffer_text(out, "=") && buffer_put(out, text + quote, len - 2 * quote);
}

static bool
put_logfmt(struct buffer *out, const struct subject *s)
{
	struct json scratch = { 0 };
	bool ok = true;

	for (size_t i = 0; ok && i < COLUMN_COUNT; i++) {
		struct value v = column_value(&columns[i], s);

		if (v.type != VALUE_NONE)
			ok = buffer_text(out, i == 0 ? "" : " ") && put_pair(out, &scratch, columns[i].name, &v);
	}
	json_finish(&scratch);
	return ok && buffer_text(out, "\n");
}

bool
line_append(struct buffer *out, enum line_format format, const struct agentbus_event *e, uint64_t now)
{
	const struct subject s = { .e = e, .now = now };
	size_t before = out->len;

	if (format == LINE_JSON ? put_json(out, &s) : put_logfmt(out, &s))
		return true;
	out->len = before;
	return false;
}
