#include "common/grid.h"

#include <criterion/criterion.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

static const struct grid_column columns[] = { { "NAME", false, 2 }, { "N", true, 0 }, { "NOTE", false, 1 } };

static char *
printed(const char *const *cells, size_t count, size_t width, bool colour)
{
	struct grid g = { .columns = columns, .column_count = 3 };
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	for (size_t i = 0; i < count; i++)
		grid_add(&g, cells[i]);
	cr_assert(grid_print(out, &g, width, colour));
	fclose(out);
	grid_finish(&g);
	return text;
}

static void
expect(const char *const *cells, size_t count, size_t width, bool colour, const char *want)
{
	char *text = printed(cells, count, width, colour);

	cr_expect_str_eq(text, want, "%s\nnot\n%s", text, want);
	free(text);
}

Test(grid, columns_are_as_wide_as_they_need_to_be)
{
	static const char *const cells[] = { "a", "1", "first", "longer", "12345", "" };

	expect(cells, 6, 0, false, "NAME        N  NOTE\na           1  first\nlonger  12345\n");
	expect(cells, 0, 0, false, "NAME  N  NOTE\n");
	expect(cells, 3, 0, true, "\033[1mNAME\033[0m  \033[1mN\033[0m  \033[1mNOTE\033[0m\na     1  first\n");
}

Test(grid, columns_give_way_in_turn)
{
	static const char *const cells[] = { "abcdefghij", "1", "abcdefghij" };

	setlocale(LC_CTYPE, "C.UTF-8");
	expect(cells, 3, 23, false, "NAME       N NOTE\nabcdefghij 1 abcdefghij\n");
	expect(cells, 3, 20, false, "NAME       N NOTE\nabcdefghij 1 abcdef\xe2\x80\xa6\n");
	expect(cells, 3, 17, false, "NAME     N NOTE\nabcdefg\xe2\x80\xa6 1 abcde\xe2\x80\xa6\n");
	expect(cells, 3, 3, false, "NAME   N NOTE\nabcde\xe2\x80\xa6 1 abcde\xe2\x80\xa6\n");
}

Test(grid, foreign_text_commands_no_terminal)
{
	static const char *const cells[] = { "\033[31m\n", "1", "\xff" };

	expect(cells, 3, 0, false, "NAME    N  NOTE\n?[31m?  1  ?\n");
}
