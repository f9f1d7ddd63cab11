/* What standard output is, if it is a terminal. */
#ifndef CLIENTS_AGENTBUS_TERMINAL_H
#define CLIENTS_AGENTBUS_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

struct terminal_size {
	size_t width, height;
};

/* Sets *ret_size, or returns false if standard output is no terminal. One that does not tell its size has 80 by 24. */
bool terminal_measure(struct terminal_size *ret_size);

/* Whether to colour: a terminal that can, and nobody has set NO_COLOR. */
bool terminal_coloured(void);

#endif
