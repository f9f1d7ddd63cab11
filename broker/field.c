#include "field.h"

#include <math.h>
#include <stdlib.h>

/* --- patterns and conditions --- */

bool
pattern_matches(const char *pattern, struct str s)
{
	size_t n = strlen(pattern);

	if (n && pattern[n - 1] == '*')
		return str_starts(s, (struct str){ pattern, n - 1 });
	return str_eq(s, (struct str){ pattern, n });
}

bool
any_pattern_matches(const char *const *patterns, struct str s)
{
	for (; patterns && *patterns; patterns++)
		if (pattern_matches(*patterns, s))
			return true;
	return false;
}

bool
field_has(const struct fields *f, enum field id)
{
	return f->present >> id & 1;
}

struct str
field_text(const struct fields *f, enum field id)
{
	if (!field_has(f, id) || f->values[id].kind != VALUE_TEXT)
		return (struct str){ 0 };
	return f->values[id].text;
}

static double
text_number(struct str s)
{
	char buf[64], *end;
	double d;

	if (s.len == 0 || s.len >= sizeof(buf))
		return 0;
	memcpy(buf, s.ptr, s.len);
	buf[s.len] = '\0';
	d = strtod(buf, &end);
	return *end ? 0 : d;
}

double
field_double(const struct fields *f, enum field id)
{
	const struct value *v = &f->values[id];
	double d = 0;

	if (!field_has(f, id))
		return 0;
	switch (v->kind) {
	case VALUE_TEXT:
		d = text_number(v->text);
		break;
	case VALUE_INT:
	case VALUE_BOOL:
		d = (double)v->i;
		break;
	case VALUE_DOUBLE:
		d = v->d;
		break;
	}
	return isfinite(d) ? d : 0;
}

uint64_t
field_u64(const struct fields *f, enum field id)
{
	double d;

	if (field_has(f, id) && f->values[id].kind == VALUE_INT)
		return f->values[id].i > 0 ? (uint64_t)f->values[id].i : 0;
	d = field_double(f, id);
	return d > 0 && d < 9e18 ? (uint64_t)(d + 0.5) : 0;
}

bool
field_true(const struct fields *f, enum field id)
{
	if (field_has(f, id) && f->values[id].kind == VALUE_TEXT)
		return str_eq(f->values[id].text, STR("true"));
	return field_double(f, id) != 0;
}

static bool
field_is(const struct fields *f, enum field id, const char *is)
{
	if (!field_has(f, id))
		return false;
	if (!is)
		return true;
	if (f->values[id].kind == VALUE_BOOL)
		return pattern_matches(is, f->values[id].i ? STR("true") : STR("false"));
	return f->values[id].kind == VALUE_TEXT && pattern_matches(is, f->values[id].text);
}

bool
condition_holds(const struct fields *f, const struct condition *c)
{
	return c->field == F_NONE || field_is(f, c->field, c->is) != c->negated;
}

/* --- attributes to fields --- */

/* Most differ in their first byte. */
static int
compare_field_rule(const void *key, const void *rule)
{
	const char *name = key, *attr = ((const struct field_rule *)rule)->attr;
	const int difference = (uint8_t)*name - (uint8_t)*attr;

	return difference != 0 ? difference : strcmp(name, attr);
}

bool
value_of(const OtlpAnyValue *v, struct value *ret)
{
	switch (v ? (int)v->value_case : 0) {
	case OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_STRING_VALUE:
		*ret = (struct value){ .kind = VALUE_TEXT, .text = str_from(v->string_value) };
		return true;
	case OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_BOOL_VALUE:
		*ret = (struct value){ .kind = VALUE_BOOL, .i = v->bool_value };
		return true;
	case OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_INT_VALUE:
		*ret = (struct value){ .kind = VALUE_INT, .i = v->int_value };
		return true;
	case OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_DOUBLE_VALUE:
		*ret = (struct value){ .kind = VALUE_DOUBLE, .d = v->double_value };
		return true;
	default:
		return false;
	}
}

/* Codex gives thread.id twice: the number of the system's thread, and the text that is meant here. */
static bool
better(const struct fields *f, enum field id, const struct value *v)
{
	return !field_has(f, id) || (v->kind == VALUE_TEXT && f->values[id].kind != VALUE_TEXT);
}

void
fields_add(struct fields *f, const struct field_rule *rules, size_t rule_count, OtlpKeyValue **attrs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct field_rule *r = bsearch(attrs[i]->key, rules, rule_count, sizeof(*rules), compare_field_rule);
		struct value v;

		if (r && value_of(attrs[i]->value, &v) && better(f, r->field, &v)) {
			f->values[r->field] = v;
			f->present |= 1ull << r->field;
		}
	}
}
