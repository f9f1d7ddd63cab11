/*
 * The recorded requests of real CLIs, where they are at hand: ../shared/captures from the repository's root. For tests of
 * the parsers.
 */
#ifndef AGENTBUS_TEST_RECORDINGS_H
#define AGENTBUS_TEST_RECORDINGS_H

#include "inflate.h"
#include "otlp.h"

#include <criterion/criterion.h>
#include <criterion/logging.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct recording {
	const char *path;
	enum otlp_signal signal;
	bool json;
	const uint8_t *bytes; /* inflated */
	size_t len;
};

static inline uint8_t *
recording_read(const char *path, size_t *ret_len)
{
	FILE *f = fopen(path, "rb");
	uint8_t *bytes;
	long len;

	cr_assert(f, "%s", path);
	fseek(f, 0, SEEK_END);
	len = ftell(f);
	rewind(f);
	bytes = malloc((size_t)len + 1);
	cr_assert(bytes);
	*ret_len = fread(bytes, 1, (size_t)len, f);
	cr_assert_eq(*ret_len, (size_t)len);
	fclose(f);
	return bytes;
}

/* Neither an OTLP body in protobuf nor one in JSON begins like a gzip file. */
static inline bool
recording_is_gzip(const uint8_t *bytes, size_t len)
{
	return len > 2 && bytes[0] == 0x1f && bytes[1] == 0x8b;
}

static inline void
recording_visit(const char *path, void (*fn)(const struct recording *r, void *ctx), void *ctx)
{
	static const char *const names[OTLP_SIGNAL_COUNT] = { "-logs.", "-traces.", "-metrics." };
	struct recording r = { .path = path, .signal = OTLP_SIGNAL_COUNT, .json = strstr(path, ".json") };
	uint8_t *raw, *inflated;
	struct arena a;

	arena_init(&a, 64 << 20);
	raw = recording_read(path, &r.len);
	r.bytes = raw;
	if (recording_is_gzip(raw, r.len)) {
		cr_assert_eq(inflate_body(raw, r.len, 16 << 20, &a, &inflated, &r.len), VERDICT_OK, "%s", path);
		r.bytes = inflated;
	}
	for (unsigned signal = 0; signal < OTLP_SIGNAL_COUNT; signal++) {
		if (strstr(path, names[signal]))
			r.signal = signal;
	}
	cr_assert_neq(r.signal, OTLP_SIGNAL_COUNT, "%s", path);
	fn(&r, ctx);
	free(raw);
	arena_finish(&a);
}

/* Calls fn for each recorded body; returns how many there were. Without recordings the test is skipped, and says so. */
static inline size_t
recordings_each(void (*fn)(const struct recording *r, void *ctx), void *ctx)
{
	size_t n;
	glob_t g;

	if (glob("../shared/captures/*/*/[0-9]*.{pb,json}", GLOB_BRACE, NULL, &g) != 0)
		cr_skip_test("no recordings in ../shared/captures");
	n = g.gl_pathc;
	for (size_t i = 0; i < n; i++)
		recording_visit(g.gl_pathv[i], fn, ctx);
	globfree(&g);
	return n;
}

#endif
