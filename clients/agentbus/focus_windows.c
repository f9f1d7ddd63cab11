#include "focus_windows.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 128, FIRST_COUNT = 16 };

#define SAFE_INTEGER 9007199254740991.0 /* what a double holds exactly */

void
focus_windows_finish(struct focus_windows *w)
{
	free(w->list);
	*w = (struct focus_windows){ 0 };
}

bool
focus_windows_add(struct focus_windows *w, const struct focus_window *window)
{
	if ((w->count & (w->count - 1)) == 0 && (w->count == 0 || w->count >= FIRST_COUNT)) {
		const size_t size = w->count ? 2 * w->count : FIRST_COUNT;
		struct focus_window *moved = size > FOCUS_WINDOWS_MAX ? NULL : realloc(w->list, size * sizeof(*moved));

		if (!moved)
			return false;
		w->list = moved;
	}
	w->list[w->count++] = *window;
	return true;
}

/* --- values --- */

static uint64_t
number_of(const cJSON *object, const char *key)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

	return cJSON_IsNumber(item) && item->valuedouble >= 0 && item->valuedouble <= SAFE_INTEGER ? (uint64_t)item->valuedouble
												   : 0;
}

static uint32_t
pid_of(const cJSON *object)
{
	const uint64_t pid = number_of(object, "pid");

	return pid <= INT32_MAX ? (uint32_t)pid : 0;
}

static void
copy_text(const cJSON *object, const char *key, char *out, size_t size)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));

	snprintf(out, size, "%s", text ? text : "");
}

static bool
is_true(const cJSON *object, const char *key)
{
	return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(object, key));
}

/* --- sway and i3 --- */

/* A view is what has a process (sway) or a window of X11 (both). */
static bool
add_view(struct focus_windows *w, const cJSON *node)
{
	struct focus_window window = { .id = number_of(node, "id"),
				       .pid = pid_of(node),
				       .x11 = number_of(node, "window"),
				       .focused = is_true(node, "focused") };

	copy_text(node, "name", window.title, sizeof(window.title));
	return (window.pid == 0 && window.x11 == 0) || focus_windows_add(w, &window);
}

static bool add_tree(struct focus_windows *w, const cJSON *node, unsigned depth);

static bool
add_children(struct focus_windows *w, const cJSON *node, const char *key, unsigned depth)
{
	const cJSON *children = cJSON_GetObjectItemCaseSensitive(node, key), *child;

	cJSON_ArrayForEach(child, children) if (!add_tree(w, child, depth + 1)) return false;
	return true;
}

/* NOLINTNEXTLINE(misc-no-recursion): DEPTH_MAX bounds it */
static bool
add_tree(struct focus_windows *w, const cJSON *node, unsigned depth)
{
	return cJSON_IsObject(node) && depth < DEPTH_MAX && add_view(w, node) && add_children(w, node, "nodes", depth) &&
	       add_children(w, node, "floating_nodes", depth);
}

/* --- the others --- */

static bool
add_each(struct focus_windows *w, const cJSON *array, bool (*add)(struct focus_windows *w, const cJSON *item))
{
	const cJSON *item;

	if (!cJSON_IsArray(array))
		return false;
	cJSON_ArrayForEach(item, array) if (!cJSON_IsObject(item) || !add(w, item)) return false;
	return true;
}

static bool
add_hyprland(struct focus_windows *w, const cJSON *item)
{
	struct focus_window window = { .pid = pid_of(item) };

	copy_text(item, "address", window.address, sizeof(window.address));
	copy_text(item, "title", window.title, sizeof(window.title));
	return focus_windows_add(w, &window);
}

static bool
add_niri(struct focus_windows *w, const cJSON *item)
{
	struct focus_window window = { .id = number_of(item, "id"), .pid = pid_of(item), .focused = is_true(item, "is_focused") };

	copy_text(item, "title", window.title, sizeof(window.title));
	return focus_windows_add(w, &window);
}

static bool
read_tree(struct focus_windows *w, const cJSON *root)
{
	return add_tree(w, root, 0);
}

static bool
read_hyprland(struct focus_windows *w, const cJSON *root)
{
	return add_each(w, root, add_hyprland);
}

static bool
read_niri(struct focus_windows *w, const cJSON *root)
{
	const cJSON *ok = cJSON_GetObjectItemCaseSensitive(root, "Ok");

	return add_each(w, cJSON_GetObjectItemCaseSensitive(ok, "Windows"), add_niri);
}

static bool
parse(const char *json, size_t len, bool (*read)(struct focus_windows *w, const cJSON *root), struct focus_windows *ret)
{
	struct focus_windows w = { 0 };
	cJSON *root = cJSON_ParseWithLength(json, len);
	const bool ok = root && read(&w, root);

	cJSON_Delete(root);
	if (ok)
		*ret = w;
	else
		focus_windows_finish(&w);
	return ok;
}

bool
focus_windows_of_tree(const char *json, size_t len, struct focus_windows *ret)
{
	return parse(json, len, read_tree, ret);
}

bool
focus_windows_of_hyprland(const char *json, size_t len, struct focus_windows *ret)
{
	return parse(json, len, read_hyprland, ret);
}

bool
focus_windows_of_niri(const char *json, size_t len, struct focus_windows *ret)
{
	return parse(json, len, read_niri, ret);
}

bool
focus_windows_tree_obeys(const char *json, size_t len)
{
	cJSON *root = cJSON_ParseWithLength(json, len), *item;
	bool obeys = cJSON_GetArraySize(root) > 0;

	cJSON_ArrayForEach(item, root) obeys &= is_true(item, "success");
	cJSON_Delete(root);
	return obeys;
}

bool
focus_windows_hyprland_obeys(const char *text, size_t len)
{
	return len >= 2 && memcmp(text, "ok", 2) == 0;
}

bool
focus_windows_niri_obeys(const char *json, size_t len)
{
	cJSON *root = cJSON_ParseWithLength(json, len);
	const bool obeys = cJSON_HasObjectItem(root, "Ok");

	cJSON_Delete(root);
	return obeys;
}

bool
focus_windows_of_wmctrl(const char *text, struct focus_windows *ret)
{
	struct focus_windows w = { 0 };

	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		struct focus_window window = { 0 };
		unsigned long x11;
		unsigned pid;
		int title = 0;

		if (sscanf(line, "0x%lx %*d %u %*s %n", &x11, &pid, &title) != 2 || x11 == 0)
			continue;
		window.x11 = window.id = x11;
		window.pid = pid;
		snprintf(window.title, sizeof(window.title), "%.*s", title ? (int)strcspn(line + title, "\n") : 0, line + title);
		if (!focus_windows_add(&w, &window)) {
			focus_windows_finish(&w);
			return false;
		}
	}
	*ret = w;
	return true;
}

/* --- which --- */

static bool
fits_x11(const struct focus_window *w, const struct focus_clue *clue)
{
	return clue->x11 != 0 && w->x11 == clue->x11;
}

static bool
fits_title(const struct focus_window *w, const struct focus_clue *clue)
{
	return *clue->title && strcmp(w->title, clue->title) == 0;
}

static bool
fits_any(const struct focus_window *w, const struct focus_clue *clue)
{
	(void)w;
	(void)clue;
	return true;
}

/* Of a process's windows, the only one that fits; *ret_count: how many do. */
static const struct focus_window *
only_one(const struct focus_windows *w, uint32_t pid, bool (*fits)(const struct focus_window *, const struct focus_clue *),
	 const struct focus_clue *clue, size_t *ret_count)
{
	const struct focus_window *found = NULL;

	*ret_count = 0;
	for (size_t i = 0; i < w->count; i++) {
		if (w->list[i].pid != pid || !fits(&w->list[i], clue))
			continue;
		found = &w->list[i];
		++*ret_count;
	}
	return *ret_count == 1 ? found : NULL;
}

const struct focus_window *
focus_windows_find(const struct focus_windows *w, const struct focus_kin *kin, const struct focus_clue *clue, bool *ret_several)
{
	bool (*const fits[])(const struct focus_window *, const struct focus_clue *) = { fits_any, fits_x11, fits_title };
	const struct focus_window *found = NULL;
	size_t owned = 0, count;

	for (size_t i = 0; i < kin->count && owned == 0; i++)
		for (size_t k = 0; k < sizeof(fits) / sizeof(fits[0]) && !found; k++) {
			found = only_one(w, kin->pids[i], fits[k], clue, &count);
			owned = k == 0 ? count : owned;
		}
	*ret_several = !found && owned > 0;
	/* Old programs of X11 do not say which process they are. */
	return found || owned > 0 ? found : only_one(w, 0, fits_x11, clue, &count);
}
