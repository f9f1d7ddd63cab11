#include "forward_answer.h"
#include "otlp_wire.h"
#include "str.h"

#include <cjson/cJSON.h>
#include <stdio.h>

#define NS           1000000000ull
#define SECONDS_MAX  (366ull * 24 * 3600) /* longer is as good as for ever */
#define REJECTED_MAX ((uint64_t)1 << 53)
#define DEPTH_MAX    16
#define YEAR_MIN     1970
#define YEAR_MAX     9999

/* --- protobuf --- */

/* Field 1 of the answer, with in it the count as field 1 and the message as field 2. */
static bool
read_partial(struct wire w, struct forward_partial *p)
{
	struct wire_field f;

	while (wire_left(w) > 0) {
		uint64_t n;

		if (!wire_next(&w, &f))
			return false;
		if (f.number == 1 && f.type == WIRE_VARINT && wire_varint(&f.payload, &n))
			p->rejected = n <= REJECTED_MAX ? n : 0;
		else if (f.number == 2 && f.type == WIRE_BYTES)
			str_copy(p->message, sizeof(p->message), (struct str){ (const char *)f.payload.p, wire_left(f.payload) });
	}
	return true;
}

static bool
read_protobuf(const uint8_t *bytes, size_t len, struct forward_partial *p)
{
	struct wire w = wire_from(bytes, len);
	struct wire_field f;

	while (wire_left(w) > 0) {
		if (!wire_next(&w, &f))
			return false;
		if (f.number == 1 && f.type == WIRE_BYTES && !read_partial(f.payload, p))
			return false;
	}
	return true;
}

/* --- JSON --- */

/* Whether brackets nest so little that cJSON may have the text. */
static bool
is_shallow(const char *text, size_t len)
{
	size_t depth = 0;

	for (size_t i = 0; i < len; i++) {
		if (text[i] == '{' || text[i] == '[')
			depth++;
		else if ((text[i] == '}' || text[i] == ']') && depth > 0)
			depth--;
		if (depth > DEPTH_MAX)
			return false;
	}
	return true;
}

/* int64 is a string in JSON, but a number from some. */
static uint64_t
count_of(const cJSON *item)
{
	const char *text = cJSON_GetStringValue(item);
	uint64_t n = 0;

	if (cJSON_IsNumber(item) && item->valuedouble > 0 && item->valuedouble <= (double)REJECTED_MAX)
		return (uint64_t)item->valuedouble;
	for (; text && *text; text++) {
		if (*text < '0' || *text > '9' || n > REJECTED_MAX / 10)
			return 0;
		n = 10 * n + (uint64_t)(*text - '0');
	}
	return n <= REJECTED_MAX ? n : 0;
}

static const cJSON *
member(const cJSON *object, const char *name, const char *other)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

	return item ? item : cJSON_GetObjectItemCaseSensitive(object, other);
}

static bool
read_json(const uint8_t *bytes, size_t len, struct forward_partial *p)
{
	static const char *const counts[][2] = {
		{ "rejectedLogRecords", "rejected_log_records" },
		{ "rejectedSpans", "rejected_spans" },
		{ "rejectedDataPoints", "rejected_data_points" },
	};
	cJSON *json = is_shallow((const char *)bytes, len) ? cJSON_ParseWithLength((const char *)bytes, len) : NULL;
	const cJSON *partial = member(json, "partialSuccess", "partial_success");
	const char *message = cJSON_GetStringValue(member(partial, "errorMessage", "error_message"));
	const bool ok = json != NULL;

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]) && p->rejected == 0; i++)
		p->rejected = count_of(member(partial, counts[i][0], counts[i][1]));
	str_copy(p->message, sizeof(p->message), str_from(message));
	cJSON_Delete(json);
	return ok;
}

void
forward_answer_partial(const uint8_t *bytes, size_t len, struct forward_partial *ret)
{
	struct forward_partial p = { 0 };
	const bool json = len > 0 && bytes[0] == '{';

	if (len > FORWARD_ANSWER_MAX || !(json ? read_json : read_protobuf)(bytes, len, &p))
		p = (struct forward_partial){ 0 };
	*ret = p;
}

/* --- Retry-After --- */

static bool
read_digits(const char **text, unsigned count, unsigned *ret)
{
	unsigned n = 0;

	for (unsigned i = 0; i < count; i++, ++*text) {
		if (**text < '0' || **text > '9')
			return false;
		n = 10 * n + (unsigned)(**text - '0');
	}
	*ret = n;
	return true;
}

static bool
read_word(const char **text, const char *word)
{
	const size_t len = strlen(word);

	if (strncmp(*text, word, len) != 0)
		return false;
	*text += len;
	return true;
}

static bool
read_month(const char **text, unsigned *ret)
{
	static const char names[][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (read_word(text, names[i])) {
			*ret = i;
			return true;
		}
	}
	return false;
}

/* Days from 1970 to the beginning of that month (0 is January), which has so many itself. */
static uint64_t
days_before(unsigned year, unsigned month, unsigned *ret_month_days)
{
	static const unsigned lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	const unsigned before = year - 1;
	const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	uint64_t days = 365ull * (year - YEAR_MIN) + before / 4 - before / 100 + before / 400 - 477;

	for (unsigned m = 0; m < month; m++)
		days += lengths[m] + (m == 1 && leap);
	*ret_month_days = lengths[month] + (month == 1 && leap);
	return days;
}

/* "Sun, 06 Nov 1994 08:49:37 GMT", the only form that may be sent today. In seconds since the epoch. */
static bool
read_date(const char *text, uint64_t *ret_s)
{
	unsigned day, month, year, hour, minute, second, month_days;

	text += strcspn(text, ",");
	if (!read_word(&text, ", ") || !read_digits(&text, 2, &day) || !read_word(&text, " ") || !read_month(&text, &month) ||
	    !read_word(&text, " ") || !read_digits(&text, 4, &year) || !read_word(&text, " ") || !read_digits(&text, 2, &hour) ||
	    !read_word(&text, ":") || !read_digits(&text, 2, &minute) || !read_word(&text, ":") ||
	    !read_digits(&text, 2, &second) || !read_word(&text, " GMT") || *text != '\0')
		return false;
	if (year < YEAR_MIN || year > YEAR_MAX || hour > 23 || minute > 59 || second > 60)
		return false;
	const uint64_t days = days_before(year, month, &month_days);
	if (day < 1 || day > month_days)
		return false;
	*ret_s = (days + day - 1) * 86400 + hour * 3600 + minute * 60 + second;
	return true;
}

static bool
read_seconds(const char *text, uint64_t *ret_s)
{
	uint64_t n = 0;

	if (*text == '\0')
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		if (n < SECONDS_MAX)
			n = 10 * n + (uint64_t)(*text - '0');
	}
	*ret_s = n;
	return true;
}

bool
forward_answer_wait(const char *text, uint64_t now_ns, uint64_t *ret_ns)
{
	const uint64_t now_s = now_ns / NS;
	uint64_t s, at;

	if (!text)
		return false;
	if (read_date(text, &at))
		s = at > now_s ? at - now_s : 0;
	else if (!read_seconds(text, &s))
		return false;
	*ret_ns = (s < SECONDS_MAX ? s : SECONDS_MAX) * NS;
	return true;
}
