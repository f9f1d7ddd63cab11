#include "bus_pack.h"
#include "agentbus/v1/agentbus.pb-c.h"
#include "clock.h"

#include <assert.h>

static_assert((int)SESSION_ENDED == AGENTBUS__V1__STATE__STATE_ENDED, "states are numbered as on the bus");
static_assert((int)EVIDENCE_INFERRED == AGENTBUS__V1__EVIDENCE__EVIDENCE_INFERRED, "evidence is numbered as on the bus");
static_assert((int)EVENT_SESSION_ENDED == AGENTBUS__V1__EVENT_KIND__EVENT_KIND_SESSION_ENDED, "kinds are numbered as on the bus");

/* protobuf-c wants text without const and never writes to it. */
#define TEXT(s) ((char *)(s))

/* A session's message and the messages inside it. */
struct session_message {
	Agentbus__V1__Session session;
	Agentbus__V1__Project project;
	Agentbus__V1__Tokens tokens;
	Agentbus__V1__Cost cost;
	Agentbus__V1__Error error;
	Agentbus__V1__ModelUsage models[SESSION_MODELS_MAX];
	Agentbus__V1__Tokens model_tokens[SESSION_MODELS_MAX];
	Agentbus__V1__ModelUsage *model_list[SESSION_MODELS_MAX];
};

/* An event's message, the messages inside it, and the text that is no C string where it comes from. */
struct event_message {
	Agentbus__V1__Event event;
	struct session_message session;
	union {
		Agentbus__V1__Prompt prompt;
		Agentbus__V1__ApiRequest request;
		Agentbus__V1__ApiError api_error;
		Agentbus__V1__Tool tool;
		Agentbus__V1__StateChange change;
	};
	Agentbus__V1__Tokens tokens;
	Agentbus__V1__Cost cost;
	Agentbus__V1__Error error;
	char model[64], id[SESSION_ID_MAX], name[64], word[32], text[200];
};

static void
fill_tokens(Agentbus__V1__Tokens *m, const struct tokens *t)
{
	agentbus__v1__tokens__init(m);
	m->input = t->input;
	m->cache_read = t->cache_read;
	m->cache_write = t->cache_write;
	m->output = t->output;
	m->reasoning = t->reasoning;
}

static void
fill_cost(Agentbus__V1__Cost *m, int64_t reported)
{
	agentbus__v1__cost__init(m);
	m->reported = reported;
	m->has_reported = true;
}

static void
fill_models(struct session_message *m, const struct session *s)
{
	for (size_t i = 0; i < s->model_count; i++) {
		agentbus__v1__model_usage__init(&m->models[i]);
		fill_tokens(&m->model_tokens[i], &s->models[i].tokens);
		m->models[i].model = TEXT(s->models[i].model);
		m->models[i].requests = s->models[i].requests;
		m->models[i].tokens = &m->model_tokens[i];
		m->model_list[i] = &m->models[i];
	}
	m->session.n_models = s->model_count;
	m->session.models = m->model_list;
}

static void
fill_failure(Agentbus__V1__Error *m, const struct failure *f)
{
	agentbus__v1__error__init(m);
	m->type = TEXT(error_class_name(f->class));
	m->message = TEXT(f->message);
	m->status = f->status;
	m->time_unix_nano = f->time_ns;
}

static void
fill_counts(Agentbus__V1__Session *m, const struct session *s)
{
	m->children = s->children;
	m->prompts = s->prompts;
	m->requests = s->requests;
	m->tool_calls = s->tool_calls;
	m->api_errors = s->api_errors;
	m->turn_errors = s->turn_errors;
}

static void
fill_session(struct session_message *m, const struct session *s)
{
	agentbus__v1__session__init(&m->session);
	m->session.id = TEXT(s->id);
	m->session.provider = TEXT(s->provider);
	m->session.service_name = TEXT(s->service_name);
	m->session.model = TEXT(s->model);
	m->session.state = (Agentbus__V1__State)s->state;
	m->session.state_since_unix_nano = s->state_since_ns;
	m->session.reason = TEXT(s->reason);
	m->session.evidence = (Agentbus__V1__Evidence)s->evidence;
	m->session.pid = s->pid;
	m->session.parent_id = TEXT(s->parent_id);
	m->session.auxiliary = s->auxiliary;
	m->session.failed = s->failed;
	m->session.tool = TEXT(s->tool);
	m->session.started_unix_nano = s->started_ns;
	m->session.last_event_unix_nano = s->last_event_ns;
	m->session.turn_started_unix_nano = s->turn_started_ns;
	if (s->has_trace_id)
		m->session.trace_id = (ProtobufCBinaryData){ sizeof(s->trace_id), (uint8_t *)s->trace_id };
	fill_counts(&m->session, s);
	fill_models(m, s);
	fill_tokens(&m->tokens, &s->tokens);
	m->session.tokens = &m->tokens;
	if (s->project_name[0] || s->project_dir[0]) {
		agentbus__v1__project__init(&m->project);
		m->project.name = TEXT(s->project_name);
		m->project.directory = TEXT(s->project_dir);
		m->session.project = &m->project;
	}
	if (s->has_reported_cost) {
		fill_cost(&m->cost, s->reported_cost);
		m->session.cost = &m->cost;
	}
	if (s->last_error.class != ERROR_NONE) {
		fill_failure(&m->error, &s->last_error);
		m->session.last_error = &m->error;
	}
}

static char *
copy_text(char *dst, size_t size, struct str s)
{
	str_copy(dst, size, s);
	return dst;
}

static void
detail_prompt(struct event_message *m, const struct event *e, const struct observation *o)
{
	(void)e;
	agentbus__v1__prompt__init(&m->prompt);
	m->prompt.length = o->prompt_length;
	m->event.details_case = AGENTBUS__V1__EVENT__DETAILS_PROMPT;
	m->event.prompt = &m->prompt;
}

static void
detail_api_request(struct event_message *m, const struct event *e, const struct observation *o)
{
	(void)e;
	agentbus__v1__api_request__init(&m->request);
	fill_tokens(&m->tokens, &o->tokens);
	m->request.model = copy_text(m->model, sizeof(m->model), o->model);
	m->request.tokens = &m->tokens;
	m->request.duration_ms = o->duration_ms;
	m->request.request_id = copy_text(m->id, sizeof(m->id), o->request_id);
	m->request.source = copy_text(m->name, sizeof(m->name), o->source);
	if (o->has_cost) {
		fill_cost(&m->cost, o->cost);
		m->request.cost = &m->cost;
	}
	m->event.details_case = AGENTBUS__V1__EVENT__DETAILS_API_REQUEST;
	m->event.api_request = &m->request;
}

static void
detail_api_error(struct event_message *m, const struct event *e, const struct observation *o)
{
	(void)e;
	agentbus__v1__api_error__init(&m->api_error);
	agentbus__v1__error__init(&m->error);
	m->error.type = TEXT(error_class_name(o->error));
	m->error.message = copy_text(m->text, sizeof(m->text), o->error_message);
	m->error.status = o->status;
	m->error.time_unix_nano = o->time_ns;
	m->api_error.error = &m->error;
	m->api_error.model = copy_text(m->model, sizeof(m->model), o->model);
	m->api_error.attempt = o->attempt;
	m->api_error.duration_ms = o->duration_ms;
	m->api_error.request_id = copy_text(m->id, sizeof(m->id), o->request_id);
	m->event.details_case = AGENTBUS__V1__EVENT__DETAILS_API_ERROR;
	m->event.api_error = &m->api_error;
}

static void
detail_tool(struct event_message *m, const struct event *e, const struct observation *o)
{
	(void)e;
	agentbus__v1__tool__init(&m->tool);
	m->tool.name = copy_text(m->name, sizeof(m->name), o->tool);
	m->tool.call_id = copy_text(m->id, sizeof(m->id), o->call_id);
	m->tool.success = (o->flags & (OBS_FAILED | OBS_REFUSED)) == 0;
	m->tool.duration_ms = o->duration_ms;
	m->tool.error_type = TEXT(error_class_name(o->error));
	m->tool.decision = copy_text(m->word, sizeof(m->word), o->decision);
	m->event.details_case = AGENTBUS__V1__EVENT__DETAILS_TOOL;
	m->event.tool = &m->tool;
}

static void
detail_change(struct event_message *m, const struct event *e, const struct observation *o)
{
	(void)o;
	agentbus__v1__state_change__init(&m->change);
	m->change.from = (Agentbus__V1__State)e->from;
	m->change.to = (Agentbus__V1__State)e->session->state;
	m->change.turn_duration_ms = e->turn_ns / NS_PER_MS;
	m->event.details_case = AGENTBUS__V1__EVENT__DETAILS_STATE_CHANGE;
	m->event.state_change = &m->change;
}

/* What an event of each kind tells beside the session; `observed` ones need the observation that caused them. */
static const struct {
	void (*fill)(struct event_message *m, const struct event *e, const struct observation *o);
	bool observed;
} details[] = {
	[EVENT_SESSION_STARTED] = { detail_change, false },
	[EVENT_PROMPT] = { detail_prompt, true },
	[EVENT_API_REQUEST] = { detail_api_request, true },
	[EVENT_API_ERROR] = { detail_api_error, true },
	[EVENT_TOOL] = { detail_tool, true },
	[EVENT_STATE_CHANGED] = { detail_change, false },
	[EVENT_SESSION_ENDED] = { detail_change, false },
};

static void
fill_event(struct event_message *m, const struct event *e, const char *boot_id)
{
	const struct observation *o = e->observation;

	agentbus__v1__event__init(&m->event);
	m->event.boot_id = TEXT(boot_id);
	m->event.time_unix_nano = e->time_ns;
	m->event.observed_time_unix_nano = e->now_ns;
	m->event.kind = (Agentbus__V1__EventKind)e->kind;
	m->event.reason = TEXT(e->reason);
	m->event.evidence = (Agentbus__V1__Evidence)e->evidence;
	fill_session(&m->session, e->session);
	m->event.session = &m->session.session;
	if (o && o->has_trace_id)
		m->event.trace_id = (ProtobufCBinaryData){ sizeof(o->trace_id), (uint8_t *)o->trace_id };
	if (o && o->has_span_id)
		m->event.span_id = (ProtobufCBinaryData){ sizeof(o->span_id), (uint8_t *)o->span_id };
	if (o || !details[e->kind].observed)
		details[e->kind].fill(m, e, o);
}

static bool
pack(const ProtobufCMessage *m, struct buf *out)
{
	const size_t size = protobuf_c_message_get_packed_size(m);

	if (!buf_reserve(out, size))
		return false;
	out->len += protobuf_c_message_pack(m, out->bytes + out->len);
	return true;
}

bool
bus_pack_session(const struct session *s, struct buf *out)
{
	struct session_message m;

	fill_session(&m, s);
	return pack(&m.session.base, out);
}

bool
bus_pack_event(const struct event *e, const char *boot_id, struct buf *out)
{
	struct event_message m;

	fill_event(&m, e, boot_id);
	return pack(&m.event.base, out);
}

static size_t
put_varint(uint8_t *out, uint64_t value)
{
	size_t n = 0;

	for (; value >= 0x80; value >>= 7)
		out[n++] = (uint8_t)(value | 0x80);
	out[n++] = (uint8_t)value;
	return n;
}

size_t
bus_put_head(uint8_t *out, unsigned field, uint64_t len)
{
	const size_t tag = put_varint(out, (uint64_t)field << 3 | 2);

	return tag + put_varint(out + tag, len);
}

size_t
bus_put_seq(uint8_t *out, uint64_t seq)
{
	out[0] = 1 << 3;
	return 1 + put_varint(out + 1, seq);
}

size_t
bus_seq_size(uint64_t seq)
{
	uint8_t scratch[BUS_HEAD_MAX];

	return bus_put_seq(scratch, seq);
}
