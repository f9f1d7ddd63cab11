/*
 * Providers: the CLIs we know, as tables. A table says which attribute is which field and what each event and span means;
 * it is the only place that knows a CLI's names. Pure: a record in, at most one observation out.
 */
#ifndef AGENTBUS_PROVIDER_H
#define AGENTBUS_PROVIDER_H

#include "field.h"

#define RULE_CONDITIONS 3

/*
 * What an event or span of that name means. Tables are sorted by name; of several rows with one name the first whose
 * conditions all hold is taken.
 */
struct meaning_rule {
	const char *name;
	struct condition when[RULE_CONDITIONS];
	enum meaning means;
	unsigned flags;
	const char *reason; /* overrides the default word for the state that follows */
	/* What a table cannot say (numbers to compare); may change *o; NULL for most rows. */
	void (*refine)(const struct fields *f, struct observation *o);
};

/* What a span is, as OpenInference tells them apart. */
enum span_kind { SPAN_CHAIN, SPAN_AGENT, SPAN_LLM, SPAN_TOOL, SPAN_KIND_COUNT };

/* Which spans are more than a step between others; the first row whose name and conditions hold is taken. "*": any name. */
struct kind_rule {
	const char *name;
	struct condition when[RULE_CONDITIONS];
	enum span_kind kind;
};

/* What a CLI does after a failed request that ended with such a status, where its record does not say. */
struct retry_rule {
	unsigned first, last; /* HTTP; 0: there was none */
	unsigned flags;       /* OBS_FINAL or OBS_RETRIED; 0 ends a table */
};

struct provider {
	const char *name;
	const char *serves;          /* gen_ai.provider.name: whose models it uses, where its records do not say */
	const char *const *services; /* service.name patterns ('*' at the end: prefix), ends in NULL */
	const char *const *scopes;   /* instrumentation scope patterns, ends in NULL */
	const char *const *prefixes; /* what event names may begin with; the first match is cut off; ends in NULL */
	const char *const *shared;   /* service.name patterns of processes that serve several sessions, ends in NULL */
	const struct field_rule *fields;
	size_t field_count;
	const struct meaning_rule *events;
	size_t event_count;
	const struct meaning_rule *spans;
	size_t span_count;
	const struct meaning_rule *hooks; /* by the name of the hook's event; what they mean is told */
	size_t hook_count;
	const struct kind_rule *kinds;
	size_t kind_count;
	const struct retry_rule *retries;   /* the first that holds; NULL: nothing is known */
	const struct condition *background; /* any of them holds: OBS_BACKGROUND; ends in F_NONE */
	/* Spans that a person looks for in a trace: their names without prefix or patterns, ends in NULL. NULL: all of them are.
	 */
	const char *const *outline;
	const char *const *outline_marks; /* attributes that only such spans have, ends in NULL; may be NULL */
	bool input_excludes_cache;        /* input tokens come without cache reads and writes */
	bool output_excludes_reasoning;   /* output tokens come without reasoning */
	bool logs_cost;                   /* its log records tell what an answer cost, its spans do not */
	bool spans_tell_all;              /* nothing of a call is only in log records */
	bool marks_turn;                  /* where it exports spans, the end of each turn is one */
};

#define RULES(array) .array##s = array##_rules, .array##_count = sizeof(array##_rules) / sizeof(array##_rules[0])

extern const struct provider provider_claude, provider_codex, provider_gemini, provider_qwen, provider_genai;

/* All providers, the specific ones first; ends in NULL. */
extern const struct provider *const providers[];

/* What the records of one resource have in common. */
struct resource_view {
	const struct provider *provider; /* by service.name; NULL: not known by it */
	struct str service_name, process, session, project_name;
	uint32_t pid;
	uint64_t now_ns; /* arrival, by the broker's clock */
	uint64_t peer;
	size_t max_attributes; /* of the resource, and of each record, span and event: further ones are passed over */
};

/* Reads a resource. attrs may be NULL if count is 0. The views point into it. scratch holds what must be joined. */
struct resource_view provider_resource(OtlpKeyValue **attrs, size_t count, size_t max_attributes, uint64_t peer, uint64_t now_ns,
				       struct arena *scratch);

/* The provider by service.name, else by scope; NULL if neither tells: then the record's own event name may. */
const struct provider *provider_of_scope(const struct resource_view *r, const char *scope);

/* Whose record this is: p, else by the record's own name. Never NULL. */
const struct provider *provider_of_log(const struct provider *p, const struct resource_view *r, const OtlpLogRecord *rec);

/* The row of that name whose conditions hold, else a row named "*"; NULL if there is none. */
const struct meaning_rule *provider_rule(const struct meaning_rule *rules, size_t count, struct str name, const struct fields *f);

/* Reads a log record or span, whatever it means: MEANS_NOTHING too. The span's kind is returned. */
void provider_read_log(const struct provider *p, const struct resource_view *r, const OtlpLogRecord *rec,
		       struct observation *ret);
enum span_kind provider_read_span(const struct provider *p, const struct resource_view *r, const OtlpSpan *span,
				  struct observation *ret);

/* Puts a log record into words. provider may be NULL. Returns false if it says nothing. *ret is untouched then. */
bool provider_log(const struct provider *p, const struct resource_view *r, const OtlpLogRecord *rec, struct observation *ret);

/* The same for a span. */
bool provider_span(const struct provider *p, const struct resource_view *r, const OtlpSpan *span, struct observation *ret);

/* Whether a span is about the CLI's own inside: the provider has an outline, and this is not part of it. p may be NULL. */
bool provider_span_is_internal(const struct provider *p, const OtlpSpan *span);

#endif
