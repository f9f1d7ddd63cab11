#include "agentbus/recording.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char manifest[] =
    "{\"t_ms\": 30, \"transport\": \"grpc\", \"path\": \"/opentelemetry.proto.collector.trace.v1.TraceService/Export\","
    " \"content_type\": \"application/grpc\", \"content_encoding\": \"gzip\","
    " \"headers\": {\"user-agent\": \"me/1\", \"grpc-timeout\": \"9s\"}, \"file\": \"body\"}\n"
    "\n"
    "{\"t_ms\": 10, \"transport\": \"http\", \"path\": \"/v1/logs\", \"content_type\": \"application/json\","
    " \"content_encoding\": \"\", \"headers\": {\"transfer-encoding\": \"chunked\"}, \"file\": \"body\"}\n"
    "{\"t_ms\": 20, \"transport\": \"pigeon\", \"path\": \"/other\", \"file\": \"body\"}\n"
    "{\"t_ms\": 40, \"transport\": \"grpc\", \"path\": \"/strange.Service/Call\", \"content_type\": \"application/grpc+proto\","
    " \"file\": \"body\"}\n";

static void
write_file(const char *directory, const char *name, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	FILE *file = fopen(path, "w");

	cr_assert_not_null(file);
	fputs(text, file);
	fclose(file);
}

/* A recording in a directory of its own, which is gone when this returns. */
static void
load(struct recording *r)
{
	char directory[] = "/tmp/ab-recording-XXXXXX", path[128];

	cr_assert_not_null(mkdtemp(directory));
	write_file(directory, "manifest.jsonl", manifest);
	write_file(directory, "body", "seven b");
	cr_assert(recording_add(r, directory, 3));
	snprintf(path, sizeof(path), "%s/manifest.jsonl", directory);
	unlink(path);
	snprintf(path, sizeof(path), "%s/body", directory);
	unlink(path);
	rmdir(directory);
}

Test(recording, keeps_what_was_recorded)
{
	struct recording r = { 0 };

	load(&r);
	recording_sort(&r);
	cr_assert_eq(r.count, 4);
	for (size_t i = 0; i < r.count; i++) {
		cr_assert_eq(r.requests[i].t_ms, 10.0 * (double)(i + 1));
		cr_assert_eq(r.requests[i].recording, 3);
		cr_assert_eq(r.requests[i].body_len, 7);
		cr_assert_arr_eq(r.requests[i].body, "seven b", 7);
	}
	cr_assert_eq(r.requests[0].transport, RECORDING_HTTP);
	cr_assert(r.requests[0].chunked);
	cr_assert_str_eq(r.requests[0].timeout, "");
	cr_assert_eq(r.requests[1].transport, RECORDING_HTTP);
	cr_assert_eq(r.requests[2].transport, RECORDING_GRPC);
	cr_assert_str_eq(r.requests[2].path, "/opentelemetry.proto.collector.trace.v1.TraceService/Export");
	cr_assert_str_eq(r.requests[2].content_type, "application/grpc");
	cr_assert_str_eq(r.requests[2].content_encoding, "gzip");
	cr_assert_str_eq(r.requests[2].user_agent, "me/1");
	cr_assert_str_eq(r.requests[2].timeout, "9s");
	recording_finish(&r);
}

Test(recording, http_is_made_of_grpc_only)
{
	struct recording r = { 0 };

	load(&r);
	recording_sort(&r);
	cr_assert(recording_to_http(&r));
	for (size_t i = 0; i < r.count; i++)
		cr_assert_eq(r.requests[i].transport, RECORDING_HTTP);
	cr_assert_str_eq(r.requests[0].content_type, "application/json");
	cr_assert_str_eq(r.requests[1].path, "/other");
	cr_assert_str_eq(r.requests[1].content_type, "");
	cr_assert_str_eq(r.requests[2].path, "/v1/traces");
	cr_assert_str_eq(r.requests[2].content_type, "application/x-protobuf");
	cr_assert_str_eq(r.requests[2].content_encoding, "gzip");
	cr_assert_str_eq(r.requests[3].path, "/strange.Service/Call");
	cr_assert_str_eq(r.requests[3].content_type, "application/x-protobuf");
	recording_finish(&r);
	cr_assert_eq(r.count, 0);
}
