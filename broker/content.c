#include "content.h"
#include "content_keys.h"
#include "content_points.h"
#include "error_text.h"
#include "field.h"
#include "str.h"

typedef Opentelemetry__Proto__Resource__V1__Resource Resource;
typedef Opentelemetry__Proto__Common__V1__InstrumentationScope Scope;
typedef Opentelemetry__Proto__Trace__V1__Span__Event SpanEvent;
typedef Opentelemetry__Proto__Metrics__V1__Metric Metric;
typedef Opentelemetry__Proto__Metrics__V1__Exemplar Exemplar;

/* What attributes belong to: a log record, span, metric point, resource … */
struct owner {
	OtlpKeyValue **attrs; /* while they are gone through, dropped ones are NULL */
	size_t count;
	const char *name;           /* of its event, span or metric, if no attribute says so */
	const struct owner *within; /* the span of an event */
	enum { ABOUT_UNKNOWN, ABOUT_NOTHING, ABOUT_CALL, ABOUT_TOOL } about;
	bool is_point;
	bool has_error; /* an attribute told of one */
};

struct dropper {
	struct arena *arena;
	struct content_index index;
	size_t dropped;
	bool failed; /* for want of memory */
};

static bool drop_in_value(struct dropper *d, struct owner *o, OtlpAnyValue *v);

/* --- what a rule may ask --- */

static bool
is_text(const OtlpAnyValue *v)
{
	return v && v->value_case == OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_STRING_VALUE;
}

static bool
is_count(const OtlpAnyValue *v)
{
	return v && (v->value_case == OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_INT_VALUE ||
		     v->value_case == OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_DOUBLE_VALUE ||
		     v->value_case == OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_BOOL_VALUE);
}

/* The name of its event: CLIs tell it in an attribute, and may put something else into the field for it. */
static struct str
name_of(const struct owner *o)
{
	for (size_t i = 0; i < o->count; i++) {
		const OtlpKeyValue *kv = o->attrs[i];

		if (kv && strcmp(kv->key, "event.name") == 0 && is_text(kv->value))
			return str_from(kv->value->string_value);
	}
	return str_from(o->name);
}

/* Whether the owner is about a request or a tool, by what it has; an event of a span that does not say is about what the span is.
 */
static bool
is_about_call(const struct dropper *d, struct owner *o)
{
	if (o->about != ABOUT_UNKNOWN)
		return o->about == ABOUT_CALL;
	o->about = ABOUT_NOTHING;
	for (size_t i = 0; i < o->count && o->about != ABOUT_TOOL; i++) {
		const OtlpKeyValue *kv = o->attrs[i];
		const struct content_rule *rule = kv ? content_rule_of(&d->index, str_from(kv->key)) : NULL;

		if (!rule || (rule->value && !(is_text(kv->value) && strcmp(kv->value->string_value, rule->value) == 0)))
			continue;
		if (rule->kind == CONTENT_OF_TOOL)
			o->about = ABOUT_TOOL;
		else if (rule->kind == CONTENT_OF_CALL)
			o->about = ABOUT_CALL;
	}
	if (o->about == ABOUT_NOTHING && o->within)
		o->about = o->within->about;
	return o->about == ABOUT_CALL;
}

static bool
rule_applies(const struct content_rule *rule, const struct owner *o, const OtlpAnyValue *v)
{
	if ((rule->flags & CONTENT_WORDS && is_count(v)) || (rule->flags & CONTENT_NOT_POINTS && o->is_point))
		return false;
	return !(rule->except && any_pattern_matches(rule->except, name_of(o))) &&
	       !(rule->only && !any_pattern_matches(rule->only, name_of(o)));
}

/* --- texts --- */

/* Puts a text in the place of another. */
static void
put_text(struct dropper *d, char **text, struct str with)
{
	char *copy;

	if (str_eq(str_from(*text), with))
		return;
	copy = arena_take(d->arena, with.len + 1);
	if (!copy) {
		d->failed = true;
		return;
	}
	memcpy(copy, with.ptr, with.len);
	copy[with.len] = '\0';
	*text = copy;
	d->dropped++;
}

static void
shorten_error(struct dropper *d, char **text)
{
	char line[CONTENT_ERROR_MAX + 1];
	size_t len = error_text(str_from(*text), line, sizeof(line));

	put_text(d, text, (struct str){ line, len });
}

/* A sentence that ends in the text of an error, which is said to come: "API error for …. Error: …" */
static void
drop_in_sentence(struct dropper *d, struct owner *o, char **text)
{
	static const char mark[] = "Error: ";
	char line[CONTENT_ERROR_MAX + 1];
	const char *at = strstr(*text, mark);
	size_t head = at ? (size_t)(at - *text) + sizeof(mark) - 1 : 0, len;

	if (!at && !o->has_error)
		return;
	if (!is_about_call(d, o)) {
		put_text(d, text, (struct str){ *text, head });
		return;
	}
	if (head > CONTENT_ERROR_MAX / 2)
		head = 0;
	len = error_text(str_from(*text + head), line, sizeof(line) - head);
	memmove(line + head, line, len + 1);
	memcpy(line, *text, head);
	put_text(d, text, (struct str){ line, head + len });
}

/* Cuts a URL after its path. */
static void
cut_address(struct dropper *d, char **text)
{
	put_text(d, text, (struct str){ *text, strcspn(*text, "?#") });
}

/* --- attributes --- */

/* Returns whether the attribute is to go; what may stay of it is made fit to. */
static bool
drop_attribute(struct dropper *d, struct owner *o, OtlpKeyValue *kv)
{
	const struct content_rule *rule = content_rule_of(&d->index, str_from(kv->key));

	if (!rule || !rule_applies(rule, o, kv->value))
		return drop_in_value(d, o, kv->value);
	switch (rule->kind) {
	case CONTENT_TEXT:
		return true;
	case CONTENT_ERROR:
		o->has_error = true;
		if (!is_text(kv->value) || !is_about_call(d, o))
			return true;
		shorten_error(d, &kv->value->string_value);
		return false;
	case CONTENT_ADDRESS:
		if (is_text(kv->value))
			cut_address(d, &kv->value->string_value);
		return false;
	default:
		return drop_in_value(d, o, kv->value);
	}
}

/* Drops what is content out of a list, whose order stays; returns how many. */
static size_t
drop_in_list(struct dropper *d, struct owner *o, size_t *count, OtlpKeyValue **list)
{
	size_t gone = 0, kept = 0;

	for (size_t i = 0; i < *count; i++) {
		if (drop_attribute(d, o, list[i])) {
			list[i] = NULL;
			gone++;
		}
	}
	if (gone == 0)
		return 0;
	for (size_t i = 0; i < *count; i++) {
		if (list[i])
			list[kept++] = list[i];
	}
	*count = kept;
	d->dropped += gone;
	return gone;
}

/* A value stays, without what is content in it. Returns false, for its callers. */
static bool
drop_in_value(struct dropper *d, struct owner *o, OtlpAnyValue *v)
{
	if (!v)
		return false;
	if (v->value_case == OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_KVLIST_VALUE) {
		drop_in_list(d, o, &v->kvlist_value->n_values, v->kvlist_value->values);
	} else if (v->value_case == OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_ARRAY_VALUE) {
		for (size_t i = 0; i < v->array_value->n_values; i++)
			drop_in_value(d, o, v->array_value->values[i]);
	}
	return false;
}

/* Drops attributes of their owner; counts them where ret_count is. */
static void
drop_attributes(struct dropper *d, struct owner *o, size_t *count, OtlpKeyValue **attrs, uint32_t *ret_count)
{
	size_t gone;

	o->attrs = attrs;
	o->count = *count;
	gone = drop_in_list(d, o, count, attrs);
	o->count = *count;
	if (ret_count)
		*ret_count = gone > UINT32_MAX - *ret_count ? UINT32_MAX : *ret_count + (uint32_t)gone;
}

static void
drop_in_origin(struct dropper *d, Resource *resource, Scope *scope)
{
	if (resource)
		drop_attributes(d, &(struct owner){ 0 }, &resource->n_attributes, resource->attributes,
				&resource->dropped_attributes_count);
	if (scope)
		drop_attributes(d, &(struct owner){ 0 }, &scope->n_attributes, scope->attributes,
				&scope->dropped_attributes_count);
}

/* --- log records --- */

/* Events of earlier GenAI conventions: their body is the message. */
static const char *const message_events[] = { "gen_ai.assistant.message",
					      "gen_ai.choice",
					      "gen_ai.content.completion",
					      "gen_ai.content.prompt",
					      "gen_ai.developer.message",
					      "gen_ai.system.message",
					      "gen_ai.tool.message",
					      "gen_ai.user.message",
					      NULL };

static void
drop_in_log_record(struct dropper *d, OtlpLogRecord *r)
{
	struct owner o = { .name = r->event_name };

	drop_attributes(d, &o, &r->n_attributes, r->attributes, &r->dropped_attributes_count);
	if (!r->body)
		return;
	if (any_pattern_matches(message_events, name_of(&o))) {
		r->body = NULL;
		d->dropped++;
	} else if (is_text(r->body)) {
		drop_in_sentence(d, &o, &r->body->string_value);
	} else {
		drop_in_value(d, &o, r->body);
	}
}

static void
drop_in_logs(struct dropper *d, Opentelemetry__Proto__Collector__Logs__V1__ExportLogsServiceRequest *req)
{
	for (size_t i = 0; i < req->n_resource_logs; i++) {
		Opentelemetry__Proto__Logs__V1__ResourceLogs *rl = req->resource_logs[i];

		drop_in_origin(d, rl->resource, NULL);
		for (size_t k = 0; k < rl->n_scope_logs; k++) {
			Opentelemetry__Proto__Logs__V1__ScopeLogs *sl = rl->scope_logs[k];

			drop_in_origin(d, NULL, sl->scope);
			for (size_t n = 0; n < sl->n_log_records; n++)
				drop_in_log_record(d, sl->log_records[n]);
		}
	}
}

/* --- spans --- */

static void
drop_in_status(struct dropper *d, struct owner *span, Opentelemetry__Proto__Trace__V1__Status *status)
{
	if (is_about_call(d, span))
		shorten_error(d, &status->message);
	else
		put_text(d, &status->message, STR(""));
}

static void
drop_in_span(struct dropper *d, OtlpSpan *s)
{
	struct owner o = { .name = s->name };

	drop_attributes(d, &o, &s->n_attributes, s->attributes, &s->dropped_attributes_count);
	if (s->status && s->status->message[0])
		drop_in_status(d, &o, s->status);
	if (s->n_events > 0)
		is_about_call(d, &o);
	for (size_t i = 0; i < s->n_events; i++) {
		SpanEvent *e = s->events[i];
		struct owner event = { .name = e->name, .within = &o };

		drop_attributes(d, &event, &e->n_attributes, e->attributes, &e->dropped_attributes_count);
	}
	for (size_t i = 0; i < s->n_links; i++)
		drop_attributes(d, &(struct owner){ .within = &o }, &s->links[i]->n_attributes, s->links[i]->attributes,
				&s->links[i]->dropped_attributes_count);
}

static void
drop_in_traces(struct dropper *d, Opentelemetry__Proto__Collector__Trace__V1__ExportTraceServiceRequest *req)
{
	for (size_t i = 0; i < req->n_resource_spans; i++) {
		Opentelemetry__Proto__Trace__V1__ResourceSpans *rs = req->resource_spans[i];

		drop_in_origin(d, rs->resource, NULL);
		for (size_t k = 0; k < rs->n_scope_spans; k++) {
			Opentelemetry__Proto__Trace__V1__ScopeSpans *ss = rs->scope_spans[k];

			drop_in_origin(d, NULL, ss->scope);
			for (size_t n = 0; n < ss->n_spans; n++)
				drop_in_span(d, ss->spans[n]);
		}
	}
}

/* --- metrics --- */

static void
drop_in_point(struct dropper *d, const Metric *m, size_t *count, OtlpKeyValue **attrs, size_t exemplar_count,
	      Exemplar **exemplars)
{
	drop_attributes(d, &(struct owner){ .name = m->name, .is_point = true }, count, attrs, NULL);
	for (size_t i = 0; i < exemplar_count; i++)
		drop_attributes(d, &(struct owner){ .name = m->name }, &exemplars[i]->n_filtered_attributes,
				exemplars[i]->filtered_attributes, NULL);
}

/* Points of each type have these members alike. */
#define DROP_IN_POINTS(d, m, data)                                                                                               \
	for (size_t i_ = 0; i_ < (data)->n_data_points; i_++)                                                                    \
	drop_in_point((d), (m), &(data)->data_points[i_]->n_attributes, (data)->data_points[i_]->attributes,                     \
		      (data)->data_points[i_]->n_exemplars, (data)->data_points[i_]->exemplars)

static void
drop_in_metric(struct dropper *d, Metric *m)
{
	size_t before;

	drop_attributes(d, &(struct owner){ .name = m->name }, &m->n_metadata, m->metadata, NULL);
	before = d->dropped;
	switch (m->data_case) {
	case OPENTELEMETRY__PROTO__METRICS__V1__METRIC__DATA_GAUGE:
		DROP_IN_POINTS(d, m, m->gauge);
		break;
	case OPENTELEMETRY__PROTO__METRICS__V1__METRIC__DATA_SUM:
		DROP_IN_POINTS(d, m, m->sum);
		break;
	case OPENTELEMETRY__PROTO__METRICS__V1__METRIC__DATA_HISTOGRAM:
		DROP_IN_POINTS(d, m, m->histogram);
		break;
	case OPENTELEMETRY__PROTO__METRICS__V1__METRIC__DATA_EXPONENTIAL_HISTOGRAM:
		DROP_IN_POINTS(d, m, m->exponential_histogram);
		break;
	case OPENTELEMETRY__PROTO__METRICS__V1__METRIC__DATA_SUMMARY:
		for (size_t i = 0; i < m->summary->n_data_points; i++)
			drop_in_point(d, m, &m->summary->data_points[i]->n_attributes, m->summary->data_points[i]->attributes, 0,
				      NULL);
		break;
	default:
		break;
	}
	if (d->dropped > before)
		content_merge_points(m);
}

static void
drop_in_metrics(struct dropper *d, Opentelemetry__Proto__Collector__Metrics__V1__ExportMetricsServiceRequest *req)
{
	for (size_t i = 0; i < req->n_resource_metrics; i++) {
		Opentelemetry__Proto__Metrics__V1__ResourceMetrics *rm = req->resource_metrics[i];

		drop_in_origin(d, rm->resource, NULL);
		for (size_t k = 0; k < rm->n_scope_metrics; k++) {
			Opentelemetry__Proto__Metrics__V1__ScopeMetrics *sm = rm->scope_metrics[k];

			drop_in_origin(d, NULL, sm->scope);
			for (size_t n = 0; n < sm->n_metrics; n++)
				drop_in_metric(d, sm->metrics[n]);
		}
	}
}

/* --- all signals --- */

enum verdict
content_drop(struct otlp_request *req, struct arena *a, size_t *ret_dropped)
{
	struct dropper d = { .arena = a };

	content_index_init(&d.index);
	if (req->signal == OTLP_LOGS)
		drop_in_logs(&d, req->logs);
	else if (req->signal == OTLP_TRACES)
		drop_in_traces(&d, req->traces);
	else
		drop_in_metrics(&d, req->metrics);
	if (d.failed)
		return arena_verdict(a);
	*ret_dropped = d.dropped;
	return VERDICT_OK;
}
