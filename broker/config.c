/* How the values of each type are read and shown. */
#include "config.h"
#include "config_forward.h"
#include "config_value.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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
