/*
 * Any bytes as LiteLLM's list: a complaint or prices. Those are what a file of ours may hold: written, it is read without a
 * complaint, and says the same.
 */
#include "prices/litellm.h"
#include "prices/price_write.h"
#include "require.h"

#include <stdlib.h>
#include <string.h>

struct text {
	char *bytes;
	size_t len, size;
};

static void
count(struct price_report *report, const char *text)
{
	(void)report;
	require(text && strlen(text) < 1024);
}

static bool
append(void *ctx, const char *text)
{
	struct text *t = ctx;
	const size_t len = strlen(text);

	if (t->len + len > t->size) {
		t->size = 2 * (t->len + len) + 1024;
		t->bytes = realloc(t->bytes, t->size);
		require(t->bytes != NULL);
	}
	memcpy(t->bytes + t->len, text, len);
	t->len += len;
	return true;
}

static void
check_same(const struct price *a, const struct price *b)
{
	require(strcmp(a->name, b->name) == 0 && a->alias_count == b->alias_count && a->tier_count == b->tier_count);
	for (size_t i = 0; i < a->tier_count; i++) {
		require(a->tiers[i].above == b->tiers[i].above);
		require(memcmp(a->tiers[i].rates, b->tiers[i].rates, sizeof(a->tiers[i].rates)) == 0);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct price_report report = { .line = count };
	struct price_list list = { 0 }, again = { 0 };
	struct litellm_counts counts = { 0 };
	struct text text = { 0 };
	const bool ok = litellm_parse((const char *)data, size, "fuzz", "2026-11-26", &report, &list, &counts);

	require(ok == (report.errors == 0) && counts.taken == list.count);
	require(price_write(&list, append, &text));
	require(price_file_parse(text.bytes, text.len, "again", &report, &again));
	require(again.count == list.count);
	for (size_t i = 0; i < list.count; i++)
		check_same(&list.rows[i], &again.rows[i]);
	price_list_finish(&list);
	price_list_finish(&again);
	free(text.bytes);
	return 0;
}
