#include "attribute.h"

struct attributes
attributes_of(OtlpKeyValue **list, size_t count, size_t more, struct arena *arena)
{
	struct attributes a = { .count = count, .room = count + more, .arena = arena };

	a.list = arena_take(arena, a.room * sizeof(OtlpKeyValue *));
	if (!a.list)
		return (struct attributes){ .list = list, .count = count, .room = count, .arena = arena, .failed = true };
	if (count)
		memcpy(a.list, list, count * sizeof(OtlpKeyValue *));
	return a;
}

static OtlpAnyValue *
find(const struct attributes *a, const char *key)
{
	for (size_t i = 0; i < a->count; i++)
		if (strcmp(a->list[i]->key, key) == 0)
			return a->list[i]->value;
	return NULL;
}

struct str
attributes_get_text(const struct attributes *a, const char *key)
{
	const OtlpAnyValue *v = find(a, key);
	const bool is_text = v && v->value_case == OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_STRING_VALUE;

	return is_text ? str_from(v->string_value) : (struct str){ 0 };
}

static OtlpAnyValue *
append(struct attributes *a, const char *key)
{
	struct pair {
		OtlpKeyValue attribute;
		OtlpAnyValue value;
	} *pair = a->count < a->room ? arena_take(a->arena, sizeof(*pair)) : NULL;

	if (!pair) {
		a->failed = true;
		return NULL;
	}
	opentelemetry__proto__common__v1__key_value__init(&pair->attribute);
	opentelemetry__proto__common__v1__any_value__init(&pair->value);
	pair->attribute.key = (char *)(uintptr_t)key; /* nobody writes through it */
	pair->attribute.value = &pair->value;
	a->list[a->count++] = &pair->attribute;
	return &pair->value;
}

/* The value to be set; NULL if there is nothing to do. A value that was there belongs to the tree: it is changed in place. */
static OtlpAnyValue *
to_set(struct attributes *a, const char *key, bool force)
{
	OtlpAnyValue *v;

	if (a->failed)
		return NULL;
	v = find(a, key);
	if (!v)
		return append(a, key);
	return force || v->value_case == OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE__NOT_SET ? v : NULL;
}

bool
attributes_text(struct attributes *a, const char *key, struct str text, bool force)
{
	OtlpAnyValue *v = text.len ? to_set(a, key, force) : NULL;
	char *copy;

	if (!v)
		return false;
	copy = arena_take(a->arena, text.len + 1);
	if (!copy) {
		a->failed = true;
		return false;
	}
	memcpy(copy, text.ptr, text.len);
	copy[text.len] = '\0';
	v->value_case = OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_STRING_VALUE;
	v->string_value = copy;
	return true;
}

bool
attributes_int(struct attributes *a, const char *key, int64_t n, bool force)
{
	OtlpAnyValue *v = to_set(a, key, force);

	if (!v)
		return false;
	v->value_case = OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_INT_VALUE;
	v->int_value = n;
	return true;
}

bool
attributes_double(struct attributes *a, const char *key, double d, bool force)
{
	OtlpAnyValue *v = to_set(a, key, force);

	if (!v)
		return false;
	v->value_case = OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_DOUBLE_VALUE;
	v->double_value = d;
	return true;
}

bool
attributes_bool(struct attributes *a, const char *key, bool truth, bool force)
{
	OtlpAnyValue *v = to_set(a, key, force);

	if (!v)
		return false;
	v->value_case = OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_BOOL_VALUE;
	v->bool_value = truth;
	return true;
}
