#include "attribute.h"

#include <criterion/criterion.h>

#define NOT_SET   OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE__NOT_SET
#define IS_TEXT   OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_STRING_VALUE
#define IS_INT    OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_INT_VALUE
#define IS_DOUBLE OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_DOUBLE_VALUE
#define IS_BOOL   OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_BOOL_VALUE

static struct arena arena;

/* What a message brings: a text, an empty text, a value that is not set, and a key alone. */
static struct {
	OtlpAnyValue values[3];
	OtlpKeyValue pairs[4];
	OtlpKeyValue *list[4];
} native;

static void
setup(void)
{
	static const char *const keys[] = { "text", "empty", "unset", "bare" };

	arena_init(&arena, 1 << 20);
	for (size_t i = 0; i < 4; i++) {
		native.pairs[i] = (OtlpKeyValue)OPENTELEMETRY__PROTO__COMMON__V1__KEY_VALUE__INIT;
		native.pairs[i].key = (char *)keys[i];
		native.list[i] = &native.pairs[i];
		if (i == 3)
			break;
		native.values[i] = (OtlpAnyValue)OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__INIT;
		native.pairs[i].value = &native.values[i];
	}
	native.values[0].value_case = native.values[1].value_case = IS_TEXT;
	native.values[0].string_value = "its own";
	native.values[1].string_value = "";
}

static void
teardown(void)
{
	arena_finish(&arena);
}

TestSuite(attribute, .init = setup, .fini = teardown);

static const OtlpAnyValue *
value(const struct attributes *a, const char *key)
{
	const OtlpAnyValue *found = NULL;

	for (size_t i = 0; i < a->count; i++) {
		if (strcmp(a->list[i]->key, key) != 0)
			continue;
		cr_expect_null(found, "%s is there twice", key);
		found = a->list[i]->value;
	}
	return found;
}

Test(attribute, is_added_where_it_is_missing)
{
	struct attributes a = attributes_of(NULL, 0, 4, &arena);

	cr_expect(attributes_text(&a, "t", STR("text"), false));
	cr_expect(attributes_int(&a, "i", INT64_MIN, false));
	cr_expect(attributes_double(&a, "d", 0.5, false));
	cr_expect(attributes_bool(&a, "b", true, false));
	cr_assert_eq(a.count, 4);
	cr_expect_str_eq(value(&a, "t")->string_value, "text");
	cr_expect_eq(value(&a, "i")->value_case, IS_INT);
	cr_expect_eq(value(&a, "i")->int_value, INT64_MIN);
	cr_expect_eq(value(&a, "d")->value_case, IS_DOUBLE);
	cr_expect_eq(value(&a, "d")->double_value, 0.5);
	cr_expect_eq(value(&a, "b")->value_case, IS_BOOL);
	cr_expect(value(&a, "b")->bool_value);
	cr_expect_not(a.failed);
}

Test(attribute, keeps_a_value_that_is_there)
{
	struct attributes a = attributes_of(native.list, 4, 1, &arena);

	cr_expect_not(attributes_text(&a, "text", STR("another"), false));
	cr_expect_not(attributes_int(&a, "text", 1, false));
	cr_expect_not(attributes_double(&a, "text", 1, false));
	cr_expect_not(attributes_bool(&a, "text", true, false));
	cr_expect_eq(a.count, 4);
	cr_expect_str_eq(value(&a, "text")->string_value, "its own");
	cr_expect(str_eq(attributes_get_text(&a, "text"), STR("its own")));
}

Test(attribute, force_replaces_it_whatever_its_type)
{
	struct attributes a = attributes_of(native.list, 4, 0, &arena);

	cr_expect(attributes_int(&a, "text", 7, true));
	cr_expect_eq(value(&a, "text")->value_case, IS_INT);
	cr_expect_eq(value(&a, "text")->int_value, 7);
	cr_expect_eq(attributes_get_text(&a, "text").len, 0);
	cr_expect(attributes_text(&a, "text", STR("ours"), true));
	cr_expect_str_eq(value(&a, "text")->string_value, "ours");
	cr_expect_eq(a.count, 4);
}

Test(attribute, without_a_value_counts_as_missing)
{
	static const char *const keys[] = { "empty", "unset", "bare" };
	struct attributes a = attributes_of(native.list, 4, 0, &arena);

	for (size_t i = 0; i < 3; i++) {
		cr_expect(attributes_text(&a, keys[i], STR("x"), false), "%s", keys[i]);
		cr_expect_str_eq(value(&a, keys[i])->string_value, "x", "%s", keys[i]);
		cr_expect_not(attributes_text(&a, keys[i], STR("y"), false), "%s", keys[i]);
	}
	cr_expect_eq(a.count, 4);
	cr_expect_not(a.failed);
}

Test(attribute, an_empty_text_sets_nothing)
{
	struct attributes a = attributes_of(native.list, 4, 0, &arena);

	cr_expect_not(attributes_text(&a, "new", STR(""), true));
	cr_expect_not(attributes_text(&a, "text", (struct str){ 0 }, true));
	cr_expect_str_eq(value(&a, "text")->string_value, "its own");
	cr_expect_not(a.failed);
}

Test(attribute, text_is_copied_and_ends)
{
	char source[] = "abcdef";
	struct attributes a = attributes_of(NULL, 0, 1, &arena);

	cr_expect(attributes_text(&a, "t", (struct str){ source, 3 }, false));
	source[0] = 'x';
	cr_expect_str_eq(value(&a, "t")->string_value, "abc");
}

Test(attribute, a_value_may_be_made_from_itself)
{
	struct attributes a = attributes_of(native.list, 4, 0, &arena);

	cr_expect(attributes_text(&a, "text", str_from(native.values[0].string_value), true));
	cr_expect_str_eq(value(&a, "text")->string_value, "its own");
}

Test(attribute, the_messages_own_list_stays)
{
	struct attributes a = attributes_of(native.list, 1, 1, &arena);

	cr_expect(attributes_int(&a, "more", 1, false));
	cr_expect_neq(a.list, native.list);
	cr_expect_eq(native.list[1], &native.pairs[1]);
	cr_expect_eq(a.list[0], &native.pairs[0]);
}

Test(attribute, without_room_everything_fails)
{
	struct attributes a = attributes_of(native.list, 4, 1, &arena);

	cr_expect(attributes_int(&a, "one", 1, false));
	cr_expect_not(attributes_int(&a, "two", 2, false));
	cr_expect(a.failed);
	cr_expect_eq(a.count, 5);
	cr_expect_not(attributes_int(&a, "text", 2, true), "nothing more is set");
	cr_expect_str_eq(value(&a, "text")->string_value, "its own");
}

Test(attribute, without_memory_everything_fails)
{
	struct attributes a;
	struct arena small;

	arena_init(&small, 16);
	a = attributes_of(native.list, 4, 8, &small);
	cr_expect(a.failed);
	cr_expect_eq(a.list, native.list);
	cr_expect_eq(a.count, 4);
	cr_expect_not(attributes_bool(&a, "b", true, false));

	arena_reset(&small);
	a = attributes_of(NULL, 0, 1, &small);
	cr_expect_not(a.failed);
	cr_expect_not(attributes_text(&a, "t", STR("t"), false), "no memory for a pair");
	cr_expect(a.failed);
	arena_finish(&small);
	arena_init(&small, 64);
	a = attributes_of(native.list, 4, 0, &small);
	cr_expect_not(attributes_text(&a, "unset", STR("longer than the sixteen bytes that are left over here"), false));
	cr_expect(a.failed, "no memory for a text");
	cr_expect_eq(native.values[2].value_case, NOT_SET);
	cr_expect_not(attributes_int(&a, "bare", 1, false));
	cr_expect_null(native.pairs[3].value);
	arena_finish(&small);
}
