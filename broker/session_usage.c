#include "session_usage.h"

#include <stdio.h>
#include <stdlib.h>

#define OTHER "other"

void
usage_add_tokens(struct tokens *sum, const struct tokens *t)
{
	sum->input += t->input;
	sum->cache_read += t->cache_read;
	sum->cache_write += t->cache_write;
	sum->output += t->output;
	sum->reasoning += t->reasoning;
}

static void
add_money(int64_t *sum, int64_t money)
{
	if (__builtin_add_overflow(*sum, money, sum))
		*sum = money < 0 ? INT64_MIN : INT64_MAX;
}

void
usage_add_cost(struct cost *sum, const struct cost *c)
{
	add_money(&sum->reported, c->reported);
	add_money(&sum->computed, c->computed);
	add_money(&sum->unreported, c->unreported);
	sum->has_reported |= c->has_reported;
	sum->has_computed |= c->has_computed;
	sum->estimated |= c->estimated;
}

static struct model_usage *
known_model(const struct session *x, const char *model)
{
	for (size_t i = 0; i < x->model_count; i++)
		if (strcmp(x->models[i].model, model) == 0)
			return &x->models[i];
	return NULL;
}

struct model_usage *
usage_of_model(struct session *x, const char *model)
{
	struct model_usage *row = known_model(x, model), *grown;

	if (row)
		return row;
	if (x->model_count + 1 >= SESSION_MODELS_MAX && strcmp(model, OTHER) != 0)
		return usage_of_model(x, OTHER);
	grown = realloc(x->models, (x->model_count + 1) * sizeof(*grown));
	if (!grown)
		return NULL;
	x->models = grown;
	row = &grown[x->model_count++];
	*row = (struct model_usage){ 0 };
	snprintf(row->model, sizeof(row->model), "%s", model);
	return row;
}

static struct cost
cost_of(const struct observation *o, const struct price_table *prices)
{
	struct cost c = { .reported = o->has_cost ? o->cost : 0, .has_reported = o->has_cost };
	struct price_quote q;

	if (!prices)
		return c;
	q = price_request(prices, o);
	c.computed = q.cost;
	c.has_computed = true;
	if (!o->has_cost) {
		c.unreported = q.cost;
		c.estimated = q.estimated;
	}
	return c;
}

struct cost
usage_add_request(struct session *x, const struct observation *o, const struct price_table *prices)
{
	const struct cost cost = cost_of(o, prices);
	char name[sizeof(((struct model_usage *)0)->model)];
	struct model_usage *m;

	x->requests++;
	usage_add_tokens(&x->tokens, &o->tokens);
	usage_add_cost(&x->cost, &cost);
	str_copy(name, sizeof(name), o->model.len ? o->model : STR("unknown"));
	m = usage_of_model(x, name);
	if (m) {
		m->requests++;
		usage_add_tokens(&m->tokens, &o->tokens);
		usage_add_cost(&m->cost, &cost);
	}
	return cost;
}

struct cost
usage_add_turn_cost(struct session *x, const struct observation *o)
{
	struct cost change = { .reported = o->cost, .has_reported = true };

	if (!o->has_cost)
		return (struct cost){ 0 };
	change.unreported = x->cost.unreported > -INT64_MAX ? -x->cost.unreported : INT64_MAX;
	usage_add_cost(&x->cost, &(struct cost){ .reported = o->cost, .has_reported = true });
	x->cost.unreported = 0;
	x->cost.estimated = false;
	return change;
}
