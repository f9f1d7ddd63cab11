#include "focus_panes.h"

#include <cjson/cJSON.h>
#include <stdio.h>

#define SAFE_INTEGER 9007199254740991.0

/* --- values --- */

static bool
is_number(const cJSON *object, const char *key, uint64_t number)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

	return cJSON_IsNumber(item) && item->valuedouble == (double)number;
}

static uint64_t
number_of(const cJSON *object, const char *key, double max)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

	return cJSON_IsNumber(item) && item->valuedouble >= 0 && item->valuedouble <= max ? (uint64_t)item->valuedouble : 0;
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

/* --- kitty --- */

/* What the system's window is called: as the active window of its active tab. */
static void
copy_title(const cJSON *os_window, char *out, size_t size)
{
	const cJSON *tab, *window;

	out[0] = '\0';
	cJSON_ArrayForEach(tab, cJSON_GetObjectItemCaseSensitive(os_window, "tabs"))
	{
		if (!is_true(tab, "is_active"))
			continue;
		cJSON_ArrayForEach(window, cJSON_GetObjectItemCaseSensitive(tab, "windows"))
		{
			if (is_true(window, "is_active"))
				copy_text(window, "title", out, size);
		}
	}
}

static bool
find_in_tab(const cJSON *tab, uint64_t number, struct focus_pane *ret)
{
	const cJSON *window;

	cJSON_ArrayForEach(window, cJSON_GetObjectItemCaseSensitive(tab, "windows"))
	{
		if (!is_number(window, "id", number))
			continue;
		*ret = (struct focus_pane){ .shown = is_true(tab, "is_active") && is_true(window, "is_active"),
					    .pid = (uint32_t)number_of(window, "pid", INT32_MAX) };
		return true;
	}
	return false;
}

static bool
find_in_kitty(const cJSON *root, uint64_t number, struct focus_pane *ret)
{
	const cJSON *os_window, *tab;

	cJSON_ArrayForEach(os_window, root)
	{
		cJSON_ArrayForEach(tab, cJSON_GetObjectItemCaseSensitive(os_window, "tabs"))
		{
			if (!find_in_tab(tab, number, ret))
				continue;
			ret->window.x11 = number_of(os_window, "platform_window_id", SAFE_INTEGER);
			copy_title(os_window, ret->window.title, sizeof(ret->window.title));
			return true;
		}
	}
	return false;
}

bool
focus_panes_of_kitty(const char *json, size_t len, uint64_t number, struct focus_pane *ret)
{
	cJSON *root = cJSON_ParseWithLength(json, len);
	const bool found = cJSON_IsArray(root) && find_in_kitty(root, number, ret);

	cJSON_Delete(root);
	return found;
}

/* --- wezterm --- */

bool
focus_panes_of_wezterm(const char *json, size_t len, uint64_t number, struct focus_pane *ret)
{
	cJSON *root = cJSON_ParseWithLength(json, len), *item;
	bool found = false;

	if (cJSON_IsArray(root))
		cJSON_ArrayForEach(item, root)
		{
			if (found || !is_number(item, "pane_id", number))
				continue;
			*ret = (struct focus_pane){ 0 };
			copy_text(item, "tty_name", ret->tty, sizeof(ret->tty));
			copy_text(item, "window_title", ret->window.title, sizeof(ret->window.title));
			found = true;
		}
	cJSON_Delete(root);
	return found;
}

bool
focus_panes_wezterm_shows(const char *json, size_t len, uint64_t number)
{
	cJSON *root = cJSON_ParseWithLength(json, len), *item;
	bool shown = false;

	if (cJSON_IsArray(root))
		cJSON_ArrayForEach(item, root) shown |= is_number(item, "focused_pane_id", number);
	cJSON_Delete(root);
	return shown;
}
