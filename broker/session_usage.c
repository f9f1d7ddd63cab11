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

void
usage_add_request(struct session *x, const struct observation *o)
{
	char name[sizeof(((struct model_usage *)0)->model)];
	struct model_usage *m;

	x->requests++;
	usage_add_tokens(&x->tokens, &o->tokens);
	str_copy(name, sizeof(name), o->model.len ? o->model : STR("unknown"));
	m = usage_of_model(x, name);
	if (m) {
		m->requests++;
		usage_add_tokens(&m->tokens, &o->tokens);
	}
}

void
usage_add_cost(struct session *x, const struct observation *o)
{
	if (!o->has_cost)
		return;
	x->reported_cost += o->cost;
	x->has_reported_cost = true;
}
