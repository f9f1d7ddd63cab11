#include "common/json.h"

#include <cjson/cJSON.h>
#include <criterion/criterion.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

Test(json, nesting_and_commas)
{
	struct json j = { 0 };

	json_object(&j, NULL);
	json_array(&j, "a");
	json_end(&j);
	json_object(&j, "o");
	json_end(&j);
	json_array(&j, "n");
	json_uint(&j, NULL, 1);
	json_array(&j, NULL);
	json_bool(&j, NULL, true);
	json_null(&j, NULL);
	json_end(&j);
	json_uint(&j, NULL, 2);
	json_end(&j);
	json_bool(&j, "z", false);
	json_end(&j);
	json_newline(&j);
	json_uint(&j, NULL, 3);
	cr_assert_str_eq(json_text(&j), "{\"a\":[],\"o\":{},\"n\":[1,[true,null],2],\"z\":false}\n3");
	json_clear(&j);
	cr_assert_str_eq(json_text(&j), "");
	json_uint(&j, NULL, UINT64_MAX);
	cr_assert_str_eq(json_text(&j), "18446744073709551615");
	json_finish(&j);
	json_finish(&j);
}

Test(json, empty_text_is_a_string_or_null)
{
	struct json j = { 0 };

	json_array(&j, NULL);
	json_string(&j, NULL, "");
	json_string_or_null(&j, NULL, "");
	json_string_or_null(&j, NULL, NULL);
	json_string_or_null(&j, NULL, "x");
	json_end(&j);
	cr_assert_str_eq(json_text(&j), "[\"\",null,null,\"x\"]");
	json_finish(&j);
}

Test(json, dollars_are_exact)
{
	static const struct {
		int64_t pico;
		const char *text;
	} cases[] = {
		{ 0, "0" },
		{ 1, "0.000000000001" },
		{ -1, "-0.000000000001" },
		{ 1500000000, "0.0015" },
		{ INT64_C(1000000000000), "1" },
		{ INT64_C(10000000000000), "10" },
		{ INT64_C(12345678901234567), "12345.678901234567" },
		{ INT64_MAX, "9223372.036854775807" },
		{ INT64_MIN, "-9223372.036854775808" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct json j = { 0 };

		json_usd(&j, NULL, cases[i].pico);
		cr_expect_str_eq(json_text(&j), cases[i].text);
		json_finish(&j);
	}
}

Test(json, bytes_and_times)
{
	static const uint8_t id[] = { 0x00, 0x0f, 0xa0, 0xff };
	struct json j = { 0 };

	json_array(&j, NULL);
	json_hex(&j, NULL, id, sizeof(id));
	json_hex(&j, NULL, id, 0);
	json_time(&j, NULL, UINT64_C(1700000000000000001));
	json_time(&j, NULL, 0);
	json_end(&j);
	cr_assert_str_eq(json_text(&j), "[\"000fa0ff\",\"\",\"2023-11-14T22:13:20.000000001Z\",null]");
	json_finish(&j);
}

Test(json, strings_are_escaped)
{
	struct json j = { 0 };

	json_string(&j, NULL, "a\"b\\c\b\f\n\r\t\x01\x1f\x7f/é€😀");
	cr_assert_str_eq(json_text(&j), "\"a\\\"b\\\\c\\b\\f\\n\\r\\t\\u0001\\u001f\\u007f/é€😀\"");
	json_clear(&j);
	json_string(&j, NULL, "x\xff\xc0\xafy\xe2\x82");
	cr_assert_str_eq(json_text(&j), "\"x\\ufffd\\ufffd\\ufffdy\\ufffd\\ufffd\"");
	json_finish(&j);
}

/* Another parser reads back each character and each pair of bytes. */
Test(json, every_pair_of_bytes_parses)
{
	struct json j = { 0 };

	for (unsigned a = 1; a < 256; a++) {
		for (unsigned b = 0; b < 256; b++) {
			char text[3] = { (char)a, (char)b, '\0' };

			json_clear(&j);
			json_string(&j, NULL, text);
			cJSON *back = cJSON_Parse(json_text(&j));

			cr_assert(cJSON_IsString(back), "%02x %02x: %s", a, b, json_text(&j));
			if (a < 0x80 && b < 0x80)
				cr_assert_str_eq(back->valuestring, text);
			cJSON_Delete(back);
		}
	}
	json_finish(&j);
}

Test(json, long_output_grows)
{
	struct json j = { 0 };
	char text[3000];

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	json_array(&j, NULL);
	for (int i = 0; i < 100; i++)
		json_string(&j, NULL, text);
	json_end(&j);
	cr_assert_eq(strlen(json_text(&j)), 2 + 100 * (sizeof(text) + 1) + 99);
	json_finish(&j);
}

Test(json, too_deep_is_no_text)
{
	struct json j = { 0 };

	for (int i = 0; i < JSON_DEPTH; i++)
		json_array(&j, NULL);
	cr_assert_not_null(json_text(&j));
	json_array(&j, NULL);
	cr_assert_null(json_text(&j));
	for (int i = 0; i < JSON_DEPTH + 2; i++)
		json_end(&j);
	cr_assert_null(json_text(&j));
	json_clear(&j);
	cr_assert_str_eq(json_text(&j), "");
	json_finish(&j);
}
