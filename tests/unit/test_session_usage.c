#include "prices/price_file.h"
#include "session_usage.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define USD INT64_C(1000000000000)

static struct price_table *prices;
static struct session x;

static void
fail(struct price_report *report, const char *text)
{
	(void)report;
	cr_assert_fail("%s", text);
}

static void
begin(void)
{
	static const char json[] = "{\"models\":[{\"name\":\"known\",\"rates\":{\"input\":1,\"output\":2}}]}";
	struct price_report report = { .line = fail };
	struct price_list list = { 0 }, none = { 0 };

	cr_assert(price_file_parse(json, sizeof(json) - 1, "test", &report, &list));
	prices = price_table_create(&list, &none);
	price_list_finish(&list);
}

static void
end(void)
{
	price_table_destroy(prices);
	free(x.models);
}

TestSuite(session_usage, .init = begin, .fini = end);

/* A million tokens of output; reported < 0: the CLI says nothing. */
static struct cost
count(const char *model, int64_t reported)
{
	const struct observation o = {
		.model = str_from(model), .tokens = { .output = 1000000 }, .has_cost = reported >= 0, .cost = reported
	};

	return usage_add_request(&x, &o, prices);
}

static void
expect_cost(const struct cost *c, int64_t reported, int64_t computed, int64_t unreported, bool estimated)
{
	cr_expect_eq(c->reported, reported, "%lld", (long long)c->reported);
	cr_expect_eq(c->computed, computed, "%lld", (long long)c->computed);
	cr_expect_eq(c->unreported, unreported, "%lld", (long long)c->unreported);
	cr_expect_eq(c->estimated, estimated);
}

Test(session_usage, a_request_costs_what_the_cli_says_and_what_the_table_says)
{
	struct cost c = count("known", -1);

	expect_cost(&c, 0, 2 * USD, 2 * USD, false);
	cr_expect(!c.has_reported && c.has_computed);
	c = count("unknown-model", -1);
	expect_cost(&c, 0, 5 * USD, 5 * USD, true);
	c = count("known", 7);
	expect_cost(&c, 7, 2 * USD, 0, false);
	cr_expect(c.has_reported && c.has_computed);
	c = count("unknown-model", 0);
	expect_cost(&c, 0, 5 * USD, 0, false);
	cr_expect(c.has_reported, "nothing is a figure, too");
}

Test(session_usage, a_session_adds_the_best_figure_of_each_request)
{
	count("known", 1 * USD);
	expect_cost(&x.cost, USD, 2 * USD, 0, false);
	count("known", -1);
	expect_cost(&x.cost, USD, 4 * USD, 2 * USD, false);
	count("unknown-model", 3 * USD);
	expect_cost(&x.cost, 4 * USD, 9 * USD, 2 * USD, false);
	count("unknown-model", -1);
	expect_cost(&x.cost, 4 * USD, 14 * USD, 7 * USD, true);
	cr_assert_eq(x.model_count, 2);
	expect_cost(&x.models[0].cost, USD, 4 * USD, 2 * USD, false);
	expect_cost(&x.models[1].cost, 3 * USD, 10 * USD, 5 * USD, true);
}

Test(session_usage, a_figure_for_a_turn_stands_for_the_requests_before_it)
{
	const struct observation turn = { .has_cost = true, .cost = 3 * USD };

	count("known", -1);
	count("unknown-model", -1);
	struct cost change = usage_add_turn_cost(&x, &turn);
	expect_cost(&x.cost, 3 * USD, 7 * USD, 0, false);
	expect_cost(&change, 3 * USD, 0, -7 * USD, false);
	count("known", -1);
	expect_cost(&x.cost, 3 * USD, 9 * USD, 2 * USD, false);
	change = usage_add_turn_cost(&x, &(struct observation){ .cost = 9 });
	cr_assert_not(change.has_reported, "no figure, no change");
	expect_cost(&x.cost, 3 * USD, 9 * USD, 2 * USD, false);
	expect_cost(&x.models[0].cost, 0, 4 * USD, 4 * USD, false);
}

Test(session_usage, without_prices_nothing_is_computed)
{
	price_table_destroy(prices);
	prices = NULL;
	count("known", -1);
	cr_expect(!x.cost.has_computed && !x.cost.has_reported && !x.cost.estimated);
	count("known", 5);
	expect_cost(&x.cost, 5, 0, 0, false);
	cr_expect(!x.cost.has_computed && x.cost.has_reported);
}

Test(session_usage, sums_stand_still_at_the_largest_number)
{
	struct cost sum = { .reported = INT64_MAX - 1, .computed = INT64_MIN + 1, .unreported = INT64_MAX };

	usage_add_cost(&sum, &(struct cost){ 2, -2, 1, false, false, false });
	expect_cost(&sum, INT64_MAX, INT64_MIN, INT64_MAX, false);
}
