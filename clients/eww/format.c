#include "eww/format.h"

#include "eww/i3status.h"
#include "eww/label.h"
#include "eww/panel.h"
#include "eww/template.h"
#include "eww/waybar.h"

#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const struct format formats[] = {
	{ "eww", panel_render, NULL },
	{ "waybar", waybar_render, NULL },
	{ "polybar", label_render_polybar, NULL },
	{ "i3status-rs", i3status_render, NULL },
	{ "ironbar", label_render_ironbar, NULL },
	{ "template", template_render, "TEXT" },
};

const struct format *
format_find(const char *text, const char **ret_argument)
{
	size_t len = strcspn(text, "=");

	for (size_t i = 0; i < COUNT(formats); i++) {
		const struct format *f = &formats[i];

		if (strlen(f->name) != len || memcmp(f->name, text, len) != 0)
			continue;
		if ((f->argument != NULL) != (text[len] == '='))
			return NULL;
		*ret_argument = f->argument ? text + len + 1 : NULL;
		return f;
	}
	return NULL;
}

const char *
format_names(char *out, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < COUNT(formats) && n < size; i++) {
		const char *between = i == 0 ? "" : i + 1 < COUNT(formats) ? ", " : " or ";

		n += (size_t)snprintf(out + n, size - n, "%s%s%s%s", between, formats[i].name, formats[i].argument ? "=" : "",
				      formats[i].argument ? formats[i].argument : "");
	}
	return out;
}
