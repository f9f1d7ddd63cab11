#include "otlp_json_scan.h"

#include "otlp_json.h"
#include "str.h"

#include <limits.h>

/* Where the next quote and the next backslash are; looked up only once passed, so that the whole costs one look each. */
struct scanner {
	const char *p, *end;
	const char *quote, *backslash;
};

static struct scanner
scanner_of(const char *text, size_t len)
{
	return (struct scanner){ .p = text, .end = len ? text + len : text, .quote = text, .backslash = text };
}

static const char *
find(const char *p, const char *end, char c)
{
	const char *hit = p < end ? memchr(p, c, (size_t)(end - p)) : NULL;

	return hit ? hit : end;
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The code unit of a \uXXXX at p, 0 if there is none. */
static unsigned
escaped_unit(const char *p, const char *end)
{
	unsigned unit = 0;

	if (end - p < 6 || p[0] != '\\' || p[1] != 'u')
		return 0;
	for (int i = 2; i < 6; i++) {
		int digit = hex_value(p[i]);

		if (digit < 0)
			return 0;
		unit = unit << 4 | (unsigned)digit;
	}
	return unit;
}

/* Length of the escape at p, a pair of surrogates taken together. *ret_lone: it is one surrogate without the other. */
static size_t
escape_length(const char *p, const char *end, bool *ret_lone)
{
	unsigned unit = escaped_unit(p, end);

	*ret_lone = unit >= 0xd800 && unit <= 0xdfff;
	if (*ret_lone && unit < 0xdc00) {
		unsigned low = escaped_unit(p + 6, end);

		if (low >= 0xdc00 && low <= 0xdfff) {
			*ret_lone = false;
			return 12;
		}
	}
	return unit ? 6 : 2;
}

/* Passes over the string that begins at s->p, which is a quote. False: it does not end. */
static bool
skip_string(struct scanner *s, struct str *ret, bool *ret_lone)
{
	const char *start = ++s->p;

	for (;;) {
		size_t length;
		bool lone;

		if (s->quote < s->p)
			s->quote = find(s->p, s->end, '"');
		if (s->backslash < s->p)
			s->backslash = find(s->p, s->end, '\\');
		if (s->quote < s->backslash)
			break;
		if (s->end - s->backslash < 2)
			return false;
		length = escape_length(s->backslash, s->end, &lone);
		*ret_lone |= lone;
		s->p = s->backslash + length;
	}
	*ret = (struct str){ start, (size_t)(s->quote - start) };
	s->p = s->quote + 1;
	return true;
}

static void
skip_spaces(struct scanner *s)
{
	while (s->p < s->end && is_space(*s->p))
		s->p++;
}

/* One step over a string, a bracket or any other byte; keeps count of open brackets. False: a string does not end. */
static bool
step(struct scanner *s, struct json_outline *outline, unsigned *depth)
{
	struct str ignored;

	switch (*s->p) {
	case '"':
		return skip_string(s, &ignored, &outline->lone_surrogates);
	case '{':
	case '[':
		outline->values++;
		++*depth;
		break;
	case '}':
	case ']':
		--*depth;
		break;
	case ',':
		outline->values++;
		break;
	}
	s->p++;
	return true;
}

enum verdict
json_scan(const char *text, size_t len, unsigned max_brackets, struct json_outline *ret)
{
	struct json_outline outline = { .values = 1 };
	struct scanner s = scanner_of(text, len);
	unsigned depth = 0;

	skip_spaces(&s);
	if (s.p == s.end || *s.p != '{')
		return VERDICT_MALFORMED;
	do {
		if (!step(&s, &outline, &depth))
			return VERDICT_MALFORMED;
		if (depth > max_brackets)
			return VERDICT_TOO_DEEP;
	} while (depth > 0 && s.p < s.end);
	skip_spaces(&s);
	if (depth > 0 || s.p < s.end)
		return VERDICT_MALFORMED;
	*ret = outline;
	return VERDICT_OK;
}

void
json_repair(char *text, size_t len)
{
	static const char replacement[6] = "\\ufffd";
	char *p = text, *end = text + len;

	while ((p = memchr(p, '\\', (size_t)(end - p))) && end - p >= 2) {
		bool lone;
		size_t length = escape_length(p, end, &lone);

		if (lone)
			memcpy(p, replacement, sizeof(replacement));
		p += length;
	}
}

static bool
signal_of_member(struct str name, enum otlp_signal *ret)
{
	static const struct {
		struct str camel, snake;
	} members[OTLP_SIGNAL_COUNT] = {
		[OTLP_LOGS] = { STR("resourceLogs"), STR("resource_logs") },
		[OTLP_TRACES] = { STR("resourceSpans"), STR("resource_spans") },
		[OTLP_METRICS] = { STR("resourceMetrics"), STR("resource_metrics") },
	};

	for (unsigned signal = 0; signal < OTLP_SIGNAL_COUNT; signal++) {
		if (str_eq(name, members[signal].camel) || str_eq(name, members[signal].snake)) {
			*ret = signal;
			return true;
		}
	}
	return false;
}

/* Passes over a member's colon and value, up to the comma or bracket behind it. */
static bool
skip_value(struct scanner *s)
{
	struct json_outline ignored = { 0 };
	unsigned depth = 0;

	skip_spaces(s);
	if (s->p == s->end || *s->p != ':')
		return false;
	while (s->p < s->end && (depth > 0 || (*s->p != ',' && *s->p != '}' && *s->p != ']'))) {
		if (!step(s, &ignored, &depth))
			return false;
	}
	return s->p < s->end;
}

bool
otlp_json_signal(const char *text, size_t len, enum otlp_signal *ret)
{
	struct scanner s = scanner_of(text, len);
	bool lone = false;
	struct str name;

	skip_spaces(&s);
	if (s.p == s.end || *s.p != '{')
		return false;
	s.p++;
	skip_spaces(&s);
	if (s.p < s.end && *s.p == '}') {
		*ret = OTLP_LOGS;
		return true;
	}
	while (s.p < s.end && *s.p == '"' && skip_string(&s, &name, &lone)) {
		if (signal_of_member(name, ret))
			return true;
		if (!skip_value(&s) || *s.p != ',')
			return false;
		s.p++;
		skip_spaces(&s);
	}
	return false;
}
