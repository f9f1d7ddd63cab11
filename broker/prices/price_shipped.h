/* contrib/pricing/models.json as it was when the program was built: the Makefile makes a C file of it. */
#ifndef AGENTBUS_PRICES_PRICE_SHIPPED_H
#define AGENTBUS_PRICES_PRICE_SHIPPED_H

#include <stddef.h>

extern const unsigned char price_shipped[];
extern const size_t price_shipped_size;

#endif
