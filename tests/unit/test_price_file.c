#include "guard.h"
#include "prices/price_file.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

/* Everything that a file can say. */
static const char sample[] =
    "{\"models\": [\n"
    " {\"name\": \"m-1\", \"aliases\": [\"one\", \"eins\"], \"provider\": \"example\",\n"
    "  \"from\": \"2026-01-01\", \"until\": \"2027-01-01\",\n"
    "  \"rates\": {\"input\": \"4\", \"output\": 20, \"cache_read\": 0.2, \"cache_write_5m\": \"5.000001\",\n"
    "            \"cache_write_1h\": 8},\n"
    "  \"tiers\": [{\"above\": 200000, \"rates\": {\"input\": \"8\", \"output\": 30}}],\n"
    "  \"fast\": 2, \"service_tiers\": {\"flex\": \"0.5\"},\n"
    "  \"source\": \"a price list\", \"as_of\": \"2026-11-26\", \"note\": \"\\u00e9\"},\n"
    " {\"name\": \"m-2\", \"rates\": {\"input\": 0, \"output\": 0}}]}\n";

struct told {
	struct price_report report;
	char text[8192];
	unsigned lines;
};

static void
tell(struct price_report *report, const char *text)
{
	struct told *t = (struct told *)report;
	const size_t len = strlen(t->text);

	snprintf(t->text + len, sizeof(t->text) - len, "%s\n", text);
	t->lines++;
}

/* Parses, and returns what was complained about. */
static struct told
parse(const char *text, size_t len, struct price_list *ret)
{
	struct told t = { .report.line = tell };
	const bool ok = price_file_parse(text, len, "p.json", &t.report, ret);

	cr_assert_eq(ok, t.report.errors == 0, "%s", t.text);
	cr_assert_eq(t.lines, t.report.errors < 20 ? t.report.errors : 20);
	return t;
}

Test(price_file, everything_that_a_file_can_say)
{
	struct price_list list = { 0 };
	const struct told t = parse(sample, sizeof(sample) - 1, &list);
	const struct price *p = list.rows;

	cr_assert_str_empty(t.text);
	cr_assert_eq(list.count, 2);
	cr_assert_not_null(p);
	cr_expect_str_eq(p->name, "m-1");
	cr_assert_eq(p->alias_count, 2);
	cr_expect_str_eq(p->aliases[1], "eins");
	cr_expect_str_eq(p->provider, "example");
	cr_expect_eq(p->from_ns, 20454 * 86400000000000ull);
	cr_expect_eq(p->until_ns, 20819 * 86400000000000ull);
	cr_assert_eq(p->tier_count, 2);
	cr_expect_eq(p->tiers[0].above, 0);
	cr_expect_eq(p->tiers[0].rates[PRICE_INPUT], 4000000);
	cr_expect_eq(p->tiers[0].rates[PRICE_OUTPUT], 20000000);
	cr_expect_eq(p->tiers[0].rates[PRICE_CACHE_READ], 200000);
	cr_expect_eq(p->tiers[0].rates[PRICE_CACHE_WRITE_5M], 5000001);
	cr_expect_eq(p->tiers[0].rates[PRICE_CACHE_WRITE_1H], 8000000);
	cr_expect_eq(p->tiers[1].above, 200000);
	cr_expect_eq(p->tiers[1].rates[PRICE_OUTPUT], 30000000);
	cr_expect_eq(p->tiers[1].rates[PRICE_CACHE_READ], PRICE_UNSET);
	cr_assert_eq(p->factor_count, 2);
	cr_expect_str_eq(p->factors[0].name, "fast");
	cr_expect_eq(p->factors[0].micro, 2000000);
	cr_expect_str_eq(p->factors[1].name, "flex");
	cr_expect_eq(p->factors[1].micro, 500000);
	cr_expect_str_eq(p->source, "a price list");
	cr_expect_str_eq(p->as_of, "2026-11-26");
	cr_expect_str_eq(list.rows[1].name, "m-2");
	cr_expect_eq(list.rows[1].from_ns, 0);
	cr_expect_eq(list.rows[1].until_ns, UINT64_MAX);
	cr_expect_eq(list.rows[1].tiers[0].rates[PRICE_INPUT], 0);
	price_list_finish(&list);
}

Test(price_file, every_prefix_is_refused_with_its_line)
{
	struct guard g = guard_create(sizeof(sample));

	for (size_t len = 0; len < sizeof(sample) - 2; len++) {
		struct price_list list = { 0 };
		const struct told t = parse(guard_put(&g, sample, len), len, &list);
		unsigned line = 0;
		char rest[64] = "";

		cr_expect_eq(t.report.errors, 1, "%zu: %s", len, t.text);
		cr_expect_eq(sscanf(t.text, "p.json:%u: %63[^\n]", &line, rest), 2, "%s", t.text);
		cr_expect(line >= 1 && line <= 9, "%s", t.text);
		cr_expect_str_eq(rest, "this is no JSON", "%s", t.text);
		cr_expect_eq(list.count, 0);
		price_list_finish(&list);
	}
	guard_destroy(&g);
}

#define MODEL(members) "{\"models\":[{\"name\":\"m\",\"rates\":{\"input\":1,\"output\":1}," members "}]}"
#define RATES(members) "{\"models\":[{\"name\":\"m\",\"rates\":{" members "}}]}"
#define DECIMAL        "expected a decimal number from 0 to 1000000, with at most six digits after the point\n"
#define TIER           "models[0].tiers[0]: "

Test(price_file, each_mistake_is_told_with_its_place)
{
	static const struct {
		const char *text, *told;
	} cases[] = {
		{ "[]", "p.json: expected {\"models\": […]}\n" },
		{ "null", "p.json: expected {\"models\": […]}\n" },
		{ "{}", "p.json: expected {\"models\": […]}\n" },
		{ "{\"models\":{}}", "p.json: expected {\"models\": […]}\n" },
		{ "{\"models\":[],\"x\":1}", "p.json: expected {\"models\": […]}\n" },
		{ "{\"models\":[]} x", "p.json:1: this is no JSON\n" },
		{ "\n\n{\"models\":[}", "p.json:3: this is no JSON\n" },
		{ "{\"models\":[7]}", "p.json: models[0]: expected an object\n" },
		{ "{\"models\":[{}]}", "p.json: models[0]: \"name\" is missing\np.json: models[0]: \"rates\" is missing\n" },
		{ MODEL("\"x\":1"), "p.json: models[0].x: is nothing that a model has\n" },
		{ MODEL("\"a\\u001bb\":1"), "p.json: models[0].a?b: is nothing that a model has\n" },
		{ MODEL("\"name\":\"n\""), "p.json: models[0].name: is there twice\n" },
		{ MODEL("\"provider\":1"), "p.json: models[0].provider: expected text\n" },
		{ MODEL("\"provider\":\"\""), "p.json: models[0].provider: expected at most 31 characters, and some\n" },
		{ MODEL("\"provider\":\"a b\""),
		  "p.json: models[0].provider: a name holds no spaces and no control characters\n" },
		{ MODEL("\"source\":\"a\\nb\""), "p.json: models[0].source: control characters are no text\n" },
		{ MODEL("\"note\":[]"), "p.json: models[0].note: expected text\n" },
		{ MODEL("\"as_of\":\"2026-02-30\""), "p.json: models[0].as_of: expected a day: \"2026-11-26\"\n" },
		{ MODEL("\"from\":1"), "p.json: models[0].from: expected a day: \"2026-11-26\"\n" },
		{ MODEL("\"until\":\"soon\""), "p.json: models[0].until: expected a day: \"2026-11-26\"\n" },
		{ MODEL("\"from\":\"2026-01-01\",\"until\":\"2026-01-01\""),
		  "p.json: models[0]: \"from\" must be before \"until\"\n" },
		{ MODEL("\"aliases\":\"x\""), "p.json: models[0].aliases: expected a list of at most 8 names\n" },
		{ MODEL("\"aliases\":[1,2,3,4,5,6,7,8,9]"), "p.json: models[0].aliases: expected a list of at most 8 names\n" },
		{ MODEL("\"aliases\":[\"x\",5]"), "p.json: models[0].aliases[1]: expected text\n" },
		{ MODEL("\"fast\":null"), "p.json: models[0].fast: expected a decimal number from 0 to 1000, with at most six "
					  "digits after the point\n" },
		{ MODEL("\"service_tiers\":2"), "p.json: models[0].service_tiers: expected an object of factors\n" },
		{ MODEL("\"fast\":1,\"service_tiers\":{\"fast\":1}"), "p.json: models[0].service_tiers.fast: is there twice\n" },
		{ MODEL("\"service_tiers\":{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1}"),
		  "p.json: models[0].service_tiers.e: expected at most 4 of them, each with a name of at most 15 characters\n" },
		{ MODEL("\"tiers\":{}"), "p.json: models[0].tiers: expected a list of at most 4 tiers\n" },
		{ MODEL("\"tiers\":[{\"above\":1}]"), "p.json: " TIER "expected {\"above\": …, \"rates\": …}\n" },
		{ MODEL("\"tiers\":[{\"above\":0,\"rates\":{}}]"),
		  "p.json: " TIER "\"above\" is a whole number of tokens, larger than that of the tier before\n" },
		{ MODEL("\"tiers\":[{\"above\":\"9\",\"rates\":{}}]"),
		  "p.json: " TIER "\"above\" is a whole number of tokens, larger than that of the tier before\n" },
		{ MODEL("\"tiers\":[{\"above\":9.5,\"rates\":{}}]"),
		  "p.json: " TIER "\"above\" is a whole number of tokens, larger than that of the tier before\n" },
		{ MODEL("\"tiers\":[{\"above\":1e300,\"rates\":{}}]"),
		  "p.json: " TIER "\"above\" is a whole number of tokens, larger than that of the tier before\n" },
		{ MODEL("\"tiers\":[{\"above\":9,\"rates\":{\"input\":1}}]"),
		  "p.json: models[0].tiers[0].rates: needs input and output\n" },
		{ MODEL("\"tiers\":[{\"above\":9,\"rates\":{\"input\":1,\"output\":1}},{\"above\":9,\"rates\":{}}]"),
		  "p.json: models[0].tiers[1]: \"above\" is a whole number of tokens, larger than that of the tier before\n" },
		{ RATES("\"input\":1"), "p.json: models[0].rates: needs input and output\n" },
		{ RATES("\"input\":1,\"output\":1,\"input\":1"), "p.json: models[0].rates.input: is there twice\n" },
		{ RATES("\"input\":1,\"output\":1,\"cached\":1"), "p.json: models[0].rates.cached: is no rate; there are input, "
								  "output, cache_read, cache_write_5m, cache_write_1h\n" },
		{ RATES("\"input\":-1,\"output\":1"), "p.json: models[0].rates.input: " DECIMAL },
		{ RATES("\"input\":\"1e3\",\"output\":1"), "p.json: models[0].rates.input: " DECIMAL },
		{ RATES("\"input\":12345678901234567890,\"output\":1"), "p.json: models[0].rates.input: " DECIMAL },
		{ RATES("\"input\":0.1234567,\"output\":\"0.12345678901234567890123456789\""),
		  "p.json: models[0].rates.input: " DECIMAL "p.json: models[0].rates.output: " DECIMAL },
		{ RATES("\"input\":true,\"output\":1"), "p.json: models[0].rates.input: " DECIMAL },
		{ "{\"models\":[{\"name\":\"m\",\"rates\":[]}]}", "p.json: models[0].rates: expected an object of rates\n" },
		{ "[[[[[[[[[]]]]]]]]]", "p.json:1: values lie too deep within values\n" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct price_list list = { 0 };
		const struct told t = parse(cases[i].text, strlen(cases[i].text), &list);

		cr_expect_str_eq(t.text, cases[i].told, "%s: %s", cases[i].text, t.text);
		cr_expect_eq(list.count, 0, "%s", cases[i].text);
		price_list_finish(&list);
	}
}

Test(price_file, what_is_right_beside_a_mistake_is_kept)
{
	static const char text[] = "{\"models\":[{\"name\":\"a\",\"rates\":{\"input\":1,\"output\":1}},{\"name\":\"b\"},"
				   "{\"name\":\"c\",\"rates\":{\"input\":1,\"output\":1}}]}";
	struct price_list list = { 0 };
	const struct told t = parse(text, sizeof(text) - 1, &list);

	cr_expect_str_eq(t.text, "p.json: models[1]: \"rates\" is missing\n");
	cr_assert_eq(list.count, 2);
	cr_expect_str_eq(list.rows[1].name, "c");
	price_list_finish(&list);
}

Test(price_file, a_name_means_one_price_at_a_time)
{
	static const char *const clash = "p.json: models[1]: has a name in common with \"a\" at the same time\n";
	static const struct {
		const char *first, *second;
		bool clash;
	} cases[] = {
		{ "\"name\":\"a\"", "\"name\":\"a\"", true },
		{ "\"name\":\"a\"", "\"name\":\"b\",\"aliases\":[\"a\"]", true },
		{ "\"name\":\"a\",\"aliases\":[\"b\"]", "\"name\":\"b\"", true },
		{ "\"name\":\"a\",\"aliases\":[\"x\",\"y\"]", "\"name\":\"b\",\"aliases\":[\"y\"]", true },
		{ "\"name\":\"a\",\"until\":\"2026-01-02\"", "\"name\":\"a\",\"from\":\"2026-01-01\"", true },
		{ "\"name\":\"a\",\"until\":\"2026-01-01\"", "\"name\":\"a\",\"from\":\"2026-01-01\"", false },
		{ "\"name\":\"a\",\"from\":\"2026-01-01\"", "\"name\":\"a\",\"until\":\"2026-01-01\"", false },
		{ "\"name\":\"a\"", "\"name\":\"A\"", false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct price_list list = { 0 };
		char text[300];

		snprintf(text, sizeof(text),
			 "{\"models\":[{%s,\"rates\":{\"input\":1,\"output\":1}},{%s,\"rates\":{\"input\":1,\"output\":1}}]}",
			 cases[i].first, cases[i].second);
		const struct told t = parse(text, strlen(text), &list);
		cr_expect_str_eq(t.text, cases[i].clash ? clash : "", "%s", text);
		cr_expect_eq(list.count, cases[i].clash ? 1 : 2, "%s", text);
		price_list_finish(&list);
	}
}

Test(price_file, the_first_mistakes_are_told_and_all_are_counted)
{
	char text[2048] = "{\"models\":[";
	struct price_list list = { 0 };

	for (unsigned i = 0; i < 100; i++)
		strcat(text, i ? ",1" : "1");
	strcat(text, "]}");
	const struct told t = parse(text, strlen(text), &list);
	cr_expect_eq(t.report.errors, 100);
	cr_expect_eq(t.lines, 20);
}

Test(price_file, there_are_limits)
{
	const size_t size = PRICE_FILE_MAX + 2;
	struct price_list list = { 0 };
	char *text = malloc(size);
	struct told t;
	int len;

	memset(text, ' ', size);
	snprintf(text, size, "{\"models\":[]}");
	text[strlen(text)] = ' ';
	t = parse(text, PRICE_FILE_MAX, &list);
	cr_expect_str_empty(t.text);
	t = parse(text, PRICE_FILE_MAX + 1, &list);
	cr_expect_str_eq(t.text, "p.json: the file is too large\n");

	len = snprintf(text, size, "{\"models\":[");
	for (unsigned i = 0; i <= PRICE_MODELS_MAX; i++)
		len += snprintf(text + len, size - (size_t)len, "%s{\"name\":\"m%u\",\"rates\":{\"input\":1,\"output\":1}}",
				i ? "," : "", i);
	len += snprintf(text + len, size - (size_t)len, "]}");
	t = parse(text, (size_t)len, &list);
	cr_expect_str_eq(t.text, "p.json: models[4000]: there are too many models\n");
	cr_expect_eq(list.count, PRICE_MODELS_MAX);
	price_list_finish(&list);
	free(text);
}
