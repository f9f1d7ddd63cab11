#include "common/option_value.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const struct {
	const char *suffix;
	double seconds;
} duration_units[] = {
	{ "ms", 1e-3 }, { "s", 1 }, { "m", 60 }, { "min", 60 }, { "h", 3600 }, { "d", 86400 },
};

static bool
unit_of(const char *text, size_t len, double *ret_seconds)
{
	for (size_t i = 0; i < COUNT(duration_units); i++) {
		if (strlen(duration_units[i].suffix) == len && memcmp(duration_units[i].suffix, text, len) == 0) {
			*ret_seconds = duration_units[i].seconds;
			return true;
		}
	}
	return false;
}

/* strtod() alone would take "inf", "0x10", "-1" and leading blanks. */
static bool
plain_number(const char *text, const char **ret_end, double *ret_number)
{
	size_t len = strspn(text, "0123456789.");
	char *end;
	double n;

	if (len == 0 || (len == 1 && text[0] == '.'))
		return false;
	n = strtod(text, &end);
	if (end != text + len || !isfinite(n))
		return false;
	*ret_end = end;
	*ret_number = n;
	return true;
}

bool
options_duration(const char *text, double *ret_seconds)
{
	double sum = 0, n, unit;
	const char *p;

	if (plain_number(text, &p, &n) && *p == '\0') {
		*ret_seconds = n;
		return true;
	}
	p = text;
	do {
		if (!plain_number(p, &p, &n))
			return false;
		size_t len = strcspn(p, "0123456789.");

		if (!unit_of(p, len, &unit))
			return false;
		p += len;
		sum += n * unit;
	} while (*p);
	*ret_seconds = sum;
	return true;
}

static bool
read_flag(const char *text, bool *ret_flag)
{
	static const struct {
		const char *word;
		bool flag;
	} words[] = {
		{ "yes", true }, { "no", false },  { "true", true }, { "false", false },
		{ "on", true },  { "off", false }, { "1", true },    { "0", false },
	};

	for (size_t i = 0; i < COUNT(words); i++) {
		if (strcasecmp(text, words[i].word) == 0) {
			*ret_flag = words[i].flag;
			return true;
		}
	}
	return false;
}

static bool
read_uint(const char *text, uint64_t *ret_number)
{
	char *end;
	unsigned long long n;

	if (text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	n = strtoull(text, &end, 10);
	if (*end || errno)
		return false;
	*ret_number = n;
	return true;
}

static bool
read_choice(const char *const *choices, const char *text, unsigned *ret_index)
{
	for (unsigned i = 0; choices[i]; i++) {
		if (strcmp(text, choices[i]) == 0) {
			*ret_index = i;
			return true;
		}
	}
	return false;
}

static bool
within(const struct option_row *row, double n)
{
	return n >= row->min && (row->max == 0 || n <= row->max);
}

bool
option_value_store(const struct option_row *row, const char *text, void *member)
{
	const char *end;
	uint64_t u;
	double d;

	switch (row->type) {
	case OPTION_FLAG:
		return read_flag(text, member);
	case OPTION_STRING:
		*(const char **)member = text;
		return true;
	case OPTION_CHOICE:
		return read_choice(row->choices, text, member);
	case OPTION_UINT:
		if (!read_uint(text, &u) || !within(row, (double)u))
			return false;
		*(uint64_t *)member = u;
		return true;
	case OPTION_DOUBLE:
		if (!plain_number(text, &end, &d) || *end || !within(row, d))
			return false;
		*(double *)member = d;
		return true;
	case OPTION_DURATION:
		if (!options_duration(text, &d) || !within(row, d))
			return false;
		*(double *)member = d;
		return true;
	}
	return false;
}

void
option_value_describe(const struct option_row *row, char *out, size_t size)
{
	static const char *const nouns[] = {
		[OPTION_FLAG] = "yes or no",
		[OPTION_STRING] = "text",
		[OPTION_UINT] = "a whole number",
		[OPTION_DOUBLE] = "a number",
		[OPTION_DURATION] = "a duration such as 10s or 2m",
		[OPTION_CHOICE] = "one of these words:",
	};
	size_t n = (size_t)snprintf(out, size, "%s", nouns[row->type]);
	const char *unit = row->type == OPTION_DURATION ? "s" : "";

	if (row->type == OPTION_CHOICE) {
		for (size_t i = 0; row->choices[i] && n < size; i++)
			n += (size_t)snprintf(out + n, size - n, " %s", row->choices[i]);
	} else if (row->max > 0) {
		snprintf(out + n, size - n, " from %.15g%s to %.15g%s", row->min, unit, row->max, unit);
	} else if (row->min > 0) {
		snprintf(out + n, size - n, " of at least %.15g%s", row->min, unit);
	}
}
