#include "recording.h"

#include "verb.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* A signal's path over gRPC, and over HTTP. */
static const struct {
	const char *grpc, *http;
} paths[] = {
	{ "/opentelemetry.proto.collector.logs.v1.LogsService/Export", "/v1/logs" },
	{ "/opentelemetry.proto.collector.trace.v1.TraceService/Export", "/v1/traces" },
	{ "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export", "/v1/metrics" },
};

static const char *const transports[RECORDING_TRANSPORT_COUNT] = { [RECORDING_HTTP] = "http", [RECORDING_GRPC] = "grpc" };

static const char *
http_path(const char *recorded)
{
	for (size_t i = 0; i < COUNT(paths); i++) {
		if (strcmp(recorded, paths[i].grpc) == 0)
			return paths[i].http;
	}
	return recorded;
}

/* What is no known word is HTTP: so is most of what is recorded. */
static enum recording_transport
transport_of(const char *word)
{
	for (size_t i = 0; i < COUNT(transports); i++) {
		if (strcmp(word, transports[i]) == 0)
			return (enum recording_transport)i;
	}
	return RECORDING_HTTP;
}

static const char *
text_of(const cJSON *object, const char *key)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));

	return text ? text : "";
}

static bool
read_file(const char *path, char **ret_data, size_t *ret_len)
{
	FILE *file = fopen(path, "re");
	char *data = NULL;
	size_t len = 0, size = 0;
	bool ok = false;

	if (!file)
		return false;
	do {
		if (len == size) {
			size = size ? 2 * size : 65536;
			char *grown = realloc(data, size);

			if (!grown)
				goto out;
			data = grown;
		}
		len += fread(data + len, 1, size - len, file);
	} while (!feof(file) && !ferror(file));
	ok = !ferror(file);
out:
	fclose(file);
	if (!ok) {
		free(data);
		return false;
	}
	*ret_data = data;
	*ret_len = len;
	return true;
}

static void
request_finish(struct recording_request *q)
{
	free(q->path);
	free(q->content_type);
	free(q->content_encoding);
	free(q->user_agent);
	free(q->timeout);
	free(q->body);
}

/* Fills *ret from a line of the manifest; what it holds then is freed by request_finish() even if this fails. */
static bool
read_request(const cJSON *line, const char *directory, struct recording_request *ret)
{
	const cJSON *headers = cJSON_GetObjectItemCaseSensitive(line, "headers");
	const cJSON *t_ms = cJSON_GetObjectItemCaseSensitive(line, "t_ms");
	char path[4096];

	ret->t_ms = cJSON_IsNumber(t_ms) ? t_ms->valuedouble : 0;
	ret->transport = transport_of(text_of(line, "transport"));
	ret->path = strdup(text_of(line, "path"));
	ret->content_type = strdup(text_of(line, "content_type"));
	ret->content_encoding = strdup(text_of(line, "content_encoding"));
	ret->user_agent = strdup(text_of(headers, "user-agent"));
	ret->timeout = strdup(text_of(headers, "grpc-timeout"));
	ret->chunked = strcasecmp(text_of(headers, "transfer-encoding"), "chunked") == 0;
	snprintf(path, sizeof(path), "%s/%s", directory, text_of(line, "file"));
	if (!ret->path || !ret->content_type || !ret->content_encoding || !ret->user_agent || !ret->timeout) {
		verb_complain("%s", strerror(ENOMEM));
		return false;
	}
	if (!read_file(path, &ret->body, &ret->body_len)) {
		verb_complain("%s: %s", path, strerror(errno));
		return false;
	}
	return true;
}

static bool
add_request(struct recording *r, const cJSON *line, const char *directory, size_t number)
{
	struct recording_request request = { .recording = number, .order = r->count };
	struct recording_request *grown;

	if (!read_request(line, directory, &request)) {
		request_finish(&request);
		return false;
	}
	grown = realloc(r->requests, (r->count + 1) * sizeof(*grown));
	if (!grown) {
		verb_complain("%s", strerror(ENOMEM));
		request_finish(&request);
		return false;
	}
	r->requests = grown;
	r->requests[r->count++] = request;
	return true;
}

bool
recording_add(struct recording *r, const char *directory, size_t number)
{
	char path[4096], *text = NULL;
	size_t size = 0, line = 0;
	bool ok = true;
	FILE *file;

	snprintf(path, sizeof(path), "%s/manifest.jsonl", directory);
	file = fopen(path, "re");
	if (!file) {
		verb_complain("%s: %s", path, strerror(errno));
		return false;
	}
	while (ok && getline(&text, &size, file) >= 0) {
		line++;
		if (text[strspn(text, " \t\r\n")] == '\0')
			continue;
		cJSON *entry = cJSON_Parse(text);

		if (cJSON_IsObject(entry)) {
			ok = add_request(r, entry, directory, number);
		} else {
			verb_complain("%s:%zu: not a JSON object", path, line);
			ok = false;
		}
		cJSON_Delete(entry);
	}
	free(text);
	fclose(file);
	return ok;
}

static int
compare_requests(const void *a, const void *b)
{
	const struct recording_request *x = a, *y = b;

	if (x->t_ms != y->t_ms)
		return x->t_ms < y->t_ms ? -1 : 1;
	return (x->order > y->order) - (x->order < y->order);
}

void
recording_sort(struct recording *r)
{
	qsort(r->requests, r->count, sizeof(*r->requests), compare_requests);
}

bool
recording_to_http(struct recording *r)
{
	for (size_t i = 0; i < r->count; i++) {
		struct recording_request *q = &r->requests[i];
		char *path, *type;

		if (q->transport == RECORDING_HTTP)
			continue;
		path = strdup(http_path(q->path));
		type = strdup("application/x-protobuf");
		if (!path || !type) {
			free(path);
			free(type);
			return false;
		}
		free(q->path);
		free(q->content_type);
		q->path = path;
		q->content_type = type;
		q->transport = RECORDING_HTTP;
	}
	return true;
}

void
recording_finish(struct recording *r)
{
	for (size_t i = 0; i < r->count; i++)
		request_finish(&r->requests[i]);
	free(r->requests);
	*r = (struct recording){ 0 };
}
