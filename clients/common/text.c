#include "common/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <wchar.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

#define NS_PER_S UINT64_C(1000000000)
#define PICO     INT64_C(1000000000000)

enum { REPLACEMENT = 0xfffd };

uint64_t
text_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

const char *
text_rfc3339(uint64_t ns, char *out, size_t size)
{
	time_t seconds = (time_t)(ns / NS_PER_S);
	struct tm tm;
	char date[32];

	out[0] = '\0';
	if (ns && gmtime_r(&seconds, &tm) && strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm))
		snprintf(out, size, "%s.%09" PRIu64 "Z", date, ns % NS_PER_S);
	return out;
}

const char *
text_clock(uint64_t ns, char *out, size_t size)
{
	time_t seconds = (time_t)(ns / NS_PER_S);
	struct tm tm;

	out[0] = '\0';
	if (ns && localtime_r(&seconds, &tm) && !strftime(out, size, "%H:%M:%S", &tm))
		out[0] = '\0';
	return out;
}

const char *
text_duration(uint64_t ns, char *out, size_t size)
{
	uint64_t s = ns / NS_PER_S;

	if (s == 0)
		snprintf(out, size, "%" PRIu64 "ms", ns / 1000000);
	else if (s < 60)
		snprintf(out, size, "%" PRIu64 "s", s);
	else if (s < 3600)
		snprintf(out, size, "%" PRIu64 "m %" PRIu64 "s", s / 60, s % 60);
	else if (s < 86400)
		snprintf(out, size, "%" PRIu64 "h %02" PRIu64 "m", s / 3600, s % 3600 / 60);
	else
		snprintf(out, size, "%" PRIu64 "d %" PRIu64 "h", s / 86400, s % 86400 / 3600);
	return out;
}

const char *
text_count(uint64_t n, char *out, size_t size)
{
	static const char *const units[] = { "", "k", "M", "G", "T", "P", "E" };
	uint64_t scale = 1;
	size_t unit = 0;

	/* From 999,950 on, "1.0M" is nearer than "1000k". */
	while (n / scale >= 1000 || (unit > 0 && (n + scale / 20) / scale >= 1000)) {
		scale *= 1000;
		unit++;
	}
	uint64_t tenths = unit ? n / (scale / 10) + (n % (scale / 10) >= scale / 20) : 0;

	if (unit == 0)
		snprintf(out, size, "%" PRIu64, n);
	else
		snprintf(out, size, "%" PRIu64 ".%" PRIu64 "%s", tenths / 10, tenths % 10, units[unit]);
	return out;
}

const char *
text_usd(int64_t pico_dollars, char *out, size_t size)
{
	/* Up to which sum (in pico-dollars) how many digits say enough. */
	static const struct {
		int64_t below;
		int digits;
	} precisions[] = {
		{ 1, 2 },
		{ PICO / 100, 4 },
		{ 100 * PICO, 2 },
		{ INT64_MAX, 0 },
	};
	const char *sign = pico_dollars < 0 ? "-" : "";
	int64_t magnitude = pico_dollars < -INT64_MAX ? INT64_MAX : pico_dollars < 0 ? -pico_dollars : pico_dollars;
	size_t i = 0;

	while (i < COUNT(precisions) - 1 && magnitude >= precisions[i].below)
		i++;
	snprintf(out, size, "%s$%.*f", sign, precisions[i].digits, (double)magnitude / (double)PICO);
	return out;
}

const char *
text_usd_exact(int64_t pico_dollars, char *out, size_t size)
{
	const uint64_t magnitude = pico_dollars < 0 ? -(uint64_t)pico_dollars : (uint64_t)pico_dollars;
	char digits[TEXT_SIZE];
	int n = snprintf(digits, sizeof(digits), "%s%" PRIu64 ".%012" PRIu64, pico_dollars < 0 ? "-" : "", magnitude / PICO,
			 magnitude % PICO);

	while (digits[n - 1] == '0')
		n--;
	if (digits[n - 1] == '.')
		n--;
	snprintf(out, size, "%.*s", n, digits);
	return out;
}

const char *
text_short_id(const char *id)
{
	size_t len = strlen(id);
	const char *begin = len > 8 ? id + len - 8 : id;

	/* Not in the middle of a character. */
	while (begin > id && ((unsigned char)*begin & 0xc0) == 0x80)
		begin--;
	return begin;
}

size_t
text_rune(const char *text, uint32_t *ret_rune)
{
	static const struct {
		unsigned char mask, lead;
		uint32_t least;
	} forms[] = {
		{ 0x80, 0x00, 0 },
		{ 0xe0, 0xc0, 0x80 },
		{ 0xf0, 0xe0, 0x800 },
		{ 0xf8, 0xf0, 0x10000 },
	};
	const unsigned char *p = (const unsigned char *)text;

	if (!*p)
		return 0;
	*ret_rune = REPLACEMENT;
	for (size_t n = 0; n < COUNT(forms); n++) {
		if ((p[0] & forms[n].mask) != forms[n].lead)
			continue;
		uint32_t rune = p[0] & (unsigned char)~forms[n].mask;

		for (size_t i = 1; i <= n; i++) {
			if ((p[i] & 0xc0) != 0x80)
				return 1;
			rune = rune << 6 | (p[i] & 0x3f);
		}
		if (rune < forms[n].least || rune > 0x10ffff || (rune >= 0xd800 && rune <= 0xdfff))
			return 1;
		*ret_rune = rune;
		return n + 1;
	}
	return 1;
}

bool
text_shown(uint32_t rune)
{
	bool control = rune < 0x20 || (rune >= 0x7f && rune < 0xa0) || rune == REPLACEMENT;
	/* Marks that turn the direction of what follows can make a line read as something else. */
	bool turns = (rune >= 0x202a && rune <= 0x202e) || (rune >= 0x2066 && rune <= 0x2069);

	return !control && !turns;
}

/* Columns of a character; one that is not to be shown as it is counts as the "?" that stands for it. */
static size_t
rune_columns(uint32_t rune, bool *ret_shown)
{
	int width = wcwidth((wchar_t)rune);

	*ret_shown = text_shown(rune);
	if (!*ret_shown || width < 0)
		return 1;
	return (size_t)width;
}

size_t
text_columns(const char *text)
{
	size_t columns = 0, n;
	uint32_t rune;
	bool shown;

	for (; (n = text_rune(text, &rune)) > 0; text += n)
		columns += rune_columns(rune, &shown);
	return columns;
}

const char *
text_clip(const char *text, size_t columns, char *out, size_t size)
{
	static const char ellipsis[] = "…";
	bool cut = text_columns(text) > columns;
	size_t room = cut && columns > 0 ? columns - 1 : columns;
	size_t used = 0, len = 0, n;
	uint32_t rune;
	bool shown;

	for (; (n = text_rune(text, &rune)) > 0; text += n) {
		size_t width = rune_columns(rune, &shown);

		/* Room for the ellipsis stays in out, too. */
		if (used + width > room || len + n + sizeof(ellipsis) > size)
			break;
		if (shown)
			memcpy(out + len, text, n);
		else
			out[len] = '?';
		len += shown ? n : 1;
		used += width;
	}
	out[len] = '\0';
	if (*text && columns > 0 && len + sizeof(ellipsis) <= size)
		memcpy(out + len, ellipsis, sizeof(ellipsis));
	return out;
}
