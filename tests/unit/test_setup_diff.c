/* Differences as diff -u writes them. */
#include "agentbus/setup_diff.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static char *
diff_of(const char *before, const char *after)
{
	const struct setup_side a = { "a", before, strlen(before) }, b = { "b", after, strlen(after) };
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	cr_assert(setup_diff(out, &a, &b, false));
	fclose(out);
	return text;
}

Test(setup_diff, samples)
{
	static const struct {
		const char *before, *after, *diff;
	} cases[] = {
		{ "", "", "" },
		{ "a\n", "a\n", "" },
		{ "", "a\nb\n", "--- a\n+++ b\n@@ -0,0 +1,2 @@\n+a\n+b\n" },
		{ "a\n", "", "--- a\n+++ b\n@@ -1 +0,0 @@\n-a\n" },
		{ "a\nb\nc\n", "a\nx\nc\n", "--- a\n+++ b\n@@ -1,3 +1,3 @@\n a\n-b\n+x\n c\n" },
		{ "a", "a\n", "--- a\n+++ b\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n" },
		{ "1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\n5\nx\n6\n7\n8\n9\n",
		  "--- a\n+++ b\n@@ -3,6 +3,7 @@\n 3\n 4\n 5\n+x\n 6\n 7\n 8\n" },
		{ "x\n1\n2\n3\n4\n5\n6\n7\ny\n", "1\n2\n3\n4\n5\n6\n7\n",
		  "--- a\n+++ b\n@@ -1,4 +1,3 @@\n-x\n 1\n 2\n 3\n@@ -6,4 +5,3 @@\n 5\n 6\n 7\n-y\n" },
		{ "x\n1\n2\n3\n4\n5\n6\ny\n", "1\n2\n3\n4\n5\n6\n",
		  "--- a\n+++ b\n@@ -1,8 +1,6 @@\n-x\n 1\n 2\n 3\n 4\n 5\n 6\n-y\n" },
		{ "a\r\n", "a\n", "--- a\n+++ b\n@@ -1 +1 @@\n-a\r\n+a\n" },
		{ "",
		  "a\x1b[2J\xc2\x9b"
		  "2J\x9b\u202eb\rc\x7f\t\u00e9\r\n",
		  "--- a\n+++ b\n@@ -0,0 +1 @@\n+a?[2J?2J??b?c?\t\u00e9\r\n" },
		{ "token = \"abc\"\n", "token = \"abc\"\nb\n", "--- a\n+++ b\n@@ -1 +1,2 @@\n token = \"***\"\n+b\n" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		char *diff = diff_of(cases[i].before, cases[i].after);

		cr_expect_str_eq(diff, cases[i].diff, "%zu:\n%s", i, diff);
		free(diff);
	}
}

/* Whatever is different, all lines of both sides are there, in their order, and no more are marked than needed to. */
Test(setup_diff, all_pairs_of_short_texts)
{
	for (unsigned x = 0; x < 256; x++)
		for (unsigned y = 0; y < 256; y += 5) {
			char before[9] = { 0 }, after[9] = { 0 }, old[9] = { 0 }, new[9] = { 0 };
			size_t i = 0, k = 0;

			for (unsigned bit = 0; bit < 4; bit++) {
				before[2 * bit] = "abcd"[(x >> (2 * bit)) & 3];
				before[2 * bit + 1] = after[2 * bit + 1] = '\n';
				after[2 * bit] = "abcd"[(y >> (2 * bit)) & 3];
			}
			char *diff = diff_of(before, after);

			for (char *line = diff; *line; line = strchr(line, '\n') + 1) {
				const size_t len = (size_t)(strchr(line, '\n') - line);

				if (strncmp(line, "--- ", 4) == 0 || strncmp(line, "+++ ", 4) == 0 || *line == '@')
					continue;
				if (*line != '+') {
					memcpy(old + i, line + 1, len);
					i += len;
				}
				if (*line != '-') {
					memcpy(new + k, line + 1, len);
					k += len;
				}
			}
			cr_expect(*diff ? strcmp(old, before) == 0 && strcmp(new, after) == 0 : strcmp(before, after) == 0, "%s",
				  diff);
			free(diff);
		}
}

Test(setup_diff, texts_that_have_nothing_in_common)
{
	enum { LINES = 3000 };
	char *before = malloc(LINES * 6 + 1), *after = malloc(LINES * 6 + 1);

	for (int i = 0; i < LINES; i++) {
		char line[16];

		snprintf(line, sizeof(line), "a%04d\n", i);
		memcpy(before + 6 * i, line, 7);
		line[0] = 'b';
		memcpy(after + 6 * i, line, 7);
	}
	char *diff = diff_of(before, after);

	cr_expect_not_null(strstr(diff, "@@ -1,3000 +1,3000 @@"));
	cr_expect_not_null(strstr(diff, "\n-a2999\n+b0000\n"));
	free(diff);
	free(before);
	free(after);
}
