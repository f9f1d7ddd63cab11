/* agentbus_sources_read(): one question and its answer. */
#include "agentbus.h"
#include "ask.h"
#include "decode.h"

#include <errno.h>
#include <stddef.h>

#define ANSWER_MAX  ((size_t)64 << 10)
#define DECODED_MAX ((size_t)256 << 10)

/* What is handed out, and all it points to. */
struct answer {
	struct agentbus_sources sources; /* first: its address is the answer's */
	struct region region;
};

static int
take_answer(void *answer, const void *bytes, size_t len)
{
	struct answer *a = answer;
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

static const struct ask_kind kind = {
	.size = sizeof(struct answer),
	.region = offsetof(struct answer, region),
	.answer_max = ANSWER_MAX,
	.decoded_max = DECODED_MAX,
	.take = take_answer,
};

int
agentbus_sources_read(const char *runtime_dir, int timeout_ms, struct agentbus_sources **ret_sources)
{
	Agentbus__V1__SourcesRequest sources = AGENTBUS__V1__SOURCES_REQUEST__INIT;
	Agentbus__V1__Request request = AGENTBUS__V1__REQUEST__INIT;
	void *answer;

	if (!ret_sources)
		return AGENTBUS_EINVAL;
	request.request_case = AGENTBUS__V1__REQUEST__REQUEST_SOURCES;
	request.sources = &sources;
	const int e = ask_and_take(runtime_dir, timeout_ms, &request, &kind, &answer);
	if (e == AGENTBUS_OK)
		*ret_sources = &((struct answer *)answer)->sources;
	return e;
}

void
agentbus_sources_free(struct agentbus_sources *sources)
{
	ask_free(sources, &kind);
}
