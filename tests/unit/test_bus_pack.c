#include "agentbus/v1/agentbus.pb-c.h"
#include "bus_pack.h"
#include "bus_wire.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* protobuf-c must read what was packed, and pack the same bytes from it. */
static Agentbus__V1__Event *
repack(const struct event *e)
{
	struct buf out = { 0 };

	cr_assert(bus_pack_event(e, "boot", &out));
	Agentbus__V1__Event *event = agentbus__v1__event__unpack(NULL, out.len, out.bytes);
	cr_assert_not_null(event);
	uint8_t *again = malloc(agentbus__v1__event__get_packed_size(event));
	cr_assert_eq(agentbus__v1__event__pack(event, again), out.len);
	cr_assert_eq(memcmp(again, out.bytes, out.len), 0);
	free(again);
	buf_finish(&out);
	return event;
}

static const struct cost full_cost = { -1, -2, -3, true, true, true };

/* Every member set, numbers up to their largest, text up to its longest. */
static void
fill(struct session *s, struct model_usage *models)
{
	memset(s, 0, sizeof(*s));
	memset(s->id, 'i', sizeof(s->id) - 1);
	s->provider = "claude-code";
	memset(s->service_name, 's', sizeof(s->service_name) - 1);
	memset(s->model, 'm', sizeof(s->model) - 1);
	s->state = SESSION_WAITING;
	s->evidence = EVIDENCE_INFERRED;
	memset(s->reason, 'r', sizeof(s->reason) - 1);
	s->state_since_ns = UINT64_MAX;
	memset(s->project_name, 'p', sizeof(s->project_name) - 1);
	memset(s->project_dir, 'd', sizeof(s->project_dir) - 1);
	s->pid = UINT32_MAX;
	memset(s->parent_id, 'q', sizeof(s->parent_id) - 1);
	s->auxiliary = s->failed = s->has_trace_id = true;
	s->children = s->turn_errors = UINT32_MAX;
	s->prompts = s->requests = s->tool_calls = s->api_errors = UINT64_MAX;
	for (unsigned c = ERROR_NONE + 1; c < ERROR_CLASS_COUNT; c++)
		s->errors_by_class[c] = UINT64_MAX - c;
	s->tokens = (struct tokens){ UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX };
	s->cost = full_cost;
	s->last_error = (struct failure){ .class = ERROR_RATE_LIMIT, .status = UINT32_MAX, .time_ns = UINT64_MAX };
	memset(s->last_error.message, 'e', sizeof(s->last_error.message) - 1);
	memset(s->tool, 't', sizeof(s->tool) - 1);
	memset(s->trace_id, 0xff, sizeof(s->trace_id));
	s->started_ns = s->last_event_ns = s->turn_started_ns = UINT64_MAX;
	for (size_t i = 0; i < SESSION_MODELS_MAX; i++) {
		models[i] = (struct model_usage){ .requests = UINT64_MAX, .tokens = s->tokens, .cost = full_cost };
		memset(models[i].model, 'a' + (int)(i % 26), sizeof(models[i].model) - 1);
	}
	s->models = models;
	s->model_count = SESSION_MODELS_MAX;
}

static struct observation
full_observation(void)
{
	static char longer[1000];
	struct observation o = { .has_trace_id = true, .has_span_id = true };

	memset(longer, 'x', sizeof(longer));
	o.model = o.request_id = o.source = o.tool = o.call_id = o.decision = o.error_message =
	    (struct str){ longer, sizeof(longer) };
	o.tokens = (struct tokens){ UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX };
	o.duration_ms = o.prompt_length = o.time_ns = UINT64_MAX;
	o.status = o.attempt = o.attempts = UINT32_MAX;
	o.flags = OBS_FINAL | OBS_RETRIED;
	o.error = ERROR_UNKNOWN;
	memset(o.trace_id, 0xfe, sizeof(o.trace_id));
	memset(o.span_id, 0xfd, sizeof(o.span_id));
	return o;
}

static const struct budget_alarm full_budget = { BUDGET_MONTH, BUDGET_LIMIT, "2026-11-26", -2, -1, true };

static void
expect_cost(const Agentbus__V1__Cost *c)
{
	cr_assert_not_null(c);
	cr_assert(c->has_reported && c->has_computed && c->estimated);
	cr_assert_eq(c->reported, -1);
	cr_assert_eq(c->computed, -2);
	cr_assert_eq(c->unreported, -3);
}

/* All classes, in their order. */
static void
expect_errors_by_type(const Agentbus__V1__Session *s)
{
	cr_assert_eq(s->n_errors_by_type, ERROR_CLASS_COUNT - 1);
	for (unsigned c = ERROR_NONE + 1; c < ERROR_CLASS_COUNT; c++) {
		cr_assert_str_eq(s->errors_by_type[c - 1]->type, error_class_name(c));
		cr_assert_eq(s->errors_by_type[c - 1]->count, UINT64_MAX - c);
	}
}

Test(bus_pack, the_largest_event_of_every_kind)
{
	struct model_usage models[SESSION_MODELS_MAX];
	struct session s;
	const struct observation o = full_observation();

	fill(&s, models);
	for (enum event_kind k = EVENT_SESSION_STARTED; k <= EVENT_BUDGET; k++) {
		Agentbus__V1__Event *e = repack(&(struct event){ .kind = k,
								 .evidence = EVIDENCE_INFERRED,
								 .reason = "reason",
								 .time_ns = UINT64_MAX,
								 .now_ns = UINT64_MAX,
								 .session = &s,
								 .from = SESSION_ENDED,
								 .turn_ns = UINT64_MAX,
								 .observation = &o,
								 .cost = &full_cost,
								 .budget = &full_budget });

		cr_assert_eq((int)e->kind, (int)k);
		cr_assert_eq(e->seq, 0);
		cr_assert_str_eq(e->boot_id, "boot");
		cr_assert_eq(e->trace_id.len, 16);
		cr_assert_eq(e->span_id.len, 8);
		cr_assert_eq(e->session->n_models, SESSION_MODELS_MAX);
		cr_assert_eq(e->session->models[25]->model[0], 'z');
		expect_cost(e->session->cost);
		expect_cost(e->session->models[SESSION_MODELS_MAX - 1]->cost);
		if (k == EVENT_API_REQUEST)
			expect_cost(e->api_request->cost);
		if (k == EVENT_API_ERROR)
			cr_assert(e->api_error->final && e->api_error->retried && e->api_error->attempts == UINT32_MAX);
		expect_errors_by_type(e->session);
		if (k == EVENT_BUDGET) {
			cr_assert_str_eq(e->budget->period, "month");
			cr_assert_str_eq(e->budget->key, "2026-11-26");
			cr_assert_str_eq(e->budget->level, "limit");
			cr_assert(e->budget->amount == -2 && e->budget->spent == -1 && e->budget->estimated);
		}
		cr_assert_str_eq(e->session->last_error->type, "rate_limit");
		cr_assert_str_eq(e->session->project->directory, s.project_dir);
		cr_assert_eq(e->session->turn_errors, UINT32_MAX);
		agentbus__v1__event__free_unpacked(e, NULL);
	}
}

Test(bus_pack, the_smallest_event_of_every_kind)
{
	const struct session s = { .provider = "", .reason = "" };
	const struct observation o = { 0 };

	for (enum event_kind k = EVENT_SESSION_STARTED; k <= EVENT_BUDGET; k++) {
		for (int caused = 0; caused < 2; caused++) {
			Agentbus__V1__Event *e = repack(&(struct event){ .kind = k,
									 .reason = "",
									 .session = &s,
									 .observation = caused ? &o : NULL,
									 .budget = &(struct budget_alarm){ .key = "" } });

			cr_assert_not_null(e->session);
			cr_assert_not_null(e->session->tokens);
			cr_assert_null(e->session->project);
			cr_assert_null(e->session->cost);
			cr_assert_null(e->session->last_error);
			cr_assert_eq(e->session->n_errors_by_type, 0);
			if (caused && k == EVENT_API_ERROR)
				cr_assert(!e->api_error->final && !e->api_error->retried && e->api_error->attempts == 0);
			if (caused && k == EVENT_API_REQUEST)
				cr_assert_null(e->api_request->cost);
			agentbus__v1__event__free_unpacked(e, NULL);
		}
	}
}

Test(bus_pack, text_of_a_cli_is_made_valid)
{
	const struct session s = { .provider = "x", .reason = "" };
	const struct observation o = { .tool = STR("a\xff\x1b[31m"),
				       .decision = STR("0123456789012345678901234567890123456789") };
	Agentbus__V1__Event *e = repack(&(struct event){ .kind = EVENT_TOOL, .reason = "", .session = &s, .observation = &o });

	cr_assert_str_eq(e->tool->name, "a\xef\xbf\xbd [31m");
	cr_assert_str_eq(e->tool->decision, "0123456789012345678901234567890");
	cr_assert(e->tool->success);
	agentbus__v1__event__free_unpacked(e, NULL);
}

Test(bus_pack, the_largest_row_of_usage_and_the_smallest)
{
	static char longest[SESSION_ID_MAX];
	struct buf out = { 0 };
	struct bus_usage u = { longest, longest, longest, UINT64_MAX, UINT64_MAX, { 1, 2, 3, 4, 5 }, full_cost };

	memset(longest, 'x', sizeof(longest) - 1);
	cr_assert(bus_pack_usage(&u, &out));
	Agentbus__V1__UsageRow *row = agentbus__v1__usage_row__unpack(NULL, out.len, out.bytes);
	cr_assert_str_eq(row->key, longest);
	cr_assert_str_eq(row->project, longest);
	cr_assert(row->requests == UINT64_MAX && row->api_errors == UINT64_MAX && row->tokens->reasoning == 5);
	expect_cost(row->cost);
	agentbus__v1__usage_row__free_unpacked(row, NULL);
	out.len = 0;
	u = (struct bus_usage){ .key = "", .provider = "", .project = "" };
	cr_assert(bus_pack_usage(&u, &out));
	row = agentbus__v1__usage_row__unpack(NULL, out.len, out.bytes);
	cr_assert(row && row->requests == 0 && !row->cost);
	agentbus__v1__usage_row__free_unpacked(row, NULL);
	out.len = 0;
	cr_assert(bus_pack_budget(&full_budget, &out));
	Agentbus__V1__Budget *budget = agentbus__v1__budget__unpack(NULL, out.len, out.bytes);
	cr_assert_str_eq(budget->key, "2026-11-26");
	agentbus__v1__budget__free_unpacked(budget, NULL);
	buf_finish(&out);
}

Test(bus_wire, what_does_not_fit_is_noticed)
{
	for (size_t size = 0; size < 16; size++) {
		uint8_t bytes[16];
		struct bus_wire w = bus_wire_start(bytes, size);

		bus_wire_text(&w, 2, "0123456");
		bus_wire_number(&w, 1, 300);
		cr_assert_eq(w.full, size < 12, "%zu", size);
		if (!w.full)
			cr_assert_eq(memcmp(w.at,
					    "\x08\xac\x02\x12\x07"
					    "0123456",
					    12),
				     0);
	}
}

Test(bus_wire, numbers_of_every_length)
{
	for (unsigned bit = 0; bit < 64; bit++) {
		const uint64_t value = UINT64_C(1) << bit;
		uint8_t bytes[BUS_WIRE_HEAD_MAX], forward[BUS_WIRE_HEAD_MAX];
		struct bus_wire w = bus_wire_start(bytes, sizeof(bytes));

		bus_wire_number(&w, 1, value);
		const size_t len = (size_t)(bytes + sizeof(bytes) - w.at);
		cr_assert_eq(bus_wire_put_number(forward, 1, value), len);
		cr_assert_eq(memcmp(w.at, forward, len), 0);
		Agentbus__V1__Event *e = agentbus__v1__event__unpack(NULL, len, w.at);
		cr_assert_eq(e->seq, value);
		agentbus__v1__event__free_unpacked(e, NULL);
	}
}
