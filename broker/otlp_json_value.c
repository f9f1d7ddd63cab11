#include "otlp_json_value.h"

#include "otlp.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* --- integers --- */

struct integer {
	bool negative;
	uint64_t magnitude;
};

/* The largest magnitudes of each type, and its size in the struct. */
static const struct integer_type {
	uint64_t positive, negative;
	size_t size;
} integer_types[] = {
	[PROTOBUF_C_TYPE_INT32] = { INT32_MAX, (uint64_t)INT32_MAX + 1, sizeof(int32_t) },
	[PROTOBUF_C_TYPE_SINT32] = { INT32_MAX, (uint64_t)INT32_MAX + 1, sizeof(int32_t) },
	[PROTOBUF_C_TYPE_SFIXED32] = { INT32_MAX, (uint64_t)INT32_MAX + 1, sizeof(int32_t) },
	[PROTOBUF_C_TYPE_INT64] = { INT64_MAX, (uint64_t)INT64_MAX + 1, sizeof(int64_t) },
	[PROTOBUF_C_TYPE_SINT64] = { INT64_MAX, (uint64_t)INT64_MAX + 1, sizeof(int64_t) },
	[PROTOBUF_C_TYPE_SFIXED64] = { INT64_MAX, (uint64_t)INT64_MAX + 1, sizeof(int64_t) },
	[PROTOBUF_C_TYPE_UINT32] = { UINT32_MAX, 0, sizeof(uint32_t) },
	[PROTOBUF_C_TYPE_FIXED32] = { UINT32_MAX, 0, sizeof(uint32_t) },
	[PROTOBUF_C_TYPE_UINT64] = { UINT64_MAX, 0, sizeof(uint64_t) },
	[PROTOBUF_C_TYPE_FIXED64] = { UINT64_MAX, 0, sizeof(uint64_t) },
};

/* OTLP's enums are plain integers to us; JSON may call their values by name, which is a prefix and one of these. */
static const char *const span_kinds[] = { "UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER" };
static const char *const status_codes[] = { "UNSET", "OK", "ERROR" };
static const char *const temporalities[] = { "UNSPECIFIED", "DELTA", "CUMULATIVE" };
static const char *const severities[] = {
	"UNSPECIFIED",                               /* 0 */
	"TRACE",       "TRACE2", "TRACE3", "TRACE4", /* 1 */
	"DEBUG",       "DEBUG2", "DEBUG3", "DEBUG4", /* 5 */
	"INFO",        "INFO2",  "INFO3",  "INFO4",  /* 9 */
	"WARN",        "WARN2",  "WARN3",  "WARN4",  /* 13 */
	"ERROR",       "ERROR2", "ERROR3", "ERROR4", /* 17 */
	"FATAL",       "FATAL2", "FATAL3", "FATAL4", /* 21 */
};

static const struct enum_field {
	const char *field, *prefix;
	const char *const *names;
	size_t count;
} enum_fields[] = {
	{ "kind", "SPAN_KIND_", span_kinds, COUNT(span_kinds) },
	{ "code", "STATUS_CODE_", status_codes, COUNT(status_codes) },
	{ "severity_number", "SEVERITY_NUMBER_", severities, COUNT(severities) },
	{ "aggregation_temporality", "AGGREGATION_TEMPORALITY_", temporalities, COUNT(temporalities) },
};

static bool
integer_from_name(const char *field, const char *text, struct integer *ret)
{
	for (size_t i = 0; i < COUNT(enum_fields); i++) {
		const struct enum_field *e = &enum_fields[i];
		size_t prefix = strlen(e->prefix);

		if (strcmp(e->field, field) != 0 || strncmp(e->prefix, text, prefix) != 0)
			continue;
		for (size_t value = 0; value < e->count; value++) {
			if (strcmp(e->names[value], text + prefix) == 0) {
				*ret = (struct integer){ .magnitude = value };
				return true;
			}
		}
	}
	return false;
}

static bool
integer_from_digits(const char *text, struct integer *ret)
{
	bool negative = *text == '-';
	unsigned long long magnitude;
	char *end;

	text += negative;
	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	magnitude = strtoull(text, &end, 10);
	if (*end || errno)
		return false;
	*ret = (struct integer){ negative, magnitude };
	return true;
}

/* The double nearest to the largest 64-bit integers is one too many: it stands for them. */
static bool
integer_from_double(double d, const struct integer_type *type, struct integer *ret)
{
	uint64_t limit = d < 0 ? type->negative : type->positive;

	if (d != trunc(d) || fabs(d) > (double)limit)
		return false;
	*ret = (struct integer){ d < 0, fabs(d) < (double)limit ? (uint64_t)fabs(d) : limit };
	return true;
}

static bool
read_integer(const cJSON *value, const ProtobufCFieldDescriptor *field, void *member)
{
	const struct integer_type *type = &integer_types[field->type];
	struct integer i;
	uint64_t bits;
	uint32_t bits32;

	if (cJSON_IsNumber(value)) {
		if (!integer_from_double(value->valuedouble, type, &i))
			return false;
	} else if (!cJSON_IsString(value) ||
		   (!integer_from_digits(value->valuestring, &i) && !integer_from_name(field->name, value->valuestring, &i))) {
		return false;
	}
	if (i.magnitude > (i.negative ? type->negative : type->positive))
		return false;
	bits = i.negative ? 0 - i.magnitude : i.magnitude;
	bits32 = (uint32_t)bits;
	memcpy(member, type->size == sizeof(bits) ? (void *)&bits : (void *)&bits32, type->size);
	return true;
}

/* --- doubles --- */

static bool
double_from_text(const char *text, double *ret)
{
	static const struct {
		const char *name;
		double value;
	} names[] = { { "NaN", NAN }, { "Infinity", INFINITY }, { "-Infinity", -INFINITY } };
	const char *digits = text + (*text == '-');
	char *end;
	double d;

	for (size_t i = 0; i < COUNT(names); i++) {
		if (strcmp(text, names[i].name) == 0) {
			*ret = names[i].value;
			return true;
		}
	}
	/* strtod() also takes hexadecimal, spaces and other names. */
	if (*digits < '0' || *digits > '9' || digits[strspn(digits, "0123456789.eE+-")])
		return false;
	d = strtod(text, &end);
	if (*end || !isfinite(d))
		return false;
	*ret = d;
	return true;
}

static bool
read_double(const cJSON *value, double *ret)
{
	if (cJSON_IsString(value))
		return double_from_text(value->valuestring, ret);
	if (!cJSON_IsNumber(value) || !isfinite(value->valuedouble))
		return false;
	*ret = value->valuedouble;
	return true;
}

/* --- text and bytes --- */

/* Value of a digit of base 2^bits, -1 if it is none. */
static int
digit_value(char c, unsigned bits)
{
	int letter = c | 0x20;

	if (bits == 4) {
		if (letter >= 'a' && letter <= 'f')
			return letter - 'a' + 10;
		return c >= '0' && c <= '9' ? c - '0' : -1;
	}
	if (letter >= 'a' && letter <= 'z')
		return letter - 'a' + (c & 0x20 ? 26 : 0);
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+' || c == '-')
		return 62;
	return c == '/' || c == '_' ? 63 : -1;
}

/* Decodes hexadecimal (4 bits a digit) or base64 (6, both alphabets, with or without padding). */
static enum verdict
read_bytes(const char *text, unsigned bits, struct arena *a, ProtobufCBinaryData *ret)
{
	size_t digits = strlen(text), len;
	unsigned pool = 0, held = 0;
	uint8_t *data, *p;

	if (bits == 6 && digits % 4 == 0) {
		for (int i = 0; i < 2 && digits > 0 && text[digits - 1] == '='; i++)
			digits--;
	}
	len = digits / 8 * bits + digits % 8 * bits / 8;
	if (digits * bits - len * 8 >= bits) /* a digit that adds no byte */
		return VERDICT_MALFORMED;
	data = p = arena_alloc(a, len);
	if (!data)
		return arena_verdict(a);
	for (size_t i = 0; i < digits; i++) {
		int value = digit_value(text[i], bits);

		if (value < 0)
			return VERDICT_MALFORMED;
		pool = pool << bits | (unsigned)value;
		held += bits;
		if (held >= 8) {
			held -= 8;
			*p++ = (uint8_t)(pool >> held);
		}
	}
	*ret = (ProtobufCBinaryData){ .len = len, .data = data };
	return VERDICT_OK;
}

/* The tree is in the arena, too: a text that is as it must be stays where it is. */
static enum verdict
read_text(char *text, struct arena *a, char **ret)
{
	const struct str s = str_from(text);

	if (str_valid(s) != s.len)
		return otlp_text(s, a, ret);
	*ret = text;
	return VERDICT_OK;
}

/* OTLP's departure from the protobuf mapping: ids are hexadecimal. */
static enum verdict
read_data(const char *text, const ProtobufCFieldDescriptor *field, struct arena *a, ProtobufCBinaryData *ret)
{
	size_t size;
	const bool id = otlp_is_id(field, &size);
	const enum verdict v = read_bytes(text, id ? 4 : 6, a, ret);

	if (v == VERDICT_OK && id && ret->len != size)
		ret->len = 0;
	return v;
}

enum verdict
otlp_json_value(const cJSON *value, const ProtobufCFieldDescriptor *field, struct arena *a, void *member)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
		if (!cJSON_IsString(value))
			return VERDICT_MALFORMED;
		return read_text(value->valuestring, a, member);
	case PROTOBUF_C_TYPE_BYTES:
		if (!cJSON_IsString(value))
			return VERDICT_MALFORMED;
		return read_data(value->valuestring, field, a, member);
	case PROTOBUF_C_TYPE_BOOL:
		if (!cJSON_IsBool(value))
			return VERDICT_MALFORMED;
		*(protobuf_c_boolean *)member = cJSON_IsTrue(value);
		return VERDICT_OK;
	case PROTOBUF_C_TYPE_DOUBLE:
		return read_double(value, member) ? VERDICT_OK : VERDICT_MALFORMED;
	default:
		return read_integer(value, field, member) ? VERDICT_OK : VERDICT_MALFORMED;
	}
}
