/* agentbus replay: sends recordings to a broker with their timing. */
#include "common/options.h"
#include "recording.h"
#include "verb.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* How long one answer may take, and how many refusals are worth a line each. */
enum { ANSWER_SECONDS = 30, REFUSALS_TOLD = 10, ANSWER_SHOWN = 200 };

struct settings {
	struct options options;
	const char *endpoint;
	double speed;
};

/* CLIs keep one connection for each signal. */
struct channel {
	size_t recording;
	const char *path; /* borrowed from a request */
	CURL *easy;
};

struct replay {
	const struct settings *settings;
	struct channel *channels;
	size_t channel_count;
	size_t sent, refused;
	double bytes;
};

/* A body on its way, and the beginning of its answer. */
struct exchange {
	const struct recording_request *request;
	size_t uploaded;
	char answer[ANSWER_SHOWN + 1];
	size_t answer_len;
};

static const struct option_row rows[] = {
	{
	    .name = "endpoint",
	    .env = "AGENTBUS_ENDPOINT",
	    .type = OPTION_STRING,
	    .offset = offsetof(struct settings, endpoint),
	    .value = "URL",
	    .help = "where the broker listens (default http://127.0.0.1:4318)",
	},
	{
	    .name = "speed",
	    .type = OPTION_DOUBLE,
	    .no_file = true,
	    .offset = offsetof(struct settings, speed),
	    .value = "X",
	    .help = "so many times faster than it was recorded (default 1); 0 does not wait at all",
	},
	{ 0 },
};

static const struct option_program program = {
	.name = VERB_PROGRAM,
	.verb = "replay",
	.section = VERB_SECTION,
	.summary = "Sends recorded telemetry to a broker, with its timing; several recordings at once, on one clock.",
	.operands = "DIR...",
	.rows = rows,
	.min_operands = 1,
	.max_operands = 10000,
};

/* --- time --- */

static double
monotonic(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void
sleep_until(double when)
{
	struct timespec ts = { .tv_sec = (time_t)when };

	ts.tv_nsec = (long)((when - (double)ts.tv_sec) * 1e9);
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR)
		;
}

/* --- one request --- */

static size_t
on_upload(char *out, size_t size, size_t count, void *user)
{
	struct exchange *x = user;
	size_t left = x->request->body_len - x->uploaded, n = size * count < left ? size * count : left;

	memcpy(out, x->request->body + x->uploaded, n);
	x->uploaded += n;
	return n;
}

static size_t
on_answer(char *data, size_t size, size_t count, void *user)
{
	struct exchange *x = user;
	size_t n = size * count, room = ANSWER_SHOWN - x->answer_len;

	memcpy(x->answer + x->answer_len, data, n < room ? n : room);
	x->answer_len += n < room ? n : room;
	return n;
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

static struct curl_slist *
headers_of(const struct recording_request *q)
{
	struct curl_slist *list = add_header(NULL, "Content-Type", q->content_type);

	list = add_header(list, "Content-Encoding", q->content_encoding);
	list = add_header(list, "User-Agent", q->user_agent);
	list = add_header(list, "Transfer-Encoding", q->chunked ? "chunked" : "");
	/* curl would wait for "100 Continue" before a longer body; no CLI does. */
	return curl_slist_append(list, "Expect:");
}

/* The connection for a request's recording and signal; NULL if memory runs out. */
static CURL *
channel_for(struct replay *r, const struct recording_request *q)
{
	struct channel *grown;
	CURL *easy;

	for (size_t i = 0; i < r->channel_count; i++) {
		if (r->channels[i].recording == q->recording && strcmp(r->channels[i].path, q->path) == 0)
			return r->channels[i].easy;
	}
	grown = realloc(r->channels, (r->channel_count + 1) * sizeof(*grown));
	if (!grown)
		return NULL;
	r->channels = grown;
	easy = curl_easy_init();
	if (easy)
		r->channels[r->channel_count++] = (struct channel){ q->recording, q->path, easy };
	return easy;
}

static void
prepare(CURL *easy, const char *url, struct exchange *x, struct curl_slist *headers)
{
	const struct recording_request *q = x->request;

	/* Forgets the options of the request before, and keeps its connection. */
	curl_easy_reset(easy);
	curl_easy_setopt(easy, CURLOPT_URL, url);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT, (long)ANSWER_SECONDS);
	curl_easy_setopt(easy, CURLOPT_POST, 1L);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_upload);
	curl_easy_setopt(easy, CURLOPT_READDATA, x);
	curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, q->chunked ? (curl_off_t)-1 : (curl_off_t)q->body_len);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_answer);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, x);
}

/* The answer as one line that a terminal can take: protobuf answers hold text among other bytes. */
static void
tell_refusal(struct replay *r, const struct exchange *x, long status)
{
	char text[ANSWER_SHOWN + 1];

	if (++r->refused > REFUSALS_TOLD)
		return;
	for (size_t i = 0; i <= x->answer_len; i++)
		text[i] = i == x->answer_len ? '\0' : x->answer[i] >= ' ' && x->answer[i] < 0x7f ? x->answer[i] : ' ';
	verb_complain("%s: %ld %s", x->request->path, status, text);
}

/* Of the endpoint without the slash that the path brings. */
static size_t
base_length(const char *endpoint)
{
	size_t len = strlen(endpoint);

	return len && endpoint[len - 1] == '/' ? len - 1 : len;
}

/* Returns false if there is no point in going on; a refusal is none of that. */
static bool
send_request(struct replay *r, const struct recording_request *q)
{
	struct exchange x = { .request = q };
	CURL *easy = channel_for(r, q);
	struct curl_slist *headers = headers_of(q);
	CURLcode code = CURLE_OUT_OF_MEMORY;
	char url[4096];
	long status = 0;

	snprintf(url, sizeof(url), "%.*s%s", (int)base_length(r->settings->endpoint), r->settings->endpoint, q->path);
	if (easy && headers) {
		prepare(easy, url, &x, headers);
		code = curl_easy_perform(easy);
		curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	}
	curl_slist_free_all(headers);
	if (code != CURLE_OK) {
		verb_complain("%s: %s", url, curl_easy_strerror(code));
		return false;
	}
	r->sent++;
	r->bytes += (double)q->body_len;
	if (status < 200 || status > 299)
		tell_refusal(r, &x, status);
	return true;
}

/* --- all of them --- */

static bool
send_all(struct replay *r, const struct recording *recording)
{
	const double begin = monotonic(), speed = r->settings->speed;

	for (size_t i = 0; i < recording->count; i++) {
		const struct recording_request *q = &recording->requests[i];

		if (speed > 0)
			sleep_until(begin + q->t_ms / 1000 / speed);
		if (!send_request(r, q))
			return false;
	}
	return true;
}

static void
print_summary(const struct replay *r, size_t recordings, size_t requests, double seconds)
{
	printf("Sent %zu of %zu requests (%.1f kB) of %zu %s in %.1f s", r->sent, requests, r->bytes / 1000, recordings,
	       recordings == 1 ? "recording" : "recordings", seconds);
	if (r->refused)
		printf("; %zu were refused.\n", r->refused);
	else
		printf("%s\n", r->sent == requests ? "; all were accepted." : ".");
}

/* Loads and sends the directories; returns the exit status. */
static int
replay(const struct settings *s, char **directories)
{
	struct recording recording = { 0 };
	struct replay r = { .settings = s };
	size_t count = 0;
	int status = 1;

	for (; directories[count]; count++) {
		if (!recording_add(&recording, directories[count], count))
			goto out;
	}
	recording_sort(&recording);
	double begin = monotonic();

	status = send_all(&r, &recording) && r.refused == 0 ? 0 : 1;
	print_summary(&r, count, recording.count, monotonic() - begin);
out:
	for (size_t i = 0; i < r.channel_count; i++)
		curl_easy_cleanup(r.channels[i].easy);
	free(r.channels);
	recording_finish(&recording);
	return status;
}

int
verb_replay(int argc, char **argv)
{
	struct settings s = { .endpoint = "http://127.0.0.1:4318", .speed = 1 };
	char **operands;
	int status;

	if (options_parse(&program, &s.options, argc, argv, &operands, &status)) {
		curl_global_init(CURL_GLOBAL_DEFAULT);
		status = replay(&s, operands);
		curl_global_cleanup();
	}
	options_finish(&s.options);
	return status;
}
