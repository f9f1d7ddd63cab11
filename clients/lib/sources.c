/* agentbus_sources_read(): one question and its answer. */
#include "agentbus.h"
#include "ask.h"
#include "decode.h"

#include <errno.h>
#include <stdlib.h>

#define ANSWER_MAX  ((size_t)64 << 10)
#define DECODED_MAX ((size_t)256 << 10)

/* What is handed out, and all it points to. */
struct answer {
	struct agentbus_sources sources; /* first: its address is the answer's */
	struct region region;
};

static int
take_answer(struct answer *a, const void *bytes, size_t len)
{
	const Agentbus__V1__Response *response = agentbus__v1__response__unpack(&a->region.allocator, len, bytes);
	struct agentbus_source *list;

	if (!response || !*response->boot_id) {
		errno = EPROTO;
		return AGENTBUS_ESYSTEM;
	}
	if (*response->error || response->response_case != AGENTBUS__V1__RESPONSE__RESPONSE_SOURCES)
		return AGENTBUS_EREFUSED;
	const Agentbus__V1__Sources *pb = response->sources;

	list = region_alloc(&a->region, (pb->n_sources + 1) * sizeof(*list));
	if (!list)
		return AGENTBUS_ENOMEM;
	for (size_t i = 0; i < pb->n_sources; i++)
		list[i] = (struct agentbus_source){ pb->sources[i]->provider, pb->sources[i]->kind, pb->sources[i]->count,
						    pb->sources[i]->last_unix_nano };
	a->sources = (struct agentbus_sources){ list, pb->n_sources, response->version, pb->addresses };
	return AGENTBUS_OK;
}

int
agentbus_sources_read(const char *runtime_dir, int timeout_ms, struct agentbus_sources **ret_sources)
{
	Agentbus__V1__SourcesRequest sources = AGENTBUS__V1__SOURCES_REQUEST__INIT;
	Agentbus__V1__Request request = AGENTBUS__V1__REQUEST__INIT;
	struct answer *a;
	nng_msg *msg;

	if (!ret_sources)
		return AGENTBUS_EINVAL;
	request.request_case = AGENTBUS__V1__REQUEST__REQUEST_SOURCES;
	request.sources = &sources;
	int e = ask_once(runtime_dir, timeout_ms, &request, ANSWER_MAX, &msg);
	if (e != AGENTBUS_OK)
		return e;
	a = calloc(1, sizeof(*a));
	if (a) {
		region_init(&a->region, DECODED_MAX);
		e = take_answer(a, nng_msg_body(msg), nng_msg_len(msg));
	}
	nng_msg_free(msg);
	if (!a)
		return AGENTBUS_ENOMEM;
	if (e != AGENTBUS_OK) {
		agentbus_sources_free(&a->sources);
		return e;
	}
	*ret_sources = &a->sources;
	return AGENTBUS_OK;
}

void
agentbus_sources_free(struct agentbus_sources *sources)
{
	struct answer *a = (struct answer *)sources;

	if (!a)
		return;
	region_finish(&a->region);
	free(a);
}
