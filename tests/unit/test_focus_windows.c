/* What window managers say of their windows, and which one it is. */
#include "agentbus/focus_windows.h"

#include "guard.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SWAY                                                                                                                     \
	"{\"id\":1,\"type\":\"root\",\"name\":\"root\",\"window\":null,\"focused\":false,\"floating_nodes\":[],\"nodes\":[{"     \
	"\"id\":3,"                                                                                                              \
	"\"type\":\"output\",\"nodes\":[{\"id\":4,\"type\":\"workspace\",\"name\":\"1\",\"nodes\":[{\"id\":5,\"type\":\"con\","  \
	"\"name\":"                                                                                                              \
	"\"foot\",\"focused\":false,\"pid\":100,\"app_id\":\"foot\",\"window\":null,\"nodes\":[],\"floating_nodes\":[]},{"       \
	"\"id\":6,"                                                                                                              \
	"\"nodes\":[{\"id\":7,\"name\":\"x\",\"focused\":true,\"pid\":200,\"window\":4194307,\"nodes\":[],\"floating_nodes\":[]" \
	"}]}],"                                                                                                                  \
	"\"floating_nodes\":[{\"id\":8,\"name\":null,\"pid\":300,\"focused\":false}]}]}]}"
#define I3                                                                                                                       \
	"{\"id\":94086519136768,\"window\":null,\"nodes\":[{\"id\":94086519136769,\"window\":4194307,\"name\":\"a\","            \
	"\"focused\":true,"                                                                                                      \
	"\"nodes\":[],\"floating_nodes\":[]}],\"floating_nodes\":[]}"
#define HYPRLAND                                                                                                                 \
	"[{\"address\":\"0x55d1\",\"mapped\":true,\"class\":\"foot\",\"title\":\"one\",\"pid\":100},{\"address\":\"0x55d2\","    \
	"\"title\":"                                                                                                             \
	"\"two\",\"pid\":200},{\"address\":\"0x55d3\",\"title\":\"\",\"pid\":-1}]"
#define NIRI                                                                                                                     \
	"{\"Ok\":{\"Windows\":[{\"id\":12,\"title\":\"one\",\"app_id\":\"foot\",\"pid\":100,\"workspace_id\":1,\"is_focused\":"  \
	"false},"                                                                                                                \
	"{\"id\":13,\"title\":null,\"pid\":null,\"is_focused\":true}]}}"

struct sample {
	const char *name, *json;
	bool (*read)(const char *json, size_t len, struct focus_windows *ret);
	size_t count;
};

static const struct sample samples[] = {
	{ "sway", SWAY, focus_windows_of_tree, 3 },
	{ "i3", I3, focus_windows_of_tree, 1 },
	{ "Hyprland", HYPRLAND, focus_windows_of_hyprland, 3 },
	{ "niri", NIRI, focus_windows_of_niri, 2 },
};
#define COUNT(array) (sizeof(array) / sizeof(*(array)))

Test(focus_windows, of_each)
{
	struct focus_windows w;

	for (size_t i = 0; i < COUNT(samples); i++) {
		cr_assert(samples[i].read(samples[i].json, strlen(samples[i].json), &w), "%s", samples[i].name);
		cr_expect_eq(w.count, samples[i].count, "%s: %zu", samples[i].name, w.count);
		focus_windows_finish(&w);
	}
	cr_assert(focus_windows_of_tree(SWAY, strlen(SWAY), &w));
	cr_expect_eq(w.list[0].id, 5);
	cr_expect_eq(w.list[0].pid, 100);
	cr_expect_str_eq(w.list[0].title, "foot");
	cr_expect_not(w.list[0].focused);
	cr_expect_eq(w.list[1].x11, 4194307);
	cr_expect(w.list[1].focused);
	cr_expect_eq(w.list[2].id, 8, "it floats");
	focus_windows_finish(&w);
	cr_assert(focus_windows_of_tree(I3, strlen(I3), &w));
	cr_expect_eq(w.list[0].id, 94086519136769u, "i3 has large ones");
	focus_windows_finish(&w);
	cr_assert(focus_windows_of_hyprland(HYPRLAND, strlen(HYPRLAND), &w));
	cr_expect_str_eq(w.list[1].address, "0x55d2");
	cr_expect_eq(w.list[2].pid, 0);
	focus_windows_finish(&w);
}

Test(focus_windows, every_prefix_is_none)
{
	for (size_t i = 0; i < COUNT(samples); i++) {
		const size_t len = strlen(samples[i].json);
		struct guard g = guard_create(len);
		struct focus_windows w;

		for (size_t n = 0; n < len; n++)
			cr_expect_not(samples[i].read(guard_put(&g, samples[i].json, n), n, &w), "%s: %zu", samples[i].name, n);
		guard_destroy(&g);
	}
}

Test(focus_windows, what_is_no_list)
{
	static const char *const texts[] = {
		"null", "1", "\"Ok\"", "[1]", "{\"Ok\":{\"Windows\":{}}}", "{\"Err\":\"no\"}", "{\"nodes\":[3]}"
	};
	struct focus_windows w;

	for (size_t i = 0; i < COUNT(texts); i++)
		for (size_t k = 0; k < COUNT(samples); k++)
			if (samples[k].read(texts[i], strlen(texts[i]), &w)) {
				cr_expect_eq(w.count, 0, "%s by %s", texts[i], samples[k].name);
				focus_windows_finish(&w);
			}
}

Test(focus_windows, depth_and_number_have_limits)
{
	enum { DEEP = 400, MANY = FOCUS_WINDOWS_MAX + 1, SIZE = MANY * 16 };
	char *text = calloc(1, SIZE);
	struct focus_windows w;
	size_t len = 0;

	for (int i = 0; i < DEEP; i++)
		len += (size_t)snprintf(text + len, SIZE - len, "{\"nodes\":[");
	len += (size_t)snprintf(text + len, SIZE - len, "{}");
	for (int i = 0; i < DEEP; i++)
		len += (size_t)snprintf(text + len, SIZE - len, "]}");
	cr_expect_not(focus_windows_of_tree(text, len, &w));
	len = (size_t)snprintf(text, SIZE, "[");
	for (int i = 0; i < MANY; i++)
		len += (size_t)snprintf(text + len, SIZE - len, "%s{\"pid\":1}", i ? "," : "");
	len += (size_t)snprintf(text + len, SIZE - len, "]");
	cr_expect_not(focus_windows_of_hyprland(text, len, &w));
	free(text);
}

Test(focus_windows, whether_they_obey)
{
	static const struct {
		bool (*obeys)(const char *text, size_t len);
		const char *text;
		bool yes;
	} cases[] = {
		{ focus_windows_tree_obeys, "[ { \"success\": true } ]", true },
		{ focus_windows_tree_obeys, "[{\"success\":true},{\"success\":false}]", false },
		{ focus_windows_tree_obeys, "[]", false },
		{ focus_windows_tree_obeys, "", false },
		{ focus_windows_hyprland_obeys, "ok", true },
		{ focus_windows_hyprland_obeys, "o", false },
		{ focus_windows_hyprland_obeys, "No such window found", false },
		{ focus_windows_niri_obeys, "{\"Ok\":\"Handled\"}", true },
		{ focus_windows_niri_obeys, "{\"Err\":\"no such window\"}", false },
		{ focus_windows_niri_obeys, "x", false },
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		cr_expect_eq(cases[i].obeys(cases[i].text, strlen(cases[i].text)), cases[i].yes, "%s", cases[i].text);
}

Test(focus_windows, of_wmctrl)
{
	static const char text[] = "0x00c00003  0 0      host Desktop\n0x01400007  1 4242   host a title of words\nnonsense\n"
				   "0x01400008 -1 4242   host\n";
	struct focus_windows w;

	cr_assert(focus_windows_of_wmctrl(text, &w));
	cr_assert_eq(w.count, 3);
	cr_expect_eq(w.list[1].x11, 0x1400007);
	cr_expect_eq(w.list[1].pid, 4242);
	cr_expect_str_eq(w.list[1].title, "a title of words");
	focus_windows_finish(&w);
	for (size_t n = 0; n < sizeof(text); n++) {
		char *copy = strndup(text, n);

		cr_assert(focus_windows_of_wmctrl(copy, &w));
		focus_windows_finish(&w);
		free(copy);
	}
}

/* --- which --- */

static const struct focus_window *
find(const struct focus_window *list, size_t count, uint64_t x11, const char *title, bool *ret_several)
{
	const struct focus_kin kin = { .pids = { 40, 30, 20, 10 }, .count = 4 };
	struct focus_windows w = { (struct focus_window *)(uintptr_t)list, count };
	struct focus_clue clue = { .x11 = x11 };

	snprintf(clue.title, sizeof(clue.title), "%s", title);
	return focus_windows_find(&w, &kin, &clue, ret_several);
}

Test(focus_windows, the_nearest_that_has_one)
{
	const struct focus_window list[] = { { .id = 1, .pid = 10 }, { .id = 2, .pid = 20 }, { .id = 3, .pid = 99 } };
	bool several = true;

	cr_expect_eq(find(list, 3, 0, "", &several), &list[1]);
	cr_expect_not(several);
	cr_expect_eq(find(list, 1, 0, "", &several), &list[0]);
	cr_expect_null(find(list + 2, 1, 0, "", &several));
	cr_expect_not(several);
	cr_expect_null(find(NULL, 0, 5, "x", &several));
}

Test(focus_windows, unknown_is_better_than_wrong)
{
	const struct focus_window list[] = {
		{ .id = 1, .pid = 20, .title = "a", .x11 = 5 },
		{ .id = 2, .pid = 20, .title = "b", .x11 = 6 },
		{ .id = 3, .pid = 20, .title = "b", .x11 = 7 },
		{ .id = 4, .pid = 10, .title = "c", .x11 = 8 },
		{ .id = 5, .title = "d", .x11 = 9 },
	};
	bool several = false;

	cr_expect_null(find(list, 5, 0, "", &several));
	cr_expect(several, "three windows of one process");
	cr_expect_eq(find(list, 5, 0, "a", &several), &list[0], "by its title");
	cr_expect_not(several);
	cr_expect_null(find(list, 5, 0, "b", &several));
	cr_expect(several, "two are called so");
	cr_expect_eq(find(list, 5, 7, "b", &several), &list[2], "by its number");
	cr_expect_null(find(list, 5, 8, "c", &several));
	cr_expect(several, "that one is another terminal's");
	cr_expect_null(find(list, 5, 9, "d", &several));
	cr_expect_eq(find(list + 4, 1, 9, "", &several), &list[4], "nobody else has it");
	cr_expect_null(find(list + 4, 1, 0, "d", &several), "a title alone is not enough");
}
