#include "verdict.h"

static const struct {
	unsigned http, grpc;
	const char *text;
} verdicts[VERDICT_COUNT] = {
#define X(name, http_status, grpc_status, sentence)                                                                              \
	[VERDICT_##name] = { .http = http_status, .grpc = grpc_status, .text = sentence },
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

const char *
verdict_text(enum verdict v)
{
	return verdicts[v].text;
}
