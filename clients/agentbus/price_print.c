#include "price_print.h"

#include "common/grid.h"
#include "common/json.h"
#include "prices/price_write.h"

#include <inttypes.h>
#include <string.h>

enum { LINE_SIZE = 192, TOKENS_PER_K = 1000 };

/* A rate counts pico-dollars per token, which is a millionth of USD per million tokens; JSON takes pico-dollars. */
#define PICO_PER_MICRO INT64_C(1000000)

static const struct grid_column columns[] = {
	{ "MODEL", false, 2 }, { "IN", true, 0 }, { "OUT", true, 0 },    { "READ", true, 0 },
	{ "WRITE", true, 0 },  { "1H", true, 0 }, { "AS OF", false, 0 }, { "SOURCE", false, 1 },
};

/* --- table --- */

static void
add_rates(struct grid *g, const int64_t rates[PRICE_KIND_COUNT])
{
	char number[PRICE_RATE_TEXT];

	for (enum price_kind k = 0; k < PRICE_KIND_COUNT; k++)
		grid_add(g, rates[k] == PRICE_UNSET ? "-" : price_rate_text(rates[k], number));
}

static void
add_blanks(struct grid *g, size_t count)
{
	for (size_t i = 0; i < count; i++)
		grid_add(g, "");
}

static void
add_model(struct grid *g, const struct price_shown *shown)
{
	const struct price *p = shown->price;
	char from[PRICE_RATE_TEXT], until[PRICE_RATE_TEXT], line[LINE_SIZE], source[sizeof(p->source) + 16];

	price_day_text(p->from_ns, from);
	price_day_text(p->until_ns, until);
	snprintf(line, sizeof(line), "%s%s%s%s%s", p->name, *from ? " from " : "", from, *until ? " until " : "", until);
	grid_add(g, line);
	add_rates(g, p->tiers[0].rates);
	grid_add(g, *p->as_of ? p->as_of : "-");
	snprintf(source, sizeof(source), "%s%s%s", shown->own ? "your file" : "", shown->own && *p->source ? ": " : "",
		 p->source);
	grid_add(g, *source ? source : "-");
}

static void
add_tier(struct grid *g, const struct price_tier *t)
{
	char line[LINE_SIZE];

	if (t->above % TOKENS_PER_K == 0)
		snprintf(line, sizeof(line), "  above %" PRIu64 "k", t->above / TOKENS_PER_K);
	else
		snprintf(line, sizeof(line), "  above %" PRIu64, t->above);
	grid_add(g, line);
	add_rates(g, t->rates);
	add_blanks(g, 2);
}

static void
add_factor(struct grid *g, const struct price_factor *f)
{
	char line[LINE_SIZE], number[PRICE_RATE_TEXT];

	snprintf(line, sizeof(line), "  %s: x%s", f->name, price_rate_text(f->micro, number));
	grid_add(g, line);
	add_blanks(g, PRICE_KIND_COUNT + 2);
}

bool
price_print_table(FILE *out, const struct price_shown *prices, size_t count, size_t width, bool colour)
{
	struct grid g = { .columns = columns, .column_count = sizeof(columns) / sizeof(columns[0]) };

	for (size_t i = 0; i < count; i++) {
		const struct price *p = prices[i].price;

		add_model(&g, &prices[i]);
		for (size_t t = 1; t < p->tier_count; t++)
			add_tier(&g, &p->tiers[t]);
		for (size_t f = 0; f < p->factor_count; f++)
			add_factor(&g, &p->factors[f]);
	}
	const bool ok = grid_print(out, &g, width, colour);
	grid_finish(&g);
	return ok;
}

/* --- JSON --- */

static void
json_rates(struct json *j, const int64_t rates[PRICE_KIND_COUNT])
{
	json_object(j, "rates");
	for (enum price_kind k = 0; k < PRICE_KIND_COUNT; k++) {
		if (rates[k] == PRICE_UNSET)
			json_null(j, price_kind_name(k));
		else
			json_usd(j, price_kind_name(k), rates[k] * PICO_PER_MICRO);
	}
	json_end(j);
}

static void
json_price(struct json *j, const struct price_shown *shown)
{
	const struct price *p = shown->price;
	char day[PRICE_RATE_TEXT];

	json_object(j, NULL);
	json_string(j, "name", p->name);
	json_array(j, "aliases");
	for (size_t i = 0; i < p->alias_count; i++)
		json_string(j, NULL, p->aliases[i]);
	json_end(j);
	json_string_or_null(j, "provider", p->provider);
	json_string_or_null(j, "from", price_day_text(p->from_ns, day));
	json_string_or_null(j, "until", price_day_text(p->until_ns, day));
	json_rates(j, p->tiers[0].rates);
	json_array(j, "tiers");
	for (size_t i = 1; i < p->tier_count; i++) {
		json_object(j, NULL);
		json_uint(j, "above", p->tiers[i].above);
		json_rates(j, p->tiers[i].rates);
		json_end(j);
	}
	json_end(j);
	json_object(j, "service_tiers");
	for (size_t i = 0; i < p->factor_count; i++)
		json_usd(j, p->factors[i].name, p->factors[i].micro * PICO_PER_MICRO);
	json_end(j);
	json_string_or_null(j, "source", p->source);
	json_string_or_null(j, "as_of", p->as_of);
	json_string(j, "origin", shown->own ? "file" : "built-in");
	json_end(j);
}

bool
price_print_json(FILE *out, const struct price_shown *prices, size_t count)
{
	struct json j = { 0 };

	json_object(&j, NULL);
	json_array(&j, "prices");
	for (size_t i = 0; i < count; i++)
		json_price(&j, &prices[i]);
	json_end(&j);
	json_end(&j);
	json_newline(&j);
	const bool ok = json_print(&j, out);
	json_finish(&j);
	return ok;
}
