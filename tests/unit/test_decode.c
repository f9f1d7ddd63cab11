/*
 * The bytes of the bus as public structs: all fields, none of them, every prefix, and memory that runs out at every point.
 */
#include "guard.h"
#include "lib/decode.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define CAP ((size_t)1 << 20)

static uint8_t sixteen[16] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };

struct sample {
	Agentbus__V1__Event event, *events[1];
	Agentbus__V1__EventBatch batch;
	Agentbus__V1__Session session;
	Agentbus__V1__Project project;
	Agentbus__V1__Tokens tokens;
	Agentbus__V1__Cost cost;
	Agentbus__V1__Error error;
	Agentbus__V1__ModelUsage usage, *usages[1];
	Agentbus__V1__ErrorCount count, *counts[1];
	Agentbus__V1__ApiError api_error;
	uint8_t bytes[1024];
	size_t len;
};

static char *
text(const char *s)
{
	return (char *)(uintptr_t)s;
}

static void
fill_session(struct sample *s)
{
	agentbus__v1__session__init(&s->session);
	agentbus__v1__project__init(&s->project);
	agentbus__v1__tokens__init(&s->tokens);
	agentbus__v1__cost__init(&s->cost);
	agentbus__v1__error__init(&s->error);
	agentbus__v1__model_usage__init(&s->usage);
	agentbus__v1__error_count__init(&s->count);
	s->count.type = text("server");
	s->count.count = 12;
	s->counts[0] = &s->count;
	s->project.name = text("bus");
	s->project.directory = text("/home/me/bus");
	s->tokens.cache_read = 11;
	s->cost.computed = -5;
	s->cost.has_computed = 1;
	s->cost.unreported = -3;
	s->error.type = text("rate_limit");
	s->error.message = text("slow down");
	s->error.status = 429;
	s->usage.model = text("gpt");
	s->usage.tokens = &s->tokens;
	s->usages[0] = &s->usage;
	s->session.id = text("id");
	s->session.provider = text("codex");
	s->session.state = AGENTBUS__V1__STATE__STATE_WAITING;
	s->session.project = &s->project;
	s->session.tokens = &s->tokens;
	s->session.cost = &s->cost;
	s->session.last_error = &s->error;
	s->session.trace_id = (ProtobufCBinaryData){ .len = 16, .data = sixteen };
	s->session.n_models = 1;
	s->session.models = s->usages;
	s->session.n_errors_by_type = 1;
	s->session.errors_by_type = s->counts;
}

static void
fill(struct sample *s)
{
	fill_session(s);
	agentbus__v1__event__init(&s->event);
	agentbus__v1__event_batch__init(&s->batch);
	agentbus__v1__api_error__init(&s->api_error);
	s->api_error.error = &s->error;
	s->api_error.attempt = 2;
	s->api_error.final = 1;
	s->api_error.attempts = 3;
	s->event.seq = 7;
	s->event.boot_id = text("boot");
	s->event.kind = AGENTBUS__V1__EVENT_KIND__EVENT_KIND_API_ERROR;
	s->event.evidence = AGENTBUS__V1__EVIDENCE__EVIDENCE_SHOWN;
	s->event.session = &s->session;
	s->event.trace_id = (ProtobufCBinaryData){ .len = 16, .data = sixteen };
	s->event.span_id = (ProtobufCBinaryData){ .len = 8, .data = sixteen };
	s->event.details_case = AGENTBUS__V1__EVENT__DETAILS_API_ERROR;
	s->event.api_error = &s->api_error;
	s->events[0] = &s->event;
	s->batch.n_events = 1;
	s->batch.events = s->events;
}

static void
pack(struct sample *s)
{
	static const char topic[] = "v1/codex/id";

	memcpy(s->bytes, topic, sizeof(topic));
	cr_assert_lt(sizeof(topic) + agentbus__v1__event_batch__get_packed_size(&s->batch), sizeof(s->bytes));
	s->len = sizeof(topic) + agentbus__v1__event_batch__pack(&s->batch, s->bytes + sizeof(topic));
}

static bool
decode(struct region *r, const void *data, size_t len, struct agentbus_event *e, struct agentbus_session *session)
{
	Agentbus__V1__EventBatch *batch;

	return decode_batch(r, data, len, &batch) && batch->n_events == 1 && decode_event(r, batch->events[0], e, session);
}

Test(decode, all_that_an_event_says)
{
	struct agentbus_session session;
	struct agentbus_event e;
	struct region r;
	struct sample s;

	fill(&s);
	pack(&s);
	region_init(&r, CAP);
	cr_assert(decode(&r, s.bytes, s.len, &e, &session));
	memset(s.bytes, 0xff, sizeof(s.bytes));
	cr_assert_eq(e.seq, 7);
	cr_assert_str_eq(e.boot_id, "boot");
	cr_assert_eq(e.kind, AGENTBUS_API_ERROR);
	cr_assert_eq(e.evidence, AGENTBUS_SHOWN);
	cr_assert(e.has_trace_id && e.has_span_id);
	cr_assert_arr_eq(e.trace_id, sixteen, 16);
	cr_assert_arr_eq(e.span_id, sixteen, 8);
	cr_assert_eq(e.api_error.attempt, 2);
	cr_assert_eq(e.api_error.attempts, 3);
	cr_assert(e.api_error.final && !e.api_error.retried);
	cr_assert_eq(e.api_error.error.status, 429);
	cr_assert_str_eq(e.api_error.error.message, "slow down");
	cr_assert_str_eq(e.api_error.model, "");
	cr_assert_str_eq(e.tool.name, "");
	cr_assert_eq(e.session, &session);
	cr_assert_str_eq(session.id, "id");
	cr_assert_eq(session.state, AGENTBUS_WAITING);
	cr_assert_str_eq(session.project, "bus");
	cr_assert_str_eq(session.project_dir, "/home/me/bus");
	cr_assert_eq(session.tokens.cache_read, 11);
	cr_assert_eq(session.cost.computed, -5);
	cr_assert_eq(session.cost.total, -3, "nothing is reported");
	cr_assert(session.cost.has_computed && !session.cost.has_reported);
	cr_assert_str_eq(session.last_error.type, "rate_limit");
	cr_assert(session.has_trace_id);
	cr_assert_eq(session.model_count, 1);
	cr_assert_str_eq(session.models[0].model, "gpt");
	cr_assert_eq(session.models[0].tokens.cache_read, 11);
	cr_assert_eq(session.error_type_count, 1);
	cr_assert_str_eq(session.errors_by_type[0].type, "server");
	cr_assert_eq(session.errors_by_type[0].count, 12);
	region_finish(&r);
}

Test(decode, next_to_nothing)
{
	struct agentbus_session session;
	struct agentbus_event e;
	struct region r;
	struct sample s;

	fill(&s);
	agentbus__v1__session__init(&s.session);
	agentbus__v1__event__init(&s.event);
	s.session.id = text("a");
	s.session.provider = text("b");
	s.event.seq = 1;
	s.event.boot_id = text("c");
	s.event.session = &s.session;
	pack(&s);
	region_init(&r, CAP);
	cr_assert(decode(&r, s.bytes, s.len, &e, &session));
	cr_assert_eq(e.kind, 0);
	cr_assert_eq(e.evidence, AGENTBUS_EVIDENCE_NONE);
	cr_assert_eq(session.state, AGENTBUS_UNKNOWN);
	cr_assert_str_eq(session.title, "");
	cr_assert_str_eq(session.project, "");
	cr_assert_str_eq(session.last_error.type, "");
	cr_assert_not(session.has_trace_id || e.has_trace_id || e.has_span_id);
	cr_assert_eq(session.model_count, 0);
	cr_assert_eq(session.error_type_count, 0);
	region_finish(&r);
}

Test(decode, values_of_a_later_version)
{
	struct agentbus_session session;
	struct agentbus_event e;
	struct region r;
	struct sample s;

	fill(&s);
	s.event.kind = (Agentbus__V1__EventKind)65;
	s.event.evidence = (Agentbus__V1__Evidence)9;
	s.session.state = (Agentbus__V1__State)-3;
	s.session.trace_id.len = 15;
	pack(&s);
	region_init(&r, CAP);
	cr_assert(decode(&r, s.bytes, s.len, &e, &session));
	cr_assert_eq(e.kind, 0, "not the library's own \"connected\"");
	cr_assert_eq(e.evidence, AGENTBUS_EVIDENCE_NONE);
	cr_assert_eq(session.state, AGENTBUS_UNKNOWN);
	cr_assert_not(session.has_trace_id);
	region_finish(&r);
}

Test(decode, what_no_event_may_lack)
{
	struct agentbus_session session;
	struct agentbus_event e;
	char long_id[DECODE_BOOT_ID_MAX + 2];
	struct region r;
	struct sample s;

	memset(long_id, 'x', sizeof(long_id));
	long_id[sizeof(long_id) - 1] = '\0';
	region_init(&r, CAP);
	for (int i = 0; i < 6; i++) {
		fill(&s);
		switch (i) {
		case 0:
			s.event.seq = 0;
			break;
		case 1:
			s.event.boot_id = text("");
			break;
		case 2:
			s.event.boot_id = long_id;
			break;
		case 3:
			s.event.session = NULL;
			break;
		case 4:
			s.session.id = text("");
			break;
		case 5:
			s.session.provider = text("");
			break;
		}
		pack(&s);
		cr_assert_not(decode(&r, s.bytes, s.len, &e, &session), "case %d", i);
		region_reset(&r);
	}
	region_finish(&r);
}

Test(decode, every_prefix)
{
	struct agentbus_session session;
	struct agentbus_event e;
	struct guard g = guard_create(sizeof(((struct sample *)NULL)->bytes));
	struct region r;
	struct sample s;

	fill(&s);
	pack(&s);
	region_init(&r, CAP);
	for (size_t len = 0; len < s.len; len++) {
		cr_assert_not(decode(&r, guard_put(&g, s.bytes, len), len, &e, &session), "%zu bytes", len);
		region_reset(&r);
	}
	cr_assert(decode(&r, s.bytes, s.len, &e, &session));
	region_finish(&r);
	guard_destroy(&g);
}

static void *
allocate_some(void *left, size_t size)
{
	int *n = left;

	return (*n)-- > 0 ? malloc(size) : NULL;
}

static void
release(void *left, void *memory)
{
	(void)left;
	free(memory);
}

/* protobuf-c promises to fail cleanly. */
Test(decode, no_memory_at_any_point)
{
	Agentbus__V1__EventBatch *batch = NULL;
	struct region r;
	struct sample s;

	fill(&s);
	pack(&s);
	for (int allowed = 0; !batch; allowed++) {
		int left = allowed;
		region_init(&r, CAP);
		r.allocator = (ProtobufCAllocator){ .alloc = allocate_some, .free = release, .allocator_data = &left };
		if (decode_batch(&r, s.bytes, s.len, &batch))
			agentbus__v1__event_batch__free_unpacked(batch, &r.allocator);
		cr_assert_lt(allowed, 1000);
	}
}

Test(decode, answers)
{
	Agentbus__V1__Response pb = AGENTBUS__V1__RESPONSE__INIT, *response;
	uint8_t bytes[64];
	struct region r;

	region_init(&r, CAP);
	pb.boot_id = text("boot");
	pb.seq = 3;
	size_t len = agentbus__v1__response__pack(&pb, bytes);
	cr_assert(decode_response(&r, bytes, len, &response));
	cr_assert_eq(response->seq, 3);
	cr_assert_not(decode_response(&r, bytes, len - 1, &response));
	pb.error = text("no");
	cr_assert_not(decode_response(&r, bytes, agentbus__v1__response__pack(&pb, bytes), &response));
	pb.error = text("");
	pb.boot_id = text("");
	cr_assert_not(decode_response(&r, bytes, agentbus__v1__response__pack(&pb, bytes), &response));
	region_finish(&r);
}

Test(decode, regions_are_bounded_and_used_again)
{
	struct region r;

	region_init(&r, 100000);
	for (int round = 0; round < 3; round++) {
		size_t total = 0;
		unsigned char *p;
		while ((p = region_alloc(&r, 1000)) != NULL) {
			cr_assert_eq((uintptr_t)p % _Alignof(max_align_t), 0);
			memset(p, round, 1000);
			total += 1000;
		}
		cr_assert_gt(total, 70000);
		cr_assert_leq(r.held, 100000);
		cr_assert_null(region_alloc(&r, SIZE_MAX));
		cr_assert_null(region_alloc(&r, SIZE_MAX - 5));
		region_reset(&r);
		cr_assert_leq(r.held, 16384);
	}
	cr_assert_not_null(region_alloc(&r, 50000));
	region_reset(&r);
	cr_assert_leq(r.held, 16384);
	region_finish(&r);
}
