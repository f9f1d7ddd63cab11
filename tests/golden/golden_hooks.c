/*
 * What hooks and notify were told, and what Claude Code wrote to its session file, beside the telemetry. The time of a line is,
 * in this order:
 * - its t_ms, where it was recorded (Codex);
 * - HOOK_RUNS_MS after the record `hook_execution_start` of the same event, the first for the first and so on (Claude Code);
 * - that of the newest log record for the end of the session, which is not logged: nothing is after it;
 * - HOOK_APART_MS after the hook before it, for lines are in order (notifications, which are not logged).
 */
#include "golden.h"

#include "hook.h"

#include <stdlib.h>

#define HOOK_RUNS_MS  5
#define HOOK_APART_MS 20

/* --- reading --- */

/*
 * `agentbus emit` leaves out what people and models wrote, and tells of it what matters: that it answers a title thread, or that
 * a person has typed it.
 */
static void
mark_as_emit(cJSON *payload)
{
	static const char title[] = "{\"title\":";

	if (strncmp(golden_text(payload, "last-assistant-message"), title, strlen(title)) == 0)
		cJSON_AddTrueToObject(payload, "title_thread");
	if (cJSON_HasObjectItem(payload, "submitted_prompt"))
		cJSON_AddTrueToObject(payload, "typed");
}

static void
add_hook(struct play *p, const cJSON *line)
{
	cJSON *payload = cJSON_GetObjectItem(line, "payload");
	struct hook_line *h = &p->hooks[p->hook_count];
	const char *event = golden_text(payload, "hook_event_name");

	if (!payload || p->hook_count == HOOKS_MAX)
		return;
	mark_as_emit(payload);
	*h = (struct hook_line){
		.t_ms = (uint64_t)golden_number(line, "t_ms"),
		.timed = cJSON_HasObjectItem(line, "t_ms"),
		.payload = cJSON_PrintUnformatted(payload),
	};
	snprintf(h->event, sizeof(h->event), "%s", *event ? event : golden_text(payload, "type"));
	p->hook_count++;
}

static void
add_file(struct play *p, const cJSON *line)
{
	const size_t count = p->hook_count;

	add_hook(p, line);
	if (p->hook_count > count)
		p->hooks[count].file = true;
}

void
golden_load_hooks(struct play *p)
{
	p->hooks = calloc(HOOKS_MAX, sizeof(*p->hooks));
	p->starts = calloc(HOOKS_MAX, sizeof(*p->starts));
	golden_each_line(p, "hooks.jsonl", add_hook);
	golden_each_line(p, "notify.jsonl", add_hook);
	golden_each_line(p, "sessions.jsonl", add_file);
}

void
golden_free_hooks(struct play *p)
{
	for (size_t i = 0; i < p->hook_count; i++)
		free(p->hooks[i].payload);
	free(p->hooks);
	free(p->starts);
}

/* --- when --- */

static const char *
attribute(const Opentelemetry__Proto__Logs__V1__LogRecord *r, const char *key)
{
	for (size_t i = 0; i < r->n_attributes; i++) {
		const OtlpKeyValue *kv = r->attributes[i];
		if (kv->value && kv->value->value_case == OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_STRING_VALUE &&
		    strcmp(kv->key, key) == 0)
			return kv->value->string_value;
	}
	return "";
}

void
golden_note_start(struct play *p, const Opentelemetry__Proto__Logs__V1__LogRecord *r, uint64_t ns)
{
	struct hook_start *s = &p->starts[p->start_count];

	if (ns > p->newest_log_ns)
		p->newest_log_ns = ns;
	if (p->start_count == HOOKS_MAX || strcmp(attribute(r, "event.name"), "hook_execution_start") != 0)
		return;
	snprintf(s->event, sizeof(s->event), "%s", attribute(r, "hook_event"));
	s->ns = ns;
	p->start_count++;
}

static bool
take_start(struct play *p, const char *event, uint64_t *ret_ms)
{
	for (size_t i = 0; i < p->start_count; i++) {
		struct hook_start *s = &p->starts[i];
		if (s->ns && strcmp(s->event, event) == 0) {
			*ret_ms = (s->ns - p->base_ns) / MS + HOOK_RUNS_MS;
			s->ns = 0;
			return true;
		}
	}
	return false;
}

/* Stable, so that lines of the same time stay as they are. */
static void
sort_hooks(struct play *p)
{
	for (size_t i = 1; i < p->hook_count; i++) {
		const struct hook_line h = p->hooks[i];
		size_t k = i;

		for (; k > 0 && p->hooks[k - 1].t_ms > h.t_ms; k--)
			p->hooks[k] = p->hooks[k - 1];
		p->hooks[k] = h;
	}
}

void
golden_time_hooks(struct play *p)
{
	uint64_t last_ms = 0;

	for (size_t i = 0; i < p->hook_count; i++) {
		struct hook_line *h = &p->hooks[i];
		if (!h->timed && !take_start(p, h->event, &h->t_ms))
			h->t_ms = strcmp(h->event, "SessionEnd") == 0 && p->newest_log_ns > p->base_ns
				      ? (p->newest_log_ns - p->base_ns) / MS
				      : last_ms + HOOK_APART_MS;
		last_ms = h->t_ms;
	}
	sort_hooks(p);
}

/* --- what --- */

bool
golden_read_hook(struct play *p, const struct hook_line *h, uint64_t now_ns, struct observation *ret)
{
	char cli[32];
	const char *name = strncmp(p->name, "bundled-", 8) == 0 ? p->name + 8 : p->name;
	const struct provider *provider;

	snprintf(cli, sizeof(cli), "%.*s", (int)strcspn(name, "-"), name);
	provider = hook_provider(str_from(cli));
	arena_reset(&p->arena);
	return provider && hook_read_payload(provider, h->payload, strlen(h->payload), now_ns, &p->arena, ret) == VERDICT_OK;
}

void
golden_apply_file(struct play *p, const struct hook_line *h, uint64_t now_ns)
{
	struct claude_session c;
	struct observation o;

	arena_reset(&p->arena);
	if (!claude_session_read(h->payload, strlen(h->payload), &p->arena, &c))
		return;
	while (claude_session_next(&p->known, &c, now_ns, now_ns, &o))
		sessions_observe(p->sessions, &o, now_ns);
}
