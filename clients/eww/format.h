/* The formats of a line, by name. */
#ifndef CLIENTS_EWW_FORMAT_H
#define CLIENTS_EWW_FORMAT_H

#include "common/json.h"
#include "eww/view.h"

#include <stdbool.h>
#include <stddef.h>

struct format {
	const char *name;
	/* Appends a line, without its newline. Pure. Returns false if memory runs out. */
	bool (*render)(const struct view *v, struct json *out);
	const char *argument; /* what follows the name and a "=", for messages; NULL for none */
};

/*
 * Finds the format that text names: "waybar", "template=TEXT". Sets *ret_argument to what follows the "=", NULL if the format
 * takes nothing. Returns NULL if there is no such format, or it lacks or does not take an argument. Static.
 */
const struct format *format_find(const char *text, const char **ret_argument);

/* "eww, waybar, … or template=TEXT", for messages; cut to size. Returns out. */
const char *format_names(char *out, size_t size);

#endif
