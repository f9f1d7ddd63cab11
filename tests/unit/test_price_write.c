#include "prices/price_file.h"
#include "prices/price_shipped.h"
#include "prices/price_write.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static void
hear(struct price_report *report, const char *text)
{
	(void)report;
	cr_assert_fail("%s", text);
}

struct text {
	char bytes[64 << 10];
	size_t len, most;
};

static bool
append(void *ctx, const char *text)
{
	struct text *t = ctx;
	const size_t len = strlen(text);

	if (t->len + len > t->most)
		return false;
	memcpy(t->bytes + t->len, text, len + 1);
	t->len += len;
	return true;
}

Test(price_write, rates_and_days_as_they_are_read)
{
	char out[PRICE_RATE_TEXT];

	cr_expect_str_eq(price_rate_text(0, out), "0");
	cr_expect_str_eq(price_rate_text(3000000, out), "3");
	cr_expect_str_eq(price_rate_text(2500000, out), "2.5");
	cr_expect_str_eq(price_rate_text(1, out), "0.000001");
	cr_expect_str_eq(price_rate_text(PRICE_RATE_MAX, out), "1000000");
	cr_expect_str_eq(price_rate_text(PRICE_UNSET, out), "");
	cr_expect_str_eq(price_day_text(0, out), "");
	cr_expect_str_eq(price_day_text(UINT64_MAX, out), "");
	cr_expect_str_eq(price_day_text(86400ull * 1000000000, out), "1970-01-02");
	cr_expect_str_eq(price_kind_name(PRICE_CACHE_WRITE_1H), "cache_write_1h");
}

static void
expect_same(const struct price *a, const struct price *b)
{
	cr_expect_str_eq(a->name, b->name);
	cr_expect_eq(a->alias_count, b->alias_count);
	for (size_t i = 0; i < a->alias_count; i++)
		cr_expect_str_eq(a->aliases[i], b->aliases[i]);
	cr_expect_str_eq(a->provider, b->provider);
	cr_expect(a->from_ns == b->from_ns && a->until_ns == b->until_ns, "%s", b->name);
	cr_expect_eq(a->tier_count, b->tier_count);
	cr_expect_eq(memcmp(a->tiers, b->tiers, a->tier_count * sizeof(a->tiers[0])), 0, "%s", b->name);
	cr_expect_eq(a->factor_count, b->factor_count);
	for (size_t i = 0; i < a->factor_count; i++)
		cr_expect(strcmp(a->factors[i].name, b->factors[i].name) == 0 && a->factors[i].micro == b->factors[i].micro);
	cr_expect_str_eq(a->source, b->source);
	cr_expect_str_eq(a->as_of, b->as_of);
}

/* All that a price can have, and all that is shipped, is the same when it is read again. */
Test(price_write, what_is_written_is_read_as_it_was)
{
	static const char all[] =
	    "{\"models\": [{\"name\": \"a\\\"b\\\\c\", \"aliases\": [\"x\", \"y\"], \"provider\": \"p\", \"from\": "
	    "\"2026-01-01\","
	    " \"until\": \"2027-01-01\", \"rates\": {\"input\": \"1.000001\", \"output\": 2, \"cache_read\": 0},"
	    " \"tiers\": [{\"above\": 5, \"rates\": {\"input\": 3, \"output\": 4}}, {\"above\": 9, \"rates\": {\"input\": 5,"
	    " \"output\": 6, \"cache_write_1h\": 7}}], \"fast\": 2, \"service_tiers\": {\"flex\": \"0.5\"}, \"source\": \"s "
	    "\\\"q\\\"\","
	    " \"as_of\": \"2026-11-26\"}]}";
	struct price_report report = { .line = hear };
	struct price_list before = { 0 }, after = { 0 };
	struct text *t = calloc(1, sizeof(*t));

	t->most = sizeof(t->bytes) - 1;
	cr_assert(price_file_parse(all, strlen(all), "all", &report, &before));
	cr_assert(price_file_parse((const char *)price_shipped, price_shipped_size, "shipped", &report, &before));
	cr_assert(price_write(&before, append, t));
	cr_assert(price_file_parse(t->bytes, t->len, "again", &report, &after));
	cr_assert_eq(after.count, before.count);
	for (size_t i = 0; i < before.count; i++)
		expect_same(&after.rows[i], &before.rows[i]);
	for (t->most = 0; t->most < 2000; t->most += 7) {
		t->len = 0;
		cr_expect_not(price_write(&before, append, t), "who takes no more is not given more");
	}
	price_list_finish(&before);
	price_list_finish(&after);
	free(t);
}
