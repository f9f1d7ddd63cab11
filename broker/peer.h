/* One accepted connection, as the gate hands it to a protocol. */
#ifndef AGENTBUS_PEER_H
#define AGENTBUS_PEER_H

#include "address.h"
#include "verdict.h"

#include <stdint.h>

struct peer {
	uint64_t id;         /* numbered from 1, never used again */
	uint64_t arrived_ns; /* by the broker's clock */
	struct address from, local;
	enum verdict verdict; /* not OK: answer each request with this, whatever it says */
};

#endif
