#include "price.h"

const struct price *
price_find(const struct price_table *t, struct str model, uint64_t time_ns)
{
	return price_table_find(t, model.ptr, model.len, time_ns);
}

/* --- what a request costs --- */

static int64_t
add(int64_t a, int64_t b)
{
	return __builtin_add_overflow(a, b, &a) ? INT64_MAX : a;
}

static int64_t
times(uint64_t tokens, int64_t rate)
{
	int64_t cost;

	return __builtin_mul_overflow(tokens, rate, &cost) ? INT64_MAX : cost;
}

/* Rounded to the nearest pico-dollar. */
static int64_t
scale(int64_t cost, int64_t micro)
{
	if (cost == INT64_MAX)
		return cost;
	return add(times((uint64_t)(cost / PRICE_FACTOR_ONE), micro),
		   (cost % PRICE_FACTOR_ONE * micro + PRICE_FACTOR_ONE / 2) / PRICE_FACTOR_ONE);
}

static const struct price_tier *
tier_of(const struct price *p, uint64_t prompt_tokens)
{
	size_t i = 0;

	while (i + 1 < p->tier_count && prompt_tokens > p->tiers[i + 1].above)
		i++;
	return &p->tiers[i];
}

/* The rate, or what stands for one that is not known. */
static int64_t
rate_of(const struct price_tier *t, enum price_kind kind, bool *ret_guessed)
{
	if (t->rates[kind] != PRICE_UNSET)
		return t->rates[kind];
	switch (kind) {
	case PRICE_CACHE_READ:
		*ret_guessed = true;
		return (t->rates[PRICE_INPUT] + 5) / 10;
	case PRICE_CACHE_WRITE_1H:
		*ret_guessed = t->rates[PRICE_CACHE_WRITE_5M] != PRICE_UNSET;
		return rate_of(t, PRICE_CACHE_WRITE_5M, ret_guessed);
	default:
		return t->rates[PRICE_INPUT];
	}
}

/* Each kind by itself; what a CLI counts twice by mistake makes no kind negative. */
static void
split(const struct observation *o, uint64_t tokens[PRICE_KIND_COUNT])
{
	const struct tokens *t = &o->tokens;
	const uint64_t hour = o->cache_write_1h < t->cache_write ? o->cache_write_1h : t->cache_write;
	uint64_t rest = t->input;

	rest -= t->cache_read < rest ? t->cache_read : rest;
	rest -= t->cache_write < rest ? t->cache_write : rest;
	tokens[PRICE_INPUT] = rest;
	tokens[PRICE_OUTPUT] = t->output;
	tokens[PRICE_CACHE_READ] = t->cache_read;
	tokens[PRICE_CACHE_WRITE_5M] = t->cache_write - hour;
	tokens[PRICE_CACHE_WRITE_1H] = hour;
}

static bool
is_usual(struct str speed)
{
	static const char *const usual[] = { "", "normal", "standard", "default" };

	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
		if (str_eq(speed, str_from(usual[i])))
			return true;
	return false;
}

/* The price of a way of serving that the table does not tell is a guess. */
static int64_t
factor_of(const struct price *p, struct str speed, bool *ret_guessed)
{
	for (size_t i = 0; i < p->factor_count; i++)
		if (str_eq(speed, str_from(p->factors[i].name)))
			return p->factors[i].micro;
	*ret_guessed |= !is_usual(speed);
	return PRICE_FACTOR_ONE;
}

struct price_quote
price_request(const struct price_table *t, const struct observation *o)
{
	const struct price *p = price_find(t, o->model, o->time_ns);
	uint64_t tokens[PRICE_KIND_COUNT];
	struct price_quote q = { 0 };

	if (!p) {
		q.cost = add(times(o->tokens.input, PRICE_UNKNOWN_RATE), times(o->tokens.output, PRICE_UNKNOWN_RATE));
		q.estimated = true;
		return q;
	}
	const struct price_tier *tier = tier_of(p, o->tokens.input);
	split(o, tokens);
	for (enum price_kind k = 0; k < PRICE_KIND_COUNT; k++)
		if (tokens[k] > 0)
			q.cost = add(q.cost, times(tokens[k], rate_of(tier, k, &q.estimated)));
	q.cost = scale(q.cost, factor_of(p, o->speed, &q.estimated));
	return q;
}
