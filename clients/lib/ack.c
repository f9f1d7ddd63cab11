/* agentbus_acknowledge(): one question and its answer. */
#include "agentbus.h"
#include "ask.h"
#include "region.h"

#include <errno.h>

#define ANSWER_MAX  ((size_t)64 << 10)
#define DECODED_MAX ((size_t)256 << 10)

static int
take_answer(struct region *r, const void *bytes, size_t len)
{
	const Agentbus__V1__Response *response = agentbus__v1__response__unpack(&r->allocator, len, bytes);

	if (!response || !*response->boot_id) {
		errno = EPROTO;
		return AGENTBUS_ESYSTEM;
	}
	if (*response->error || response->response_case != AGENTBUS__V1__RESPONSE__RESPONSE_ACK)
		return AGENTBUS_EREFUSED;
	return response->ack->found ? response->ack->acknowledged : AGENTBUS_ENOSESSION;
}

int
agentbus_acknowledge(const char *runtime_dir, int timeout_ms, const char *provider, const char *id)
{
	Agentbus__V1__AckRequest ack = AGENTBUS__V1__ACK_REQUEST__INIT;
	Agentbus__V1__Request request = AGENTBUS__V1__REQUEST__INIT;
	struct region region;
	nng_msg *msg;

	if (!provider || !id || !*id)
		return AGENTBUS_EINVAL;
	ack.provider = (char *)provider;
	ack.session_id = (char *)id;
	request.request_case = AGENTBUS__V1__REQUEST__REQUEST_ACK;
	request.ack = &ack;
	int e = ask_once(runtime_dir, timeout_ms, &request, ANSWER_MAX, &msg);
	if (e != AGENTBUS_OK)
		return e;
	region_init(&region, DECODED_MAX);
	e = take_answer(&region, nng_msg_body(msg), nng_msg_len(msg));
	region_finish(&region);
	nng_msg_free(msg);
	return e;
}
