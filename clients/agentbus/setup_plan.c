#include "setup_plan.h"

#include "json_edit.h"
#include "setup_mask.h"
#include "toml_edit.h"

#include <stdio.h>
#include <string.h>

/* What all steps of a plan work with. */
struct planner {
	struct setup_plan *p;
	const struct setup_cli *cli;
	const struct setup_file *f;
	const struct setup_wish *w;
	bool clash; /* rows are in conflict */
};

static bool
relaxed(const struct setup_file *f)
{
	return f->language == SETUP_JSON_RELAXED;
}

static struct json_text
as_json(const struct setup_file *f, const struct edit_text *t)
{
	return (struct json_text){ t->data, t->len, JSON_EDIT_DEPTH_MAX, relaxed(f) };
}

static struct toml_text
as_toml(const struct edit_text *t)
{
	return (struct toml_text){ t->data, t->len, TOML_EDIT_DEPTH_MAX };
}

bool
setup_valid(const struct setup_file *f, const char *text, size_t len, struct edit_fault *ret_fault)
{
	const struct json_text json = { text, len, JSON_EDIT_DEPTH_MAX, relaxed(f) };
	const struct toml_text toml = { text, len, TOML_EDIT_DEPTH_MAX };
	struct edit_span value;
	struct edit_fault fault;

	/* A NUL ends what the CLIs read, or is an error to them: nothing that we would write after it. */
	const char *nul = len ? memchr(text, '\0', len) : NULL;

	if (nul) {
		*ret_fault = (struct edit_fault){ (size_t)(nul - text), "a NUL byte" };
		return false;
	}
	if (f->language == SETUP_TOML)
		return toml_scan_whole(&toml, ret_fault);
	if (len == 0 || json_is_blank(&json))
		return true;
	if (!json_scan_whole(&json, &value, &fault)) {
		*ret_fault = fault;
		return false;
	}
	if (text[value.at] != '{') {
		*ret_fault = (struct edit_fault){ value.at, "no object" };
		return false;
	}
	return true;
}

static void
lack_memory(struct planner *n)
{
	n->p->fault = (struct edit_fault){ 0, "no memory" };
}

static bool
apply(struct planner *n, struct edit_change *c)
{
	if (n->f->language == SETUP_TOML)
		return toml_edit_apply(&n->p->after, c);
	return json_edit_apply(&n->p->after, relaxed(n->f), c);
}

/* "env.OTEL_LOGS_EXPORTER" */
static void
show_path(const struct edit_path *path, char out[SETUP_SHOWN_SIZE])
{
	size_t at = 0;

	for (size_t i = 0; i < path->depth; i++)
		at += (size_t)snprintf(out + at, SETUP_SHOWN_SIZE - at, "%s%s", i ? "." : "", path->key[i]);
}

static void
add_conflict(struct planner *n, const struct edit_path *path, const char *found, size_t len, const char *advice)
{
	struct setup_conflict *c = &n->p->conflicts[n->p->conflict_count];

	if (n->p->conflict_count == SETUP_CONFLICTS_MAX)
		return;
	show_path(path, c->what);
	/* One container in the way is one conflict. */
	if (n->p->conflict_count > 0 && strcmp(c->what, c[-1].what) == 0)
		return;
	n->p->conflict_count++;
	setup_mask_value(path->key[path->depth - 1], found, len, c->found, sizeof(c->found));
	c->advice = advice;
}

/* What is in the way is a conflict that nothing but the person can settle. */
static void
add_blocked(struct planner *n, const struct edit_path *path)
{
	const struct json_text in = as_json(n->f, &n->p->after);
	struct edit_path part = *path;
	struct edit_span value = { 0 };

	if (n->f->language != SETUP_TOML) {
		json_way(&in, path, &part.depth);
		if (part.depth == 0 || !json_find(&in, &part, &value))
			part = *path;
	}
	add_conflict(n, &part, n->p->after.data + value.at, value.len,
		     "It is written in another form, which only you can change: see agentbus(1).");
}

/* Makes the change, or tells why not. */
static void
change(struct planner *n, enum edit_kind kind, const struct edit_path *path, const char *value)
{
	struct setup_plan *p = n->p;
	struct edit_change *c = &p->changes[p->change_count];

	if (p->change_count == SETUP_CHANGES_MAX || !edit_change_init(c, kind, path, value)) {
		lack_memory(n);
		return;
	}
	if (apply(n, c)) {
		p->change_count++;
		return;
	}
	edit_change_finish(c);
	if (p->after.failed)
		lack_memory(n);
	else
		add_blocked(n, path);
}

/* --- rows --- */

/* What the file has for a row. */
struct present {
	bool there;
	struct edit_span raw;
	char text[SETUP_VALUE_SIZE]; /* without quotes */
	struct edit_path path;       /* of what --force replaces */
};

static bool
read_json(const struct planner *n, const struct edit_path *path, struct present *ret)
{
	const struct edit_text *t = &n->p->after;
	const struct json_text in = as_json(n->f, t);

	ret->path = *path;
	if (t->len == 0 || !json_find(&in, path, &ret->raw))
		return false;
	if (!json_string_read(t->data + ret->raw.at, ret->raw.len, ret->text, sizeof(ret->text)))
		snprintf(ret->text, sizeof(ret->text), "%.*s", (int)ret->raw.len, t->data + ret->raw.at);
	return true;
}

static bool
read_toml(const struct planner *n, const struct edit_path *path, struct present *ret)
{
	const struct edit_text *t = &n->p->after;
	const struct toml_text in = as_toml(t);
	const struct toml_found f = toml_find(&in, path);

	ret->path = *path;
	if (!f.here && !f.below)
		return false;
	ret->raw = f.value;
	if (!toml_string_read(t->data + f.value.at, f.value.len, ret->text, sizeof(ret->text)))
		snprintf(ret->text, sizeof(ret->text), "%.*s", (int)f.value.len, t->data + f.value.at);
	return true;
}

/* Where an exporter of Codex sends to, in whichever of its forms. */
static void
read_exporter(const struct planner *n, struct present *ret)
{
	static const char *const kinds[] = { "otlp-http", "otlp-grpc" };
	const bool whole = ret->raw.len > 0;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const struct edit_path path = { { ret->path.key[0], ret->path.key[1], kinds[i], "endpoint" }, 4 };
		struct present endpoint = { 0 };

		if (!read_toml(n, &path, &endpoint))
			continue;
		memcpy(ret->text, endpoint.text, sizeof(ret->text));
		/* Tables of its own stay, with another address. */
		if (!whole) {
			ret->raw = endpoint.raw;
			ret->path = path;
		}
		return;
	}
}

static bool
wanted(const struct setup_wish *w, enum setup_part part)
{
	return part == SETUP_TELEMETRY ? w->telemetry : part == SETUP_HOOKS ? w->hooks : w->hooks || w->telemetry;
}

/* Between quotes of what is put into the text. */
static void
unquote(char *text)
{
	const size_t len = strlen(text);

	if (len > 1 && text[0] == '"' && text[len - 1] == '"') {
		memmove(text, text + 1, len - 2);
		text[len - 2] = '\0';
	}
}

static void
force_row(struct planner *n, const struct setup_row *r, const struct present *have, const char *value)
{
	char endpoint[SETUP_VALUE_SIZE];
	const char *first, *end;

	if (have->path.depth == r->path.depth) {
		change(n, EDIT_SET, &have->path, value);
		return;
	}
	/* The address alone, out of the value; gRPC has none with a path. */
	if (strcmp(have->path.key[2], "otlp-grpc") == 0)
		snprintf(endpoint, sizeof(endpoint), "\"%s\"", n->w->grpc);
	else if ((first = strstr(value, "\"http")) && (end = strchr(first + 1, '"')))
		snprintf(endpoint, sizeof(endpoint), "%.*s", (int)(end + 1 - first), first);
	else
		return;
	change(n, EDIT_SET, &have->path, endpoint);
}

static void
hold_row(struct planner *n, const struct setup_row *r)
{
	const struct json_text in = as_json(n->f, &n->p->after);
	size_t depth;

	if (in.len > 0 && !json_is_blank(&in) && !json_way(&in, &r->path, &depth))
		add_blocked(n, &r->path);
}

static void
plan_row(struct planner *n, const struct setup_row *r)
{
	char value[SETUP_VALUE_SIZE], ours[SETUP_VALUE_SIZE];
	struct present have = { 0 };

	if (!setup_value(n->w, n->cli->name, r->value, value)) {
		lack_memory(n);
		return;
	}
	snprintf(ours, sizeof(ours), "%s", value);
	unquote(ours);
	have.there = n->f->language == SETUP_TOML ? read_toml(n, &r->path, &have) : read_json(n, &r->path, &have);
	if (have.there && r->accept == SETUP_EXPORTER)
		read_exporter(n, &have);
	const bool good = have.there ? setup_accepts(n->w, r->accept, have.text, ours) : r->if_present;

	n->p->telemetry_wanted += r->part == SETUP_TELEMETRY && !r->if_present;
	n->p->telemetry_there += r->part == SETUP_TELEMETRY && !r->if_present && good;
	n->p->telemetry_reaches =
	    n->p->telemetry_reaches || (have.there && good && (r->accept == SETUP_ENDPOINT || r->accept == SETUP_EXPORTER));
	n->p->notify_there = n->p->notify_there || (r->part == SETUP_NOTIFY && good);
	/* Hooks tell what notify would. */
	if (good || !wanted(n->w, r->part) || (r->part == SETUP_NOTIFY && n->w->hooks && have.there))
		return;
	if (!have.there && n->p->held && r->part == SETUP_TELEMETRY)
		hold_row(n, r);
	else if (!have.there)
		change(n, EDIT_SET, &r->path, value);
	else if (n->w->force)
		force_row(n, r, &have, value);
	else
		add_conflict(n, &r->path, n->p->after.data + have.raw.at, have.raw.len, r->advice);
}

/* --- hooks --- */

/* Whether the member of the object is a string of ours. */
static bool
member_is(const struct json_text *in, size_t at, const char *key, bool (*ours)(const char *))
{
	struct json_child child;
	struct json_walk w;
	char text[SETUP_VALUE_SIZE];
	bool found = false;

	if (in->text[at] != '{' || !json_walk_begin(&w, in, at))
		return false;
	while (json_walk_next(&w, &child))
		if (json_string_is(in->text + child.key.at, child.key.len, key))
			found = json_string_read(in->text + child.value.at, child.value.len, text, sizeof(text)) && ours(text);
	return found;
}

static bool
is_hook_url(const char *url)
{
	return strstr(url, "/hooks/claude");
}

/* Whether one of the hooks in an element's list is ours. */
static bool
list_has_ours(const struct json_text *in, size_t at)
{
	struct json_child child;
	struct json_walk w;

	if (in->text[at] != '[' || !json_walk_begin(&w, in, at))
		return false;
	while (json_walk_next(&w, &child))
		if (member_is(in, child.value.at, "command", setup_is_emit) || member_is(in, child.value.at, "url", is_hook_url))
			return true;
	return false;
}

static bool
event_has_ours(const struct json_text *in, size_t at)
{
	struct json_child element, member;
	struct json_walk w, v;

	if (in->text[at] != '[' || !json_walk_begin(&w, in, at))
		return false;
	while (json_walk_next(&w, &element)) {
		if (in->text[element.value.at] != '{' || !json_walk_begin(&v, in, element.value.at))
			continue;
		while (json_walk_next(&v, &member))
			if (json_string_is(in->text + member.key.at, member.key.len, "hooks") &&
			    list_has_ours(in, member.value.at))
				return true;
	}
	return false;
}

static void
plan_hook(struct planner *n, const struct setup_hook *h)
{
	const struct edit_path path = { { "hooks", h->event }, 2 };
	const struct json_text in = as_json(n->f, &n->p->after);
	char element[SETUP_VALUE_SIZE];
	struct edit_span event;

	n->p->hooks_wanted++;
	if (in.len > 0 && json_find(&in, &path, &event) && event_has_ours(&in, event.at)) {
		n->p->hooks_there++;
		return;
	}
	if (!n->w->hooks)
		return;
	if (setup_element(n->w, n->cli->name, n->f, h, element))
		change(n, EDIT_APPEND, &path, element);
	else
		lack_memory(n);
}

static void
plan_all(struct planner *n, bool held, const char *text, size_t len)
{
	struct setup_plan *p = n->p;

	*p = (struct setup_plan){ .held = held };
	if (!setup_valid(n->f, text, len, &p->fault))
		return;
	if (!edit_text_add(&p->after, text, len)) {
		lack_memory(n);
		return;
	}
	for (const struct setup_row *r = n->f->rows; r->path.depth > 0 && !p->fault.what; r++)
		plan_row(n, r);
	n->clash = n->f->together && p->conflict_count > 0;
	for (const struct setup_hook *h = n->f->hooks; h && h->event && !p->fault.what; h++)
		plan_hook(n, h);
}

void
setup_plan(struct setup_plan *p, const struct setup_cli *cli, const struct setup_file *f, const struct setup_wish *w,
	   const char *text, size_t len)
{
	struct planner n = { .p = p, .cli = cli, .f = f, .w = w };

	plan_all(&n, false, text, len);
	if (!n.clash || p->fault.what)
		return;
	setup_plan_finish(p);
	plan_all(&n, true, text, len);
}

void
setup_plan_finish(struct setup_plan *p)
{
	for (size_t i = 0; i < p->change_count; i++)
		edit_change_finish(&p->changes[i]);
	edit_text_finish(&p->after);
}

size_t
setup_revert(const struct setup_file *f, struct edit_text *text, const struct edit_change *changes, size_t count, bool *ret_ok)
{
	struct edit_fault fault;
	size_t left = 0;

	*ret_ok = setup_valid(f, text->data, text->len, &fault);
	if (!*ret_ok)
		return count;
	for (size_t i = count; i-- > 0;) {
		const bool done = f->language == SETUP_TOML ? toml_edit_revert(text, &changes[i])
							    : json_edit_revert(text, relaxed(f), &changes[i]);

		left += !done;
	}
	*ret_ok = !text->failed;
	return left;
}
