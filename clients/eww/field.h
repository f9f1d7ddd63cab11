/* The values that a template may name. */
#ifndef CLIENTS_EWW_FIELD_H
#define CLIENTS_EWW_FIELD_H

#include "eww/summary.h"
#include "eww/view.h"

#include <stdbool.h>
#include <stddef.h>

/* Enough for every value: 160 columns. */
enum { FIELD_SIZE = RICH_COLUMNS * 4 + 4 };

struct field;

/* The field of that name, which has len bytes, or NULL. Static. */
const struct field *field_find(const char *name, size_t len);

/* Writes the value as it is, not escaped. "" where nothing is known. */
void field_write(const struct field *f, const struct view *v, const struct summary *sum, char out[FIELD_SIZE]);

/* All names, "a, b, c", for messages; cut to size. Returns out. */
const char *field_names(char *out, size_t size);

#endif
