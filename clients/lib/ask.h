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

#endif
