/* Words of TOML that are neither string nor container. Pure. */
#ifndef CLIENTS_AGENTBUS_TOML_VALUE_H
#define CLIENTS_AGENTBUS_TOML_VALUE_H

#include <stdbool.h>
#include <stddef.h>

/* Whether it is a boolean, a number, a date or a time. */
bool toml_word_ok(const char *text, size_t len);

#endif
