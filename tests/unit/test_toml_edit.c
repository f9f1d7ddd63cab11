/* Changes to TOML texts of many forms: what they look like, that nothing else changes, and that they can be taken back. */
#include "agentbus/toml_edit.h"

#include "edit_bed.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct wish wishes[] = {
	{ EDIT_SET, { { "otel", "exporter" }, 2 }, "{ otlp-http = { endpoint = \"http://x\" } }" },
	{ EDIT_SET, { { "otel", "trace_exporter" }, 2 }, "{ otlp-http = { endpoint = \"http://y\" } }" },
	{ EDIT_SET, { { "notify" }, 1 }, "[\"agentbus\", \"emit\"]" },
};

/* Texts that all wishes can be made in. */
static const char *const texts[] = {
	"",
	"\n",
	"# nothing\n",
	"# nothing",
	"model = \"gpt-5.5\"\n",
	"model = \"gpt-5.5\"",
	"model = \"gpt-5.5\" # mine\r\n\r\n[features]\r\nx = true\r\n",
	"[otel]\n",
	"[otel]",
	"# head\n\n[otel] # here\n  environment = \"dev\"\n\n[tui]\nx = 1\n",
	"[a]\nx = 1\n[otel]\nenvironment = \"dev\" # e\nlog_user_prompt = false\n\n# about b\n[b]\ny = 2",
	"otel.environment = \"dev\"\nmodel = \"x\"\n[tui]\n",
	"otel = { environment = \"dev\" }\n",
	"otel = {}\nx = 1",
	"otel = { }\n",
	"[ \"otel\" ]\nenvironment = 'dev'\n",
	"[otel.span_attributes]\na = \"b\"\n",
	"[otel]\n[otel.span_attributes]\na = \"b\"\n",
	"a = \"\"\"\n[otel]\nexporter = 1\n\"\"\"\nb = '''\nnotify = 1'''\nc = [\n  1, # one\n  \"[otel]\",\n]\n",
	"\xef\xbb\xbfmodel = \"x\"\n",
	"\xef\xbb\xbf[tui]\nx = 1\n",
	"[[x]]\ny = 1\n[[x]]\ny = 2\n",
	"d = 1979-05-27 07:32:00Z\nt = 07:32:00.5\nn = -1_000.5e+3\nh = 0xdead_beef\ni = -inf\n\"a b\".c = true\n",
	"\t model = 'x'\n\t[otel]\n\t\tenvironment = \"dev\"\n",
};

static void
expect_valid(const struct edit_text *t)
{
	const struct toml_text in = { t->data, t->len, TOML_EDIT_DEPTH_MAX };
	struct edit_fault fault = { 0 };

	cr_expect(toml_scan_whole(&in, &fault), "%s at %zu of:\n%s", fault.what, fault.at, t->data);
}

static void
make(struct edit_text *t, const struct wish *w, struct edit_change *c)
{
	cr_assert(edit_change_init(c, w->kind, &w->path, w->value));
	cr_expect(toml_edit_apply(t, c), "%s in:\n%s", w->path.key[0], t->data);
	expect_valid(t);
}

static void
expect_there(const struct edit_text *t, const struct wish *w)
{
	const struct toml_text in = { t->data, t->len, TOML_EDIT_DEPTH_MAX };
	const struct toml_found f = toml_find(&in, &w->path);

	cr_assert(f.here && !f.twice, "%s is not in:\n%s", w->path.key[0], t->data);
	cr_expect(f.value.len == strlen(w->value) && memcmp(t->data + f.value.at, w->value, f.value.len) == 0, "%s", t->data);
}

static void
there_and_back(const char *bytes)
{
	struct edit_text t = bed_text(bytes);
	struct edit_change changes[COUNT(wishes)];

	expect_valid(&t);
	for (size_t k = 0; k < COUNT(wishes); k++)
		make(&t, &wishes[k], &changes[k]);
	for (size_t k = 0; k < COUNT(wishes); k++)
		expect_there(&t, &wishes[k]);
	for (size_t k = COUNT(wishes); k-- > 0;) {
		cr_expect(toml_edit_revert(&t, &changes[k]), "%zu of:\n%s\nnow:\n%s", k, bytes, t.data);
		cr_expect_not(toml_edit_revert(&t, &changes[k]));
		edit_change_finish(&changes[k]);
	}
	bed_expect(&t, bytes);
	edit_text_finish(&t);
}

Test(toml_edit, there_and_back)
{
	for (size_t i = 0; i < COUNT(texts); i++)
		there_and_back(texts[i]);
}

/* Breaks, blanks and comments at every place where they may stand. */
Test(toml_edit, every_split)
{
	static const char *const between[] = { "\n", "\r\n", " ", "\t", "# x\n", "\n\n" };

	for (size_t i = 0; i < COUNT(texts); i++)
		for (size_t at = 0; at <= strlen(texts[i]); at++)
			for (size_t k = 0; k < COUNT(between); k++) {
				struct edit_text t = bed_text(texts[i]);
				struct edit_fault fault;

				cr_assert(edit_text_splice(&t, at, 0, between[k], strlen(between[k])));
				/* Elsewhere that is another text, or none. */
				if (toml_scan_whole(&(struct toml_text){ t.data, t.len, TOML_EDIT_DEPTH_MAX }, &fault))
					there_and_back(t.data);
				edit_text_finish(&t);
			}
}

Test(toml_edit, looks_like_the_text_around_it)
{
	static const struct {
		struct wish wish;
		const char *before, *after;
	} cases[] = {
		{ { EDIT_SET, { { "otel", "e" }, 2 }, "1" }, "", "[otel]\ne = 1\n" },
		{ { EDIT_SET, { { "otel", "e" }, 2 }, "1" }, "a = 1\r\n", "a = 1\r\n\r\n[otel]\r\ne = 1\r\n" },
		{ { EDIT_SET, { { "otel", "e" }, 2 }, "1" }, "a = 1", "a = 1\n\n[otel]\ne = 1" },
		{ { EDIT_SET, { { "otel", "e" }, 2 }, "1" },
		  "[otel]\n  x = 0 # c\n\n[b]\n",
		  "[otel]\n  x = 0 # c\n  e = 1\n\n[b]\n" },
		{ { EDIT_SET, { { "otel", "e" }, 2 }, "1" }, "otel.x = 0\na = 1\n", "otel.x = 0\notel.e = 1\na = 1\n" },
		{ { EDIT_SET, { { "otel", "e" }, 2 }, "1" }, "otel = { x = 0 }", "otel = { x = 0, e = 1 }" },
		{ { EDIT_SET, { { "otel", "x" }, 2 }, "1" }, "otel = { x = 0 }", "otel = { x = 1 }" },
		{ { EDIT_SET, { { "otel", "x" }, 2 }, "1" }, "otel.\"x\"   = [\n 0, # n\n] # c", "otel.\"x\"   = 1 # c" },
		{ { EDIT_SET, { { "n" }, 1 }, "1" }, "[a]\nx = 0\n", "n = 1\n\n[a]\nx = 0\n" },
		{ { EDIT_SET, { { "n" }, 1 }, "1" }, "x = 0\n\n[a]\n", "x = 0\nn = 1\n\n[a]\n" },
		{ { EDIT_SET, { { "otel", "exporter", "otlp-http", "endpoint" }, 4 }, "\"b\"" },
		  "[otel.exporter.\"otlp-http\"]\nendpoint = \"a\" # c\n",
		  "[otel.exporter.\"otlp-http\"]\nendpoint = \"b\" # c\n" },
		{ { EDIT_SET, { { "otel", "exporter", "otlp-http", "endpoint" }, 4 }, "\"b\"" },
		  "otel.exporter = { otlp-http = { endpoint = \"a\" } }\n",
		  "otel.exporter = { otlp-http = { endpoint = \"b\" } }\n" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct edit_text t = bed_text(cases[i].before);
		struct edit_change c;

		make(&t, &cases[i].wish, &c);
		bed_expect(&t, cases[i].after);
		cr_expect(toml_edit_revert(&t, &c));
		bed_expect(&t, cases[i].before);
		edit_change_finish(&c);
		edit_text_finish(&t);
	}
}

Test(toml_edit, what_is_in_the_way)
{
	static const char *const cases[] = { "otel = 1",
					     "[[otel]]\n",
					     "[otel]\n[otel]\n",
					     "[otel.exporter.otlp-http]\nendpoint = 1\n",
					     "otel.exporter.x = 1",
					     "otel = { exporter.x = 1 }",
					     "[otel]\nexporter = 1\nexporter = 2\n" };

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct edit_text t = bed_text(cases[i]);
		struct edit_change c;

		cr_assert(edit_change_init(&c, EDIT_SET, &wishes[0].path, wishes[0].value));
		cr_expect_not(toml_edit_apply(&t, &c), "%s", cases[i]);
		bed_expect(&t, cases[i]);
		edit_change_finish(&c);
		edit_text_finish(&t);
	}
}

Test(toml_edit, what_a_person_changed_meanwhile_stays)
{
	static const char mine[] = "notify = [\"mine\"]\n\n[otel]\n# why\nexporter = {otlp-http = {endpoint=\"http://x\"}}\n"
				   "trace_exporter = { otlp-http = { endpoint = \"http://y\" } }\n\n[new]\nx = 1\n";
	static const char want[] = "notify = [\"mine\"]\n\n[otel]\n# why\n\n[new]\nx = 1\n";
	struct edit_text t = bed_text("a = 1\n"), now = bed_text(mine);
	struct edit_change changes[COUNT(wishes)];

	for (size_t i = 0; i < COUNT(wishes); i++)
		make(&t, &wishes[i], &changes[i]);
	for (size_t i = COUNT(wishes); i-- > 0;) {
		cr_expect_eq(toml_edit_revert(&now, &changes[i]), i != 2);
		edit_change_finish(&changes[i]);
	}
	bed_expect(&now, want);
	edit_text_finish(&t);
	edit_text_finish(&now);
}

/* --- the scanner --- */

Test(toml_edit, no_text_is_read_beyond_its_end)
{
	struct guard g = guard_create(4096);

	for (size_t i = 0; i < COUNT(texts); i++)
		for (size_t len = 0; len <= strlen(texts[i]); len++) {
			const struct toml_text in = { guard_put(&g, texts[i], len), len, TOML_EDIT_DEPTH_MAX };
			struct edit_fault fault = { .at = SIZE_MAX };

			if (!toml_scan_whole(&in, &fault))
				cr_expect(fault.at <= len && fault.what, "%zu of %s", len, texts[i]);
		}
	guard_destroy(&g);
}

Test(toml_edit, what_is_no_toml)
{
	static const struct {
		const char *text;
		size_t line;
	} cases[] = {
		{ "a = 1\nb\n", 2 },     { "a = \n", 1 },
		{ "a = 1 b = 2", 1 },    { "[a\n", 1 },
		{ "[[a]\n", 1 },         { "a = \"x\n\"", 1 },
		{ "a = 'x", 1 },         { "a = \"\"\"x", 1 },
		{ "a = \"\\q\"", 1 },    { "a = [1, 2\n", 1 },
		{ "a = [1 2]", 1 },      { "a = { x = 1,\n y = 2 }", 1 },
		{ "a = { x = 1, }", 1 }, { "= 1", 1 },
		{ "a = yes", 1 },        { "a = 01", 1 },
		{ "a = 1__0", 1 },       { "a = 1979-5-27", 1 },
		{ "a. = 1", 1 },         { "a = 1\r", 1 },
		{ "a = 1.", 1 },         { "\n\n\"\"\"a\"\"\" = 1", 3 },
		{ "a = \"\\u00\"", 1 },  { "[]\n", 1 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct toml_text in = { cases[i].text, strlen(cases[i].text), 64 };
		struct edit_fault fault = { 0 };

		cr_expect_not(toml_scan_whole(&in, &fault), "%s", cases[i].text);
		cr_expect_eq(edit_line(in.text, in.len, fault.at), cases[i].line, "%s: %zu", cases[i].text, fault.at);
	}
}

Test(toml_edit, depth_has_a_limit)
{
	struct edit_fault fault;
	char deep[256] = "a = ";

	memset(deep + 4, '[', 65);
	memset(deep + 4 + 65, ']', 65);
	cr_expect_not(toml_scan_whole(&(struct toml_text){ deep, 4 + 130, 64 }, &fault));
	cr_expect(toml_scan_whole(&(struct toml_text){ deep, 4 + 130, 65 }, &fault));
}

Test(toml_edit, what_strings_mean)
{
	cr_expect(toml_string_is("a-b", 3, "a-b"));
	cr_expect(toml_string_is("\"a\\tb\"", 6, "a\tb"));
	cr_expect(toml_string_is("'a\\tb'", 6, "a\\tb"));
	cr_expect_not(toml_string_is("\"\"\"a\"\"\"", 7, "a"));
	cr_expect_not(toml_string_is("'", 1, ""));
}
