#include "post.h"

#include "grpc_text.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { ANSWER_SECONDS = 30, ANSWER_SHOWN = 200 };

/* A request on its way, and the beginning of its answer. */
struct exchange {
	const struct recording_request *request;
	uint8_t prefix[GRPC_PREFIX]; /* before the body */
	size_t prefix_len, uploaded;
	char answer[ANSWER_SHOWN + 1]; /* the body of HTTP, the message of gRPC */
	size_t answer_len;
	bool has_status; /* gRPC's */
	unsigned grpc_status;
};

/* What differs between HTTP and gRPC. */
struct transport {
	long (*http_version)(CURL *easy);
	struct curl_slist *(*headers)(const struct recording_request *q);
	void (*frame)(struct exchange *x);
	size_t (*on_header)(char *line, size_t size, size_t count, void *user); /* NULL: none matters */
	size_t (*on_body)(char *data, size_t size, size_t count, void *user);
	bool (*judge)(const struct exchange *x, long http_status, char *ret_head, size_t size);
};

/* --- what both do --- */

static size_t
on_upload(char *out, size_t size, size_t count, void *user)
{
	struct exchange *x = user;
	size_t room = size * count, n = 0;

	while (n < room && x->uploaded < x->prefix_len)
		out[n++] = (char)x->prefix[x->uploaded++];
	if (n == room)
		return n;
	size_t done = x->uploaded - x->prefix_len, left = x->request->body_len - done;
	size_t piece = room - n < left ? room - n : left;

	memcpy(out + n, x->request->body + done, piece);
	x->uploaded += piece;
	return n + piece;
}

/* curl begins anew where the connection that it had kept turns out to be closed. */
static int
on_seek(void *user, curl_off_t offset, int origin)
{
	struct exchange *x = user;

	if (origin != SEEK_SET || offset < 0 || (size_t)offset > x->prefix_len + x->request->body_len)
		return CURL_SEEKFUNC_FAIL;
	x->uploaded = (size_t)offset;
	return CURL_SEEKFUNC_OK;
}

static struct curl_slist *
add_header(struct curl_slist *list, const char *name, const char *value)
{
	char line[1024];

	if (!*value)
		return list;
	snprintf(line, sizeof(line), "%s: %s", name, value);
	struct curl_slist *longer = curl_slist_append(list, line);

	return longer ? longer : list;
}

/* The answer as one line: protobuf answers hold text among other bytes. */
static void
write_answer(const struct exchange *x, const char *head, struct post_outcome *ret)
{
	char text[ANSWER_SHOWN + 1];

	for (size_t i = 0; i <= x->answer_len; i++)
		text[i] = i == x->answer_len ? '\0' : x->answer[i] >= ' ' && x->answer[i] < 0x7f ? x->answer[i] : ' ';
	snprintf(ret->text, sizeof(ret->text), "%s%s%s", head, *text ? " " : "", text);
}

/* --- HTTP --- */

static struct curl_slist *
http_headers(const struct recording_request *q)
{
	struct curl_slist *list = add_header(NULL, "Content-Type", q->content_type);

	list = add_header(list, "Content-Encoding", q->content_encoding);
	list = add_header(list, "User-Agent", q->user_agent);
	list = add_header(list, "Transfer-Encoding", q->chunked ? "chunked" : "");
	/* curl would wait for "100 Continue" before a longer body; no CLI does. */
	return curl_slist_append(list, "Expect:");
}

static long
http_version(CURL *easy)
{
	(void)easy;
	return CURL_HTTP_VERSION_1_1;
}

static void
http_frame(struct exchange *x)
{
	x->prefix_len = 0;
}

static size_t
http_on_body(char *data, size_t size, size_t count, void *user)
{
	struct exchange *x = user;
	size_t n = size * count, room = ANSWER_SHOWN - x->answer_len;

	memcpy(x->answer + x->answer_len, data, n < room ? n : room);
	x->answer_len += n < room ? n : room;
	return n;
}

static bool
http_judge(const struct exchange *x, long http_status, char *ret_head, size_t size)
{
	(void)x;
	snprintf(ret_head, size, "%ld", http_status);
	return http_status >= 200 && http_status <= 299;
}

/* --- gRPC --- */

static struct curl_slist *
grpc_headers(const struct recording_request *q)
{
	struct curl_slist *list = add_header(NULL, "Content-Type", q->content_type);

	list = add_header(list, "TE", "trailers");
	list = add_header(list, "grpc-encoding", q->content_encoding);
	list = add_header(list, "grpc-timeout", q->timeout);
	list = add_header(list, "User-Agent", q->user_agent);
	return curl_slist_append(list, "Accept:");
}

/*
 * libcurl 7.88, which is Debian 12's, greets anew on a connection of HTTP/2 that it had kept, which ends it. Asked to upgrade,
 * it does not: there is nothing to upgrade on such a connection.
 */
static long
grpc_version(CURL *easy)
{
	bool greets_anew = curl_version_info(CURLVERSION_NOW)->version_num >> 8 == 0x0758;
	curl_socket_t kept = CURL_SOCKET_BAD;

	curl_easy_getinfo(easy, CURLINFO_ACTIVESOCKET, &kept);
	return greets_anew && kept != CURL_SOCKET_BAD ? CURL_HTTP_VERSION_2_0 : CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE;
}

static void
grpc_frame(struct exchange *x)
{
	const char *encoding = x->request->content_encoding;

	grpc_prefix(x->prefix, *encoding && strcmp(encoding, "identity") != 0, (uint32_t)x->request->body_len);
	x->prefix_len = GRPC_PREFIX;
}

/* The status comes in the trailers, or in the headers of an answer without a message: curl gives both here. */
static size_t
grpc_on_header(char *line, size_t size, size_t count, void *user)
{
	struct exchange *x = user;
	const char *value;
	size_t len;

	if (grpc_header(line, size * count, "grpc-status", &value, &len))
		x->has_status = grpc_status(value, len, &x->grpc_status);
	if (grpc_header(line, size * count, "grpc-message", &value, &len))
		x->answer_len = grpc_message(value, len, x->answer, sizeof(x->answer));
	return size * count;
}

/* An export's answer says nothing that its status does not. */
static size_t
grpc_on_body(char *data, size_t size, size_t count, void *user)
{
	(void)data;
	(void)user;
	return size * count;
}

static bool
grpc_judge(const struct exchange *x, long http_status, char *ret_head, size_t size)
{
	if (x->has_status)
		snprintf(ret_head, size, "%u %s", x->grpc_status, grpc_status_name(x->grpc_status));
	else
		snprintf(ret_head, size, "HTTP %ld without a grpc-status", http_status);
	return http_status == 200 && x->has_status && x->grpc_status == 0;
}

/* --- either --- */

static const struct transport transports[RECORDING_TRANSPORT_COUNT] = {
	[RECORDING_HTTP] = {
		.http_version = http_version,
		.headers = http_headers,
		.frame = http_frame,
		.on_body = http_on_body,
		.judge = http_judge,
	},
	[RECORDING_GRPC] = {
		.http_version = grpc_version,
		.headers = grpc_headers,
		.frame = grpc_frame,
		.on_header = grpc_on_header,
		.on_body = grpc_on_body,
		.judge = grpc_judge,
	},
};

/* All but the URL. Forgets the options of the request before, and keeps its connection. */
static void
prepare(CURL *easy, const struct transport *t, long version, struct exchange *x, struct curl_slist *headers)
{
	bool chunked = x->request->chunked && version == CURL_HTTP_VERSION_1_1;
	curl_off_t len = (curl_off_t)(x->prefix_len + x->request->body_len);

	curl_easy_reset(easy);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, version);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT, (long)ANSWER_SECONDS);
	curl_easy_setopt(easy, CURLOPT_POST, 1L);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_upload);
	curl_easy_setopt(easy, CURLOPT_READDATA, x);
	curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, on_seek);
	curl_easy_setopt(easy, CURLOPT_SEEKDATA, x);
	curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, chunked ? (curl_off_t)-1 : len);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, t->on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, x);
	/* Without a function curl would give headers to that of the body. */
	if (t->on_header) {
		curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, t->on_header);
		curl_easy_setopt(easy, CURLOPT_HEADERDATA, x);
	}
}

/* An attempt, from a clean slate. */
static CURLcode
attempt(CURL *easy, const char *url, const struct transport *t, long version, struct exchange *x)
{
	struct curl_slist *headers = t->headers(x->request);
	CURLcode code = CURLE_OUT_OF_MEMORY;

	*x = (struct exchange){ .request = x->request };
	t->frame(x);
	if (headers) {
		prepare(easy, t, version, x, headers);
		curl_easy_setopt(easy, CURLOPT_URL, url);
		code = curl_easy_perform(easy);
	}
	curl_slist_free_all(headers);
	return code;
}

bool
post_request(CURL *easy, const char *url, const struct recording_request *q, struct post_outcome *ret)
{
	const struct transport *t = &transports[q->transport];
	struct exchange x = { .request = q };
	long version = t->http_version(easy), answered = 0, status = 0;
	CURLcode code = attempt(easy, url, t, version, &x);
	char head[64];

	/* The kept connection was gone, and curl went to upgrade a new one. */
	if (version == CURL_HTTP_VERSION_2_0 && code == CURLE_OK && !curl_easy_getinfo(easy, CURLINFO_HTTP_VERSION, &answered) &&
	    answered != CURL_HTTP_VERSION_2_0)
		code = attempt(easy, url, t, CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE, &x);
	*ret = (struct post_outcome){ 0 };
	if (code != CURLE_OK) {
		snprintf(ret->text, sizeof(ret->text), "%s", curl_easy_strerror(code));
		return false;
	}
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	ret->accepted = t->judge(&x, status, head, sizeof(head));
	write_answer(&x, head, ret);
	return true;
}
