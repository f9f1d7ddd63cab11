#include "verdict.h"

static const struct {
	unsigned http, grpc;
	bool retry;
	const char *text;
} verdicts[VERDICT_COUNT] = {
#define X(name, http_status, grpc_status, again, sentence)                                                                       \
	[VERDICT_##name] = { .http = http_status, .grpc = grpc_status, .retry = again, .text = sentence },
	VERDICTS(X)
#undef X
};

unsigned
verdict_http_status(enum verdict v)
{
	return verdicts[v].http;
}

unsigned
verdict_grpc_status(enum verdict v)
{
	return verdicts[v].grpc;
}

bool
verdict_retry(enum verdict v)
{
	return verdicts[v].retry;
}

const char *
verdict_text(enum verdict v)
{
	return verdicts[v].text;
}
