/* The values of options: text to number, word or flag, the same from a command line, the environment and a file. */
#ifndef CLIENTS_COMMON_OPTION_VALUE_H
#define CLIENTS_COMMON_OPTION_VALUE_H

#include "common/options.h"

/*
 * Reads text as the row's type and stores it in member, which has the type that enum option_type names. A string is not
 * copied: the caller sees to its life. Returns false, and leaves member alone, if the row does not take the text.
 */
bool option_value_store(const struct option_row *row, const char *text, void *member);

/* Writes what the row would have taken, for a message: "a number from 1 to 1000". Cut to size, always ended. */
void option_value_describe(const struct option_row *row, char *out, size_t size);

#endif
