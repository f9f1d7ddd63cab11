#include "emit_message.h"

#include "emit_scan.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define VALUE_MAX    1024 /* as written; longer values are nothing that the broker could use */
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

const char *const emit_variables[] = {
	"TMUX_PANE",
	"KITTY_WINDOW_ID",
	"WEZTERM_PANE",
	"FOOT_WINDOW_ID",
	"WINDOWID",
	"ALACRITTY_WINDOW_ID",
	"GHOSTTY_SURFACE_ID",
	"SWAYSOCK",
	"HYPRLAND_INSTANCE_SIGNATURE",
	"NIRI_SOCKET",
	"GHOSTTY_RESOURCES_DIR",
	NULL,
};

/* --- what is kept --- */

enum role { KEPT, NAMES_SESSION, NAMES_EVENT };

/* Texts and truths; nothing that a person or a model wrote is here. */
static const struct {
	const char *key;
	enum role role;
} kept[] = {
	{ "agent_id", KEPT },
	{ "client", KEPT },
	{ "cwd", KEPT },
	{ "hook_event_name", NAMES_EVENT },
	{ "is_interrupt", KEPT },
	{ "notification_type", KEPT },
	{ "prompt_id", KEPT },
	{ "reason", KEPT },
	{ "session_id", NAMES_SESSION },
	{ "source", KEPT },
	{ "thread-id", NAMES_SESSION },
	{ "tool_name", KEPT },
	{ "tool_use_id", KEPT },
	{ "turn-id", KEPT },
	{ "turn_id", KEPT },
	{ "type", NAMES_EVENT },
};

/* --- whose it is --- */

/* By the first row of which a member has the key, and its text the part within. */
static const struct {
	const char *key, *within, *provider;
} signs[] = {
	{ "thread-id", "", "codex" },
	{ "transcript_path", "/.codex/", "codex" },
	{ "transcript_path", "/.qwen/", "qwen" },
	{ "transcript_path", "/.gemini/", "gemini" },
	{ "transcript_path", "/.claude/", "claude" },
	{ "hook_event_name", "BeforeAgent\"", "gemini" },
	{ "hook_event_name", "AfterAgent\"", "gemini" },
	{ "hook_event_name", "BeforeTool\"", "gemini" },
	{ "hook_event_name", "AfterTool\"", "gemini" },
	{ "notification_type", "ToolPermission\"", "gemini" },
	{ "turn_id", "", "codex" },
	{ "prompt_id", "", "claude" },
};

/* Codex's title threads are told from others by what is asked and answered: here, so that neither has to be sent. */
static const struct {
	const char *key, *start;
} titles[] = {
	{ "input-messages", "Generate a concise, single-line task title" },
	{ "last-assistant-message", "{\\\"title\\\":" },
};

/* What Qwen adds to a prompt when its person has typed it; the text itself is not sent. */
static const char typed_key[] = "submitted_prompt";

struct draft {
	char *text;
	size_t len;
	unsigned members;
	bool session, event, title, typed;
	size_t sign; /* the best row of signs[] that held */
};

/* Appends; what does not fit makes the whole too long for emit_message(). */
static void
put(struct draft *d, const char *text, size_t len)
{
	if (len < EMIT_MESSAGE_MAX - d->len)
		memcpy(d->text + d->len, text, len);
	d->len = len < EMIT_MESSAGE_MAX - d->len ? d->len + len : EMIT_MESSAGE_MAX - 1;
}

static void
put_text(struct draft *d, const char *text)
{
	put(d, text, strlen(text));
}

static bool
is_key(const struct emit_member *m, const char *key)
{
	return m->key_len == strlen(key) && memcmp(m->key, key, m->key_len) == 0;
}

/* A short text without control characters, or a truth. */
static bool
is_plain(const struct emit_member *m)
{
	if (m->value_len > VALUE_MAX)
		return false;
	if (m->value[0] != '"')
		return (m->value_len == 4 && memcmp(m->value, "true", 4) == 0) ||
		       (m->value_len == 5 && memcmp(m->value, "false", 5) == 0);
	for (size_t i = 0; i < m->value_len; i++)
		if ((unsigned char)m->value[i] < ' ')
			return false;
	return m->value_len > 2 && m->value[m->value_len - 1] == '"';
}

static void
keep(struct draft *d, const struct emit_member *m)
{
	for (size_t i = 0; i < COUNT(kept); i++) {
		if (!is_key(m, kept[i].key) || !is_plain(m))
			continue;
		put_text(d, d->members++ ? ",\"" : "\"");
		put_text(d, kept[i].key);
		put_text(d, "\":");
		put(d, m->value, m->value_len);
		d->session |= kept[i].role == NAMES_SESSION;
		d->event |= kept[i].role == NAMES_EVENT;
	}
}

static void
look(struct draft *d, const struct emit_member *m)
{
	for (size_t i = 0; i < COUNT(titles); i++)
		if (is_key(m, titles[i].key) && emit_begins(m, titles[i].start))
			d->title = true;
	if (is_key(m, typed_key))
		d->typed = true;
	for (size_t i = 0; i < d->sign; i++)
		if (is_key(m, signs[i].key) && memmem(m->value, m->value_len, signs[i].within, strlen(signs[i].within)))
			d->sign = i;
}

static void
put_payload(struct draft *d, const char *payload, size_t len)
{
	struct emit_member m;
	size_t at = 0;

	put_text(d, ",\"payload\":{");
	while (emit_scan(payload, len, &at, &m)) {
		keep(d, &m);
		look(d, &m);
	}
	if (d->title)
		put_text(d, ",\"title_thread\":true"); /* never the first one: there is no title without a session */
	if (d->typed && d->members)
		put_text(d, ",\"typed\":true");
	put_text(d, "}}");
}

/* --- the origin --- */

/* What is printable as it is; anything else is no hint that could be used. */
static bool
is_printable(const char *text)
{
	size_t n = 0;

	for (; text[n]; n++)
		if (text[n] < ' ' || text[n] > '~' || text[n] == '"' || text[n] == '\\')
			return false;
	return n > 0 && n < 256;
}

static void
put_env(struct draft *d, const struct emit_origin *o)
{
	unsigned n = 0;

	put_text(d, ",\"env\":{");
	for (const char *const *name = emit_variables; *name; name++) {
		const char *value = o->variable(*name);

		if (!value || !is_printable(value))
			continue;
		put_text(d, n++ ? ",\"" : "\"");
		put_text(d, *name);
		put_text(d, "\":\"");
		put_text(d, value);
		put_text(d, "\"");
	}
	put_text(d, "}");
}

static void
put_origin(struct draft *d, const struct emit_origin *o, const char *provider)
{
	char text[256];
	const int n = snprintf(text, sizeof(text),
			       "{\"v\":1,\"provider\":\"%s\",\"source\":\"%s\",\"pid\":%" PRIu32 ",\"time_unix_nano\":\"%" PRIu64
			       "\",\"tty\":\"%s\"",
			       provider, o->source, o->pid, o->time_ns, is_printable(o->tty) ? o->tty : "");

	put(d, text, n > 0 && (size_t)n < sizeof(text) ? (size_t)n : 0);
	put_env(d, o);
}

size_t
emit_message(const struct emit_origin *o, const char *payload, size_t len, char message[EMIT_MESSAGE_MAX])
{
	char body[EMIT_MESSAGE_MAX];
	struct draft d = { .text = body, .sign = COUNT(signs) }, whole = { .text = message };
	const char *provider = o->provider;

	put_payload(&d, payload, len);
	if (!d.session || !d.event)
		return 0;
	if (!provider)
		provider = d.sign < COUNT(signs) ? signs[d.sign].provider : "claude";
	put_origin(&whole, o, provider);
	put(&whole, body, d.len);
	return whole.len < EMIT_MESSAGE_MAX - 1 && d.len < EMIT_MESSAGE_MAX - 1 ? whole.len : 0;
}
