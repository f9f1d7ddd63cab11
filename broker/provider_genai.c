/*
 * Any emitter of the OpenTelemetry GenAI semantic conventions. Its spans are the source, by gen_ai.operation.name; the
 * operation-details event of the same call is a second record of it and is told apart by its span id.
 */
#include "provider.h"

/* A call to the model: may be recorded twice, and by an emitter without sessions. */
#define CALL (OBS_OPENS | OBS_TWICE | OBS_ANONYMOUS)

static const char *const none[] = { NULL };

static const struct field_rule field_rules[] = {
	{ "conversation.id", F_SESSION_ALT },
	{ "error.message", F_ERROR_MESSAGE },
	{ "error.type", F_ERROR_TYPE },
	{ "event.name", F_EVENT },
	{ "gen_ai.agent.name", F_SOURCE },
	{ "gen_ai.conversation.id", F_SESSION },
	{ "gen_ai.operation.name", F_OPERATION },
	{ "gen_ai.request.model", F_MODEL_ALT },
	{ "gen_ai.response.id", F_REQUEST_ID },
	{ "gen_ai.response.model", F_MODEL },
	{ "gen_ai.tool.call.id", F_CALL_ID },
	{ "gen_ai.tool.name", F_TOOL },
	{ "gen_ai.usage.cache_creation.input_tokens", F_CACHE_WRITE },
	{ "gen_ai.usage.cache_read.input_tokens", F_CACHE_READ },
	{ "gen_ai.usage.cache_write.input_tokens", F_CACHE_WRITE },
	{ "gen_ai.usage.cost_usd", F_COST_USD },
	{ "gen_ai.usage.input_tokens", F_INPUT },
	{ "gen_ai.usage.output_tokens", F_OUTPUT },
	{ "gen_ai.usage.reasoning.output_tokens", F_REASONING },
	{ "http.response.status_code", F_STATUS },
	{ "session.id", F_SESSION_ALT },
};

/* A call without usage and with an error is a failed one. */
static void
refine_call(const struct fields *f, struct observation *o)
{
	if (!field_has(f, F_INPUT) && !field_has(f, F_OUTPUT) && (field_has(f, F_ERROR_TYPE) || (o->flags & OBS_FAILED)))
		o->means = MEANS_ERROR;
}

/* An agent's own root is a turn; one within another trace's work is a step of it. */
static void
refine_agent(const struct fields *f, struct observation *o)
{
	(void)f;
	if (!(o->flags & OBS_ROOT))
		o->means = MEANS_ACTIVITY;
}

static const struct meaning_rule event_rules[] = {
	{ "gen_ai.client.inference.operation.details", .when = { HAS(F_INPUT) }, .means = MEANS_RESPONSE, .flags = CALL },
};

static const struct meaning_rule span_rules[] = {
	{ "*", .when = { IS(F_OPERATION, "chat") }, .means = MEANS_RESPONSE, .flags = CALL, .refine = refine_call },
	{ "*", .when = { IS(F_OPERATION, "execute_tool") }, .means = MEANS_TOOL, .flags = OBS_OPENS | OBS_ANONYMOUS },
	{ "*", .when = { IS(F_OPERATION, "generate_content") }, .means = MEANS_RESPONSE, .flags = CALL, .refine = refine_call },
	{ "*", .when = { IS(F_OPERATION, "invoke_agent") }, .means = MEANS_TURN_END, .refine = refine_agent },
	{ "*", .when = { IS(F_OPERATION, "text_completion") }, .means = MEANS_RESPONSE, .flags = CALL, .refine = refine_call },
};

static const struct kind_rule kind_rules[] = {
	{ "*", .when = { IS(F_OPERATION, "chat") }, .kind = SPAN_LLM },
	{ "*", .when = { IS(F_OPERATION, "execute_tool") }, .kind = SPAN_TOOL },
	{ "*", .when = { IS(F_OPERATION, "generate_content") }, .kind = SPAN_LLM },
	{ "*", .when = { IS(F_OPERATION, "invoke_agent") }, .kind = SPAN_AGENT },
	{ "*", .when = { IS(F_OPERATION, "text_completion") }, .kind = SPAN_LLM },
};

const struct provider provider_genai = {
	.name = "genai",
	.services = none,
	.scopes = none,
	.prefixes = none,
	RULES(field),
	RULES(event),
	RULES(span),
	RULES(kind),
	.spans_tell_all = true,
};
