#include "price.h"
#include "prices/price_file.h"
#include "prices/price_shipped.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#define M        1000000 /* tokens */
#define USD      INT64_C(1000000000000)
#define DAY_NS   (24ull * 3600 * 1000000000)
#define NOW      (20783 * DAY_NS) /* 2026-11-26 */
#define UNSET    PRICE_UNSET
#define MICRO(x) ((int64_t)((x)*1e6 + 0.5))

static void
fail(struct price_report *report, const char *text)
{
	(void)report;
	cr_assert_fail("%s", text);
}

static struct price_list
list_of(const char *json, size_t len)
{
	struct price_report report = { .line = fail };
	struct price_list list = { 0 };

	cr_assert(price_file_parse(json, len, "test", &report, &list));
	return list;
}

static struct price_table *
table_of(const char *shipped, size_t shipped_len, const char *own)
{
	struct price_list a = list_of(shipped, shipped_len), b = { 0 };
	struct price_table *t;

	if (own)
		b = list_of(own, strlen(own));
	t = price_table_create(&a, &b);
	cr_assert_not_null(t);
	price_list_finish(&a);
	price_list_finish(&b);
	return t;
}

static struct price_table *
shipped_table(void)
{
	return table_of((const char *)price_shipped, price_shipped_size, NULL);
}

static struct price_table *
table(const char *json)
{
	return table_of(json, strlen(json), NULL);
}

static const char *
found(const struct price_table *t, const char *name, uint64_t time_ns)
{
	const struct price *p = price_find(t, str_from(name), time_ns);

	return p ? p->name : "none";
}

static struct price_quote
quote(const struct price_table *t, const char *model, struct tokens tokens)
{
	return price_request(t, &(struct observation){ .model = str_from(model), .tokens = tokens, .time_ns = NOW });
}

/* The price list as it was written down by hand: USD per million tokens; 0 is none. */
static const struct shipped {
	const char *names; /* separated by spaces */
	double rates[PRICE_KIND_COUNT];
	unsigned above;
	double higher[PRICE_KIND_COUNT];
	double fast, flex, priority;
} shipped[] = {
	{ "claude-opus-5-5 claude-opus-5-5[1m]", { 4, 20, .2, 5, 8 }, 0, { 0 }, 0, 0, 0 },
	{ "claude-haiku-5-5", { .1, .5, .01, .125, .2 }, 0, { 0 }, 0, 0, 0 },
	{ "claude-opus-4-8 claude-opus-4-8[1m] claude-opus-5 claude-opus-5[1m]", { 5, 25, .5, 6.25, 10 }, 0, { 0 }, 2, 0, 0 },
	{ "claude-opus-4-6 claude-opus-4-6[1m] claude-opus-4-7 claude-opus-4-7[1m]", { 5, 25, .5, 6.25, 10 }, 0, { 0 }, 6, 0, 0 },
	{ "claude-opus-4-5", { 5, 25, .5, 6.25, 10 }, 0, { 0 }, 0, 0, 0 },
	{ "claude-fable-5", { 10, 50, 1, 12.5, 20 }, 0, { 0 }, 0, 0, 0 },
	{ "claude-sonnet-5 claude-sonnet-5[1m]", { 2, 10, .2, 2.5, 4 }, 0, { 0 }, 0, 0, 0 },
	{ "claude-sonnet-4-6 claude-sonnet-4-6[1m]", { 3, 15, .3, 3.75, 6 }, 0, { 0 }, 0, 0, 0 },
	{ "claude-sonnet-4-5 claude-sonnet-4-5[1m]", { 3, 15, .3, 3.75, 6 }, 200000, { 6, 22.5, .6, 7.5, 0 }, 0, 0, 0 },
	{ "claude-haiku-4-5", { 1, 5, .1, 1.25, 2 }, 0, { 0 }, 0, 0, 0 },
	{ "gpt-6-astra", { 10, 50, 0, 0, 0 }, 0, { 0 }, 0, 0, 0 },
	{ "gpt-6-sol", { 2, 10, 0, 0, 0 }, 0, { 0 }, 0, 0, 0 },
	{ "gpt-6-luna", { .1, .5, 0, 0, 0 }, 0, { 0 }, 0, 0, 0 },
	{ "gpt-5.6-sol", { 5, 30, .5, 6.25, 0 }, 272000, { 10, 45, 1, 12.5, 0 }, 0, .5, 2 },
	{ "gpt-5.6-terra", { 2, 12, .2, 2.5, 0 }, 272000, { 4, 18, .4, 5, 0 }, 0, 0, 0 },
	{ "gpt-5.6-luna", { .2, 1.2, .02, .25, 0 }, 272000, { .4, 1.8, .04, .5, 0 }, 0, 0, 0 },
	{ "gpt-5.5", { 5, 30, .5, 0, 0 }, 272000, { 10, 45, 1, 0, 0 }, 0, 0, 0 },
	{ "gpt-5.4", { 2.5, 15, .25, 0, 0 }, 272000, { 5, 22.5, .5, 0, 0 }, 0, 0, 0 },
	{ "gpt-5.3-codex gpt-5.2 gpt-5.2-codex", { 1.75, 14, .175, 0, 0 }, 0, { 0 }, 0, 0, 2 },
	{ "gpt-5 gpt-5.1 gpt-5-codex gpt-5.1-codex gpt-5-codex-max gpt-5.1-codex-max",
	  { 1.25, 10, .125, 0, 0 },
	  0,
	  { 0 },
	  0,
	  0,
	  0 },
	{ "gpt-5-mini gpt-5.1-codex-mini", { .25, 2, .025, 0, 0 }, 0, { 0 }, 0, 0, 0 },
	{ "gemini-2.5-pro", { 1.25, 10, .125, 0, 0 }, 200000, { 2.5, 15, .25, 0, 0 }, 0, 0, 0 },
	{ "gemini-2.5-flash", { .3, 2.5, .03, 0, 0 }, 0, { 0 }, 0, 0, 0 },
	{ "gemini-2.5-flash-lite", { .1, .4, .01, 0, 0 }, 0, { 0 }, 0, 0, 0 },
	{ "gemini-3-pro-preview gemini-3.1-pro-preview", { 2, 12, .2, 0, 0 }, 200000, { 4, 18, .4, 0, 0 }, 0, 0, 0 },
	{ "gemini-3-flash-preview", { .5, 3, .05, 0, 0 }, 0, { 0 }, 0, 0, 0 },
	{ "gemini-3.1-flash-lite", { .25, 1.5, .025, 0, 0 }, 0, { 0 }, 0, 0, 0 },
	{ "gemini-3.5-flash", { 1.5, 9, .15, 0, 0 }, 0, { 0 }, 0, 0, 0 },
	{ "gemini-3.6-flash", { 1.5, 7.5, .15, 0, 0 }, 0, { 0 }, 0, 0, 0 },
};

static void
expect_rates(const char *name, const struct price_tier *t, const double rates[PRICE_KIND_COUNT])
{
	for (unsigned k = 0; k < PRICE_KIND_COUNT; k++)
		cr_expect_eq(t->rates[k], rates[k] > 0 ? MICRO(rates[k]) : UNSET, "%s above %zu, kind %u: %lld", name,
			     (size_t)t->above, k, (long long)t->rates[k]);
}

static void
expect_factor(const struct price *p, const char *name, double want)
{
	int64_t got = 0;

	for (size_t i = 0; i < p->factor_count; i++)
		if (strcmp(p->factors[i].name, name) == 0)
			got = p->factors[i].micro;
	cr_expect_eq(got, MICRO(want), "%s %s", p->name, name);
}

static void
expect_shipped(const struct price_table *t, const struct shipped *want, const char *name)
{
	const struct price *p = price_find(t, str_from(name), NOW);

	cr_assert_not_null(p, "%s", name);
	cr_expect_eq(p->tier_count, want->above ? 2 : 1, "%s", name);
	expect_rates(name, &p->tiers[0], want->rates);
	if (want->above) {
		cr_expect_eq(p->tiers[1].above, want->above, "%s", name);
		expect_rates(name, &p->tiers[1], want->higher);
	}
	expect_factor(p, "fast", want->fast);
	expect_factor(p, "flex", want->flex);
	expect_factor(p, "priority", want->priority);
	cr_expect_eq(p->factor_count, (want->fast > 0) + (want->flex > 0) + (want->priority > 0), "%s", name);
	cr_expect(*p->source && *p->as_of && *p->provider, "%s", name);
}

Test(price, every_row_that_is_shipped)
{
	struct price_table *t = shipped_table();
	size_t names = 0, held = 0;

	for (size_t i = 0; i < sizeof(shipped) / sizeof(shipped[0]); i++) {
		char copy[200], *rest = copy, *name;

		snprintf(copy, sizeof(copy), "%s", shipped[i].names);
		while ((name = strtok_r(rest, " ", &rest))) {
			expect_shipped(t, &shipped[i], name);
			names++;
		}
	}
	for (size_t i = 0; i < price_table_count(t); i++)
		held += 1 + price_table_at(t, i)->alias_count;
	cr_expect_eq(held, names, "the table holds %zu names, of which %zu were looked at", held, names);
	price_table_destroy(t);
}

Test(price, a_name_is_exact_or_an_alias_or_either_with_a_date)
{
	struct price_table *t =
	    table("{\"models\":[{\"name\":\"m-5\",\"aliases\":[\"five\",\"m-5-20250101\"],\"rates\":{\"input\":1,"
		  "\"output\":2}},{\"name\":\"m-5-20260101\",\"rates\":{\"input\":3,\"output\":4}}]}");

	cr_expect_str_eq(found(t, "m-5", NOW), "m-5");
	cr_expect_str_eq(found(t, "five", NOW), "m-5");
	cr_expect_str_eq(found(t, "m-5-20261126", NOW), "m-5");
	cr_expect_str_eq(found(t, "m-5-2026-11-26", NOW), "m-5");
	cr_expect_str_eq(found(t, "five-20261126", NOW), "m-5");
	cr_expect_str_eq(found(t, "m-5-20250101", NOW), "m-5");
	cr_expect_str_eq(found(t, "m-5-20260101", NOW), "m-5-20260101", "an exact name goes before one without its date");
	price_table_destroy(t);
}

Test(price, the_beginning_of_a_name_is_none)
{
	static const char *const none[] = { "",
					    "gpt",
					    "gpt-",
					    "gpt-5.",
					    "gpt-5.55",
					    "gpt-5.5-",
					    "gpt-5.5-pro",
					    "gpt-5.5-2026",
					    "gpt-5.5-2026112",
					    "gpt-5.5-202611260",
					    "GPT-5.5",
					    "gpt-5.5 ",
					    "gpt-6.1-sol",
					    "-20261126",
					    "gpt-5.5-2026-1-1",
					    "gpt-5.5-x20261126",
					    "gpt-5.5-2026-11-26-20261126",
					    "gpt-5.5x",
					    "models/gpt-5.5" };
	struct price_table *t = shipped_table();

	cr_expect_str_eq(found(t, "gpt-5.5", NOW), "gpt-5.5");
	cr_expect_str_eq(found(t, "gpt-5.5-20261126", NOW), "gpt-5.5");
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		cr_expect_str_eq(found(t, none[i], NOW), "none", "%s", none[i]);
	price_table_destroy(t);
}

Test(price, each_kind_of_token_has_its_rate)
{
	struct price_table *t = shipped_table();
	struct observation o = { .model = STR("claude-opus-5-5"), .time_ns = NOW };

	o.tokens = (struct tokens){ .input = 18201, .cache_read = 11000, .cache_write = 6000, .output = 54, .reasoning = 50 };
	o.cache_write_1h = 1000;
	/* 1201 x 4 + 54 x 20 + 11000 x 0.2 + 5000 x 5 + 1000 x 8 */
	cr_expect_eq(price_request(t, &o).cost, INT64_C(41084000000));
	cr_expect_not(price_request(t, &o).estimated);
	o.cache_write_1h = 9999;
	cr_expect_eq(price_request(t, &o).cost,
		     INT64_C(1201) * 4000000 + 54 * 20000000 + INT64_C(11000) * 200000 + INT64_C(6000) * 8000000,
		     "all of it at most");
	o.tokens = (struct tokens){ 0 };
	cr_expect_eq(price_request(t, &o).cost, 0);
	price_table_destroy(t);
}

Test(price, more_in_caches_than_there_was_makes_nothing_negative)
{
	struct price_table *t = shipped_table();
	const struct price_quote q =
	    quote(t, "claude-opus-5-5", (struct tokens){ .input = 10, .cache_read = 7, .cache_write = 7 });

	cr_expect_eq(q.cost, 7 * 200000 + 7 * 5000000);
	price_table_destroy(t);
}

Test(price, what_is_not_told_of_caches_is_derived)
{
	struct price_table *t = shipped_table();
	struct price_quote q = quote(t, "gpt-6-sol", (struct tokens){ .input = 3 * M, .cache_write = M });

	cr_expect_eq(q.cost, 6 * USD, "writing costs as much as input");
	cr_expect_not(q.estimated);
	q = quote(t, "gpt-6-sol", (struct tokens){ .input = 3 * M, .cache_read = M });
	cr_expect_eq(q.cost, 4 * USD + USD / 5, "reading costs a tenth of it");
	cr_expect(q.estimated);
	q = quote(t, "gpt-5.6-sol", (struct tokens){ .input = 1000, .cache_read = 100, .cache_write = 100, .output = 1 });
	cr_expect_eq(q.cost, INT64_C(800) * 5000000 + 100 * 500000 + 100 * 6250000 + 30000000);
	cr_expect_not(q.estimated);
	q = price_request(t, &(struct observation){ .model = STR("gpt-5.6-sol"),
						    .tokens = { .input = 1000, .cache_write = 1000 },
						    .cache_write_1h = 1000,
						    .time_ns = NOW });
	cr_expect_eq(q.cost, INT64_C(1000) * 6250000, "an hour costs as much as five minutes");
	cr_expect(q.estimated);
	price_table_destroy(t);
}

Test(price, above_its_limit_the_whole_request_costs_more)
{
	struct price_table *t = shipped_table();

	cr_expect_eq(quote(t, "gpt-5.5", (struct tokens){ .input = 271999, .output = 10 }).cost,
		     INT64_C(271999) * 5000000 + 10 * 30000000);
	cr_expect_eq(quote(t, "gpt-5.5", (struct tokens){ .input = 272000, .output = 10 }).cost,
		     INT64_C(272000) * 5000000 + 10 * 30000000, "the limit itself is not above it");
	cr_expect_eq(quote(t, "gpt-5.5", (struct tokens){ .input = 272001, .output = 10 }).cost,
		     INT64_C(272001) * 10000000 + 10 * 45000000);
	cr_expect_eq(quote(t, "gpt-5.5", (struct tokens){ .input = 272001, .cache_read = 272000 }).cost,
		     INT64_C(272000) * 1000000 + 10000000, "what caches hold counts");
	price_table_destroy(t);
}

Test(price, the_highest_tier_that_is_reached_counts)
{
	struct price_table *t =
	    table("{\"models\":[{\"name\":\"m\",\"rates\":{\"input\":1,\"output\":1},\"tiers\":["
		  "{\"above\":10,\"rates\":{\"input\":2,\"output\":1}},{\"above\":20,\"rates\":{\"input\":3,\"output\":1}}]}]}");

	for (uint64_t n = 1; n < 30; n++)
		cr_expect_eq(quote(t, "m", (struct tokens){ .input = n }).cost,
			     (int64_t)n *
				 (n > 20   ? 3
				  : n > 10 ? 2
					   : 1) *
				 MICRO(1),
			     "%u", (unsigned)n);
	price_table_destroy(t);
}

Test(price, ways_of_serving)
{
	static const struct {
		const char *model, *speed;
		double factor;
		bool estimated;
	} cases[] = {
		{ "claude-opus-4-8", "fast", 2, false },   { "claude-opus-4-7", "fast", 6, false },
		{ "claude-opus-4-8", "normal", 1, false }, { "claude-opus-4-8", "", 1, false },
		{ "claude-opus-4-5", "fast", 1, true },    { "gpt-5.6-sol", "flex", .5, false },
		{ "gpt-5.6-sol", "priority", 2, false },   { "gpt-5.6-sol", "standard", 1, false },
		{ "gpt-5.6-sol", "fas", 1, true },
	};
	struct price_table *t = shipped_table();

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct price_quote q = price_request(t, &(struct observation){ .model = str_from(cases[i].model),
										     .speed = str_from(cases[i].speed),
										     .tokens = { .input = 1000 },
										     .time_ns = NOW });
		cr_expect_eq(q.cost, (int64_t)(5 * cases[i].factor * 1e9), "%s %s", cases[i].model, cases[i].speed);
		cr_expect_eq(q.estimated, cases[i].estimated, "%s %s", cases[i].model, cases[i].speed);
	}
	price_table_destroy(t);
}

Test(price, a_factor_rounds_to_the_nearest_pico_dollar)
{
	struct price_table *t =
	    table("{\"models\":[{\"name\":\"m\",\"rates\":{\"input\":\"0.000001\",\"output\":0},\"fast\":\"0.5\","
		  "\"service_tiers\":{\"x\":\"0.333333\"}}]}");
	struct observation o = { .model = STR("m"), .speed = STR("fast"), .tokens = { .input = 3 }, .time_ns = NOW };

	cr_expect_eq(price_request(t, &o).cost, 2);
	o.speed = STR("x");
	o.tokens.input = 1000001;
	cr_expect_eq(price_request(t, &o).cost, 333333);
	price_table_destroy(t);
}

Test(price, prices_have_their_time)
{
	struct price_table *t =
	    table("{\"models\":[{\"name\":\"m\",\"until\":\"2026-01-01\",\"rates\":{\"input\":1,\"output\":1}},"
		  "{\"name\":\"m\",\"from\":\"2026-01-01\",\"until\":\"2026-03-01\",\"rates\":{\"input\":2,\"output\":1}},"
		  "{\"name\":\"late\",\"aliases\":[\"m\"],\"from\":\"2026-03-01\",\"rates\":{\"input\":3,\"output\":1}},"
		  "{\"name\":\"n\",\"from\":\"2026-03-01\",\"until\":\"2026-03-02\",\"rates\":{\"input\":3,\"output\":1}}]}");
	const uint64_t january = 20454 * DAY_NS, march = 20513 * DAY_NS;

	cr_expect_eq(price_find(t, STR("m"), 0)->tiers[0].rates[PRICE_INPUT], MICRO(1));
	cr_expect_eq(price_find(t, STR("m"), january - 1)->tiers[0].rates[PRICE_INPUT], MICRO(1));
	cr_expect_eq(price_find(t, STR("m"), january)->tiers[0].rates[PRICE_INPUT], MICRO(2));
	cr_expect_eq(price_find(t, STR("m"), march - 1)->tiers[0].rates[PRICE_INPUT], MICRO(2));
	cr_expect_str_eq(found(t, "m", march), "late", "an alias where the name has no price");
	cr_expect_str_eq(found(t, "n", march - 1), "none");
	cr_expect_str_eq(found(t, "n-20260101", march), "n");
	cr_expect_str_eq(found(t, "n", march + DAY_NS), "none");
	price_table_destroy(t);
}

Test(price, an_unknown_model_costs_five_dollars_per_million)
{
	static const char *const models[] = { "", "gpt-5.5-pro", "gemini-3.8-flash", "gemini-3.5-flash-lite",
					      "qwen3-coder-plus" };
	struct price_table *t = shipped_table();

	for (size_t i = 0; i < sizeof(models) / sizeof(models[0]); i++) {
		const struct price_quote q =
		    quote(t, models[i], (struct tokens){ .input = 3 * M, .cache_read = M, .cache_write = M, .output = M });

		cr_expect_eq(q.cost, 20 * USD, "%s", models[i]);
		cr_expect(q.estimated, "%s", models[i]);
	}
	price_table_destroy(t);
}

Test(price, what_does_not_fit_is_the_most_that_does)
{
	struct price_table *t =
	    table("{\"models\":[{\"name\":\"m\",\"rates\":{\"input\":1000000,\"output\":1000000,\"cache_read\":"
		  "1000000,\"cache_write_5m\":1000000,\"cache_write_1h\":1000000},\"fast\":1000}]}");
	struct observation o = { .model = STR("m"), .time_ns = NOW };
	const uint64_t most = UINT64_MAX;

	cr_expect_eq(quote(t, "m", (struct tokens){ most, most, most, most, most }).cost, INT64_MAX);
	cr_expect_eq(quote(t, "unknown", (struct tokens){ most, most, most, most, most }).cost, INT64_MAX);
	cr_expect_eq(quote(t, "m", (struct tokens){ .input = 9223372 }).cost, INT64_C(9223372) * PRICE_RATE_MAX);
	cr_expect_eq(quote(t, "m", (struct tokens){ .input = 9223373 }).cost, INT64_MAX);
	cr_expect_eq(quote(t, "m", (struct tokens){ .input = 9223372, .output = 1 }).cost, INT64_MAX);
	o.speed = STR("fast");
	o.tokens.input = 9223;
	cr_expect_eq(price_request(t, &o).cost, INT64_C(9223000) * PRICE_RATE_MAX);
	o.tokens.input = 9224;
	cr_expect_eq(price_request(t, &o).cost, INT64_MAX);
	price_table_destroy(t);
}

Test(price, ones_own_prices_go_before_shipped_ones)
{
	static const char shipped_json[] =
	    "{\"models\":[{\"name\":\"a\",\"aliases\":[\"x\"],\"rates\":{\"input\":1,\"output\":1}},"
	    "{\"name\":\"b\",\"until\":\"2026-01-01\",\"rates\":{\"input\":1,\"output\":1}},"
	    "{\"name\":\"b\",\"from\":\"2026-01-01\",\"rates\":{\"input\":1,\"output\":1}},"
	    "{\"name\":\"c\",\"rates\":{\"input\":1,\"output\":1}}]}";
	struct price_table *t =
	    table_of(shipped_json, sizeof(shipped_json) - 1,
		     "{\"models\":[{\"name\":\"b\",\"from\":\"2026-06-01\",\"rates\":{\"input\":2,\"output\":1}},"
		     "{\"name\":\"d\",\"aliases\":[\"x\",\"c\"],\"rates\":{\"input\":2,\"output\":1}}]}");

	cr_expect_eq(price_table_count(t), 4);
	cr_expect_eq(price_find(t, STR("b"), NOW)->tiers[0].rates[PRICE_INPUT], MICRO(2));
	cr_expect_str_eq(found(t, "b", 0), "none", "all of a name is replaced");
	cr_expect_str_eq(found(t, "a", NOW), "a");
	cr_expect_str_eq(found(t, "x", NOW), "d");
	cr_expect_str_eq(found(t, "c", NOW), "c", "a name goes before an alias");
	price_table_destroy(t);
	price_table_destroy(NULL);
}

Test(price, an_empty_table)
{
	struct price_list none = { 0 };
	struct price_table *t = price_table_create(&none, &none);

	cr_assert_not_null(t);
	cr_expect_eq(price_table_count(t), 0);
	cr_expect(quote(t, "gpt-5.5", (struct tokens){ .input = 1 }).estimated);
	price_table_destroy(t);
}
