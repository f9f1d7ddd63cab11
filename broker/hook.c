#include "hook.h"

#include "otlp_json_scan.h"
#include "otlp_json_tree.h"

#include <stdio.h>
#include <stdlib.h>

#define DEPTH_MAX  64
#define PID_MAX    INT32_MAX
#define WINDOW_MAX 96

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* --- names --- */

static const struct {
	const char *name;
	const struct provider *provider;
} names[] = {
	{ "claude", &provider_claude },  { "claude-code", &provider_claude }, { "codex", &provider_codex },
	{ "gemini", &provider_gemini },  { "gemini-cli", &provider_gemini },  { "qwen", &provider_qwen },
	{ "qwen-code", &provider_qwen },
};

const struct provider *
hook_provider(struct str name)
{
	for (size_t i = 0; i < COUNT(names); i++)
		if (str_eq(name, str_from(names[i].name)))
			return names[i].provider;
	return NULL;
}

/* Sorted, as all tables of fields. What is not here is not read. */
static const struct field_rule field_rules[] = {
	{ "agent_id", F_AGENT },
	{ "client", F_ORIGINATOR },
	{ "cwd", F_CWD },
	{ "hook_event_name", F_EVENT },
	{ "is_interrupt", F_INTERRUPT },
	{ "notification_type", F_NOTIFICATION },
	{ "prompt_id", F_PROMPT_ID },
	{ "reason", F_STOP_REASON },
	{ "session_id", F_SESSION },
	{ "source", F_SOURCE },
	{ "thread-id", F_SESSION_ALT },
	{ "title_thread", F_TITLE },
	{ "tool_name", F_TOOL },
	{ "tool_use_id", F_CALL_ID },
	{ "turn-id", F_REQUEST_ID },
	{ "turn_id", F_REQUEST_ID },
	{ "type", F_KIND },
	{ "typed", F_TYPED },
};

/* Where the person's window may be found: the variable, and what it is called within `window`. NULL: its presence is all. */
static const struct {
	const char *variable, *name;
	bool value;
} windows[] = {
	{ "KITTY_WINDOW_ID", "kitty", true },
	{ "WEZTERM_PANE", "wezterm", true },
	{ "FOOT_WINDOW_ID", "foot", true },
	{ "ALACRITTY_WINDOW_ID", "alacritty", true },
	{ "GHOSTTY_SURFACE_ID", "ghostty", true },
	{ "GHOSTTY_RESOURCES_DIR", "ghostty", false },
	{ "WINDOWID", "x11", true },
	{ "SWAYSOCK", "sway", false },
	{ "HYPRLAND_INSTANCE_SIGNATURE", "hyprland", false },
	{ "NIRI_SOCKET", "niri", false },
};

/* --- JSON --- */

static enum verdict
parse(const char *text, size_t len, struct arena *a, cJSON **ret)
{
	struct json_outline outline;
	enum verdict v = json_scan(text, len, DEPTH_MAX, &outline);
	char *copy;

	if (v != VERDICT_OK)
		return v == VERDICT_MALFORMED ? VERDICT_BAD_HOOK : v;
	/* Told before the arena is full: cJSON needs this much for each value. */
	if (outline.values > a->cap / sizeof(cJSON))
		return VERDICT_TOO_LARGE;
	if (outline.lone_surrogates) {
		copy = arena_take(a, len);
		if (!copy)
			return arena_verdict(a);
		json_repair(memcpy(copy, text, len), len);
		text = copy;
	}
	*ret = json_tree_parse(text, len, a);
	if (*ret)
		return VERDICT_OK;
	return a->exhausted || a->out_of_memory ? arena_verdict(a) : VERDICT_BAD_HOOK;
}

static struct str
text_of(const cJSON *object, const char *key)
{
	return str_from(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key)));
}

/* A time is a string of digits: a number of JSON would lose its last ones. */
static uint64_t
time_of(const cJSON *object, const char *key)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));

	return text && *text >= '0' && *text <= '9' ? strtoull(text, NULL, 10) : 0;
}

static uint32_t
pid_of(const cJSON *object, const char *key)
{
	const cJSON *n = cJSON_GetObjectItemCaseSensitive(object, key);

	return cJSON_IsNumber(n) && n->valuedouble >= 1 && n->valuedouble <= PID_MAX ? (uint32_t)n->valuedouble : 0;
}

/* --- the payload --- */

static int
compare_field_rule(const void *key, const void *rule)
{
	return strcmp(key, ((const struct field_rule *)rule)->attr);
}

static bool
read_value(const cJSON *item, struct value *ret)
{
	if (cJSON_IsString(item) && item->valuestring[0])
		*ret = (struct value){ .kind = VALUE_TEXT, .text = str_from(item->valuestring) };
	else if (cJSON_IsBool(item))
		*ret = (struct value){ .kind = VALUE_BOOL, .i = cJSON_IsTrue(item) };
	else
		return false;
	return true;
}

static void
read_fields(const cJSON *payload, struct fields *f)
{
	const cJSON *item;

	f->present = 0;
	cJSON_ArrayForEach(item, payload)
	{
		const struct field_rule *r =
		    bsearch(item->string, field_rules, COUNT(field_rules), sizeof(field_rules[0]), compare_field_rule);

		if (r && !field_has(f, r->field) && read_value(item, &f->values[r->field]))
			f->present |= 1ull << r->field;
	}
}

static struct str
first_text(const struct fields *f, enum field a, enum field b)
{
	const struct str s = field_text(f, a);

	return s.len ? s : field_text(f, b);
}

static void
observe(const struct provider *p, const cJSON *payload, uint64_t time_ns, struct observation *o)
{
	const struct meaning_rule *rule;
	struct fields f;

	read_fields(payload, &f);
	*o = (struct observation){
		.flags = OBS_TOLD,
		.provider = p->name,
		.session = first_text(&f, F_SESSION, F_SESSION_ALT),
		.time_ns = time_ns,
		.request_id = field_text(&f, F_REQUEST_ID),
		.prompt_id = field_text(&f, F_PROMPT_ID),
		.agent = field_text(&f, F_AGENT),
		.tool = field_text(&f, F_TOOL),
		.call_id = field_text(&f, F_CALL_ID),
		.project_dir = field_text(&f, F_CWD),
	};
	rule = provider_rule(p->hooks, p->hook_count, first_text(&f, F_EVENT, F_KIND), &f);
	if (!rule || o->session.len == 0)
		return;
	o->means = rule->means;
	o->flags |= rule->flags;
	o->reason = rule->reason;
	if (rule->refine)
		rule->refine(&f, o);
}

enum verdict
hook_read_payload(const struct provider *p, const char *text, size_t len, uint64_t now_ns, struct arena *a,
		  struct observation *ret)
{
	cJSON *payload = NULL;
	const enum verdict v = parse(text, len, a, &payload);

	if (v == VERDICT_OK)
		observe(p, payload, now_ns, ret);
	return v;
}

/* --- the message --- */

/* "kitty:1,x11:4194307,sway": what the variables say, in the order of the table. What does not fit is left out. */
static bool
read_window(const cJSON *env, struct arena *a, struct str *ret)
{
	char *text = arena_alloc(a, WINDOW_MAX);
	size_t len = 0;

	if (!text)
		return false;
	for (size_t i = 0; i < COUNT(windows); i++) {
		const struct str value = text_of(env, windows[i].variable);
		int n;

		if (value.len == 0)
			continue;
		n = snprintf(text + len, WINDOW_MAX - len, "%s%s%s%s", len ? "," : "", windows[i].name,
			     windows[i].value ? ":" : "", windows[i].value ? value.ptr : "");
		if (n > 0 && (size_t)n < WINDOW_MAX - len)
			len += (size_t)n;
	}
	*ret = (struct str){ text, len };
	return true;
}

enum verdict
hook_read_message(const char *text, size_t len, uint64_t now_ns, struct arena *a, struct observation *ret)
{
	const struct provider *p;
	struct observation o;
	cJSON *message = NULL;
	const cJSON *payload, *env;
	const enum verdict v = parse(text, len, a, &message);
	uint64_t ns;

	if (v != VERDICT_OK)
		return v;
	p = hook_provider(text_of(message, "provider"));
	payload = cJSON_GetObjectItemCaseSensitive(message, "payload");
	env = cJSON_GetObjectItemCaseSensitive(message, "env");
	if (!p || !cJSON_IsObject(payload))
		return VERDICT_BAD_HOOK;
	ns = time_of(message, "time_unix_nano");
	observe(p, payload, ns == 0 || ns > now_ns + OBSERVATION_AHEAD_NS ? now_ns : ns, &o);
	o.pid = pid_of(message, "pid");
	o.tty = text_of(message, "tty");
	o.tmux_pane = text_of(env, "TMUX_PANE");
	if (!read_window(env, a, &o.window))
		return arena_verdict(a);
	*ret = o;
	return VERDICT_OK;
}
