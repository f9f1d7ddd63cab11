#include "forward_answer.h"
#include "guard.h"
#include "wire_writer.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define S   1000000000ull
#define NOW (1800000000 * S)

static struct forward_partial
partial_of(const void *bytes, size_t len)
{
	struct forward_partial p = { 77, "untouched" };

	forward_answer_partial(bytes, len, &p);
	return p;
}

static void
expect_partial(const char *json, uint64_t rejected, const char *message)
{
	const struct forward_partial p = partial_of(json, strlen(json));

	cr_expect_eq(p.rejected, rejected, "%s: %llu", json, (unsigned long long)p.rejected);
	cr_expect_str_eq(p.message, message, "%s: %s", json, p.message);
}

static struct wire_writer
sample(void)
{
	struct wire_writer w = { .len = 0 };

	put_varint(&w, 9, 1);
	put_open(&w, 1);
	put_varint(&w, 1, 300);
	put_text(&w, 2, "too old");
	put_close(&w);
	return w;
}

Test(forward_answer, reads_protobuf)
{
	const struct wire_writer w = sample();
	const struct forward_partial p = partial_of(w.bytes, w.len);

	cr_expect_eq(p.rejected, 300);
	cr_expect_str_eq(p.message, "too old");
}

Test(forward_answer, reads_json)
{
	expect_partial("{\"partialSuccess\":{\"rejectedSpans\":\"3\",\"errorMessage\":\"m\"}}", 3, "m");
	expect_partial("{\"partialSuccess\":{\"rejectedLogRecords\":\"4\"}}", 4, "");
	expect_partial("{\"partial_success\":{\"rejected_data_points\":5,\"error_message\":\"n\"}}", 5, "n");
	expect_partial("{\"partialSuccess\":{\"errorMessage\":\"only a warning\"}}", 0, "only a warning");
}

Test(forward_answer, what_makes_no_sense_says_nothing)
{
	static const char *const texts[] = { "",
					     "{}",
					     "{",
					     "{\"partialSuccess\":7}",
					     "{\"partialSuccess\":{\"rejectedSpans\":\"-3\"}}",
					     "{\"partialSuccess\":{\"rejectedSpans\":-3}}",
					     "{\"partialSuccess\":{\"rejectedSpans\":1e300}}",
					     "{\"partialSuccess\":{\"rejectedSpans\":\"99999999999999999999999\"}}",
					     "{\"partialSuccess\":{\"rejectedSpans\":\"3x\"}}",
					     "<html>",
					     "\x0a\x02\x08\xff",
					     "\x08\x05" };
	struct wire_writer negative = { .len = 0 };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		expect_partial(texts[i], 0, "");
	put_open(&negative, 1);
	put_varint(&negative, 1, (uint64_t)-5);
	put_close(&negative);
	cr_expect_eq(partial_of(negative.bytes, negative.len).rejected, 0);
}

Test(forward_answer, message_is_cut_and_fit_for_a_log)
{
	char text[1000] = "{\"partialSuccess\":{\"errorMessage\":\"a\\u001b[2J\\nb";
	const size_t len = strlen(text);

	memset(text + len, 'x', 600);
	strcpy(text + len + 600, "\"}}");
	const struct forward_partial p = partial_of(text, strlen(text));
	cr_expect_eq(strncmp(p.message, "a [2J bxxx", 10), 0, "%s", p.message);
	cr_expect_eq(strlen(p.message), FORWARD_MESSAGE_SIZE - 1);
}

Test(forward_answer, deep_and_long_answers_are_not_read)
{
	char *deep = malloc(FORWARD_ANSWER_MAX + 1);

	memset(deep, '[', FORWARD_ANSWER_MAX);
	deep[0] = '{';
	cr_expect_eq(partial_of(deep, FORWARD_ANSWER_MAX).rejected, 0);
	memset(deep, ' ', FORWARD_ANSWER_MAX + 1);
	memcpy(deep, "{\"partialSuccess\":{\"rejectedSpans\":1}}", 38);
	cr_expect_eq(partial_of(deep, FORWARD_ANSWER_MAX + 1).rejected, 0);
	cr_expect_eq(partial_of(deep, 1000).rejected, 1);
	free(deep);
}

/* No prefix is read behind its end, or believed more than it says. */
Test(forward_answer, every_prefix)
{
	static const char json[] = "{\"partialSuccess\":{\"rejectedSpans\":\"3\",\"errorMessage\":\"too old\"}}";
	const struct wire_writer w = sample();
	struct guard g = guard_create(4096);

	for (size_t len = 0; len < w.len; len++) {
		const struct forward_partial p = partial_of(guard_put(&g, w.bytes, len), len);

		cr_expect(p.rejected == 0 && *p.message == '\0', "%zu", len);
	}
	for (size_t len = 0; len < sizeof(json) - 1; len++)
		cr_expect_eq(partial_of(guard_put(&g, json, len), len).rejected, 0, "%zu", len);
	guard_destroy(&g);
}

/* --- Retry-After --- */

static void
expect_wait(const char *text, uint64_t ns)
{
	uint64_t wait = 77;

	cr_expect(forward_answer_wait(text, NOW, &wait), "%s", text);
	cr_expect_eq(wait, ns, "%s: %llu", text, (unsigned long long)wait);
}

Test(forward_answer, retry_after_in_seconds)
{
	expect_wait("0", 0);
	expect_wait("7", 7 * S);
	expect_wait("0030", 30 * S);
	expect_wait("99999999999999999999999999", 366 * 86400 * S);
}

Test(forward_answer, retry_after_as_a_date)
{
	char text[64];
	const time_t times[] = { 0, 951782399, 951782400, 1709164800, 1800000000, 1800000090, 1830297599, 4102444800 };

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		const uint64_t at = (uint64_t)times[i] * S, most = 366 * 86400 * S, left = at > NOW ? at - NOW : 0;
		struct tm tm;

		gmtime_r(&times[i], &tm);
		strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &tm);
		expect_wait(text, left < most ? left : most);
	}
	expect_wait("Sun, 06 Nov 1994 08:49:37 GMT", 0);
}

Test(forward_answer, retry_after_that_is_neither)
{
	static const char *const texts[] = { "",
					     "soon",
					     "-1",
					     "1.5",
					     "7 ",
					     " 7",
					     "Sun, 06 Nov 1994 08:49:37",
					     "Sun, 6 Nov 1994 08:49:37 GMT",
					     "Sun, 31 Feb 2027 08:49:37 GMT",
					     "Sun, 00 Jan 2027 08:49:37 GMT",
					     "Sun, 29 Feb 2027 08:49:37 GMT",
					     "Sun, 06 Foo 2027 08:49:37 GMT",
					     "Sun, 06 Nov 1969 08:49:37 GMT",
					     "Sun, 06 Nov 2027 24:00:00 GMT",
					     "Sunday, 06-Nov-94 08:49:37 GMT" };
	uint64_t wait = 77;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		cr_expect_not(forward_answer_wait(texts[i], NOW, &wait), "%s", texts[i]);
	cr_expect_not(forward_answer_wait(NULL, NOW, &wait));
	cr_expect_eq(wait, 77);
}

Test(forward_answer, every_prefix_of_a_date_is_none)
{
	static const char date[] = "Sun, 06 Nov 2033 08:49:37 GMT";
	struct guard g = guard_create(64);

	for (size_t len = 0; len < sizeof(date) - 1; len++) {
		char *text = guard_put(&g, date, len + 1);
		uint64_t wait;

		text[len] = '\0';
		cr_expect_not(forward_answer_wait(text, NOW, &wait), "%s", text);
	}
	guard_destroy(&g);
}
