/* One question to a broker and its answer, on a socket of its own. */
#ifndef AGENTBUS_LIB_ASK_H
#define AGENTBUS_LIB_ASK_H

#include "agentbus/v1/agentbus.pb-c.h"

#include <nng/nng.h>
#include <stddef.h>

/*
 * Asks the broker of runtime_dir (NULL: the usual one), and waits for timeout_ms at most. Returns 0 and sets *ret, the message of
 * a Response, which the caller frees; or AGENTBUS_EINVAL (a negative timeout, a request of more than 1 KiB), AGENTBUS_EPATH,
 * AGENTBUS_ENOMEM, AGENTBUS_ETIMEOUT, AGENTBUS_ESYSTEM (with errno). An answer above answer_max bytes is none.
 */
int ask_once(const char *runtime_dir, int timeout_ms, const Agentbus__V1__Request *request, size_t answer_max, nng_msg **ret);

/* An answer that is handed out as one struct, with a struct region in it for all that it points to. */
struct ask_kind {
	size_t size, region;            /* of the struct, and where its region is in it */
	size_t answer_max, decoded_max; /* bytes: of the answer's message, and of the region */
	/* Fills the zeroed struct from the bytes of a Response. Returns 0 or an error. */
	int (*take)(void *answer, const void *bytes, size_t len);
};

/* ask_once(), and its answer taken: returns 0 and sets *ret, which goes to ask_free(); or its errors, or those of take(). */
int ask_and_take(const char *runtime_dir, int timeout_ms, const Agentbus__V1__Request *request, const struct ask_kind *kind,
		 void **ret);

/* NULL is fine. */
void ask_free(void *answer, const struct ask_kind *kind);

#endif
