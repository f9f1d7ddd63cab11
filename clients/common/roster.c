#include "common/roster.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLOCK_SKEW_NS (60 * 1000000000ull) /* exporters hold records back for seconds */

/* Sub-agents of sub-agents are seen; a longer chain is broken or a circle. */
enum { MAX_GENERATIONS = 8 };

struct member {
	const struct agentbus_session *session;
	const struct agentbus_session *root; /* the session that it is shown under; itself if it is nobody's child */
};

static int
compare_ids(const void *a, const void *b)
{
	const struct agentbus_session *x = *(const struct agentbus_session *const *)a;
	const struct agentbus_session *y = *(const struct agentbus_session *const *)b;
	int order = strcmp(x->provider, y->provider);

	return order ? order : strcmp(x->id, y->id);
}

static int
compare_members(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	int order = agentbus_session_compare(x->root, y->root);

	if (order == 0)
		order = compare_ids(&x->root, &y->root);
	if (order == 0)
		order = (x->session != x->root) - (y->session != y->root);
	return order ? order : agentbus_session_compare(x->session, y->session);
}

/* index is sorted by compare_ids(). */
static const struct agentbus_session *
find_parent(const struct agentbus_session *s, const struct agentbus_session *const *index, size_t count)
{
	struct agentbus_session wanted = { .provider = s->provider, .id = s->parent_id };
	const struct agentbus_session *key = &wanted;
	const struct agentbus_session *const *found;

	if (!s->auxiliary || !*s->parent_id)
		return NULL;
	found = bsearch(&key, index, count, sizeof(*index), compare_ids);
	return found ? *found : NULL;
}

static const struct agentbus_session *
find_root(const struct agentbus_session *s, const struct agentbus_session *const *index, size_t count)
{
	const struct agentbus_session *root = s, *parent;

	for (int i = 0; i < MAX_GENERATIONS; i++) {
		parent = find_parent(root, index, count);
		if (!parent)
			return root;
		root = parent;
	}
	return s;
}

static void
add_cost(struct roster_figures *sum, const struct roster_figures *f)
{
	if (!f->cost_known)
		return;
	if (__builtin_add_overflow(sum->cost, f->cost, &sum->cost))
		sum->cost = INT64_MAX;
	sum->cost_known = true;
	sum->cost_estimated |= f->cost_estimated;
}

void
roster_figures_add(struct roster_figures *sum, const struct roster_figures *f)
{
	sum->prompts += f->prompts;
	sum->requests += f->requests;
	sum->tool_calls += f->tool_calls;
	sum->errors += f->errors;
	sum->tokens.input += f->tokens.input;
	sum->tokens.cache_read += f->tokens.cache_read;
	sum->tokens.cache_write += f->tokens.cache_write;
	sum->tokens.output += f->tokens.output;
	sum->tokens.reasoning += f->tokens.reasoning;
	add_cost(sum, f);
}

const char *
roster_place(const struct agentbus_session *s, char out[ROSTER_PLACE_SIZE])
{
	const bool apart = s->project[0] && s->worktree[0] && s->branch[0];

	snprintf(out, ROSTER_PLACE_SIZE, apart ? "%.127s (%.127s)" : "%.127s", s->project, s->branch);
	return out;
}

uint64_t
roster_since(const struct agentbus_session *s)
{
	return s->state_observed > s->state_since + CLOCK_SKEW_NS ? s->state_observed : s->state_since;
}

struct roster_figures
roster_figures_of(const struct agentbus_session *s)
{
	const struct agentbus_cost *cost = &s->cost;

	return (struct roster_figures){
		.prompts = s->prompts,
		.requests = s->requests,
		.tool_calls = s->tool_calls,
		.errors = s->api_errors,
		.tokens = s->tokens,
		.cost = cost->total,
		.cost_known = cost->has_reported || cost->has_computed,
		.cost_estimated = cost->estimated,
	};
}

static void
add_row(struct roster *r, const struct member *m)
{
	const struct agentbus_session *s = m->session;
	struct roster_figures figures = roster_figures_of(s);

	r->rows[r->count++] = (struct roster_row){ .session = s, .figures = figures, .child = s != m->root };
	if ((size_t)s->state <= AGENTBUS_ENDED)
		r->states[s->state]++;
	roster_figures_add(&r->totals, &figures);
}

/* A member that has no row: its figures go to its root's row, which comes right before, or to the totals alone. */
static void
fold_in(struct roster *r, const struct member *m)
{
	struct roster_row *row = r->count ? &r->rows[r->count - 1] : NULL;
	struct roster_figures figures = roster_figures_of(m->session);

	if (m->root->state == AGENTBUS_ENDED)
		return;
	if (row && row->session == m->root)
		roster_figures_add(&row->figures, &figures);
	roster_figures_add(&r->totals, &figures);
}

static bool
has_row(const struct agentbus_session *s, enum roster_scope scope)
{
	return scope == ROSTER_ALL || (s->state != AGENTBUS_ENDED && !s->auxiliary);
}

bool
roster_build(struct roster *ret_roster, const struct agentbus_session *const *sessions, size_t count, enum roster_scope scope)
{
	struct roster_row *rows = calloc(count + 1, sizeof(*rows));
	struct member *members = calloc(count + 1, sizeof(*members));
	const struct agentbus_session **index = calloc(count + 1, sizeof(*index));
	bool ok = rows && members && index;

	roster_finish(ret_roster);
	if (!ok)
		goto out;
	ret_roster->rows = rows;
	rows = NULL;
	for (size_t i = 0; i < count; i++)
		index[i] = sessions[i];
	qsort(index, count, sizeof(*index), compare_ids);
	for (size_t i = 0; i < count; i++)
		members[i] = (struct member){ sessions[i], find_root(sessions[i], index, count) };
	qsort(members, count, sizeof(*members), compare_members);
	for (size_t i = 0; i < count; i++) {
		if (has_row(members[i].session, scope))
			add_row(ret_roster, &members[i]);
		else
			fold_in(ret_roster, &members[i]);
	}
out:
	free(index);
	free(members);
	free(rows);
	return ok;
}

bool
roster_of_bus(struct roster *ret_roster, const struct agentbus *bus, enum roster_scope scope)
{
	size_t count = agentbus_session_count(bus);
	const struct agentbus_session **sessions = calloc(count + 1, sizeof(*sessions));
	bool ok = false;

	if (sessions) {
		for (size_t i = 0; i < count; i++)
			sessions[i] = agentbus_session_at(bus, i);
		ok = roster_build(ret_roster, sessions, count, scope);
	}
	free(sessions);
	return ok;
}

void
roster_finish(struct roster *r)
{
	free(r->rows);
	*r = (struct roster){ 0 };
}
