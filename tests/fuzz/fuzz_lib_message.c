/*
 * Any bytes as a message of the events socket and as an answer of the query socket, with plenty of memory and with hardly
 * any. Whatever is accepted keeps the promises of agentbus.h: no text is NULL, and enums are ones that it knows.
 */
#include "lib/decode.h"
#include "lib/sessions.h"
#include "require.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Reads each text to its end. */
static size_t
read_texts(const char *const *texts, size_t count)
{
	size_t total = 0;

	for (size_t i = 0; i < count; i++)
		total += strlen(texts[i]);
	return total;
}

static void
check_session(const struct agentbus_session *s)
{
	const char *const texts[] = {
		s->id,          s->provider, s->service_name, s->model,  s->reason,    s->title,           s->project,
		s->project_dir, s->tty,      s->tmux_pane,    s->window, s->parent_id, s->last_error.type, s->last_error.message,
		s->tool
	};

	require(read_texts(texts, sizeof(texts) / sizeof(texts[0])) > 0);
	require(*s->id && *s->provider);
	require(s->state <= AGENTBUS_ENDED && s->evidence <= AGENTBUS_INFERRED);
	for (size_t i = 0; i < s->model_count; i++)
		read_texts(&s->models[i].model, 1);
	for (size_t i = 0; i < s->error_type_count; i++)
		read_texts(&s->errors_by_type[i].type, 1);
}

static void
check_event(const struct agentbus_event *e)
{
	const char *const texts[] = { e->boot_id,
				      e->reason,
				      e->api_request.model,
				      e->api_request.request_id,
				      e->api_request.source,
				      e->api_error.model,
				      e->api_error.request_id,
				      e->api_error.error.type,
				      e->api_error.error.message,
				      e->tool.name,
				      e->tool.call_id,
				      e->tool.error_type,
				      e->tool.decision,
				      e->gap.boot_id };

	require(read_texts(texts, sizeof(texts) / sizeof(texts[0])) > 0);
	require(e->seq > 0 && e->kind <= AGENTBUS_BUDGET && e->evidence <= AGENTBUS_INFERRED);
	require(e->state_change.from <= AGENTBUS_ENDED && e->state_change.to <= AGENTBUS_ENDED);
	check_session(e->session);
}

static void
put(struct sessions *t, const struct agentbus_session *s)
{
	const struct agentbus_session *copy = sessions_put(t, s);

	require(copy && copy == sessions_get(t, s->provider, s->id));
	check_session(copy);
}

static void
check_events(struct region *r, struct sessions *t, Agentbus__V1__Event *const *events, size_t count)
{
	struct agentbus_session s;
	struct agentbus_event e;

	for (size_t i = 0; i < count; i++) {
		if (!decode_event(r, events[i], &e, &s))
			continue;
		check_event(&e);
		put(t, e.session);
	}
}

static void
check_response(struct region *r, struct sessions *t, const Agentbus__V1__Response *response)
{
	struct agentbus_session s;

	if (response->response_case == AGENTBUS__V1__RESPONSE__RESPONSE_REPLAY)
		check_events(r, t, response->replay->events, response->replay->n_events);
	if (response->response_case != AGENTBUS__V1__RESPONSE__RESPONSE_SNAPSHOT)
		return;
	for (size_t i = 0; i < response->snapshot->n_sessions; i++) {
		if (decode_session(r, response->snapshot->sessions[i], &s)) {
			check_session(&s);
			put(t, &s);
		}
	}
}

static void
decode_all(const uint8_t *data, size_t size, size_t cap)
{
	Agentbus__V1__EventBatch *batch;
	Agentbus__V1__Response *response;
	struct sessions t;
	struct region r;

	region_init(&r, cap);
	sessions_init(&t);
	if (decode_batch(&r, data, size, &batch))
		check_events(&r, &t, batch->events, batch->n_events);
	region_reset(&r);
	if (decode_response(&r, data, size, &response))
		check_response(&r, &t, response);
	require(r.held <= cap);
	region_finish(&r);
	sessions_finish(&t);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	decode_all(data, size, (size_t)64 << 20);
	decode_all(data, size, (size_t)20 << 10);
	return 0;
}
