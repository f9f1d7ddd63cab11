#include "session_record.h"

#include "agentbus/store/v1/record.pb-c.h"
#include "bus_pack.h"
#include "bus_wire.h"
#include "provider.h"
#include "session_process.h"
#include "session_state.h"
#include "session_usage.h"

#include <endian.h>
#include <stdlib.h>

/* A record is about 1 KB, and about 10 KB if all its text is as long as it can be. */
#define RECORD_MAX ((size_t)64 << 10)

#define TIMER_MAX_NS (2 * 1000000000ull) /* the longest that ask_due_ns and fail_due_ns are ever ahead */

typedef Agentbus__Store__V1__SessionRecord Record;

/* --- what both directions know --- */

/* Members of session_track and fields of the record that are the same, in order of their numbers. */
struct same {
	unsigned field;
	size_t track, record; /* offsets */
};

#define SAME(number, member)                                                                                                     \
	{                                                                                                                        \
		number, offsetof(struct session_track, member), offsetof(Record, member)                                         \
	}

static const struct same numbers[] = {
	SAME(10, evidence_cli_ns), SAME(11, response_cli_ns), SAME(12, asked_cli_ns), SAME(13, closed_cli_ns),
	SAME(14, tool_cli_ns),     SAME(15, prompt_cli_ns),   SAME(16, start_cli_ns), SAME(17, response_id),
	SAME(18, ask_id),          SAME(19, ask_cli_ns),      SAME(20, process),      SAME(21, heard_ns),
	SAME(22, entered_ns),
};

/* NEVER in the session is 0 in the record. */
static const struct same timers[] = { SAME(23, ask_due_ns), SAME(24, fail_due_ns) };

static const struct same flags[] = {
	SAME(40, answer_due), SAME(41, spans),       SAME(42, marks_turn),  SAME(43, shared),
	SAME(44, lost_peer),  SAME(45, guessed_aux), SAME(46, child_known),
};

/* Times of CLIs, of the session and of how it is followed. */
static const size_t cli_times[] = {
	offsetof(struct session, started_ns),         offsetof(struct session, last_event_ns),
	offsetof(struct session, turn_started_ns),    offsetof(struct session, state_since_ns),
	offsetof(struct session, last_error.time_ns),
};
static const size_t cli_track_times[] = {
	offsetof(struct session_track, evidence_cli_ns),   offsetof(struct session_track, response_cli_ns),
	offsetof(struct session_track, asked_cli_ns),      offsetof(struct session_track, closed_cli_ns),
	offsetof(struct session_track, tool_cli_ns),       offsetof(struct session_track, prompt_cli_ns),
	offsetof(struct session_track, start_cli_ns),      offsetof(struct session_track, ask_cli_ns),
	offsetof(struct session_track, told_end_cli_ns),   offsetof(struct session_track, over_cli_ns),
	offsetof(struct session_track, told_start_cli_ns), offsetof(struct session_track, told_tool_cli_ns),
	offsetof(struct session_track, told_ask_cli_ns),
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Why a turn ends, in the word of the tables; NULL for any other. */
static const char *
reason_of_end(const char *word)
{
	static const char *const reasons[] = { "turn_end", "interrupted", "error" };

	for (size_t i = 0; i < COUNT(reasons); i++)
		if (strcmp(reasons[i], word) == 0)
			return reasons[i];
	return NULL;
}

static const char *
provider_name(const char *name)
{
	for (const struct provider *const *p = providers; *p; p++)
		if (strcmp((*p)->name, name) == 0)
			return (*p)->name;
	return NULL;
}

/* --- writing --- */

#define RING_MAX  (COUNTED_MAX > DECIDED_MAX ? COUNTED_MAX : DECIDED_MAX)
#define TRACK_MAX (48 * BUS_WIRE_HEAD_MAX + (DECIDED_MAX + COUNTED_MAX + 2 * ASKED_MAX) * sizeof(uint64_t))

/* What is in the ring, the oldest first: the place of the next one need not be told then. */
static void
put_ring(struct bus_wire *w, unsigned field, const uint64_t *ring, unsigned size, unsigned next)
{
	uint64_t hashes[RING_MAX];
	size_t n = 0;

	for (unsigned i = 0; i < size; i++)
		if (ring[(next + i) % size])
			hashes[n++] = htole64(ring[(next + i) % size]);
	bus_wire_bytes(w, field, (const uint8_t *)hashes, n * sizeof(*hashes));
}

static const void *
track_member(const struct session_track *t, const struct same *m)
{
	return (const char *)t + m->track;
}

static void
put_asked(struct bus_wire *w, const struct session_track *t)
{
	uint64_t hashes[2 * ASKED_MAX];
	bool any = false;

	for (size_t i = 0; i < ASKED_MAX; i++) {
		hashes[2 * i] = htole64(t->asked[i].tool);
		hashes[2 * i + 1] = htole64(t->asked[i].agent);
		any |= t->asked[i].tool != 0;
	}
	bus_wire_bytes(w, 75, (const uint8_t *)hashes, any ? sizeof(hashes) : 0);
}

/* From the last field to the first, as bus_wire wants it. */
static void
put_told(struct bus_wire *w, const struct session_track *t)
{
	bus_wire_fixed64(w, 77, t->told_ask_cli_ns);
	bus_wire_fixed64(w, 76, t->told_tool_cli_ns);
	put_asked(w, t);
	bus_wire_number(w, 74, t->hooked);
	bus_wire_fixed64(w, 73, t->lag_window_ns);
	bus_wire_fixed64(w, 72, (uint64_t)t->lag_before_ns);
	bus_wire_fixed64(w, 71, (uint64_t)t->lag_ns);
	bus_wire_fixed64(w, 70, t->told_start_cli_ns);
}

static void
put_process(struct bus_wire *w, const struct session_track *t)
{
	bus_wire_number(w, 63, t->named);
	bus_wire_number(w, 62, t->found_dir);
	bus_wire_number(w, 61, t->lives);
	bus_wire_fixed64(w, 60, t->birth);
}

static void
put_track(struct bus_wire *w, const struct session *s)
{
	const struct session_track *t = s->track;

	put_told(w, t);
	put_process(w, t);
	bus_wire_text(w, 52, t->closed_reason ? t->closed_reason : "");
	put_ring(w, 51, t->counted, COUNTED_MAX, t->counted_next);
	put_ring(w, 50, t->decided, DECIDED_MAX, t->decided_next);
	bus_wire_number(w, 49, t->closed_bad);
	bus_wire_number(w, 48, t->told);
	bus_wire_number(w, 47, track_connected(t));
	for (size_t i = COUNT(flags); i-- > 0;)
		bus_wire_number(w, flags[i].field, *(const bool *)track_member(t, &flags[i]));
	bus_wire_number(w, 30, t->tools);
	bus_wire_fixed64(w, 27, t->over_cli_ns);
	bus_wire_fixed64(w, 26, t->told_turn);
	bus_wire_fixed64(w, 25, t->told_end_cli_ns);
	for (size_t i = COUNT(timers); i-- > 0;) {
		const uint64_t due_ns = *(const uint64_t *)track_member(t, &timers[i]);
		bus_wire_fixed64(w, timers[i].field, due_ns == NEVER ? 0 : due_ns);
	}
	for (size_t i = COUNT(numbers); i-- > 0;)
		bus_wire_fixed64(w, numbers[i].field, *(const uint64_t *)track_member(t, &numbers[i]));
	if (s->last_error.class == ERROR_NONE) {
		bus_wire_fixed64(w, 4, s->last_error.time_ns);
		bus_wire_number(w, 3, s->last_error.status);
	}
	bus_wire_number(w, 2, s->shown);
}

bool
session_record_write(const struct session *s, struct buf *out)
{
	const size_t before = out->len;
	uint8_t bytes[TRACK_MAX], head[BUS_WIRE_HEAD_MAX];
	struct bus_wire w = bus_wire_start(bytes, sizeof(bytes));
	size_t head_len, session_len, track_len;

	put_track(&w, s);
	track_len = (size_t)(bytes + sizeof(bytes) - w.at);
	if (w.full || !bus_pack_session(s, out))
		return false;
	session_len = out->len - before;
	head_len = bus_wire_put_head(head, 1, session_len);
	if (!buf_reserve(out, head_len + track_len)) {
		out->len = before;
		return false;
	}
	memmove(out->bytes + before + head_len, out->bytes + before, session_len);
	memcpy(out->bytes + before, head, head_len);
	memcpy(out->bytes + before + head_len + session_len, w.at, track_len);
	out->len += head_len + track_len;
	return true;
}

/* --- reading --- */

static void
copy(char *dst, size_t size, const char *text)
{
	str_copy(dst, size, str_from(text));
}

static struct tokens
read_tokens(const Agentbus__V1__Tokens *t)
{
	return t ? (struct tokens){ t->input, t->cache_read, t->cache_write, t->output, t->reasoning } : (struct tokens){ 0 };
}

static struct cost
read_cost(const Agentbus__V1__Cost *c)
{
	if (!c)
		return (struct cost){ 0 };
	return (struct cost){ .reported = c->has_reported ? c->reported : 0,
			      .computed = c->computed,
			      .unreported = c->unreported,
			      .has_reported = c->has_reported,
			      .has_computed = c->has_computed,
			      .estimated = c->estimated };
}

/* Adds them up as requests are, so that there are never more rows than SESSION_MODELS_MAX. */
static bool
read_models(struct session *x, const Agentbus__V1__Session *s)
{
	for (size_t i = 0; i < s->n_models; i++) {
		const struct tokens tokens = read_tokens(s->models[i]->tokens);
		const struct cost cost = read_cost(s->models[i]->cost);
		char name[sizeof(x->models->model)];
		struct model_usage *m;

		copy(name, sizeof(name), s->models[i]->model);
		m = usage_of_model(x, name);
		if (!m)
			return false;
		m->requests += s->models[i]->requests;
		usage_add_tokens(&m->tokens, &tokens);
		usage_add_cost(&m->cost, &cost);
	}
	return true;
}

static enum error_class
error_class_of(const char *name)
{
	for (unsigned c = ERROR_NONE + 1; c < ERROR_CLASS_COUNT; c++)
		if (strcmp(error_class_name(c), name) == 0)
			return c;
	return ERROR_NONE;
}

static void
read_failure(struct failure *f, const Record *r)
{
	const Agentbus__V1__Error *e = r->session->last_error;

	f->status = r->failure_status;
	f->time_ns = r->failure_cli_ns;
	if (!e)
		return;
	f->class = error_class_of(e->type);
	f->status = e->status;
	f->time_ns = e->time_unix_nano;
	copy(f->message, sizeof(f->message), e->message);
}

static void
read_errors_by_type(struct session *x, const Agentbus__V1__Session *s)
{
	for (size_t i = 0; i < s->n_errors_by_type; i++) {
		const enum error_class c = error_class_of(s->errors_by_type[i]->type);

		if (c != ERROR_NONE)
			x->errors_by_class[c] += s->errors_by_type[i]->count;
	}
}

/* All but id, provider and models. */
static void
read_session(struct session *x, const Record *r)
{
	const Agentbus__V1__Session *s = r->session;

	copy(x->service_name, sizeof(x->service_name), s->service_name);
	copy(x->model, sizeof(x->model), s->model);
	x->state = (enum session_state)s->state;
	x->evidence = (enum evidence)s->evidence;
	copy(x->reason, sizeof(x->reason), s->reason);
	x->state_since_ns = s->state_since_unix_nano;
	x->state_observed_ns = s->state_observed_unix_nano;
	if (s->project) {
		copy(x->project_name, sizeof(x->project_name), s->project->name);
		copy(x->project_dir, sizeof(x->project_dir), s->project->directory);
		copy(x->branch, sizeof(x->branch), s->project->branch);
		copy(x->worktree, sizeof(x->worktree), s->project->worktree);
	}
	x->pid = s->pid;
	copy(x->tty, sizeof(x->tty), s->tty);
	copy(x->tmux_pane, sizeof(x->tmux_pane), s->tmux_pane);
	copy(x->window, sizeof(x->window), s->window);
	copy(x->parent_id, sizeof(x->parent_id), s->parent_id);
	x->auxiliary = s->auxiliary;
	x->children = s->children;
	x->prompts = s->prompts;
	x->requests = s->requests;
	x->tool_calls = s->tool_calls;
	x->api_errors = s->api_errors;
	read_errors_by_type(x, s);
	x->tokens = read_tokens(s->tokens);
	x->cost = read_cost(s->cost);
	read_failure(&x->last_error, r);
	x->failed = s->failed;
	copy(x->tool, sizeof(x->tool), s->tool);
	x->has_trace_id = s->trace_id.len == sizeof(x->trace_id);
	if (x->has_trace_id)
		memcpy(x->trace_id, s->trace_id.data, sizeof(x->trace_id));
	x->started_ns = s->started_unix_nano;
	x->last_event_ns = s->last_event_unix_nano;
	x->turn_started_ns = s->turn_started_unix_nano;
	x->turn_errors = s->turn_errors;
	x->shown = r->shown;
}

static unsigned
read_ring(uint64_t *ring, unsigned size, const uint64_t *hashes, size_t count)
{
	unsigned next = 0;

	for (size_t i = 0; i < count; i++)
		if (hashes[i])
			ring[next++ % size] = hashes[i];
	return next % size;
}

static uint64_t
not_after(uint64_t ns, uint64_t limit_ns)
{
	return ns < limit_ns ? ns : limit_ns;
}

static void
read_told(struct session_track *t, const Record *r, uint64_t now_ns)
{
	t->told = r->told;
	t->told_start_cli_ns = r->told_start_cli_ns;
	t->told_end_cli_ns = r->told_end_cli_ns;
	t->told_turn = r->told_turn;
	t->told_tool_cli_ns = r->told_tool_cli_ns;
	t->told_ask_cli_ns = r->told_ask_cli_ns;
	t->hooked = r->hooked;
	t->lag_ns = r->lag_ns;
	t->lag_before_ns = r->lag_before_ns;
	t->lag_window_ns = not_after(r->lag_window_ns, now_ns);
	for (size_t i = 0; i < ASKED_MAX && 2 * i + 1 < r->n_asked; i++)
		t->asked[i] = (struct asked){ r->asked[2 * i], r->asked[2 * i + 1] };
}

static void
read_track(struct session_track *t, const Record *r, uint64_t now_ns)
{
	const char *record = (const char *)r;

	for (size_t i = 0; i < COUNT(numbers); i++)
		*(uint64_t *)((char *)t + numbers[i].track) = *(const uint64_t *)(record + numbers[i].record);
	for (size_t i = 0; i < COUNT(timers); i++) {
		const uint64_t due_ns = *(const uint64_t *)(record + timers[i].record);
		*(uint64_t *)((char *)t + timers[i].track) = due_ns ? not_after(due_ns, now_ns + TIMER_MAX_NS) : NEVER;
	}
	for (size_t i = 0; i < COUNT(flags); i++)
		*(bool *)((char *)t + flags[i].track) = *(const protobuf_c_boolean *)(record + flags[i].record) != 0;
	t->entered_ns = not_after(t->entered_ns, now_ns);
	t->over_cli_ns = r->over_cli_ns;
	read_told(t, r, now_ns);
	t->birth = r->birth;
	t->found_dir = r->found_dir;
	t->named = r->named;
	t->closed_bad = r->closed_bad;
	t->closed_reason = reason_of_end(r->closed_reason);
	t->tools = r->tools;
	t->decided_next = read_ring(t->decided, DECIDED_MAX, r->decided, r->n_decided);
	t->counted_next = read_ring(t->counted, COUNTED_MAX, r->counted, r->n_counted);
}

static void
bring_back(void *times, const size_t *offsets, size_t count, uint64_t now_ns)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t *ns = (uint64_t *)((char *)times + offsets[i]);

		if (*ns > now_ns + OBSERVATION_AHEAD_NS)
			*ns = now_ns;
	}
}

/*
 * What CLIs said cannot have been further ahead of the clock than that: if it is, the clock was set back since, and all that
 * they say from now on would come too late to move a state.
 */
static void
mend_times(struct session *x, uint64_t now_ns)
{
	bring_back(x, cli_times, COUNT(cli_times), now_ns);
	bring_back(x->track, cli_track_times, COUNT(cli_track_times), now_ns);
}

/*
 * When it was heard of last. What was going on begins its silence anew: its process may be in the middle of something and
 * has yet to connect to us. So may one that sat idle and was connected.
 */
static uint64_t
heard(const struct session *x, const Record *r, uint64_t now_ns)
{
	const bool open = x->state == SESSION_WORKING || x->state == SESSION_WAITING;

	return open || (x->state == SESSION_IDLE && r->connected && !r->shared) ? now_ns : not_after(r->heard_ns, now_ns);
}

static bool
is_valid(const Record *r)
{
	const Agentbus__V1__Session *s = r->session;

	return s && s->id[0] && strlen(s->id) < SESSION_ID_MAX && (int)s->state >= SESSION_IDLE &&
	       (int)s->state <= SESSION_ENDED && (int)s->evidence >= EVIDENCE_TOLD && (int)s->evidence <= EVIDENCE_INFERRED;
}

static bool
add(struct sessions *table, const Record *r, uint64_t now_ns)
{
	const char *provider = provider_name(r->session->provider);
	const struct str id = str_from(r->session->id);
	struct session models = { 0 }, *x = NULL;

	if (provider && !table_find(table, provider, id) && read_models(&models, r->session))
		x = table_add(table, provider, id, now_ns);
	if (!x) {
		free(models.models);
		return false;
	}
	x->models = models.models;
	x->model_count = models.model_count;
	read_session(x, r);
	read_track(x->track, r, now_ns);
	mend_times(x, now_ns);
	x->state_observed_ns = not_after(x->state_observed_ns, now_ns);
	table_place(table, x, heard(x, r, now_ns));
	process_restore(table, x, r->lives);
	if (x->has_trace_id)
		table_learn_trace(table, x->trace_id, x, true);
	state_schedule(table, x);
	return true;
}

bool
session_record_read(struct sessions *table, const uint8_t *bytes, size_t len, uint64_t now_ns)
{
	Record *r = len <= RECORD_MAX ? agentbus__store__v1__session_record__unpack(NULL, len, bytes) : NULL;
	const bool added = r && is_valid(r) && add(table, r, now_ns);

	if (r)
		agentbus__store__v1__session_record__free_unpacked(r, NULL);
	return added;
}
