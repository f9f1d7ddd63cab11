/*
 * What models cost: a table of prices. Pure.
 *
 * Money is in pico-dollars (1e-12 USD): a rate of 1 USD per million tokens is 1,000,000 of them per token.
 */
#ifndef AGENTBUS_PRICES_PRICE_TABLE_H
#define AGENTBUS_PRICES_PRICE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PRICE_NAME_MAX     64
#define PRICE_ALIASES_MAX  8
#define PRICE_TIERS_MAX    4
#define PRICE_FACTORS_MAX  4
#define PRICE_MODELS_MAX   4000
#define PRICE_RATE_MAX     INT64_C(1000000000000) /* a million USD per million tokens */
#define PRICE_FACTOR_MAX   INT64_C(1000000000)    /* 1000 times */
#define PRICE_FACTOR_ONE   INT64_C(1000000)
#define PRICE_UNKNOWN_RATE INT64_C(5000000) /* of a model that is in no table */
#define PRICE_UNSET        INT64_C(-1)

enum price_kind {
	PRICE_INPUT, /* beside what is read from and written to caches */
	PRICE_OUTPUT,
	PRICE_CACHE_READ,
	PRICE_CACHE_WRITE_5M,
	PRICE_CACHE_WRITE_1H,
	PRICE_KIND_COUNT
};

/* A request with more than `above` prompt tokens (caches included) costs these rates as a whole. */
struct price_tier {
	uint64_t above;
	int64_t rates[PRICE_KIND_COUNT]; /* per token; PRICE_UNSET where none is known */
};

/* What a request that was served so ("fast", "flex", "priority") costs, in millionths of the usual. */
struct price_factor {
	char name[16];
	int64_t micro;
};

/* What a model costs from one moment on until before another. A model whose price changed has several of them. */
struct price {
	char name[PRICE_NAME_MAX];
	char aliases[PRICE_ALIASES_MAX][PRICE_NAME_MAX];
	size_t alias_count;
	char provider[32];
	uint64_t from_ns, until_ns;
	struct price_tier tiers[PRICE_TIERS_MAX + 1]; /* the first is above 0: the usual rates; the others rise */
	size_t tier_count;
	struct price_factor factors[PRICE_FACTORS_MAX];
	size_t factor_count;
	char source[128];
	char as_of[11]; /* 2026-11-26 */
};

/* Prices as they are read; zeroed is empty. */
struct price_list {
	struct price *rows;
	size_t count, size;
};

/* Appends a copy. False without memory or at PRICE_MODELS_MAX. */
bool price_list_add(struct price_list *l, const struct price *p);
void price_list_finish(struct price_list *l);

/* A price of the list that has a name or alias in common with p at some time; NULL if there is none. */
const struct price *price_list_clash(const struct price_list *l, const struct price *p);

struct price_table;

/*
 * A table of both lists, which it copies. Where `own` names a model, nothing that `shipped` says under that name counts.
 * NULL without memory. destroy(NULL) is fine.
 */
struct price_table *price_table_create(const struct price_list *shipped, const struct price_list *own);
void price_table_destroy(struct price_table *t);

/* How many prices it holds. */
size_t price_table_count(const struct price_table *t);

/* The price at this index. */
const struct price *price_table_at(const struct price_table *t, size_t i);

/*
 * The price of a model, a name of len bytes, at a time: by its exact name, else by a declared alias, else by the one or the other
 * of the same name without a date at its end (-20261126, -2026-11-26). Never by the beginning of a name. NULL: unknown.
 */
const struct price *price_table_find(const struct price_table *t, const char *model, size_t len, uint64_t time_ns);

#endif
