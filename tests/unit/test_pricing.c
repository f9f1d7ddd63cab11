#include "pricing.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct told {
	struct config_report report;
	char text[2000];
};

static char path[] = "/tmp/ab-prices-XXXXXX";
static struct told told;

static void
tell(struct config_report *report, const char *text)
{
	struct told *t = (struct told *)report;
	const size_t len = strlen(t->text);

	snprintf(t->text + len, sizeof(t->text) - len, "%s\n", text);
}

static void
begin(void)
{
	told.report.line = tell;
	close(mkstemp(path));
}

static void
end(void)
{
	unlink(path);
}

TestSuite(pricing, .init = begin, .fini = end);

static struct price_table *
load(const char *text)
{
	FILE *f = fopen(path, "w");

	cr_assert_not_null(f);
	fputs(text, f);
	fclose(f);
	return pricing_load(path, &told.report);
}

static int64_t
input_rate(const struct price_table *t, const char *model)
{
	const struct price *p = price_find(t, str_from(model), 0);

	return p ? p->tiers[0].rates[PRICE_INPUT] : -9;
}

Test(pricing, without_a_file_what_is_built_in)
{
	struct price_table *t = pricing_load("", &told.report);

	cr_assert_not_null(t, "%s", told.text);
	cr_assert(price_table_count(t) >= 35);
	cr_assert_eq(input_rate(t, "gpt-5.5"), 5000000);
	price_table_destroy(t);
}

Test(pricing, ones_own_file_goes_on_top)
{
	struct price_table *t = load("{\"models\":[{\"name\":\"gpt-5.5\",\"rates\":{\"input\":7,\"output\":8}},"
				     "{\"name\":\"mine\",\"rates\":{\"input\":0,\"output\":0}}]}");

	cr_assert_not_null(t, "%s", told.text);
	cr_assert_eq(input_rate(t, "gpt-5.5"), 7000000);
	cr_assert_eq(input_rate(t, "mine"), 0);
	cr_assert_eq(input_rate(t, "gpt-5.4"), 2500000);
	price_table_destroy(t);
}

Test(pricing, every_mistake_is_told)
{
	char want[400];

	cr_assert_null(load("{\"models\":[{\"name\":\"a\"},{\"name\":\"b\",\"x\":1,\"rates\":{\"input\":7,\"output\":8}}]}"));
	cr_assert_eq(told.report.errors, 2);
	snprintf(want, sizeof(want), "%s: models[0]: \"rates\" is missing\n%s: models[1].x: is nothing that a model has\n", path,
		 path);
	cr_assert_str_eq(told.text, want);
}

Test(pricing, a_file_that_is_not_there)
{
	cr_assert_null(pricing_load("/nonexistent/prices.json", &told.report));
	cr_assert_eq(told.report.errors, 1);
	cr_assert_str_eq(told.text, "/nonexistent/prices.json: No such file or directory\n");
}
