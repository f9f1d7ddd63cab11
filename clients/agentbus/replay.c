/* agentbus replay: sends recordings to a broker with their timing. */
#include "common/options.h"
#include "post.h"
#include "recording.h"
#include "verb.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* How many refusals are worth a line each. */
enum { REFUSALS_TOLD = 10 };

struct settings {
	struct options options;
	const char *endpoint;
	double speed;
	bool http;
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
	{
	    .name = "http",
	    .type = OPTION_FLAG,
	    .no_file = true,
	    .offset = offsetof(struct settings, http),
	    .help = "send over HTTP what was recorded over gRPC",
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

/* Returns false if there is no point in going on; a refusal is none of that. */
static bool
send_request(struct replay *r, const struct recording_request *q)
{
	const char *endpoint = r->settings->endpoint;
	struct post_outcome outcome = { .text = "out of memory" };
	CURL *easy = channel_for(r, q);
	size_t len = strlen(endpoint);
	char url[4096];

	/* The path brings its slash. */
	len -= len && endpoint[len - 1] == '/';
	snprintf(url, sizeof(url), "%.*s%s", (int)len, endpoint, q->path);
	if (!easy || !post_request(easy, url, q, &outcome)) {
		verb_complain("%s: %s", url, outcome.text);
		return false;
	}
	r->sent++;
	r->bytes += (double)q->body_len;
	if (!outcome.accepted && ++r->refused <= REFUSALS_TOLD)
		verb_complain("%s: %s", q->path, outcome.text);
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
	if (s->http && !recording_to_http(&recording)) {
		verb_complain("%s", strerror(ENOMEM));
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
