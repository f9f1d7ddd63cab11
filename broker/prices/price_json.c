#include "prices/price_json.h"

#include <ctype.h>
#include <stdbool.h>

/* Where values lie too deep within values; NULL if they do not. */
static const char *
too_deep(const char *text, size_t len, int depth_max)
{
	bool quoted = false;
	int depth = 0;

	for (size_t i = 0; i < len; i++) {
		const char c = text[i];

		if (quoted && c == '\\')
			i++;
		else if (c == '"')
			quoted = !quoted;
		else if (!quoted && (c == '[' || c == '{') && ++depth > depth_max)
			return text + i;
		else if (!quoted && (c == ']' || c == '}'))
			depth--;
	}
	return NULL;
}

static unsigned
line_of(const char *text, const char *at)
{
	unsigned line = 1;

	for (const char *c = text; c < at; c++)
		line += *c == '\n';
	return line;
}

cJSON *
price_json_parse(const char *text, size_t len, int depth_max, struct price_json_error *ret_error)
{
	const char *end = text, *deep = too_deep(text, len, depth_max);
	cJSON *root;

	if (deep) {
		*ret_error = (struct price_json_error){ line_of(text, deep), "values lie too deep within values" };
		return NULL;
	}
	root = cJSON_ParseWithLengthOpts(text, len, &end, false);
	while (root && end < text + len && isspace((unsigned char)*end))
		end++;
	if (root && end == text + len)
		return root;
	cJSON_Delete(root);
	*ret_error = (struct price_json_error){ line_of(text, end), "this is no JSON" };
	return NULL;
}
