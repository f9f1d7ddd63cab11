#include "golden.h"

#include <stdlib.h>

void
golden_check_not_stuck(const struct session *x, void *ctx)
{
	struct play *p = ctx;

	if (x->state == SESSION_WORKING || x->state == SESSION_WAITING)
		golden_report(p, false, "not stuck", "%s is %s", x->id, session_state_name(x->state));
}

static bool
same_number(struct play *p, const char *id, const cJSON *want, const char *key, uint64_t got)
{
	if (golden_number(want, key) == (double)got)
		return true;
	golden_report(p, false, "totals", "%s %s: want %.0f, got %llu", id, key, golden_number(want, key),
		      (unsigned long long)got);
	return false;
}

static bool
same_models(struct play *p, const struct session *x, const cJSON *by_model)
{
	const cJSON *m;
	bool ok = true;

	cJSON_ArrayForEach(m, by_model)
	{
		const struct model_usage *u = NULL;
		for (size_t i = 0; i < x->model_count; i++)
			if (strcmp(x->models[i].model, m->string) == 0)
				u = &x->models[i];
		if (!u) {
			golden_report(p, false, "totals", "%s: no model %s", x->id, m->string);
			return false;
		}
		ok &= same_number(p, m->string, m, "requests", u->requests);
		ok &= same_number(p, m->string, m, "input_tokens", u->tokens.input);
		ok &= same_number(p, m->string, m, "output_tokens", u->tokens.output);
		ok &= same_number(p, m->string, m, "cache_read_tokens", u->tokens.cache_read);
		ok &= same_number(p, m->string, m, "cache_write_tokens", u->tokens.cache_write);
	}
	if (cJSON_GetArraySize(by_model) != (int)x->model_count) {
		golden_report(p, false, "totals", "%s: %zu models", x->id, x->model_count);
		ok = false;
	}
	return ok;
}

static bool
same_totals(struct play *p, const cJSON *want)
{
	const char *id = want->string;
	const struct session *x = sessions_find(p->sessions, golden_text(want, "provider"), id);
	double cost = golden_number(want, "reported_cost_usd");
	bool ok = true;

	if (!x || !x->shown) {
		if (golden_number(want, "requests") == 0 && golden_number(want, "prompts") == 0)
			return true;
		golden_report(p, false, "totals", "%s is not shown", id);
		return false;
	}
	ok &= same_number(p, id, want, "requests", x->requests);
	ok &= same_number(p, id, want, "input_tokens", x->tokens.input);
	ok &= same_number(p, id, want, "cache_read_tokens", x->tokens.cache_read);
	ok &= same_number(p, id, want, "cache_write_tokens", x->tokens.cache_write);
	ok &= same_number(p, id, want, "output_tokens", x->tokens.output);
	ok &= same_number(p, id, want, "reasoning_tokens", x->tokens.reasoning);
	ok &= same_number(p, id, want, "tool_calls", x->tool_calls);
	ok &= same_number(p, id, want, "prompts", x->prompts);
	ok &= same_number(p, id, want, "api_errors", x->api_errors);
	if (llabs(x->cost.reported - (long long)(cost * 1e12 + 0.5)) > 1000000) {
		golden_report(p, false, "totals", "%s cost: want %.9f, got %.9f", id, cost, (double)x->cost.reported / 1e12);
		ok = false;
	}
	return same_models(p, x, cJSON_GetObjectItem(want, "by_model")) && ok;
}

void
golden_check_totals(struct play *p)
{
	size_t len;
	char *buf = golden_read_file(p->dir, "expected.json", &len);
	cJSON *all = buf ? cJSON_Parse(buf) : NULL;
	const cJSON *want;
	bool ok = true;

	cJSON_ArrayForEach(want, all) ok &= same_totals(p, want);
	if (all && ok)
		golden_report(p, true, "totals", "");
	cJSON_Delete(all);
	free(buf);
}

void
golden_check_stream(struct play *p, const char *expected_dir, const char *got, bool update)
{
	char file[160];
	size_t len;
	char *want;
	FILE *f;

	snprintf(file, sizeof(file), "%s.txt", p->name);
	if (update) {
		char path[PATH_SIZE];
		snprintf(path, sizeof(path), "%s/%s", expected_dir, file);
		f = fopen(path, "w");
		if (f) {
			fputs(got, f);
			fclose(f);
		}
		return;
	}
	want = golden_read_file(expected_dir, file, &len);
	if (want)
		golden_report(p, strcmp(want, got) == 0, "events", "differ from %s/%s", expected_dir, file);
	free(want);
}
