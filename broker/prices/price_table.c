#include "prices/price_table.h"

#include <stdlib.h>
#include <string.h>

/* A name that leads to a price. */
struct name {
	const char *text;
	const struct price *price;
	bool alias;
};

struct price_table {
	struct price_list list;
	struct name *names; /* sorted */
	size_t name_count;
};

/* --- lists --- */

bool
price_list_add(struct price_list *l, const struct price *p)
{
	if (l->count == PRICE_MODELS_MAX)
		return false;
	if (l->count == l->size) {
		const size_t size = l->size ? 2 * l->size : 16;
		struct price *grown = realloc(l->rows, size * sizeof(*grown));

		if (!grown)
			return false;
		l->rows = grown;
		l->size = size;
	}
	l->rows[l->count++] = *p;
	return true;
}

void
price_list_finish(struct price_list *l)
{
	free(l->rows);
	*l = (struct price_list){ 0 };
}

/* Names and aliases by number, the name first; NULL after the last. */
static const char *
name_at(const struct price *p, size_t i)
{
	if (i == 0)
		return p->name;
	return i <= p->alias_count ? p->aliases[i - 1] : NULL;
}

static bool
goes_by(const struct price *p, const char *name)
{
	const char *own;

	for (size_t i = 0; (own = name_at(p, i)); i++)
		if (strcmp(own, name) == 0)
			return true;
	return false;
}

const struct price *
price_list_clash(const struct price_list *l, const struct price *p)
{
	const char *name;

	for (size_t i = 0; i < l->count; i++) {
		const struct price *other = &l->rows[i];

		if (p->from_ns >= other->until_ns || other->from_ns >= p->until_ns)
			continue;
		for (size_t k = 0; (name = name_at(p, k)); k++)
			if (goes_by(other, name))
				return other;
	}
	return NULL;
}

/* --- the table --- */

/* Exact names before aliases, and what came first before what came later. */
static int
compare_names(const void *a, const void *b)
{
	const struct name *x = a, *y = b;
	const int order = strcmp(x->text, y->text);

	if (order != 0)
		return order;
	if (x->alias != y->alias)
		return x->alias - y->alias;
	return (x->price > y->price) - (x->price < y->price);
}

static bool
names_model(const struct price_list *l, const char *name)
{
	for (size_t i = 0; i < l->count; i++)
		if (strcmp(l->rows[i].name, name) == 0)
			return true;
	return false;
}

/* The user's own come first, and so win where an alias is said twice. */
static bool
copy_lists(struct price_table *t, const struct price_list *shipped, const struct price_list *own)
{
	const size_t count = shipped->count + own->count;

	t->list.rows = calloc(count ? count : 1, sizeof(*t->list.rows));
	if (!t->list.rows)
		return false;
	for (size_t i = 0; i < own->count; i++)
		t->list.rows[t->list.count++] = own->rows[i];
	for (size_t i = 0; i < shipped->count; i++)
		if (!names_model(own, shipped->rows[i].name))
			t->list.rows[t->list.count++] = shipped->rows[i];
	return true;
}

static bool
index_names(struct price_table *t)
{
	t->names = calloc(t->list.count * (PRICE_ALIASES_MAX + 1) + 1, sizeof(*t->names));
	if (!t->names)
		return false;
	for (size_t i = 0; i < t->list.count; i++) {
		const struct price *p = &t->list.rows[i];
		const char *text;

		for (size_t k = 0; (text = name_at(p, k)); k++)
			t->names[t->name_count++] = (struct name){ text, p, k > 0 };
	}
	qsort(t->names, t->name_count, sizeof(*t->names), compare_names);
	return true;
}

struct price_table *
price_table_create(const struct price_list *shipped, const struct price_list *own)
{
	struct price_table *t = calloc(1, sizeof(*t));

	if (t && copy_lists(t, shipped, own) && index_names(t))
		return t;
	price_table_destroy(t);
	return NULL;
}

void
price_table_destroy(struct price_table *t)
{
	if (!t)
		return;
	price_list_finish(&t->list);
	free(t->names);
	free(t);
}

size_t
price_table_count(const struct price_table *t)
{
	return t->list.count;
}

const struct price *
price_table_at(const struct price_table *t, size_t i)
{
	return &t->list.rows[i];
}

/* --- finding --- */

/* Like strcmp(); the name has no end of its own. */
static int
compare_view(const char *name, size_t name_len, const char *text)
{
	const size_t len = strlen(text), shorter = name_len < len ? name_len : len;
	const int order = shorter ? memcmp(name, text, shorter) : 0;

	return order ? order : (name_len > len) - (name_len < len);
}

static const struct price *
find_named(const struct price_table *t, const char *name, size_t len, uint64_t time_ns)
{
	size_t low = 0, high = t->name_count;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (compare_view(name, len, t->names[middle].text) > 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < t->name_count && compare_view(name, len, t->names[low].text) == 0; low++) {
		const struct price *p = t->names[low].price;

		if (time_ns >= p->from_ns && time_ns < p->until_ns)
			return p;
	}
	return NULL;
}

/* Whether text is as the pattern says: 0 is any digit, everything else itself. */
static bool
looks_like(const char *text, const char *pattern)
{
	for (; *pattern; pattern++, text++)
		if (*pattern == '0' ? *text < '0' || *text > '9' : *text != *pattern)
			return false;
	return true;
}

/* Cuts a date off the end. */
static bool
cut_date(const char *name, size_t *len)
{
	static const char *const patterns[] = { "-00000000", "-0000-00-00" };

	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		const size_t date = strlen(patterns[i]);

		if (*len > date && looks_like(name + *len - date, patterns[i])) {
			*len -= date;
			return true;
		}
	}
	return false;
}

const struct price *
price_table_find(const struct price_table *t, const char *model, size_t len, uint64_t time_ns)
{
	const struct price *p = find_named(t, model, len, time_ns);

	return p || !cut_date(model, &len) ? p : find_named(t, model, len, time_ns);
}
