#include "config_value.h"
#include "clock.h"
#include "prices/price_value.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

struct unit {
	const char *name;
	uint64_t factor;
};

/* From large to small, for formatting; the last one is meant where no unit is written. */
static const struct unit duration_units[] = {
	{ "h", 3600 * NS_PER_S }, { "m", 60 * NS_PER_S }, { "s", NS_PER_S }, { "ms", NS_PER_MS }, { "", NS_PER_S },
};
static const struct unit size_units[] = {
	{ "G", 1ull << 30 },
	{ "M", 1ull << 20 },
	{ "K", 1ull << 10 },
	{ "", 1 },
};

#define COUNT(array)   (sizeof(array) / sizeof((array)[0]))
#define PICO_PER_MICRO 1000000

/* Reads digits and one of the units; both must be there, and nothing else. */
static bool
parse(const char *text, const struct unit *units, size_t count, uint64_t *ret)
{
	uint64_t value = 0;
	const char *end = text;

	for (; *end >= '0' && *end <= '9'; end++) {
		if (value > (UINT64_MAX - 9) / 10)
			return false;
		value = value * 10 + (uint64_t)(*end - '0');
	}
	if (end == text)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (strcmp(end, units[i].name) != 0)
			continue;
		if (value > UINT64_MAX / units[i].factor)
			return false;
		*ret = value * units[i].factor;
		return true;
	}
	return false;
}

bool
value_duration(const char *text, uint64_t *ret)
{
	return parse(text, duration_units, COUNT(duration_units), ret);
}

bool
value_size(const char *text, bool units, uint64_t *ret)
{
	const size_t skip = units ? 0 : COUNT(size_units) - 1;

	return parse(text, size_units + skip, COUNT(size_units) - skip, ret);
}

bool
value_flag(const char *text, bool *ret)
{
	static const char *const words[][2] = { { "no", "yes" }, { "false", "true" }, { "off", "on" }, { "0", "1" } };

	for (size_t i = 0; i < COUNT(words); i++) {
		for (int value = 0; value < 2; value++) {
			if (strcasecmp(text, words[i][value]) == 0) {
				*ret = value;
				return true;
			}
		}
	}
	return false;
}

static void
format(uint64_t value, const struct unit *units, size_t count, char text[VALUE_TEXT_MAX])
{
	size_t i = 0;

	while (i + 1 < count && (value == 0 || value % units[i].factor != 0))
		i++;
	snprintf(text, VALUE_TEXT_MAX, "%" PRIu64 "%s", value / units[i].factor, units[i].name);
}

void
value_format_duration(uint64_t ns, char text[VALUE_TEXT_MAX])
{
	format(ns, duration_units, COUNT(duration_units), text);
}

void
value_format_size(uint64_t bytes, char text[VALUE_TEXT_MAX])
{
	format(bytes, size_units, COUNT(size_units), text);
}

bool
value_money(const char *text, int64_t *ret_pico)
{
	int64_t micro;

	if (!price_micro_of_text(text, (int64_t)VALUE_USD_MAX * PRICE_MICRO - 1, &micro))
		return false;
	*ret_pico = micro * PICO_PER_MICRO;
	return true;
}

void
value_format_money(int64_t pico, char text[VALUE_TEXT_MAX])
{
	const int64_t micro = pico / PICO_PER_MICRO;
	size_t len;

	*text = '\0';
	if (pico == 0)
		return;
	snprintf(text, VALUE_TEXT_MAX, "%" PRId64 ".%06" PRId64, micro / PRICE_MICRO, micro % PRICE_MICRO);
	for (len = strlen(text); text[len - 1] == '0'; len--)
		text[len - 1] = '\0';
	if (text[len - 1] == '.')
		text[len - 1] = '\0';
}
