#include "ask.h"

#include "agentbus.h"
#include "link.h"
#include "region.h"

#include <errno.h>
#include <nng/protocol/reqrep0/req.h>
#include <stdlib.h>

#define REQUEST_MAX 1024

static int
error_of(int nng_error)
{
	if (nng_error == NNG_ENOMEM)
		return AGENTBUS_ENOMEM;
	if (nng_error == NNG_ETIMEDOUT)
		return AGENTBUS_ETIMEOUT;
	errno = EIO;
	return AGENTBUS_ESYSTEM;
}

/* Sends the question and waits for the answer, whose message the caller frees. */
static int
ask(nng_socket socket, const char *url, int timeout_ms, const Agentbus__V1__Request *request, size_t answer_max, nng_msg **ret)
{
	uint8_t bytes[REQUEST_MAX];
	const size_t len = agentbus__v1__request__pack(request, bytes);
	int e;

	if ((e = nng_socket_set_ms(socket, NNG_OPT_SENDTIMEO, timeout_ms)) != 0 ||
	    (e = nng_socket_set_ms(socket, NNG_OPT_RECVTIMEO, timeout_ms)) != 0 ||
	    (e = nng_socket_set_size(socket, NNG_OPT_RECVMAXSZ, answer_max)) != 0 ||
	    (e = nng_dial(socket, url, NULL, NNG_FLAG_NONBLOCK)) != 0 || (e = nng_send(socket, bytes, len, 0)) != 0)
		return e;
	return nng_recvmsg(socket, ret, 0);
}

int
ask_once(const char *runtime_dir, int timeout_ms, const Agentbus__V1__Request *request, size_t answer_max, nng_msg **ret)
{
	char url[LINK_URL_SIZE];
	nng_socket socket;
	int e;

	if (timeout_ms < 0 || agentbus__v1__request__get_packed_size(request) > REQUEST_MAX)
		return AGENTBUS_EINVAL;
	link_url(runtime_dir, "query", url);
	if (!*url)
		return AGENTBUS_EPATH;
	if ((e = nng_req0_open(&socket)) != 0)
		return error_of(e);
	e = ask(socket, url, timeout_ms, request, answer_max, ret);
	nng_close(socket);
	return e == 0 ? AGENTBUS_OK : error_of(e);
}

static struct region *
region_of(void *answer, const struct ask_kind *kind)
{
	return (struct region *)((char *)answer + kind->region);
}

int
ask_and_take(const char *runtime_dir, int timeout_ms, const Agentbus__V1__Request *request, const struct ask_kind *kind,
	     void **ret)
{
	nng_msg *msg;
	int e = ask_once(runtime_dir, timeout_ms, request, kind->answer_max, &msg);

	if (e != AGENTBUS_OK)
		return e;
	void *answer = calloc(1, kind->size);
	if (answer) {
		region_init(region_of(answer, kind), kind->decoded_max);
		e = kind->take(answer, nng_msg_body(msg), nng_msg_len(msg));
	}
	nng_msg_free(msg);
	if (!answer)
		return AGENTBUS_ENOMEM;
	if (e != AGENTBUS_OK)
		ask_free(answer, kind);
	else
		*ret = answer;
	return e;
}

void
ask_free(void *answer, const struct ask_kind *kind)
{
	if (!answer)
		return;
	region_finish(region_of(answer, kind));
	free(answer);
}
