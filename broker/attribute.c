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

static OtlpKeyValue *
find(const struct attributes *a, const char *key)
{
	for (size_t i = 0; i < a->count; i++)
		if (strcmp(a->list[i]->key, key) == 0)
			return a->list[i];
	return NULL;
}

struct str
attributes_get_text(const struct attributes *a, const char *key)
{
	const OtlpKeyValue *kv = find(a, key);
	const OtlpAnyValue *v = kv ? kv->value : NULL;
	const bool is_text = v && v->value_case == OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_STRING_VALUE;

	return is_text ? str_from(v->string_value) : (struct str){ 0 };
}

/* Gives memory, or lets everything fail. */
static void *
take(struct attributes *a, size_t size)
{
	void *ptr = arena_take(a->arena, size);

	if (!ptr)
		a->failed = true;
	return ptr;
}

static OtlpAnyValue *
give_value(struct attributes *a, OtlpKeyValue *kv)
{
	OtlpAnyValue *v = take(a, sizeof(*v));

	if (v) {
		opentelemetry__proto__common__v1__any_value__init(v);
		kv->value = v;
	}
	return v;
}

static OtlpAnyValue *
append(struct attributes *a, const char *key)
{
	struct pair {
		OtlpKeyValue attribute;
		OtlpAnyValue value;
	} *pair = NULL;

	if (a->count < a->room)
		pair = take(a, sizeof(*pair));
	else
		a->failed = true;
	if (!pair)
		return NULL;
	opentelemetry__proto__common__v1__key_value__init(&pair->attribute);
	opentelemetry__proto__common__v1__any_value__init(&pair->value);
	pair->attribute.key = (char *)key; /* nobody writes through it */
	pair->attribute.value = &pair->value;
	a->list[a->count++] = &pair->attribute;
	return &pair->value;
}

static bool
is_missing(const OtlpAnyValue *v)
{
	return v->value_case == OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE__NOT_SET ||
	       (v->value_case == OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_STRING_VALUE && v->string_value[0] == '\0');
}

/* The value to be set; NULL if there is nothing to do. A value that was there belongs to the tree: it is changed in place. */
static OtlpAnyValue *
to_set(struct attributes *a, const char *key, bool force)
{
	OtlpKeyValue *kv;

	if (a->failed)
		return NULL;
	kv = find(a, key);
	if (!kv)
		return append(a, key);
	if (!kv->value)
		return give_value(a, kv);
	return force || is_missing(kv->value) ? kv->value : NULL;
}

bool
attributes_text(struct attributes *a, const char *key, struct str text, bool force)
{
	OtlpAnyValue *v = text.len ? to_set(a, key, force) : NULL;
	char *copy;

	if (!v)
		return false;
	copy = take(a, text.len + 1);
	if (!copy)
		return false;
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
