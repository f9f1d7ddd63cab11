/*
 * The body of a request that passes rows on: made piece by piece, so that no single step takes long, and compressed on the way.
 */
#ifndef AGENTBUS_FORWARD_PACK_H
#define AGENTBUS_FORWARD_PACK_H

#include "buf.h"

#include <zlib.h>

#define FORWARD_PACK_PIECE ((size_t)32 << 10) /* bytes that one step takes in */

/* Zeroed is empty and closed. */
struct forward_pack {
	struct buf row;  /* the one that is being taken in */
	size_t taken;    /* of it */
	struct buf body; /* what is to be sent */
	size_t total;    /* bytes taken in: the body without its compression */
	bool gzip, open; /* open: more may come */
	z_stream stream;
};

/* Begins a body. False without memory. */
bool forward_pack_begin(struct forward_pack *p, bool gzip);

/* Whether the row is taken in as a whole, and another one may be put there. */
bool forward_pack_hungry(const struct forward_pack *p);

/* Takes in one piece of the row. False without memory. */
bool forward_pack_step(struct forward_pack *p);

/* Ends the body, which is complete now. False without memory. */
bool forward_pack_end(struct forward_pack *p);

/* Gives all memory back; empty and closed again. */
void forward_pack_finish(struct forward_pack *p);

#endif
