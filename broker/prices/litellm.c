#include "prices/litellm.h"

#include "prices/price_json.h"
#include "prices/price_value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 32
#define SOURCE    "LiteLLM"

static const struct {
	const char *key;
	enum price_kind kind;
} rates[] = {
	{ "input_cost_per_token", PRICE_INPUT },
	{ "output_cost_per_token", PRICE_OUTPUT },
	{ "cache_read_input_token_cost", PRICE_CACHE_READ },
	{ "cache_creation_input_token_cost", PRICE_CACHE_WRITE_5M },
	{ "cache_creation_input_token_cost_above_1hr", PRICE_CACHE_WRITE_1H },
};

const char *
litellm_reason_words(enum litellm_reason reason)
{
	static const char *const words[LITELLM_REASONS] = {
		[LITELLM_OTHER_MODE] = "for something else than chat or responses",
		[LITELLM_NO_RATES] = "without a rate for input and output",
		[LITELLM_BAD_RATES] = "with rates that cannot be kept exactly",
		[LITELLM_BAD_NAME] = "with a name that is too long, has spaces or is there twice",
		[LITELLM_BAD_TIERS] = "with too many tiers",
		[LITELLM_TOO_MANY] = "too many",
	};

	return words[reason];
}

/* --- one model --- */

/* "_above_200k_tokens" */
static bool
read_suffix(const char *suffix, uint64_t *ret_above)
{
	static const char begin[] = "_above_", end[] = "k_tokens";
	char *rest;

	if (strncmp(suffix, begin, sizeof(begin) - 1) != 0)
		return false;
	suffix += sizeof(begin) - 1;
	if (*suffix < '0' || *suffix > '9' || strspn(suffix, "0123456789") > 9)
		return false;
	*ret_above = strtoull(suffix, &rest, 10) * 1000;
	return strcmp(rest, end) == 0 && *ret_above > 0;
}

/* Whether a key is a rate; above 0 it is the one for larger requests. */
static bool
find_rate(const char *key, enum price_kind *ret_kind, uint64_t *ret_above)
{
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		const size_t len = strlen(rates[i].key);

		*ret_above = 0;
		*ret_kind = rates[i].kind;
		if (strcmp(key, rates[i].key) == 0)
			return true;
		if (strncmp(key, rates[i].key, len) == 0 && read_suffix(key + len, ret_above))
			return true;
	}
	return false;
}

/* The tier for requests above so many tokens, new if need be and in its place; NULL if there are too many. */
static struct price_tier *
tier_above(struct price *p, uint64_t above)
{
	size_t i = 0;

	while (i < p->tier_count && p->tiers[i].above < above)
		i++;
	if (i < p->tier_count && p->tiers[i].above == above)
		return &p->tiers[i];
	if (p->tier_count == PRICE_TIERS_MAX + 1)
		return NULL;
	memmove(&p->tiers[i + 1], &p->tiers[i], (p->tier_count - i) * sizeof(p->tiers[0]));
	p->tier_count++;
	p->tiers[i] = (struct price_tier){ .above = above };
	for (enum price_kind k = 0; k < PRICE_KIND_COUNT; k++)
		p->tiers[i].rates[k] = PRICE_UNSET;
	return &p->tiers[i];
}

/* Where a larger request has no rate of its own, the usual one holds. */
static void
fill_tiers(struct price *p)
{
	for (size_t i = 1; i < p->tier_count; i++)
		for (enum price_kind k = 0; k < PRICE_KIND_COUNT; k++)
			if (p->tiers[i].rates[k] == PRICE_UNSET)
				p->tiers[i].rates[k] = p->tiers[0].rates[k];
}

/* Returns LITELLM_REASONS if all is well. */
static enum litellm_reason
read_rates(const cJSON *model, struct price *p)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, model)
	{
		enum price_kind kind;
		uint64_t above;

		if (cJSON_IsNull(item) || !find_rate(item->string, &kind, &above))
			continue;
		struct price_tier *t = tier_above(p, above);

		if (!t)
			return LITELLM_BAD_TIERS;
		if (!cJSON_IsNumber(item) || !price_pico_of_number(item->valuedouble, PRICE_RATE_MAX, &t->rates[kind]))
			return LITELLM_BAD_RATES;
	}
	if (p->tiers[0].rates[PRICE_INPUT] == PRICE_UNSET || p->tiers[0].rates[PRICE_OUTPUT] == PRICE_UNSET)
		return LITELLM_NO_RATES;
	fill_tiers(p);
	return LITELLM_REASONS;
}

/* Text as a price file takes it for a name. */
static bool
copy_name(const char *text, char *out, size_t size)
{
	const size_t len = strlen(text);

	if (len == 0 || len >= size)
		return false;
	for (const unsigned char *c = (const unsigned char *)text; *c; c++)
		if (*c <= ' ' || *c == 0x7f)
			return false;
	memcpy(out, text, len + 1);
	return true;
}

static bool
is_conversation(const cJSON *mode)
{
	return cJSON_IsString(mode) && (strcmp(mode->valuestring, "chat") == 0 || strcmp(mode->valuestring, "responses") == 0);
}

static enum litellm_reason
read_model(const cJSON *model, const char *as_of, struct price *p)
{
	const cJSON *provider = cJSON_GetObjectItemCaseSensitive(model, "litellm_provider");

	*p = (struct price){ .until_ns = UINT64_MAX };
	tier_above(p, 0);
	if (!is_conversation(cJSON_GetObjectItemCaseSensitive(model, "mode")))
		return LITELLM_OTHER_MODE;
	if (!copy_name(model->string, p->name, sizeof(p->name)))
		return LITELLM_BAD_NAME;
	if (cJSON_IsString(provider))
		copy_name(provider->valuestring, p->provider, sizeof(p->provider));
	snprintf(p->source, sizeof(p->source), "%s", SOURCE);
	snprintf(p->as_of, sizeof(p->as_of), "%s", as_of);
	return read_rates(model, p);
}

/* --- names without their provider --- */

static const struct price *
find_name(const struct price_list *l, const char *name)
{
	for (size_t i = 0; i < l->count; i++)
		if (strcmp(l->rows[i].name, name) == 0)
			return &l->rows[i];
	return NULL;
}

/* "model" of "provider/model" where LiteLLM says the same of the provider; NULL for other names. */
static const char *
bare_name(const struct price *p)
{
	const size_t len = strlen(p->provider);

	if (len == 0 || strncmp(p->name, p->provider, len) != 0 || p->name[len] != '/')
		return NULL;
	return p->name[len + 1] == '\0' || strchr(p->name + len + 1, '/') ? NULL : p->name + len + 1;
}

static bool
same_rates(const struct price *a, const struct price *b)
{
	if (a->tier_count != b->tier_count)
		return false;
	for (size_t i = 0; i < a->tier_count; i++)
		if (a->tiers[i].above != b->tiers[i].above ||
		    memcmp(a->tiers[i].rates, b->tiers[i].rates, sizeof(a->tiers[i].rates)) != 0)
			return false;
	return true;
}

/* Whether the first of these may go by its bare name: nobody else does, and those who could cost the same. */
static bool
is_free(const struct price_list *l, const struct price *p, const char *bare)
{
	if (find_name(l, bare))
		return false;
	for (size_t i = 0; i < l->count; i++) {
		const char *other = bare_name(&l->rows[i]);

		if (other && strcmp(other, bare) == 0 && !same_rates(&l->rows[i], p))
			return false;
	}
	return true;
}

/* An exact name goes before an alias, also before one that is built in: so the bare name is the name. */
static void
name_barely(struct price_list *l, size_t first)
{
	char bare[PRICE_NAME_MAX];

	for (size_t i = first; i < l->count; i++) {
		struct price *p = &l->rows[i];
		const char *name = bare_name(p);

		if (!name || !is_free(l, p, name))
			continue;
		snprintf(bare, sizeof(bare), "%s", name);
		memcpy(p->aliases[p->alias_count++], p->name, sizeof(p->name));
		memcpy(p->name, bare, sizeof(bare));
	}
}

/* --- the whole --- */

static void
take_model(const cJSON *model, const char *as_of, struct price_list *ret, struct litellm_counts *counts)
{
	struct price p;
	enum litellm_reason reason = cJSON_IsObject(model) ? read_model(model, as_of, &p) : LITELLM_OTHER_MODE;

	if (reason == LITELLM_REASONS && find_name(ret, p.name))
		reason = LITELLM_BAD_NAME;
	if (reason == LITELLM_REASONS && !price_list_add(ret, &p))
		reason = LITELLM_TOO_MANY;
	if (reason == LITELLM_REASONS)
		counts->taken++;
	else
		counts->left_out[reason]++;
}

static void
complain(struct price_report *report, const char *name, unsigned line, const char *what)
{
	char text[600];

	if (line > 0)
		snprintf(text, sizeof(text), "%.400s:%u: %s", name, line, what);
	else
		snprintf(text, sizeof(text), "%.400s: %s", name, what);
	report->errors++;
	report->line(report, text);
}

bool
litellm_parse(const char *text, size_t len, const char *name, const char *as_of, struct price_report *report,
	      struct price_list *ret, struct litellm_counts *ret_counts)
{
	struct litellm_counts counts = { 0 };
	struct price_json_error error;
	const size_t first = ret->count;
	const cJSON *model;
	cJSON *root;

	if (len > LITELLM_FILE_MAX) {
		complain(report, name, 0, "the file is too large");
		return false;
	}
	root = price_json_parse(text, len, DEPTH_MAX, &error);
	if (!root || !cJSON_IsObject(root)) {
		complain(report, name, root ? 0 : error.line, root ? "expected {\"MODEL\": {…}, …}" : error.what);
		cJSON_Delete(root);
		return false;
	}
	cJSON_ArrayForEach(model, root)
	{
		take_model(model, as_of, ret, &counts);
	}
	cJSON_Delete(root);
	name_barely(ret, first);
	*ret_counts = counts;
	return true;
}
