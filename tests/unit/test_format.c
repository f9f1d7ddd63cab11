#include "eww/format.h"

#include <criterion/criterion.h>

Test(format, by_name)
{
	static const char *const names[] = { "eww", "waybar", "polybar", "i3status-rs", "ironbar" };
	const char *argument = "";

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		cr_assert_str_eq(format_find(names[i], &argument)->name, names[i]);
		cr_expect_null(argument);
	}
	cr_assert_str_eq(format_find("template=a=b", &argument)->name, "template");
	cr_expect_str_eq(argument, "a=b");
	cr_assert_not_null(format_find("template=", &argument));
	cr_expect_str_eq(argument, "");
}

Test(format, none_such)
{
	static const char *const names[] = { "", "ew", "eww2", "EWW", "eww=", "waybar=x", "template", "=", "templates=x" };
	const char *argument = "untouched";

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		cr_expect_null(format_find(names[i], &argument), "%s", names[i]);
	cr_expect_str_eq(argument, "untouched");
}

Test(format, names)
{
	char names[128];

	cr_expect_str_eq(format_names(names, sizeof(names)), "eww, waybar, polybar, i3status-rs, ironbar or template=TEXT");
	cr_expect_str_eq(format_names(names, 8), "eww, wa");
}
