#include "guard.h"
#include "prices/litellm.h"
#include "prices/price_write.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

struct heard {
	struct price_report report; /* first */
	char text[2000];
};

static void
hear(struct price_report *report, const char *text)
{
	struct heard *h = (struct heard *)report;
	const size_t len = strlen(h->text);

	snprintf(h->text + len, sizeof(h->text) - len, "%s\n", text);
}

static struct heard heard;
static struct litellm_counts counts;

static bool
parse_len(const char *text, size_t len, struct price_list *ret)
{
	heard = (struct heard){ .report.line = hear };
	counts = (struct litellm_counts){ 0 };
	return litellm_parse(text, len, "lite.json", "2026-11-26", &heard.report, ret, &counts);
}

static bool
parse(const char *text, struct price_list *ret)
{
	return parse_len(text, strlen(text), ret);
}

static const struct price *
named(const struct price_list *l, const char *name)
{
	for (size_t i = 0; i < l->count; i++)
		if (strcmp(l->rows[i].name, name) == 0)
			return &l->rows[i];
	return NULL;
}

static const char sample[] =
    "{\"sample_spec\": {\"mode\": \"one of: chat, embedding\", \"input_cost_per_token\": 0.0},\n"
    " \"gpt-9\": {\"max_tokens\": 128000, \"input_cost_per_token\": 1.75e-06, \"output_cost_per_token\": 1.4e-05,\n"
    "  \"cache_read_input_token_cost\": 1.75e-07, \"cache_creation_input_token_cost\": 2e-06,\n"
    "  \"cache_creation_input_token_cost_above_1hr\": 3.5E-6, \"litellm_provider\": \"openai\", \"mode\": \"chat\",\n"
    "  \"output_cost_per_token_above_272k_tokens\": 2.8e-05, \"input_cost_per_token_above_272k_tokens\": 3.5e-06,\n"
    "  \"input_cost_per_token_above_128k_tokens\": 2e-06, \"input_cost_per_token_batches\": 8.75e-07,\n"
    "  \"search_context_cost_per_query\": {\"search_context_size_low\": 0.03}},\n"
    " \"o-x\": {\"input_cost_per_token\": 0.000003, \"output_cost_per_token\": 0, \"mode\": \"responses\"},\n"
    " \"picture\": {\"input_cost_per_token\": 5e-06, \"output_cost_per_token\": 5e-06, \"mode\": \"image_generation\"},\n"
    " \"half\": {\"input_cost_per_token\": 5e-06, \"mode\": \"chat\"}}\n";

Test(litellm, takes_what_people_talk_to)
{
	struct price_list l = { 0 };

	cr_assert(parse(sample, &l));
	cr_assert_eq(l.count, 2);
	cr_assert_eq(counts.taken, 2);
	cr_assert_eq(counts.left_out[LITELLM_OTHER_MODE], 2);
	cr_assert_eq(counts.left_out[LITELLM_NO_RATES], 1);
	const struct price *p = named(&l, "gpt-9");
	cr_assert_not_null(p);
	cr_assert_str_eq(p->provider, "openai");
	cr_assert_str_eq(p->source, "LiteLLM");
	cr_assert_str_eq(p->as_of, "2026-11-26");
	cr_assert_eq(p->tier_count, 3);
	cr_assert_eq(p->tiers[0].rates[PRICE_INPUT], 1750000);
	cr_assert_eq(p->tiers[0].rates[PRICE_OUTPUT], 14000000);
	cr_assert_eq(p->tiers[0].rates[PRICE_CACHE_READ], 175000);
	cr_assert_eq(p->tiers[0].rates[PRICE_CACHE_WRITE_5M], 2000000);
	cr_assert_eq(p->tiers[0].rates[PRICE_CACHE_WRITE_1H], 3500000);
	cr_assert_eq(p->tiers[1].above, 128000);
	cr_assert_eq(p->tiers[1].rates[PRICE_INPUT], 2000000);
	cr_assert_eq(p->tiers[1].rates[PRICE_OUTPUT], 14000000, "the usual one");
	cr_assert_eq(p->tiers[2].above, 272000);
	cr_assert_eq(p->tiers[2].rates[PRICE_INPUT], 3500000);
	cr_assert_eq(p->tiers[2].rates[PRICE_OUTPUT], 28000000);
	cr_assert_eq(p->tiers[2].rates[PRICE_CACHE_READ], 175000);
	p = named(&l, "o-x");
	cr_assert_eq(p->tiers[0].rates[PRICE_INPUT], 3000000);
	cr_assert_eq(p->tiers[0].rates[PRICE_OUTPUT], 0);
	cr_assert_eq(p->tiers[0].rates[PRICE_CACHE_READ], PRICE_UNSET);
	price_list_finish(&l);
}

static void
expect_names(const char *text, const char *want)
{
	struct price_list l = { 0 };
	char got[400] = "";

	cr_assert(parse(text, &l));
	for (size_t i = 0; i < l.count; i++) {
		const size_t len = strlen(got);

		snprintf(got + len, sizeof(got) - len, "%s%s%s; ", l.rows[i].name, l.rows[i].alias_count ? "=" : "",
			 l.rows[i].alias_count ? l.rows[i].aliases[0] : "");
	}
	cr_expect_str_eq(got, want, "%s, not %s", got, want);
	price_list_finish(&l);
}

#define MODEL(name, provider, input)                                                                                             \
	"\"" name "\": {\"mode\": \"chat\", \"litellm_provider\": \"" provider "\", \"input_cost_per_token\": " input            \
	", \"output_cost_per_token\": 1e-06}"

Test(litellm, models_go_by_their_bare_name_where_it_is_theirs)
{
	expect_names("{" MODEL("gemini/pro", "gemini", "1e-06") "}", "pro=gemini/pro; ");
	expect_names("{" MODEL("gemini/pro", "gemini", "1e-06") ", " MODEL("pro", "vertex", "1e-06") "}", "gemini/pro; pro; ");
	expect_names("{" MODEL("us/pro", "bedrock", "1e-06") "}", "us/pro; ");
	expect_names("{" MODEL("a/b/pro", "a", "1e-06") "}", "a/b/pro; ");
	expect_names("{" MODEL("a/", "a", "1e-06") "}", "a/; ");
	expect_names("{" MODEL("a/pro", "a", "1e-06") ", " MODEL("b/pro", "b", "1e-06") "}", "pro=a/pro; b/pro; ");
	expect_names("{" MODEL("a/pro", "a", "1e-06") ", " MODEL("b/pro", "b", "2e-06") "}", "a/pro; b/pro; ");
}

Test(litellm, leaves_out_what_cannot_be_kept)
{
	static const struct {
		const char *text;
		enum litellm_reason reason;
	} cases[] = {
		{ "{" MODEL("m", "p", "1.5e-13") "}", LITELLM_BAD_RATES },
		{ "{" MODEL("m", "p", "-1e-06") "}", LITELLM_BAD_RATES },
		{ "{" MODEL("m", "p", "\"1e-06\"") "}", LITELLM_BAD_RATES },
		{ "{" MODEL("m", "p", "1e300") "}", LITELLM_BAD_RATES },
		{ "{" MODEL("m", "p", "1e999") "}", LITELLM_BAD_RATES },
		{ "{" MODEL("m", "p", "null") "}", LITELLM_NO_RATES },
		{ "{" MODEL("two words", "p", "1e-06") "}", LITELLM_BAD_NAME },
		{ "{" MODEL("", "p", "1e-06") "}", LITELLM_BAD_NAME },
		{ "{" MODEL("0123456789012345678901234567890123456789012345678901234567890123", "p", "1e-06") "}",
		  LITELLM_BAD_NAME },
		{ "{\"m\": 5}", LITELLM_OTHER_MODE },
		{ "{\"m\": {\"mode\": 5}}", LITELLM_OTHER_MODE },
		{ "{\"m\": {\"mode\": \"chat\", \"input_cost_per_token_above_1k_tokens\": 1e-6,"
		  "\"input_cost_per_token_above_2k_tokens\": 1e-6, \"input_cost_per_token_above_3k_tokens\": 1e-6,"
		  "\"input_cost_per_token_above_4k_tokens\": 1e-6, \"input_cost_per_token_above_5k_tokens\": 1e-6}}",
		  LITELLM_BAD_TIERS },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct price_list l = { 0 };

		cr_expect(parse(cases[i].text, &l), "%s", cases[i].text);
		cr_expect_eq(l.count, 0, "%s", cases[i].text);
		cr_expect_eq(counts.left_out[cases[i].reason], 1, "%s", cases[i].text);
		cr_expect_gt(strlen(litellm_reason_words(cases[i].reason)), 0);
		price_list_finish(&l);
	}
	struct price_list l = { 0 };

	cr_expect(parse("{" MODEL("m", "p", "1e-06") ", " MODEL("m", "p", "2e-06") "}", &l));
	cr_expect_eq(l.count, 1);
	cr_expect_eq(counts.left_out[LITELLM_BAD_NAME], 1);
	price_list_finish(&l);
}

/* What a program that computes in doubles has written for 2e-07. */
Test(litellm, noise_of_doubles_is_no_other_rate)
{
	struct price_list l = { 0 };

	cr_assert(parse("{" MODEL("m", "p", "2.0000000000000002e-07") "}", &l));
	cr_assert_eq(counts.taken, 1);
	cr_assert_eq(l.rows[0].tiers[0].rates[PRICE_INPUT], 200000);
	price_list_finish(&l);
}

Test(litellm, says_what_is_no_list)
{
	static const struct {
		const char *text, *said;
	} cases[] = {
		{ "", "lite.json:1: this is no JSON\n" },
		{ "{\n\"m\": {,\n}", "lite.json:2: this is no JSON\n" },
		{ "{} x", "lite.json:1: this is no JSON\n" },
		{ "[]", "lite.json: expected {\"MODEL\": {\xe2\x80\xa6}, \xe2\x80\xa6}\n" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct price_list l = { 0 };

		cr_expect_not(parse(cases[i].text, &l));
		cr_expect_str_eq(heard.text, cases[i].said, "%s", heard.text);
		cr_expect_eq(heard.report.errors, 1);
		cr_expect_eq(l.count, 0);
	}
	char deep[200] = "{\"a\": ";
	struct price_list l = { 0 };

	memset(deep + 6, '[', 100);
	cr_expect_not(parse(deep, &l));
	cr_expect_str_eq(heard.text, "lite.json:1: values lie too deep within values\n");
}

static bool
append(void *ctx, const char *text)
{
	char *out = ctx;

	cr_assert_lt(strlen(out) + strlen(text), 8000);
	strcat(out, text);
	return true;
}

/* What was taken, written and read again is the same. */
Test(litellm, becomes_a_file_of_ours)
{
	struct price_list l = { 0 }, again = { 0 };
	char text[8192] = "";

	cr_assert(parse(sample, &l));
	cr_assert(price_write(&l, append, text));
	cr_assert(price_file_parse(text, strlen(text), "again", &heard.report, &again), "%s in %s", heard.text, text);
	cr_assert_eq(again.count, l.count);
	for (size_t i = 0; i < l.count; i++) {
		cr_expect_str_eq(again.rows[i].name, l.rows[i].name);
		cr_expect_str_eq(again.rows[i].as_of, l.rows[i].as_of);
		cr_expect_eq(again.rows[i].tier_count, l.rows[i].tier_count);
		for (size_t t = 0; t < l.rows[i].tier_count; t++) {
			cr_expect_eq(again.rows[i].tiers[t].above, l.rows[i].tiers[t].above);
			cr_expect_arr_eq(again.rows[i].tiers[t].rates, l.rows[i].tiers[t].rates,
					 sizeof(l.rows[i].tiers[t].rates));
		}
	}
	price_list_finish(&l);
	price_list_finish(&again);
}

/* Whatever is cut off, and wherever a byte is another: an error or a list, nothing worse. */
Test(litellm, every_prefix_and_every_damage)
{
	struct guard g = guard_create(sizeof(sample));
	const size_t len = strlen(sample);

	for (size_t n = 0; n < len - 1; n++) {
		struct price_list l = { 0 };

		cr_expect_not(parse_len(guard_put(&g, sample, n), n, &l), "%zu bytes", n);
		price_list_finish(&l);
	}
	for (size_t n = 0; n < len; n++) {
		char *text = guard_put(&g, sample, len);
		struct price_list l = { 0 };

		text[n] ^= 0x11;
		if (!parse_len(text, len, &l))
			cr_expect_gt(heard.report.errors, 0);
		price_list_finish(&l);
	}
	guard_destroy(&g);
}

Test(litellm, holds_so_many_models)
{
	const size_t size = 200 * (PRICE_MODELS_MAX + 2);
	char *text = malloc(size);
	struct price_list l = { 0 };
	size_t len = 1;

	text[0] = '{';
	for (int i = 0; i < PRICE_MODELS_MAX + 2; i++)
		len += (size_t)snprintf(
		    text + len, size - len,
		    "%s\"m%d\": {\"mode\": \"chat\", \"input_cost_per_token\": 1e-6, \"output_cost_per_token\": 1e-6}",
		    i ? ", " : "", i);
	text[len++] = '}';
	cr_assert(parse_len(text, len, &l));
	cr_assert_eq(counts.taken, PRICE_MODELS_MAX);
	cr_assert_eq(counts.left_out[LITELLM_TOO_MANY], 2);
	price_list_finish(&l);
	free(text);
}
