/* Changes to JSON texts of many forms: what they look like, that nothing else changes, and that they can be taken back. */
#include "agentbus/json_edit.h"

#include "edit_bed.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ELEMENT      "{\"hooks\": [{\"command\": \"x emit\"}]}"

static const struct wish wishes[] = {
	{ EDIT_SET, { { "env", "A" }, 2 }, "\"1\"" },
	{ EDIT_SET, { { "env", "B" }, 2 }, "\"2\"" },
	{ EDIT_APPEND, { { "hooks", "Stop" }, 2 }, ELEMENT },
	{ EDIT_APPEND, { { "hooks", "Start" }, 2 }, ELEMENT },
};

/* Texts that all wishes can be made in. */
static const char *const texts[] = {
	"",
	"{}",
	"{}\n",
	"{ }",
	"{\n}\n",
	"\n{\n\n}\n",
	"{\"a\":1}",
	"{\"a\": 1}",
	"{ \"a\" : 1 , \"b\":2 }\n",
	"{\"a\":1,\"b\":[]}",
	"{\"hooks\":{\"Stop\":[{\"x\":1}]},\"env\":{}}",
	"{\n  \"a\": 1\n}",
	"{\n  \"a\": 1\n}\n",
	"{\n\t\"a\": 1,\n\t\"env\": {\n\t\t\"X\": \"y\"\n\t}\n}\n",
	"{\r\n    \"a\": 1,\r\n    \"hooks\": {\r\n        \"Stop\": []\r\n    }\r\n}\r\n",
	"\xef\xbb\xbf{\n \"a\": 1\n}\n",
	"{\n  \"env\": { \"X\": \"y\" },\n  \"hooks\": { \"Stop\": [ { \"x\": [1, 2] } ], \"Pre\": [] }\n}\n",
	"{\n  \"hooks\": {\n    \"Stop\": [\n      { \"x\": 1 },\n      { \"y\": 2 }\n    ]\n  },\n  \"z\": null\n}\n",
	"{\n  \"env\": {},\n  \"env\": { \"X\": \"1\" },\n  \"h\\u006foks\": { \"St\\u006fp\": [1] }\n}\n",
	"{\n  \"a\": \"\\ud83d\\ude00 \\\" \\\\\",\n  \"hooks\": {\"Stop\": []\n}\n}",
	"{\"a\":\n1}",
	"{\n\"a\": 1,\n\"b\": 2}",
	"{\n  \"a\": 1, \"b\": 2,\n  \"c\": 3\n}",
};

/* Those that need comments, or commas at the end. */
static const char *const relaxed_texts[] = {
	"// nothing yet\n",
	"/* head */\n{\n  // one\n  \"a\": 1 // the last\n}\n// foot",
	"{\n  \"a\": 1, /* x */ // y\n  \"env\": {\n    \"X\": \"y\", // kept\n  },\n}\n",
	"{\n  \"env\": {\n    // none\n  },\n  \"hooks\": { /* none */ },\n}\n",
	"{\"a\":1,}",
	"{ \"hooks\": { \"Stop\": [1, /* two */ 2,], }, }",
	"{\n  \"a\": [\n    1, // one\n    2 /* two\n  */\n  ]\n}",
	"{\r\n  // c\r\n}\r\n",
	"{\n  \"hooks\": {\n    \"Stop\": [\n      1 // one\n    ]\n  }\n}",
	"{\n  \"url\": \"http://x\" // \"not\": \"this\"\n}",
};

static void
expect_valid(const struct edit_text *t, bool relaxed)
{
	const struct json_text in = { t->data, t->len, JSON_EDIT_DEPTH_MAX, relaxed };
	struct edit_span value;
	struct edit_fault fault = { 0 };

	cr_expect(json_scan_whole(&in, &value, &fault), "%s at %zu of:\n%s", fault.what, fault.at, t->data);
}

static void
make(struct edit_text *t, bool relaxed, const struct wish *w, struct edit_change *c)
{
	cr_assert(edit_change_init(c, w->kind, &w->path, w->value));
	cr_expect(json_edit_apply(t, relaxed, c), "%s in:\n%s", w->path.key[1], t->data);
	expect_valid(t, relaxed);
}

/* The value is there, at its path or as the last element. */
static void
expect_there(const struct edit_text *t, bool relaxed, const struct wish *w)
{
	const struct json_text in = { t->data, t->len, JSON_EDIT_DEPTH_MAX, relaxed },
			       want = { w->value, strlen(w->value), 64, false };
	struct json_child child = { 0 };
	struct json_walk walk;
	struct edit_span value;

	cr_assert(json_find(&in, &w->path, &value), "%s is not in:\n%s", w->path.key[1], t->data);
	if (w->kind == EDIT_APPEND) {
		cr_assert(json_walk_begin(&walk, &in, value.at));
		while (json_walk_next(&walk, &child))
			value = child.value;
	}
	const struct json_text own = { t->data + value.at, value.len, 64, relaxed };
	cr_expect(json_same(&own, &want), "%s is not as wanted in:\n%s", w->path.key[1], t->data);
}

static void
there_and_back(const char *bytes, bool relaxed)
{
	struct edit_text t = bed_text(bytes);
	struct edit_change changes[COUNT(wishes)];
	const bool blank = json_is_blank(&(struct json_text){ t.data, t.len, 64, relaxed });

	for (size_t i = 0; i < COUNT(wishes); i++)
		make(&t, relaxed, &wishes[i], &changes[i]);
	for (size_t i = 0; i < COUNT(wishes); i++)
		expect_there(&t, relaxed, &wishes[i]);
	for (size_t i = COUNT(wishes); i-- > 0;) {
		cr_expect(json_edit_revert(&t, relaxed, &changes[i]), "%zu of:\n%s\nnow:\n%s", i, bytes, t.data);
		cr_expect_not(json_edit_revert(&t, relaxed, &changes[i]), "twice: %zu of:\n%s", i, bytes);
		edit_change_finish(&changes[i]);
	}
	/* A text without a value has become an empty object. */
	if (blank)
		cr_expect(strncmp(t.data, bytes, strlen(bytes)) == 0 && strncmp(t.data + strlen(bytes), "{}", 2) == 0, "%s",
			  t.data);
	else
		bed_expect(&t, bytes);
	edit_text_finish(&t);
}

Test(json_edit, there_and_back)
{
	for (size_t i = 0; i < COUNT(texts); i++) {
		there_and_back(texts[i], false);
		there_and_back(texts[i], true);
	}
	for (size_t i = 0; i < COUNT(relaxed_texts); i++)
		there_and_back(relaxed_texts[i], true);
}

/* Blanks, breaks and comments at every place where they may stand. */
Test(json_edit, every_split)
{
	static const char *const between[] = { "\n", "\r\n  ", " ", "/* x */", "// y\n" };

	for (size_t i = 0; i < COUNT(texts); i++)
		for (size_t at = 0; at <= strlen(texts[i]); at++)
			for (size_t k = 0; k < COUNT(between); k++) {
				struct edit_text t = bed_text(texts[i]);
				struct edit_fault fault;
				struct edit_span value;

				cr_assert(edit_text_splice(&t, at, 0, between[k], strlen(between[k])));
				const struct json_text in = { t.data, t.len, JSON_EDIT_DEPTH_MAX, true };

				/* Within a word, a string or a byte order mark that is another text, or none. */
				if (json_scan_whole(&in, &value, &fault))
					there_and_back(t.data, true);
				edit_text_finish(&t);
			}
}

Test(json_edit, what_needs_to_be_relaxed_is_refused_else)
{
	for (size_t i = 0; i < COUNT(relaxed_texts); i++) {
		const struct json_text in = { relaxed_texts[i], strlen(relaxed_texts[i]), 64, false };
		struct edit_span value;
		struct edit_fault fault;

		cr_expect_not(json_scan_whole(&in, &value, &fault), "%s", relaxed_texts[i]);
	}
}

Test(json_edit, looks_like_the_text_around_it)
{
	static const struct {
		struct wish wish;
		const char *before, *after;
	} cases[] = {
		{ { EDIT_SET, { { "e", "A" }, 2 }, "1" }, "", "{\n  \"e\": {\n    \"A\": 1\n  }\n}\n" },
		{ { EDIT_SET, { { "e", "A" }, 2 }, "1" }, "{\"a\":1}", "{\"a\":1,\"e\":{\"A\":1}}" },
		{ { EDIT_SET, { { "e", "A" }, 2 }, "1" }, "{\"a\": 1}", "{\"a\": 1, \"e\": {\"A\": 1}}" },
		{ { EDIT_SET, { { "e", "A" }, 2 }, "1" },
		  "{\r\n\t\"a\": 1\r\n}\r\n",
		  "{\r\n\t\"a\": 1,\r\n\t\"e\": {\r\n\t\t\"A\": 1\r\n\t}\r\n}\r\n" },
		{ { EDIT_SET, { { "a" }, 1 }, "2" }, "{\"b\": 0, \"a\" :  1 }", "{\"b\": 0, \"a\" :  2 }" },
		{ { EDIT_SET, { { "b" }, 1 }, "2" }, "{\n  \"a\": 1 // one\n}", "{\n  \"a\": 1, // one\n  \"b\": 2\n}" },
		{ { EDIT_SET, { { "b" }, 1 }, "2" }, "{\n  \"a\": 1, // one\n}", "{\n  \"a\": 1, // one\n  \"b\": 2,\n}" },
		{ { EDIT_APPEND, { { "h", "S" }, 2 }, "{}" },
		  "{\n  \"h\": {\n    \"S\": [\n      1\n    ]\n  }\n}",
		  "{\n  \"h\": {\n    \"S\": [\n      1,\n      {}\n    ]\n  }\n}" },
		{ { EDIT_APPEND, { { "h", "S" }, 2 }, "{}" }, "{\n  \"h\": {\"S\": [1]}\n}", "{\n  \"h\": {\"S\": [1, {}]}\n}" },
		{ { EDIT_APPEND, { { "h", "S" }, 2 }, "{}" },
		  "{\n    \"a\": 1\n}",
		  "{\n    \"a\": 1,\n    \"h\": {\n        \"S\": [\n            {}\n        ]\n    }\n}" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct edit_text t = bed_text(cases[i].before);
		struct edit_change c;

		make(&t, true, &cases[i].wish, &c);
		bed_expect(&t, cases[i].after);
		edit_change_finish(&c);
		edit_text_finish(&t);
	}
}

Test(json_edit, what_is_in_the_way)
{
	static const char *const cases[] = {
		"[]", "1", "{\"hooks\": []}", "{\"hooks\": null}", "{\"hooks\": {\"Stop\": {}}}", "{\"hooks\": {\"Stop\": \"x\"}}"
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct edit_text t = bed_text(cases[i]);
		struct edit_change c;

		cr_assert(edit_change_init(&c, EDIT_APPEND, &wishes[2].path, ELEMENT));
		cr_expect_not(json_edit_apply(&t, true, &c), "%s", cases[i]);
		bed_expect(&t, cases[i]);
		edit_change_finish(&c);
		edit_text_finish(&t);
	}
}

Test(json_edit, what_a_person_changed_meanwhile_stays)
{
	static const char mine[] =
	    "{\n  \"env\": {\n    \"A\": \"1\",\n    \"MINE\": \"x\", // here\n    \"B\": \"changed\"\n  },\n"
	    "  \"hooks\": {\n    \"Stop\": [\n      " ELEMENT ",\n      {\"mine\": 1}\n    ],\n"
	    "    \"Start\": [\n      {\"hooks\":[{\"command\":\"x emit\"}]}\n    ]\n  }\n}\n";
	static const char want[] = "{\n  \"env\": {\n    \"MINE\": \"x\", // here\n    \"B\": \"changed\"\n  },\n"
				   "  \"hooks\": {\n    \"Stop\": [\n      {\"mine\": 1}\n    ]\n  }\n}\n";
	struct edit_text t = bed_text(""), now = bed_text(mine);
	struct edit_change changes[COUNT(wishes)];

	for (size_t i = 0; i < COUNT(wishes); i++)
		make(&t, true, &wishes[i], &changes[i]);
	for (size_t i = COUNT(wishes); i-- > 0;) {
		cr_expect_eq(json_edit_revert(&now, true, &changes[i]), i != 1);
		edit_change_finish(&changes[i]);
	}
	bed_expect(&now, want);
	edit_text_finish(&t);
	edit_text_finish(&now);
}

Test(json_edit, what_was_replaced_is_put_back)
{
	static const struct wish wish = { EDIT_SET, { { "a", "b" }, 2 }, "\"new\"" };
	static const char before[] = "{\"a\": {\"b\": [1, {\"x\": 2}], \"c\": 3}}";
	struct edit_text t = bed_text(before);
	struct edit_change c;

	make(&t, false, &wish, &c);
	bed_expect(&t, "{\"a\": {\"b\": \"new\", \"c\": 3}}");
	cr_expect(json_edit_revert(&t, false, &c));
	bed_expect(&t, before);
	edit_change_finish(&c);
	edit_text_finish(&t);
}

/* --- the scanner --- */

Test(json_edit, no_text_is_read_beyond_its_end)
{
	struct guard g = guard_create(4096);

	for (size_t i = 0; i < COUNT(texts) + COUNT(relaxed_texts); i++) {
		const char *sample = i < COUNT(texts) ? texts[i] : relaxed_texts[i - COUNT(texts)];

		for (size_t len = 0; len <= strlen(sample); len++) {
			const struct json_text in = { guard_put(&g, sample, len), len, JSON_EDIT_DEPTH_MAX, true };
			struct edit_fault fault = { .at = SIZE_MAX };
			struct edit_span value = { 0 };
			const bool ok = json_scan_whole(&in, &value, &fault);

			cr_expect(ok ? value.at + value.len <= len : fault.at <= len && fault.what, "%zu of %s", len, sample);
			cr_expect(!ok || strspn(sample + value.at + value.len, " \t\r\n/") > 0 || len == strlen(sample),
				  "%zu of %s", len, sample);
		}
	}
	guard_destroy(&g);
}

Test(json_edit, what_is_no_json)
{
	static const struct {
		const char *text;
		size_t line;
	} cases[] = {
		{ "{\n  \"a\": 1\n  \"b\": 2\n}", 3 },
		{ "{\n\"a\" 1}", 2 },
		{ "{\"a\": tru}", 1 },
		{ "{\"a\": 01}", 1 },
		{ "{\"a\": 1.}", 1 },
		{ "{\"a\": \"\n\"}", 1 },
		{ "{\"a\": \"\\x\"}", 1 },
		{ "{\"a\": \"\\u12g4\"}", 1 },
		{ "{} {}", 1 },
		{ "{'a': 1}", 1 },
		{ "{a: 1}", 1 },
		{ "{\"a\": 1,}", 1 },
		{ "[1,]", 1 },
		{ "{,}", 1 },
		{ "", 1 },
		{ "{\n\n", 3 },
		{ "{\"a\": -}", 1 },
		{ "{\"a\": 1e}", 1 },
		{ "{\"a\": NaN}", 1 },
		{ "// c\n{}", 1 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct json_text in = { cases[i].text, strlen(cases[i].text), 64, false };
		struct edit_fault fault = { 0 };
		struct edit_span value;

		cr_expect_not(json_scan_whole(&in, &value, &fault), "%s", cases[i].text);
		cr_expect_eq(edit_line(in.text, in.len, fault.at), cases[i].line, "%s: %zu", cases[i].text, fault.at);
		cr_expect_not_null(fault.what);
	}
}

Test(json_edit, depth_has_a_limit)
{
	char deep[2 * 65 + 1] = { 0 };
	struct edit_fault fault;
	struct edit_span value;

	memset(deep, '[', 65);
	memset(deep + 65, ']', 65);
	cr_expect_not(json_scan_whole(&(struct json_text){ deep, 130, 64, false }, &value, &fault));
	cr_expect(json_scan_whole(&(struct json_text){ deep + 1, 128, 64, false }, &value, &fault));
}

Test(json_edit, what_strings_mean)
{
	static const struct {
		const char *raw, *means;
	} cases[] = { { "\"a\"", "a" },
		      { "\"\"", "" },
		      { "\"\\u0041\\n\\/\"", "A\n/" },
		      { "\"\\u00e9\\u20ac\\ud83d\\ude00\"", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80" } };

	for (size_t i = 0; i < COUNT(cases); i++)
		cr_expect(json_string_is(cases[i].raw, strlen(cases[i].raw), cases[i].means), "%s", cases[i].raw);
	cr_expect_not(json_string_is("\"\\u0000\"", 8, ""));
	cr_expect_not(json_string_is("1", 1, "1"));
	cr_expect_not(json_string_is("\"", 1, ""));
}

Test(json_edit, the_same_in_another_form)
{
	static const struct {
		const char *a, *b;
		bool same, same_relaxed;
	} cases[] = {
		{ "{\"a\": [1, 2], \"b\": {}}", " {\n\t\"a\":[ 1,2 ],\"b\":{ } }\n", true, true },
		{ "\xef\xbb\xbf{}", "{}", true, true },
		{ "{\"a\": \"x y\"}", "{\"a\": \"x  y\"}", false, false },
		{ "{\"a\": \"\\\\\", \"b\": 1}", "{\"a\":\"\\\\\",\"b\":1}", true, true },
		{ "{\"a\": \"\\\" \"}", "{\"a\": \"\\\"\"}", false, false },
		{ "{\"a\": 1}", "{\"a\": 1, \"b\": 2}", false, false },
		{ "{\"a\": 1}", "{\"a\": 12}", false, false },
		{ "[1, 2]", "[2, 1]", false, false },
		{ "{\"a\": 1}", "// of mine\n{\"a\": /* one */ 1,}\n", false, true },
		{ "{\"a\": \"//\"}", "{\"a\": \"//\",}", true, true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (unsigned relaxed = 0; relaxed < 2; relaxed++) {
			const struct json_text a = { cases[i].a, strlen(cases[i].a), 64, relaxed != 0 };
			const struct json_text b = { cases[i].b, strlen(cases[i].b), 64, relaxed != 0 };
			const bool want = relaxed ? cases[i].same_relaxed : cases[i].same;

			cr_expect_eq(json_same(&a, &b), want, "%s and %s", cases[i].a, cases[i].b);
			cr_expect_eq(json_same(&b, &a), want, "%s and %s", cases[i].b, cases[i].a);
			cr_expect(json_same(&a, &a));
			for (size_t len = 1; len < b.len; len++) {
				const struct json_text part = { b.text, len, 64, b.relaxed };
				json_same(&a, &part);
				json_same(&part, &b);
			}
		}
	}
}
