/* Sends a recorded request the way it was recorded, OTLP over HTTP/1.1 or over gRPC, and tells what became of it. */
#ifndef CLIENTS_AGENTBUS_POST_H
#define CLIENTS_AGENTBUS_POST_H

#include "recording.h"

#include <curl/curl.h>
#include <stdbool.h>

enum { POST_TEXT_SIZE = 272 };

struct post_outcome {
	bool accepted;
	char text[POST_TEXT_SIZE]; /* the answer as one line that a terminal can take */
};

/*
 * Posts a request to the URL and waits for the answer, 30 s at most. The handle keeps its connection between requests.
 * Returns false, with what curl says in ret->text, if there was no answer.
 */
bool post_request(CURL *easy, const char *url, const struct recording_request *q, struct post_outcome *ret);

#endif
