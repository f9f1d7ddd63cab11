#include "config.h"
#include "clock.h"
#include "config_forward.h"
#include "config_value.h"
#include "journal.h"
#include "otlp.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MIB          ((size_t)1 << 20)
#define MAX_DURATION (365ull * 24 * 3600 * NS_PER_S)

#define AT(member)    offsetof(struct config, member)
#define LIMIT(member) offsetof(struct config, limits.member)

const struct setting config_settings[] = {
	{ "listen", "address", "listen", "AGENTBUS_LISTEN", SETTING_ADDRESSES, AT(listen),
	  .help = "where CLIs send telemetry; repeatable, port 0 picks one" },
	{ "access", "allow_other_users", "allow-other-users", "AGENTBUS_ALLOW_OTHER_USERS", SETTING_FLAG, AT(allow_other_users),
	  .help = "take telemetry from other users of this machine, too" },
	{ "access", "allow_hosts", "allow-hosts", "AGENTBUS_ALLOW_HOSTS", SETTING_WORDS, AT(allow_hosts),
	  .help = "names that the broker goes by, beside localhost and its addresses" },
	{ "access", "allow_origins", "allow-origins", "AGENTBUS_ALLOW_ORIGINS", SETTING_WORDS, AT(allow_origins),
	  .help = "web pages that may send: https://example.org" },
	{ "access", "token_file", "token-file", "AGENTBUS_TOKEN_FILE", SETTING_FILE, AT(token_file),
	  .help = "file with the bearer token that all must give; needed beyond loopback" },
	{ "access", "core_dumps", "core-dumps", "AGENTBUS_CORE_DUMPS", SETTING_FLAG, AT(core_dumps),
	  .help = "let a crash leave a core file, which may hold content" },
	{ "listen", "max_connections", "max-connections", "AGENTBUS_MAX_CONNECTIONS", SETTING_COUNT, LIMIT(max_connections), 1,
	  100000, .help = "connections at a time; further ones are told to come back" },
	{ "listen", "max_connections_per_peer", "max-connections-per-peer", "AGENTBUS_MAX_CONNECTIONS_PER_PEER", SETTING_COUNT,
	  LIMIT(max_connections_per_peer), 1, 100000, .help = "the same for one address and user" },
	{ "listen", "max_streams", "max-streams", "AGENTBUS_MAX_STREAMS", SETTING_COUNT, LIMIT(max_streams), 1, 10000,
	  .help = "requests at a time on one gRPC connection" },
	{ "listen", "max_header", "max-header", "AGENTBUS_MAX_HEADER", SETTING_SIZE, LIMIT(max_header), 2048, MIB,
	  .help = "largest head of a request" },
	{ "listen", "max_body", "max-body", "AGENTBUS_MAX_BODY", SETTING_SIZE, LIMIT(max_body), 1024, 1024 * MIB,
	  .help = "largest body of a request as it is sent" },
	{ "listen", "max_inflated", "max-inflated", "AGENTBUS_MAX_INFLATED", SETTING_SIZE, LIMIT(max_inflated), 1024, 1024 * MIB,
	  .help = "the same without its compression" },
	{ "listen", "max_held", "max-held", "AGENTBUS_MAX_HELD", SETTING_SIZE, LIMIT(max_held), 1024, 16384 * MIB,
	  .help = "all bodies under way together" },
	{ "listen", "max_depth", "max-depth", "AGENTBUS_MAX_DEPTH", SETTING_COUNT, LIMIT(max_depth), 4, 256,
	  .help = "values within values" },
	{ "listen", "max_attributes", "max-attributes", "AGENTBUS_MAX_ATTRIBUTES", SETTING_COUNT, LIMIT(max_attributes), 16,
	  65536, .help = "attributes of a record that are looked at" },
	{ "listen", "header_timeout", "header-timeout", "AGENTBUS_HEADER_TIMEOUT", SETTING_DURATION, LIMIT(header_ns), NS_PER_MS,
	  MAX_DURATION, .help = "from connecting to the end of the first request's head" },
	{ "listen", "request_timeout", "request-timeout", "AGENTBUS_REQUEST_TIMEOUT", SETTING_DURATION, LIMIT(request_ns),
	  NS_PER_MS, MAX_DURATION, .help = "from a request's first line to the end of its body" },
	{ "listen", "idle_timeout", "idle-timeout", "AGENTBUS_IDLE_TIMEOUT", SETTING_DURATION, LIMIT(idle_ns), NS_PER_MS,
	  MAX_DURATION, .help = "a connection on which nothing happens" },
	{ NULL, NULL, "runtime-dir", "AGENTBUS_RUNTIME_DIR", SETTING_PATH, AT(runtime_dir),
	  .help = "directory of the sockets, instead of $XDG_RUNTIME_DIR/agentbus" },
	{ "storage", "state_dir", "state-dir", "AGENTBUS_STATE_DIR", SETTING_PATH, AT(state_dir),
	  .help = "directory of the database, instead of $XDG_STATE_HOME/agentbus" },
	{ "storage", "memory", "memory", "AGENTBUS_MEMORY", SETTING_FLAG, AT(memory),
	  .help = "keep everything in memory, and nothing across restarts" },
	{ "storage", "durable", "durable", "AGENTBUS_DURABLE", SETTING_SWITCH, AT(durable),
	  .help = "refuse telemetry while the database cannot be written" },
	{ "storage", "fsync", "fsync", "AGENTBUS_FSYNC", SETTING_FLAG, AT(fsync),
	  .help = "wait for the disk before each answer: survives a power cut" },
	{ "storage", "journal_size", "journal-size", "AGENTBUS_JOURNAL_SIZE", SETTING_SIZE, AT(journal_size), 64 * 1024,
	  JOURNAL_SIZE_MAX, .help = "newest events kept in memory for subscribers that lost some" },
	{ "storage", "history_size", "history-size", "AGENTBUS_HISTORY_SIZE", SETTING_SIZE, AT(history_size), 64 * 1024,
	  1024 * 1024 * MIB, .help = "events kept in the database" },
	{ "storage", "history_age", "history-age", "AGENTBUS_HISTORY_AGE", SETTING_DURATION, AT(history_age_ns), 60 * NS_PER_S,
	  MAX_DURATION, .help = "and how old they may become" },
	{ "sessions", "quiet_after", "quiet-after", "AGENTBUS_QUIET_AFTER", SETTING_DURATION, AT(sessions.quiet_ns), NS_PER_MS,
	  MAX_DURATION, .live = true, .help = "silence after which a turn is over" },
	{ "sessions", "busy_after", "busy-after", "AGENTBUS_BUSY_AFTER", SETTING_DURATION, AT(sessions.busy_ns), NS_PER_MS,
	  MAX_DURATION, .live = true, .help = "the same while a tool or request is known to run" },
	{ "sessions", "waiting_after", "waiting-after", "AGENTBUS_WAITING_AFTER", SETTING_DURATION, AT(sessions.waiting_ns),
	  NS_PER_MS, MAX_DURATION, .live = true, .help = "silence after which a question to the person is given up" },
	{ "sessions", "idle_after", "idle-after", "AGENTBUS_IDLE_AFTER", SETTING_DURATION, AT(sessions.completed_idle_ns), 0,
	  MAX_DURATION, .live = true, .help = "a completed turn becomes idle; 0: not by itself" },
	{ "sessions", "end_after", "end-after", "AGENTBUS_END_AFTER", SETTING_DURATION, AT(sessions.idle_end_ns), NS_PER_MS,
	  MAX_DURATION, .live = true, .help = "an idle session has ended, unless its process is connected" },
	{ "sessions", "max_sessions", "max-sessions", "AGENTBUS_MAX_SESSIONS", SETTING_COUNT, AT(sessions.max_sessions), 1,
	  1000000, .live = true, .help = "sessions remembered; above, the oldest ended ones are forgotten" },
	{ "claude", "session_files", "session-files", "AGENTBUS_SESSION_FILES", SETTING_PLACE, AT(session_files),
	  .help = "watch Claude Code's own files of its sessions" },
	{ "enrich", "content", "content", "AGENTBUS_CONTENT", SETTING_CHOICE, AT(enrich.keep_content),
	  .words = { "drop", "keep" }, .help = "prompts, answers, arguments and output in what is passed on" },
	{ "enrich", "internal_spans", "internal-spans", "AGENTBUS_INTERNAL_SPANS", SETTING_CHOICE, AT(enrich.keep_internal),
	  .words = { "drop", "keep" }, .help = "spans of a CLI's inner workings" },
	{ "enrich", "synthesise", "synthesise", "AGENTBUS_SYNTHESISE", SETTING_CHOICE, AT(enrich.synthesise),
	  .words = { "off", "missing" }, .help = "spans for calls of which only logs tell" },
	{ "enrich", "hold", "hold-spans", "AGENTBUS_HOLD_SPANS", SETTING_DURATION, AT(enrich.hold_ns), 0, 60 * NS_PER_S,
	  .help = "how long a span may wait for what logs say of it" },
	{ "metrics", "enabled", "metrics", "AGENTBUS_METRICS", SETTING_SWITCH, AT(metrics),
	  .help = "answer GET /metrics with what was counted" },
	{ NULL, NULL, "forward", "AGENTBUS_FORWARD", SETTING_URL, AT(forward),
	  .help = "pass everything on to this OTLP/HTTP backend; see [forward NAME] for more" },
	{ "pricing", "file", "pricing-file", "AGENTBUS_PRICING_FILE", SETTING_FILE, AT(pricing_file), .live = true,
	  .help = "prices of your own, beside those that are built in" },
	{ "budget", "day_warn", "budget-day-warn", "AGENTBUS_BUDGET_DAY_WARN", SETTING_MONEY,
	  AT(budget.amounts[BUDGET_DAY][BUDGET_WARN]), .live = true, .help = "tell when this much was spent in a day" },
	{ "budget", "day_limit", "budget-day-limit", "AGENTBUS_BUDGET_DAY_LIMIT", SETTING_MONEY,
	  AT(budget.amounts[BUDGET_DAY][BUDGET_LIMIT]), .live = true, .help = "and again at this much" },
	{ "budget", "month_warn", "budget-month-warn", "AGENTBUS_BUDGET_MONTH_WARN", SETTING_MONEY,
	  AT(budget.amounts[BUDGET_MONTH][BUDGET_WARN]), .live = true, .help = "tell when this much was spent in a month" },
	{ "budget", "month_limit", "budget-month-limit", "AGENTBUS_BUDGET_MONTH_LIMIT", SETTING_MONEY,
	  AT(budget.amounts[BUDGET_MONTH][BUDGET_LIMIT]), .live = true, .help = "and again at this much" },
	{ "log", "level", "log-level", "AGENTBUS_LOG_LEVEL", SETTING_LEVEL, AT(log_level), .live = true,
	  .help = "error, warning, info or debug" },
};
const size_t config_setting_count = sizeof(config_settings) / sizeof(config_settings[0]);

void
config_default(struct config *c)
{
	*c = (struct config){
		.listen_count = 4,
		.limits = {
			.max_connections = 512,
			.max_connections_per_peer = 384,
			.max_streams = 100,
			.max_header = 16 * 1024,
			.max_body = 16 * MIB,
			.max_inflated = 16 * MIB,
			.max_held = 64 * MIB,
			.max_depth = OTLP_MAX_DEPTH,
			.max_attributes = 512,
			.header_ns = 10 * NS_PER_S,
			.request_ns = 30 * NS_PER_S,
			.idle_ns = 600 * NS_PER_S,
		},
		.durable = true,
		.journal_size = 8 * MIB,
		.history_size = 64 * MIB,
		.history_age_ns = 7 * 24 * 3600 * NS_PER_S,
		.sessions = session_settings_default(),
		.session_files = "yes",
		.metrics = true,
		.enrich = { .synthesise = true, .hold_ns = 2 * NS_PER_S },
		.log_level = LEVEL_INFO,
	};
	address_parse("127.0.0.1:4318", &c->listen[0]);
	address_parse("[::1]:4318", &c->listen[1]);
	address_parse("127.0.0.1:4317", &c->listen[2]);
	address_parse("[::1]:4317", &c->listen[3]);
}

void
config_complain(struct config_report *report, const char *fmt, ...)
{
	char text[2 * CONFIG_PATH_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	report->errors++;
	report->line(report, text);
}

static bool
set_addresses(struct config *c, const struct setting *s, enum config_layer layer, const char *text, char *why, size_t size)
{
	struct address list[CONFIG_LISTEN_MAX];
	size_t count = c->listen_layer == layer ? c->listen_count : 0;
	const char *separators = ", \t";

	(void)s;
	memcpy(list, c->listen, sizeof(list));
	for (text += strspn(text, separators); *text; text += strspn(text, separators)) {
		char item[ADDRESS_TEXT_MAX];
		const size_t len = strcspn(text, separators);

		snprintf(item, sizeof(item), "%.*s", (int)(len < sizeof(item) ? len : sizeof(item)), text);
		text += len;
		if (count == CONFIG_LISTEN_MAX) {
			snprintf(why, size, "more than %d addresses", CONFIG_LISTEN_MAX);
			return false;
		}
		if (!address_parse(item, &list[count++])) {
			snprintf(why, size, "\"%s\" is no address; write 127.0.0.1:4318 or [::1]:4318", item);
			return false;
		}
	}
	if (count == 0) {
		snprintf(why, size, "no address given");
		return false;
	}
	memcpy(c->listen, list, sizeof(list));
	c->listen_count = count;
	c->listen_layer = layer;
	return true;
}

static bool
set_path(struct config *c, const struct setting *s, enum config_layer layer, const char *text, char *why, size_t size)
{
	const size_t len = strlen(text);

	(void)layer;
	if (len == 0 || len >= CONFIG_PATH_MAX) {
		snprintf(why, size, len ? "the path is too long" : "the path is empty");
		return false;
	}
	memcpy((char *)c + s->offset, text, len + 1);
	return true;
}

/* Nothing is a value, too. */
static bool
set_text(struct config *c, const struct setting *s, enum config_layer layer, const char *text, char *why, size_t size)
{
	if (*text != '\0')
		return set_path(c, s, layer, text, why, size);
	*((char *)c + s->offset) = '\0';
	return true;
}

static bool
set_place(struct config *c, const struct setting *s, enum config_layer layer, const char *text, char *why, size_t size)
{
	bool on;

	if (value_flag(text, &on))
		text = on ? "yes" : "no";
	else if (*text != '/') {
		snprintf(why, size, "\"%.40s\" is neither yes nor no nor an absolute path", text);
		return false;
	}
	return set_path(c, s, layer, text, why, size);
}

static bool
set_flag(struct config *c, const struct setting *s, enum config_layer layer, const char *text, char *why, size_t size)
{
	(void)layer;
	if (!value_flag(text, (bool *)((char *)c + s->offset))) {
		snprintf(why, size, "\"%.40s\" is neither yes nor no", text);
		return false;
	}
	return true;
}

static bool
in_range(uint64_t value, const struct setting *s, char *why, size_t size)
{
	char min[VALUE_TEXT_MAX], max[VALUE_TEXT_MAX];

	if (value >= s->min && value <= s->max)
		return true;
	void (*format)(uint64_t, char[VALUE_TEXT_MAX]) = s->type == SETTING_DURATION ? value_format_duration : value_format_size;
	format(s->min, min);
	format(s->max, max);
	snprintf(why, size, "out of range: from %s to %s", min, max);
	return false;
}

static bool
set_duration(struct config *c, const struct setting *s, enum config_layer layer, const char *text, char *why, size_t size)
{
	uint64_t ns;

	(void)layer;
	if (!value_duration(text, &ns)) {
		snprintf(why, size, "\"%.40s\" is no time; write 15, 15s, 500ms, 5m or 1h", text);
		return false;
	}
	if (!in_range(ns, s, why, size))
		return false;
	memcpy((char *)c + s->offset, &ns, sizeof(ns));
	return true;
}

static bool
set_number(struct config *c, const struct setting *s, const char *text, bool units, char *why, size_t size)
{
	uint64_t wide;

	if (!value_size(text, units, &wide)) {
		snprintf(why, size, "\"%.40s\" is no %s", text, units ? "size; write 65536, 64K, 16M or 1G" : "number");
		return false;
	}
	if (!in_range(wide, s, why, size))
		return false;
	const size_t value = (size_t)wide;
	memcpy((char *)c + s->offset, &value, sizeof(value));
	return true;
}

static bool
set_size(struct config *c, const struct setting *s, enum config_layer layer, const char *text, char *why, size_t size)
{
	(void)layer;
	return set_number(c, s, text, true, why, size);
}

static bool
set_count(struct config *c, const struct setting *s, enum config_layer layer, const char *text, char *why, size_t size)
{
	(void)layer;
	return set_number(c, s, text, false, why, size);
}

static bool
set_level(struct config *c, const struct setting *s, enum config_layer layer, const char *text, char *why, size_t size)
{
	(void)layer;
	for (enum log_level l = 0; l < LEVEL_COUNT; l++) {
		if (strcmp(text, log_level_name(l)) == 0) {
			memcpy((char *)c + s->offset, &l, sizeof(l));
			return true;
		}
	}
	snprintf(why, size, "\"%.40s\" is none of error, warning, info, debug", text);
	return false;
}

static bool
set_url(struct config *c, const struct setting *s, enum config_layer layer, const char *text, char *why, size_t size)
{
	(void)s;
	(void)layer;
	return config_forward_set_url(c, text, why, size);
}

static bool
set_choice(struct config *c, const struct setting *s, enum config_layer layer, const char *text, char *why, size_t size)
{
	(void)layer;
	for (size_t i = 0; i < 2; i++) {
		if (strcmp(text, s->words[i]) == 0) {
			*(bool *)((char *)c + s->offset) = i == 1;
			return true;
		}
	}
	snprintf(why, size, "\"%.40s\" is neither %s nor %s", text, s->words[0], s->words[1]);
	return false;
}

static bool
set_money(struct config *c, const struct setting *s, enum config_layer layer, const char *text, char *why, size_t size)
{
	int64_t pico = 0;

	(void)layer;
	if (*text != '\0' && !value_money(text, &pico)) {
		snprintf(why, size, "\"%.40s\" is no sum in USD below %d; write 5 or 12.50", text, VALUE_USD_MAX);
		return false;
	}
	memcpy((char *)c + s->offset, &pico, sizeof(pico));
	return true;
}

static void
show_addresses(const struct config *c, const void *value, char *text, size_t size)
{
	size_t len = 0;

	(void)value;
	*text = '\0';
	for (size_t i = 0; i < c->listen_count && len < size; i++) {
		char item[ADDRESS_TEXT_MAX];

		address_format(&c->listen[i], item);
		len += (size_t)snprintf(text + len, size - len, "%s%s", i ? ", " : "", item);
	}
}

static void
show_path(const struct config *c, const void *value, char *text, size_t size)
{
	(void)c;
	snprintf(text, size, "%s", (const char *)value);
}

static void
show_flag(const struct config *c, const void *value, char *text, size_t size)
{
	(void)c;
	snprintf(text, size, "%s", *(const bool *)value ? "yes" : "no");
}

static void
show_duration(const struct config *c, const void *value, char *text, size_t size)
{
	char number[VALUE_TEXT_MAX];

	(void)c;
	value_format_duration(*(const uint64_t *)value, number);
	snprintf(text, size, "%s", number);
}

static void
show_size(const struct config *c, const void *value, char *text, size_t size)
{
	char number[VALUE_TEXT_MAX];

	(void)c;
	value_format_size(*(const size_t *)value, number);
	snprintf(text, size, "%s", number);
}

static void
show_count(const struct config *c, const void *value, char *text, size_t size)
{
	(void)c;
	snprintf(text, size, "%zu", *(const size_t *)value);
}

static void
show_level(const struct config *c, const void *value, char *text, size_t size)
{
	(void)c;
	snprintf(text, size, "%s", log_level_name(*(const enum log_level *)value));
}

/* Nothing secret of it. */
static void
show_url(const struct config *c, const void *value, char *text, size_t size)
{
	(void)value;
	*text = '\0';
	for (size_t i = 0; i < c->forward.count; i++)
		if (strcmp(c->forward.list[i].name, CONFIG_FORWARD_DEFAULT) == 0)
			config_forward_show_url(c->forward.list[i].url, text, size);
}

static void
show_money(const struct config *c, const void *value, char *text, size_t size)
{
	char number[VALUE_TEXT_MAX];

	(void)c;
	value_format_money(*(const int64_t *)value, number);
	snprintf(text, size, "%s", number);
}

static const struct {
	const char *metavar;
	bool (*set)(struct config *c, const struct setting *s, enum config_layer layer, const char *text, char *why, size_t size);
	void (*show)(const struct config *c, const void *value, char *text, size_t size);
} types[SETTING_TYPE_COUNT] = {
	[SETTING_ADDRESSES] = { "ADDR:PORT", set_addresses, show_addresses },
	[SETTING_PATH] = { "DIR", set_path, show_path },
	[SETTING_FILE] = { "FILE", set_text, show_path },
	[SETTING_WORDS] = { "LIST", set_text, show_path },
	[SETTING_PLACE] = { "yes|no|DIR", set_place, show_path },
	[SETTING_FLAG] = { "", set_flag, show_flag },
	[SETTING_SWITCH] = { "yes|no", set_flag, show_flag },
	[SETTING_DURATION] = { "TIME", set_duration, show_duration },
	[SETTING_SIZE] = { "BYTES", set_size, show_size },
	[SETTING_COUNT] = { "N", set_count, show_count },
	[SETTING_CHOICE] = { NULL, set_choice, NULL },
	[SETTING_LEVEL] = { "LEVEL", set_level, show_level },
	[SETTING_URL] = { "URL", set_url, show_url },
	[SETTING_MONEY] = { "USD", set_money, show_money },
};

bool
config_set(struct config *c, const struct setting *s, enum config_layer layer, const char *text, char *why, size_t why_size)
{
	return types[s->type].set(c, s, layer, text, why, why_size);
}

void
config_show(const struct config *c, const struct setting *s, char *text, size_t size)
{
	const void *value = (const char *)c + s->offset;

	if (s->type == SETTING_CHOICE)
		snprintf(text, size, "%s", s->words[*(const bool *)value]);
	else
		types[s->type].show(c, value, text, size);
}

void
config_metavar(const struct setting *s, char *text, size_t size)
{
	if (s->type == SETTING_CHOICE)
		snprintf(text, size, "%s|%s", s->words[0], s->words[1]);
	else
		snprintf(text, size, "%s", types[s->type].metavar);
}

bool
config_same(const struct config *a, const struct config *b, const struct setting *s)
{
	char text_a[CONFIG_LISTEN_MAX * ADDRESS_TEXT_MAX], text_b[CONFIG_LISTEN_MAX * ADDRESS_TEXT_MAX];

	config_show(a, s, text_a, sizeof(text_a));
	config_show(b, s, text_b, sizeof(text_b));
	return strcmp(text_a, text_b) == 0;
}
