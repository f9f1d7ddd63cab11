/*
 * Any bytes as a file of prices: complaints, but nothing worse. What was accepted makes a table in which each price is found by
 * its names, and which prices a request.
 */
#include "price.h"
#include "prices/price_file.h"
#include "require.h"

static void
count(struct price_report *report, const char *text)
{
	(void)report;
	require(text && strlen(text) < 1024);
}

static void
check(const struct price_table *t, const struct price *p)
{
	const struct price *found = price_find(t, str_from(p->name), p->from_ns);
	struct observation o = { .model = str_from(p->name), .time_ns = p->from_ns, .speed = STR("fast") };

	require(*p->name && p->from_ns < p->until_ns && p->tier_count >= 1 && p->tier_count <= PRICE_TIERS_MAX + 1);
	require(p->alias_count <= PRICE_ALIASES_MAX && p->factor_count <= PRICE_FACTORS_MAX);
	require(found == p);
	for (size_t i = 0; i < p->alias_count; i++)
		require(price_find(t, str_from(p->aliases[i]), p->until_ns - 1) != NULL);
	o.tokens = (struct tokens){ 1000, 100, 100, 100, 0 };
	require(price_request(t, &o).cost >= 0);
	o.tokens = (struct tokens){ UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, 0 };
	require(price_request(t, &o).cost >= 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct price_report report = { .line = count };
	struct price_list list = { 0 }, none = { 0 };
	struct price_table *t;

	require(price_file_parse((const char *)data, size, "fuzz", &report, &list) == (report.errors == 0));
	t = price_table_create(&none, &list);
	require(t != NULL && price_table_count(t) == list.count);
	for (size_t i = 0; i < price_table_count(t); i++)
		check(t, price_table_at(t, i));
	price_table_destroy(t);
	price_list_finish(&list);
	return 0;
}
