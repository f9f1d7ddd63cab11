#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LINE_MAX_BYTES 1000

static const struct {
	const char *name, *journal_prefix;
} levels[LEVEL_COUNT] = {
	[LEVEL_ERROR] = { "error", "<3>" },
	[LEVEL_WARNING] = { "warning", "<4>" },
	[LEVEL_INFO] = { "info", "<6>" },
	[LEVEL_DEBUG] = { "debug", "<7>" },
};

void
log_init(struct log *l, enum log_level level)
{
	*l = (struct log){ .level = level, .journal = getenv("JOURNAL_STREAM") != NULL };
}

const char *
log_level_name(enum log_level level)
{
	return levels[level].name;
}

void
log_at(const struct log *l, enum log_level level, const char *fmt, ...)
{
	char line[LINE_MAX_BYTES + 1];
	size_t len;
	va_list args;

	if (level > l->level)
		return;
	if (l->journal)
		len = (size_t)snprintf(line, sizeof(line), "%s", levels[level].journal_prefix);
	else
		len = (size_t)snprintf(line, sizeof(line), "agentbusd: %s: ", levels[level].name);
	va_start(args, fmt);
	const int text = vsnprintf(line + len, sizeof(line) - len, fmt, args);
	va_end(args);
	if (text < 0)
		return;
	len += (size_t)text < sizeof(line) - len ? (size_t)text : sizeof(line) - len - 1;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
			line[i] = '?';
	line[len++] = '\n';
	/* Nothing useful can be done about a stderr that does not take it. */
	if (write(STDERR_FILENO, line, len) < 0)
		return;
}
