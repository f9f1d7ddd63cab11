#include "provider.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NS_PER_S 1000000000ull

const struct provider *const providers[] = {
	&provider_claude, &provider_codex, &provider_gemini, &provider_qwen, &provider_genai, NULL,
};

/* --- names to meanings --- */

static struct str
without_prefix(const struct provider *p, struct str name)
{
	for (const char *const *pre = p->prefixes; pre && *pre; pre++) {
		struct str s = str_from(*pre);
		if (name.len > s.len && str_starts(name, s))
			return (struct str){ name.ptr + s.len, name.len - s.len };
	}
	return name;
}

static int
compare_name(struct str name, const char *rule)
{
	int c = strncmp(name.ptr, rule, name.len);

	return c ? c : -(rule[name.len] != '\0');
}

/* The first row of that name, or where it would be. */
static size_t
lower_bound(const struct meaning_rule *rules, size_t count, struct str name)
{
	size_t lo = 0, hi = count;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (compare_name(name, rules[mid].name) > 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static const struct meaning_rule *
rule_among(const struct meaning_rule *rules, size_t count, struct str name, const struct fields *f)
{
	for (size_t i = lower_bound(rules, count, name); i < count && compare_name(name, rules[i].name) == 0; i++) {
		bool holds = true;
		for (size_t c = 0; holds && c < RULE_CONDITIONS; c++)
			holds = condition_holds(f, &rules[i].when[c]);
		if (holds)
			return &rules[i];
	}
	return NULL;
}

/* By name, else by a row named "*". */
const struct meaning_rule *
provider_rule(const struct meaning_rule *rules, size_t count, struct str name, const struct fields *f)
{
	const struct meaning_rule *r = name.len ? rule_among(rules, count, name, f) : NULL;

	return r ? r : rule_among(rules, count, STR("*"), f);
}

/* Most spans of Codex mean nothing: tell that before reading their attributes. */
static bool
has_rule(const struct meaning_rule *rules, size_t count, struct str name)
{
	size_t i = name.len ? lower_bound(rules, count, name) : count;

	return (i < count && compare_name(name, rules[i].name) == 0) || (count && strcmp(rules[0].name, "*") == 0);
}

/* --- time --- */

/* "2026-11-23T00:28:48.596Z" to nanoseconds, 0 if it is nothing like that. */
static uint64_t
parse_timestamp(struct str s)
{
	char buf[40];
	struct tm tm = { 0 };
	uint64_t frac = 0, unit = NS_PER_S;
	const char *p;
	time_t t;

	if (s.len < 19 || s.len >= sizeof(buf))
		return 0;
	memcpy(buf, s.ptr, s.len);
	buf[s.len] = '\0';
	p = strptime(buf, "%Y-%m-%dT%H:%M:%S", &tm);
	if (!p)
		return 0;
	if (*p == '.')
		for (p++; *p >= '0' && *p <= '9' && unit > 1; p++)
			frac += (uint64_t)(*p - '0') * (unit /= 10);
	t = timegm(&tm);
	return *p == 'Z' && t > 0 ? (uint64_t)t * NS_PER_S + frac : 0;
}

static void
observe_time(uint64_t ns, uint64_t now_ns, struct observation *o)
{
	const bool ahead = ns > now_ns + OBSERVATION_AHEAD_NS;

	o->time_ns = ns == 0 || ahead ? now_ns : ns;
	o->stated_ns = ahead ? ns : 0;
}

/* --- fields to an observation --- */

static struct str
first_text(const struct fields *f, enum field a, enum field b)
{
	struct str s = field_text(f, a);

	return s.len ? s : field_text(f, b);
}

static struct tokens
tokens_of(const struct provider *p, const struct fields *f)
{
	struct tokens t = {
		.input = field_u64(f, F_INPUT),
		.cache_read = field_u64(f, F_CACHE_READ),
		.cache_write = field_u64(f, F_CACHE_WRITE),
		.output = field_u64(f, F_OUTPUT),
		.reasoning = field_u64(f, F_REASONING),
	};

	if (p->input_excludes_cache)
		t.input += t.cache_read + t.cache_write;
	if (p->output_excludes_reasoning)
		t.output += t.reasoning;
	return t;
}

static unsigned
flags_of(const struct provider *p, const struct resource_view *r, const struct fields *f)
{
	unsigned flags = 0;

	for (const struct condition *c = p->background; c && c->field != F_NONE; c++)
		if (condition_holds(f, c))
			flags |= OBS_BACKGROUND;
	if (p->marks_turn)
		flags |= OBS_MARKS_TURN;
	if (any_pattern_matches(p->shared, r->service_name))
		flags |= OBS_SHARED;
	if (field_has(f, F_SUCCESS) && !field_true(f, F_SUCCESS))
		flags |= OBS_FAILED;
	if (field_has(f, F_INPUT) || field_has(f, F_OUTPUT))
		flags |= OBS_HAS_TOKENS;
	return flags;
}

static void
observe_fields(const struct provider *p, const struct resource_view *r, const struct fields *f, struct observation *o)
{
	o->provider = p->name;
	o->flags |= flags_of(p, r, f);
	o->session = first_text(f, F_SESSION, F_SESSION_ALT);
	o->service_name = r->service_name;
	o->process = r->process;
	o->peer = r->peer;
	o->pid = r->pid;
	o->model = first_text(f, F_MODEL, F_MODEL_ALT);
	o->tokens = tokens_of(p, f);
	o->cache_write_1h = field_u64(f, F_CACHE_WRITE_1H);
	o->speed = field_text(f, F_SPEED);
	o->has_cost = field_has(f, F_COST_USD);
	o->cost = llround(fmax(fmin(field_double(f, F_COST_USD), 1e6), 0) * 1e12);
	o->duration_ms = field_u64(f, F_DURATION_MS);
	o->request_id = field_text(f, F_REQUEST_ID);
	o->prompt_id = field_text(f, F_PROMPT_ID);
	o->source = field_text(f, F_SOURCE);
	o->agent = field_text(f, F_AGENT);
	o->parent = field_text(f, F_PARENT);
	o->tool = field_text(f, F_TOOL);
	o->call_id = field_text(f, F_CALL_ID);
	o->decision = field_text(f, F_DECISION);
	o->prompt_length = field_u64(f, F_PROMPT_LENGTH);
	o->error_message = field_text(f, F_ERROR_MESSAGE);
	o->error_type = field_text(f, F_ERROR_TYPE);
	o->status = (unsigned)(field_u64(f, F_STATUS) % 1000);
	o->attempt = (unsigned)field_u64(f, F_ATTEMPT);
	o->attempts = (unsigned)field_u64(f, F_ATTEMPTS);
	o->project_dir = field_text(f, F_CWD);
	o->project_name = field_text(f, F_PROJECT);
	if (o->project_name.len == 0)
		o->project_name = r->project_name;
}

/* Whether a failed request is tried again, and how often it was. */
static void
observe_retries(const struct provider *p, struct observation *o)
{
	const struct retry_rule *r = o->flags & (OBS_FINAL | OBS_RETRIED) ? NULL : p->retries;

	for (; r && r->flags; r++)
		if (o->status >= r->first && o->status <= r->last) {
			o->flags |= r->flags;
			break;
		}
	if ((o->flags & OBS_FINAL) && o->attempts == 0)
		o->attempts = o->attempt;
}

static void
observe_rule(const struct provider *p, const struct meaning_rule *rule, const struct fields *f, struct observation *o)
{
	if (!rule)
		return;
	o->means = rule->means;
	o->flags |= rule->flags;
	o->reason = rule->reason;
	if (rule->refine)
		rule->refine(f, o);
	if (o->means == MEANS_ERROR)
		observe_retries(p, o);
}

static bool
copy_id(const ProtobufCBinaryData *id, uint8_t *dst, size_t size)
{
	static const uint8_t zero[16];

	if (id->len != size || memcmp(id->data, zero, size) == 0)
		return false;
	memcpy(dst, id->data, size);
	return true;
}

/* --- records --- */

static size_t
at_most(size_t count, size_t max)
{
	return count < max ? count : max;
}

static const OtlpAnyValue *
attribute(OtlpKeyValue **attrs, size_t count, const char *key)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(attrs[i]->key, key) == 0)
			return attrs[i]->value;
	return NULL;
}

static struct str
text_of(const OtlpAnyValue *v)
{
	struct value x;

	return value_of(v, &x) && x.kind == VALUE_TEXT ? x.text : (struct str){ 0 };
}

static const struct provider *
provider_by_prefix(struct str name)
{
	for (const struct provider *const *p = providers; *p; p++)
		for (const char *const *pre = (*p)->prefixes; pre && *pre; pre++)
			if (str_starts(name, str_from(*pre)))
				return *p;
	return NULL;
}

/* Last resort for a record whose resource and scope say nothing: its own name, wherever that is. */
static const struct provider *
provider_of_record(const OtlpLogRecord *rec, size_t attribute_count)
{
	const struct provider *p = provider_by_prefix(text_of(attribute(rec->attributes, attribute_count, "event.name")));

	if (!p)
		p = provider_by_prefix(str_from(rec->event_name));
	if (!p)
		p = provider_by_prefix(text_of(rec->body));
	return p ? p : &provider_genai;
}

static struct str
event_name(const struct provider *p, const struct fields *f, const OtlpLogRecord *rec)
{
	struct str name = field_text(f, F_EVENT);

	if (name.len == 0)
		name = str_from(rec->event_name);
	if (name.len == 0)
		name = text_of(rec->body);
	return without_prefix(p, name);
}

const struct provider *
provider_of_log(const struct provider *p, const struct resource_view *r, const OtlpLogRecord *rec)
{
	return p ? p : provider_of_record(rec, at_most(rec->n_attributes, r->max_attributes));
}

void
provider_read_log(const struct provider *p, const struct resource_view *r, const OtlpLogRecord *rec, struct observation *ret)
{
	struct fields f;
	struct observation o = { 0 };
	struct str name;
	uint64_t ns = rec->time_unix_nano ? rec->time_unix_nano : rec->observed_time_unix_nano;

	f.present = 0;
	fields_add(&f, p->fields, p->field_count, rec->attributes, at_most(rec->n_attributes, r->max_attributes));
	name = event_name(p, &f, rec);
	observe_fields(p, r, &f, &o);
	if (o.session.len == 0)
		o.session = r->session;
	observe_time(ns ? ns : parse_timestamp(field_text(&f, F_TIMESTAMP)), r->now_ns, &o);
	o.has_trace_id = copy_id(&rec->trace_id, o.trace_id, sizeof(o.trace_id));
	o.has_span_id = copy_id(&rec->span_id, o.span_id, sizeof(o.span_id));
	observe_rule(p, provider_rule(p->events, p->event_count, name, &f), &f, &o);
	*ret = o;
}

bool
provider_log(const struct provider *p, const struct resource_view *r, const OtlpLogRecord *rec, struct observation *ret)
{
	struct observation o;

	provider_read_log(provider_of_log(p, r, rec), r, rec, &o);
	if (o.means == MEANS_NOTHING)
		return false;
	*ret = o;
	return true;
}

/* Some spans tell their session only in an event of theirs. */
static struct str
session_of_events(const struct provider *p, const OtlpSpan *span, size_t max_attributes)
{
	struct fields f = { .present = 0 };

	for (size_t i = 0; i < span->n_events; i++)
		fields_add(&f, p->fields, p->field_count, span->events[i]->attributes,
			   at_most(span->events[i]->n_attributes, max_attributes));
	return field_text(&f, F_SESSION);
}

static enum span_kind
kind_of(const struct provider *p, struct str name, const struct fields *f)
{
	for (size_t i = 0; i < p->kind_count; i++) {
		const struct kind_rule *k = &p->kinds[i];
		bool holds = pattern_matches(k->name, name);

		for (size_t c = 0; holds && c < RULE_CONDITIONS; c++)
			holds = condition_holds(f, &k->when[c]);
		if (holds)
			return k->kind;
	}
	return SPAN_CHAIN;
}

enum span_kind
provider_read_span(const struct provider *p, const struct resource_view *r, const OtlpSpan *span, struct observation *ret)
{
	struct fields f;
	struct observation o = { .flags = OBS_SPAN };
	const struct str name = without_prefix(p, str_from(span->name));

	f.present = 0;
	fields_add(&f, p->fields, p->field_count, span->attributes, at_most(span->n_attributes, r->max_attributes));
	observe_fields(p, r, &f, &o);
	if (o.session.len == 0)
		o.session = session_of_events(p, span, r->max_attributes);
	observe_time(span->end_time_unix_nano, r->now_ns, &o);
	o.start_ns = span->start_time_unix_nano;
	o.has_trace_id = copy_id(&span->trace_id, o.trace_id, sizeof(o.trace_id));
	o.has_span_id = copy_id(&span->span_id, o.span_id, sizeof(o.span_id));
	if (span->status && span->status->code == 2) {
		o.flags |= OBS_FAILED;
		if (o.error_message.len == 0)
			o.error_message = str_from(span->status->message);
	}
	if (span->parent_span_id.len == 0)
		o.flags |= OBS_ROOT;
	observe_rule(p, provider_rule(p->spans, p->span_count, name, &f), &f, &o);
	*ret = o;
	return kind_of(p, name, &f);
}

bool
provider_span(const struct provider *p, const struct resource_view *r, const OtlpSpan *span, struct observation *ret)
{
	struct observation o;

	if (!p)
		p = &provider_genai;
	if (!has_rule(p->spans, p->span_count, without_prefix(p, str_from(span->name))))
		return false;
	provider_read_span(p, r, span, &o);
	if (o.means == MEANS_NOTHING)
		return false;
	*ret = o;
	return true;
}

bool
provider_span_is_internal(const struct provider *p, const OtlpSpan *span)
{
	if (!p || !p->outline || any_pattern_matches(p->outline, without_prefix(p, str_from(span->name))))
		return false;
	for (const char *const *mark = p->outline_marks; mark && *mark; mark++)
		if (attribute(span->attributes, span->n_attributes, *mark))
			return false;
	return true;
}

/* --- resources --- */

/* "host:pid", or the instance id: what stays the same for a process and differs between two. */
static struct str
process_key(struct str host, struct str instance, uint32_t pid, struct arena *scratch)
{
	size_t size = host.len + 16;
	char *key;
	int n;

	if (pid == 0)
		return instance;
	key = arena_alloc(scratch, size);
	if (!key)
		return instance;
	n = snprintf(key, size, "%.*s:%u", (int)host.len, host.ptr ? host.ptr : "", (unsigned)pid);
	return (struct str){ key, (size_t)n };
}

struct resource_view
provider_resource(OtlpKeyValue **attrs, size_t count, size_t max_attributes, uint64_t peer, uint64_t now_ns,
		  struct arena *scratch)
{
	count = at_most(count, max_attributes);
	const OtlpAnyValue *pid = attribute(attrs, count, "process.pid");
	struct resource_view r = {
		.service_name = text_of(attribute(attrs, count, "service.name")),
		.session = text_of(attribute(attrs, count, "session.id")),
		.project_name = text_of(attribute(attrs, count, "project.name")),
		.now_ns = now_ns,
		.peer = peer,
		.max_attributes = max_attributes,
	};

	if (pid && pid->value_case == OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_INT_VALUE && pid->int_value > 0 &&
	    pid->int_value <= INT32_MAX)
		r.pid = (uint32_t)pid->int_value;
	r.process = process_key(text_of(attribute(attrs, count, "host.name")),
				text_of(attribute(attrs, count, "service.instance.id")), r.pid, scratch);
	for (const struct provider *const *p = providers; *p && !r.provider; p++)
		if (any_pattern_matches((*p)->services, r.service_name))
			r.provider = *p;
	return r;
}

const struct provider *
provider_of_scope(const struct resource_view *r, const char *scope)
{
	if (r->provider)
		return r->provider;
	for (const struct provider *const *p = providers; *p; p++)
		if (any_pattern_matches((*p)->scopes, str_from(scope)))
			return *p;
	return NULL;
}
