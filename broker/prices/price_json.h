/* JSON text as cJSON's tree, read with care: nothing that lies too deep reaches cJSON, which recurses. Pure. */
#ifndef AGENTBUS_PRICES_PRICE_JSON_H
#define AGENTBUS_PRICES_PRICE_JSON_H

#include <cjson/cJSON.h>
#include <stddef.h>

struct price_json_error {
	unsigned line;
	const char *what; /* static */
};

/* The tree of the whole text, for cJSON_Delete(); NULL after setting *ret_error. */
cJSON *price_json_parse(const char *text, size_t len, int depth_max, struct price_json_error *ret_error);

#endif
