#include "enrich.h"

#include "attribute.h"
#include "error.h"
#include "error_text.h"

#define PICO_PER_USD 1e12

/* Which kinds an attribute is for. */
#define ON(kind)  (1u << SPAN_##kind)
#define ON_ALL    (ON(CHAIN) | ON(AGENT) | ON(LLM) | ON(TOOL))
#define ON_CALLS  (ON(LLM) | ON(TOOL))
#define ON_MODELS (ON(LLM))

/* Everything that attributes are made of, worked out once. */
struct facts {
	const struct enrichment *x;
	struct tokens tokens;
	bool has_tokens;
	int64_t cost;
	bool has_cost, estimated;
	bool own_cost; /* of the record itself */
	bool failed;
	struct str error_type, error_message, original_type;
	char message[ERROR_TEXT_SIZE];
};

struct told {
	enum { TOLD_NOTHING, TOLD_TEXT, TOLD_INT, TOLD_DOUBLE, TOLD_BOOL } type;
	struct str text;
	int64_t n;
	double d;
};

static struct told
text(struct str s)
{
	return (struct told){ s.len ? TOLD_TEXT : TOLD_NOTHING, .text = s };
}

static struct told
number(bool known, uint64_t n)
{
	return (struct told){ known ? TOLD_INT : TOLD_NOTHING, .n = n > INT64_MAX ? INT64_MAX : (int64_t)n };
}

/* --- what is told of each attribute --- */

static struct str
first(struct str a, struct str b)
{
	return a.len ? a : b;
}

/* The record's own word, else the log's. */
#define OF_CALL(f, member) first((f)->x->o->member, (f)->x->call ? (f)->x->call->o.member : (struct str){ 0 })

static struct str
model_of(const struct facts *f)
{
	const struct str model = OF_CALL(f, model);

	return first(model, f->x->session ? str_from(f->x->session->model) : (struct str){ 0 });
}

static struct told
session_id(const struct facts *f)
{
	return text(f->x->session_id);
}

static struct told
serves(const struct facts *f)
{
	return text(str_from(f->x->provider->serves));
}

static struct told
operation(const struct facts *f)
{
	static const char *const names[SPAN_KIND_COUNT] = {
		[SPAN_AGENT] = "invoke_agent", [SPAN_LLM] = "chat", [SPAN_TOOL] = "execute_tool"
	};

	return text(str_from(names[f->x->kind]));
}

static struct told
kind(const struct facts *f)
{
	static const char *const names[SPAN_KIND_COUNT] = { "CHAIN", "AGENT", "LLM", "TOOL" };

	return text(f->x->typed ? str_from(names[f->x->kind]) : (struct str){ 0 });
}

static struct told
model(const struct facts *f)
{
	return text(model_of(f));
}

static struct told
input(const struct facts *f)
{
	return number(f->has_tokens, f->tokens.input);
}

static struct told
output(const struct facts *f)
{
	return number(f->has_tokens, f->tokens.output);
}

static struct told
total(const struct facts *f)
{
	return number(f->has_tokens, f->tokens.input + f->tokens.output);
}

static struct told
cache_read(const struct facts *f)
{
	return number(f->has_tokens, f->tokens.cache_read);
}

static struct told
cache_write(const struct facts *f)
{
	return number(f->has_tokens, f->tokens.cache_write);
}

static struct told
reasoning(const struct facts *f)
{
	return number(f->has_tokens, f->tokens.reasoning);
}

static struct told
cost(const struct facts *f)
{
	return (struct told){ f->has_cost ? TOLD_DOUBLE : TOLD_NOTHING, .d = (double)f->cost / PICO_PER_USD };
}

static struct told
cost_estimated(const struct facts *f)
{
	return (struct told){ f->has_cost ? TOLD_BOOL : TOLD_NOTHING, .n = f->estimated };
}

static struct told
tool(const struct facts *f)
{
	return text(OF_CALL(f, tool));
}

static struct told
call_id(const struct facts *f)
{
	return text(OF_CALL(f, call_id));
}

static struct told
error_type(const struct facts *f)
{
	return text(f->error_type);
}

static struct told
error_message(const struct facts *f)
{
	return text(f->error_message);
}

static struct told
error_original(const struct facts *f)
{
	return text(f->original_type);
}

static struct told
project(const struct facts *f)
{
	const struct str own = f->x->o->project_name;

	return text(first(own, f->x->session ? str_from(f->x->session->project_name) : (struct str){ 0 }));
}

/* The names of operations that the GenAI conventions have; Gemini CLI uses the names of its functions. */
static const char *const operations[] = { "chat",         "create_agent",    "embeddings", "execute_tool", "generate_content",
					  "invoke_agent", "text_completion", NULL };

/* What becomes of a value that the record brings. */
enum native { STAYS, STAYS_IF_KNOWN, STAYS_WITH_COST, IS_REPLACED };

/* The attributes, in the order in which they are added. */
static const struct {
	const char *key;
	unsigned kinds;
	enum native native;
	struct told (*tell)(const struct facts *f);
} rules[] = {
	{ "session.id", ON_ALL, STAYS, session_id },
	{ "gen_ai.conversation.id", ON_ALL, STAYS, session_id },
	{ "gen_ai.provider.name", ON_ALL, STAYS, serves },
	{ "gen_ai.system", ON_ALL, STAYS, serves },
	{ "gen_ai.operation.name", ON_ALL, STAYS_IF_KNOWN, operation },
	{ "openinference.span.kind", ON_ALL, STAYS, kind },
	{ "project.name", ON_ALL, STAYS, project },
	{ "gen_ai.request.model", ON_MODELS, STAYS, model },
	{ "llm.model_name", ON_MODELS, STAYS, model },
	{ "gen_ai.usage.input_tokens", ON_MODELS, IS_REPLACED, input },
	{ "gen_ai.usage.output_tokens", ON_MODELS, IS_REPLACED, output },
	{ "gen_ai.usage.cache_read.input_tokens", ON_MODELS, IS_REPLACED, cache_read },
	{ "gen_ai.usage.cache_write.input_tokens", ON_MODELS, IS_REPLACED, cache_write },
	{ "gen_ai.usage.reasoning.output_tokens", ON_MODELS, IS_REPLACED, reasoning },
	{ "gen_ai.usage.cost_usd", ON_MODELS, IS_REPLACED, cost },
	{ "cost.estimated", ON_MODELS, STAYS_WITH_COST, cost_estimated },
	{ "llm.token_count.prompt", ON_MODELS, IS_REPLACED, input },
	{ "llm.token_count.completion", ON_MODELS, IS_REPLACED, output },
	{ "llm.token_count.total", ON_MODELS, IS_REPLACED, total },
	{ "llm.token_count.prompt_details.cache_read", ON_MODELS, IS_REPLACED, cache_read },
	{ "llm.token_count.prompt_details.cache_write", ON_MODELS, IS_REPLACED, cache_write },
	{ "llm.token_count.completion_details.reasoning", ON_MODELS, IS_REPLACED, reasoning },
	{ "gen_ai.tool.name", ON(TOOL), STAYS, tool },
	{ "tool.name", ON(TOOL), STAYS, tool },
	{ "gen_ai.tool.call.id", ON(TOOL), STAYS, call_id },
	{ "error.original_type", ON_CALLS, STAYS, error_original },
	{ "error.type", ON_CALLS, IS_REPLACED, error_type },
	{ "error.message", ON_CALLS, STAYS, error_message },
};

_Static_assert(sizeof(rules) / sizeof(rules[0]) <= ENRICH_MAX, "room for each of them");

/* --- working it out --- */

static void
work_out_usage(struct facts *f)
{
	const struct enrichment *x = f->x;

	if (x->call && x->call->o.means == MEANS_RESPONSE) {
		f->tokens = x->call->o.tokens;
		f->has_tokens = true;
		f->cost = x->call->cost;
		f->has_cost = x->call->has_cost;
		f->estimated = x->call->estimated;
		return;
	}
	f->tokens = x->o->tokens;
	f->has_tokens = (x->o->flags & OBS_HAS_TOKENS) != 0;
	f->cost = x->o->cost;
	f->has_cost = f->own_cost = x->o->has_cost;
	if (f->has_tokens && !f->has_cost && x->prices) {
		struct observation o = *x->o;

		o.model = model_of(f);
		const struct price_quote q = price_request(x->prices, &o);
		f->cost = q.cost;
		f->has_cost = true;
		f->estimated = q.estimated;
	}
}

/* Its text may have been cut since it was looked at. */
static enum error_class
class_of(const struct observation *o)
{
	return o->error != ERROR_NONE ? o->error : error_classify(o->status, o->error_type, o->error_message);
}

/* Calls to models fail in one of a few ways, of which the log tells more; tools in their own. */
static void
work_out_error(struct facts *f)
{
	const struct enrichment *x = f->x;
	const struct observation *o = x->o, *logged = x->call ? &x->call->o : o;
	const struct str own = first(o->error_type, logged->error_type);
	enum error_class class;

	f->failed = (o->flags & OBS_FAILED) || o->means == MEANS_ERROR ||
		    (logged->means != MEANS_RESPONSE && (logged->flags & OBS_FAILED)) || logged->means == MEANS_ERROR ||
		    logged->means == MEANS_FAULT;
	if (!f->failed)
		return;
	if (x->kind == SPAN_TOOL) {
		f->error_type = first(own, STR("tool_error"));
		return;
	}
	f->error_message.len = error_text(first(logged->error_message, o->error_message), f->message, sizeof(f->message));
	f->error_message.ptr = f->message;
	class = class_of(logged);
	if (class == ERROR_UNKNOWN)
		class = class_of(o);
	f->error_type = str_from(error_class_name(class));
	if (!str_eq(own, f->error_type))
		f->original_type = own;
}

static void
add(struct attributes *to, const char *key, const struct told *t, bool ours)
{
	switch (t->type) {
	case TOLD_TEXT:
		attributes_text(to, key, t->text, ours);
		break;
	case TOLD_INT:
		attributes_int(to, key, t->n, ours);
		break;
	case TOLD_DOUBLE:
		attributes_double(to, key, t->d, ours);
		break;
	case TOLD_BOOL:
		attributes_bool(to, key, t->n != 0, ours);
		break;
	default:
		break;
	}
}

static bool
is_replaced(const struct attributes *to, const struct facts *f, const char *key, enum native native)
{
	switch (native) {
	case STAYS_IF_KNOWN:
		return !any_pattern_matches(operations, attributes_get_text(to, key));
	case STAYS_WITH_COST:
		return !f->own_cost; /* another broker may have said both */
	default:
		return native == IS_REPLACED;
	}
}

bool
enrich_attributes(const struct enrichment *x, OtlpKeyValue ***list, size_t *count, struct arena *a)
{
	struct facts f = { .x = x };
	struct attributes to = attributes_of(*list, *count, ENRICH_MAX, a);

	work_out_usage(&f);
	work_out_error(&f);
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (rules[i].kinds & 1u << x->kind) {
			const struct told t = rules[i].tell(&f);

			add(&to, rules[i].key, &t, is_replaced(&to, &f, rules[i].key, rules[i].native));
		}
	}
	if (to.failed)
		return false;
	*list = to.list;
	*count = to.count;
	return true;
}
