#include "prices/price_write.h"

#include "prices/price_value.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define NS_PER_S 1000000000ull

struct writer {
	bool (*put)(void *ctx, const char *text);
	void *ctx;
	bool failed;
};

static const char *const kind_names[PRICE_KIND_COUNT] = {
	[PRICE_INPUT] = "input",
	[PRICE_OUTPUT] = "output",
	[PRICE_CACHE_READ] = "cache_read",
	[PRICE_CACHE_WRITE_5M] = "cache_write_5m",
	[PRICE_CACHE_WRITE_1H] = "cache_write_1h",
};

const char *
price_kind_name(enum price_kind kind)
{
	return kind_names[kind];
}

const char *
price_rate_text(int64_t micro, char out[PRICE_RATE_TEXT])
{
	int len;

	*out = '\0';
	if (micro == PRICE_UNSET)
		return out;
	len = snprintf(out, PRICE_RATE_TEXT, "%" PRId64 ".%06" PRId64, micro / PRICE_MICRO, micro % PRICE_MICRO);
	while (out[len - 1] == '0')
		out[--len] = '\0';
	if (out[len - 1] == '.')
		out[len - 1] = '\0';
	return out;
}

const char *
price_day_text(uint64_t ns, char out[PRICE_RATE_TEXT])
{
	const time_t s = (time_t)(ns / NS_PER_S);
	struct tm tm;

	*out = '\0';
	if (ns != 0 && ns != UINT64_MAX && gmtime_r(&s, &tm) && strftime(out, PRICE_RATE_TEXT, "%Y-%m-%d", &tm) == 0)
		*out = '\0';
	return out;
}

/* --- pieces --- */

static void
put(struct writer *w, const char *text)
{
	w->failed = w->failed || !w->put(w->ctx, text);
}

/* Text of a price is printable already; what JSON needs beyond that are two escapes. */
static void
put_quoted(struct writer *w, const char *text)
{
	char piece[3] = { '\\' };

	put(w, "\"");
	for (; *text && !w->failed; text++) {
		piece[1] = *text;
		put(w, *text == '"' || *text == '\\' ? piece : piece + 1);
	}
	put(w, "\"");
}

/* Nothing where there is nothing. */
static void
put_member(struct writer *w, const char *key, const char *text)
{
	if (*text == '\0')
		return;
	put(w, ", ");
	put_quoted(w, key);
	put(w, ": ");
	put_quoted(w, text);
}

static void
put_rates(struct writer *w, const int64_t rates[PRICE_KIND_COUNT])
{
	char number[PRICE_RATE_TEXT];
	bool first = true;

	put(w, "{");
	for (enum price_kind k = 0; k < PRICE_KIND_COUNT; k++) {
		if (rates[k] == PRICE_UNSET)
			continue;
		put(w, first ? "" : ", ");
		put_quoted(w, kind_names[k]);
		put(w, ": ");
		put_quoted(w, price_rate_text(rates[k], number));
		first = false;
	}
	put(w, "}");
}

static void
put_aliases(struct writer *w, const struct price *p)
{
	if (p->alias_count == 0)
		return;
	put(w, ", \"aliases\": [");
	for (size_t i = 0; i < p->alias_count; i++) {
		put(w, i ? ", " : "");
		put_quoted(w, p->aliases[i]);
	}
	put(w, "]");
}

static void
put_tiers(struct writer *w, const struct price *p)
{
	char number[PRICE_RATE_TEXT];

	if (p->tier_count < 2)
		return;
	put(w, ",\n     \"tiers\": [");
	for (size_t i = 1; i < p->tier_count; i++) {
		snprintf(number, sizeof(number), "%" PRIu64, p->tiers[i].above);
		put(w, i > 1 ? ", {\"above\": " : "{\"above\": ");
		put(w, number);
		put(w, ", \"rates\": ");
		put_rates(w, p->tiers[i].rates);
		put(w, "}");
	}
	put(w, "]");
}

static void
put_factors(struct writer *w, const struct price *p)
{
	char number[PRICE_RATE_TEXT];

	if (p->factor_count == 0)
		return;
	put(w, ", \"service_tiers\": {");
	for (size_t i = 0; i < p->factor_count; i++) {
		put(w, i ? ", " : "");
		put_quoted(w, p->factors[i].name);
		put(w, ": ");
		put_quoted(w, price_rate_text(p->factors[i].micro, number));
	}
	put(w, "}");
}

static void
put_price(struct writer *w, const struct price *p)
{
	char day[PRICE_RATE_TEXT];

	put(w, "    {\"name\": ");
	put_quoted(w, p->name);
	put_aliases(w, p);
	put_member(w, "provider", p->provider);
	put_member(w, "from", price_day_text(p->from_ns, day));
	put_member(w, "until", price_day_text(p->until_ns, day));
	put(w, ",\n     \"rates\": ");
	put_rates(w, p->tiers[0].rates);
	put_tiers(w, p);
	put_factors(w, p);
	put_member(w, "source", p->source);
	put_member(w, "as_of", p->as_of);
	put(w, "}");
}

bool
price_write(const struct price_list *l, bool (*put_text)(void *ctx, const char *text), void *ctx)
{
	struct writer w = { put_text, ctx, false };

	put(&w, "{\n  \"models\": [\n");
	for (size_t i = 0; i < l->count; i++) {
		put_price(&w, &l->rows[i]);
		put(&w, i + 1 < l->count ? ",\n" : "\n");
	}
	put(&w, "  ]\n}\n");
	return !w.failed;
}
