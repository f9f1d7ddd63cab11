/* The configuration file, read by inih. inih splits lines; counting them, and hearing of each bad one, is done here. */
#include "config.h"
#include "config_forward.h"

#include <ini.h>
#include <stdio.h>
#include <string.h>

struct reader {
	struct config *config;
	struct config_report *report;
	const char *name;
	const char *next, *end;
	unsigned line;
	bool due; /* the line handed out last must come back as a key and a value */
};

/* The other programs read the same file; their sections are their own business. */
static const char *const foreign_sections[] = { "agentbus", "eww-subscriber", "notify-subscriber", "log-subscriber" };

static bool
is_foreign(const char *section)
{
	for (size_t i = 0; i < sizeof(foreign_sections) / sizeof(foreign_sections[0]); i++)
		if (strcmp(section, foreign_sections[i]) == 0)
			return true;
	return false;
}

static const struct setting *
find_setting(const char *section, const char *key, bool *ret_section_known)
{
	*ret_section_known = false;
	for (size_t i = 0; i < config_setting_count; i++) {
		const struct setting *s = &config_settings[i];

		if (!s->section || strcmp(s->section, section) != 0)
			continue;
		*ret_section_known = true;
		if (strcmp(s->key, key) == 0)
			return s;
	}
	return NULL;
}

static void
take_forward(struct reader *r, const char *section, const char *key, const char *text)
{
	char why[200];

	if (!config_forward_set(r->config, section, r->line, key, text, why, sizeof(why)))
		config_complain(r->report, "%s:%u: %s: %s", r->name, r->line, key, why);
}

/* inih found a key and a value. */
static int
on_value(void *user, const char *section, const char *key, const char *text)
{
	struct reader *r = user;
	char why[200];
	bool section_known;

	r->due = false;
	if (is_foreign(section))
		return 1;
	if (config_forward_section(section)) {
		take_forward(r, section, key, text);
		return 1;
	}
	const struct setting *s = find_setting(section, key, &section_known);
	if (!s && *section == '\0')
		config_complain(r->report, "%s:%u: \"%.40s\" stands before the first [section]", r->name, r->line, key);
	else if (!s && !section_known)
		config_complain(r->report, "%s:%u: unknown section [%.40s]", r->name, r->line, section);
	else if (!s)
		config_complain(r->report, "%s:%u: unknown key \"%.40s\" in section [%s]", r->name, r->line, key, section);
	else if (!config_set(r->config, s, LAYER_FILE, text, why, sizeof(why)))
		config_complain(r->report, "%s:%u: %s: %s", r->name, r->line, key, why);
	return 1;
}

static void
complain_if_due(struct reader *r)
{
	if (r->due)
		config_complain(r->report, "%s:%u: expected \"key = value\", \"[section]\" or a comment", r->name, r->line);
	r->due = false;
}

/* Copies the line into out if inih can take it; else says what is wrong with it, and the line counts as empty. */
static void
take_line(struct reader *r, const char *line, size_t len, char *out, size_t size)
{
	out[0] = '\0';
	if (memchr(line, '\0', len)) {
		config_complain(r->report, "%s:%u: the line holds a NUL byte", r->name, r->line);
	} else if (len + 2 > size) {
		config_complain(r->report, "%s:%u: the line is too long", r->name, r->line);
	} else if (len > 0 && line[0] == '[' && !memchr(line, ']', len)) {
		config_complain(r->report, "%s:%u: the section has no closing bracket", r->name, r->line);
	} else {
		memcpy(out, line, len);
		out[len] = '\0';
		r->due = len > 0 && !strchr("[;#", line[0]);
	}
	strcat(out, "\n");
}

/* inih wants the next line. Leading space is cut: inih would take an indented line as more of the value before it. */
static char *
next_line(char *out, int size, void *user)
{
	static const char mark[] = "\xEF\xBB\xBF"; /* some editors begin a UTF-8 file with it */
	struct reader *r = user;

	complain_if_due(r);
	if (r->next == r->end)
		return NULL;
	if (r->line == 0 && r->end - r->next >= 3 && memcmp(r->next, mark, 3) == 0)
		r->next += 3;
	r->line++;
	const char *line = r->next;
	const char *newline = memchr(line, '\n', (size_t)(r->end - line));
	const char *stop = newline ? newline : r->end;
	r->next = newline ? newline + 1 : r->end;
	while (line < stop && strchr(" \t\r\v\f", *line) && *line)
		line++;
	while (stop > line && strchr(" \t\r\v\f", stop[-1]) && stop[-1])
		stop--;
	take_line(r, line, (size_t)(stop - line), out, (size_t)size);
	return out;
}

bool
config_parse(struct config *c, const char *text, size_t len, const char *name, struct config_report *report)
{
	struct reader r = { .config = c, .report = report, .name = name, .next = text, .end = text + len };
	const unsigned before = report->errors;

	ini_parse_stream(next_line, &r, on_value, &r);
	complain_if_due(&r);
	return report->errors == before;
}
