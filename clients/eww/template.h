/*
 * A line of the user's own: text with {placeholders}.
 *
 * {name} is a value, {?name:…} is there only if the value is neither empty nor 0, {!name:…} only if it is. "{{" and "}}" are
 * braces outside of these, "\{" and "\}" everywhere; "\n", "\t" and "\\" are a newline, a tab and a backslash.
 */
#ifndef CLIENTS_EWW_TEMPLATE_H
#define CLIENTS_EWW_TEMPLATE_H

#include "common/json.h"
#include "eww/view.h"

#include <stdbool.h>
#include <stddef.h>

struct template;

enum { TEMPLATE_MESSAGE_SIZE = 640 };

/*
 * Reads a template, which needs text no more afterwards. Returns NULL, with what is wrong in message, if it is none or memory
 * runs out.
 */
struct template *template_create(const char *text, char message[TEMPLATE_MESSAGE_SIZE]);

/* NULL is fine. */
void template_destroy(struct template *t);

/* Appends the line that view.template makes, at most RICH_SIZE bytes, its values escaped as view.escape says. */
bool template_render(const struct view *v, struct json *out);

#endif
