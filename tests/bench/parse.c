/*
 * What the parsers alone cost: parse TYPE BODY RECORDS prints CPU nanoseconds per record, for a body decoded over and over
 * into one arena.
 */
#include "otlp_json.h"
#include "otlp_pb.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS     20000
#define ARENA_CAP  ((size_t)64 << 20)
#define NS_PER_S   1e9
#define USAGE_EXIT 2

static double
cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * NS_PER_S + (double)t.tv_nsec;
}

static enum verdict
decode(const char *type, const uint8_t *body, size_t len, struct arena *a)
{
	struct otlp_request request;

	arena_reset(a);
	if (strcmp(type, "json") == 0)
		return otlp_json_decode(OTLP_LOGS, (const char *)body, len, OTLP_MAX_DEPTH, a, &request);
	return otlp_pb_decode(OTLP_LOGS, body, len, OTLP_MAX_DEPTH, a, &request);
}

int
main(int argc, char **argv)
{
	static uint8_t body[1 << 20];
	struct arena arena;
	FILE *f = argc == 4 ? fopen(argv[2], "rb") : NULL;
	const size_t len = f ? fread(body, 1, sizeof(body), f) : 0;
	enum verdict v = VERDICT_OK;

	if (len == 0) {
		fputs("usage: parse pb|json BODY RECORDS\n", stderr);
		return USAGE_EXIT;
	}
	fclose(f);
	arena_init(&arena, ARENA_CAP);
	const double begin = cpu_ns();
	for (int i = 0; i < ROUNDS && v == VERDICT_OK; i++)
		v = decode(argv[1], body, len, &arena);
	if (v == VERDICT_OK)
		printf("%.0f\n", (cpu_ns() - begin) / ROUNDS / strtod(argv[3], NULL));
	else
		fprintf(stderr, "parse: %s\n", verdict_text(v));
	arena_finish(&arena);
	return v != VERDICT_OK;
}
