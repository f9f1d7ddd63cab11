/* What people wrote does not come out of the enricher, by whatever way. */
#include "content.h"
#include "enricher_post.h"

TestSuite(enricher_content, .init = start_usual, .fini = finish);

/* An error of a length, told of a request to a model or of who knows what. Its class is told by its last word. */
static const struct got *
error_of(size_t length, bool as_span, const char *about)
{
	char attributes[4096], message[2048];

	cr_assert_lt(length, sizeof(message));
	for (size_t i = 0; i < length; i++)
		message[i] = "word "[i % 5];
	memcpy(message + length - 8, " timeout", 9);
	snprintf(attributes, sizeof(attributes), OF_SESSION TEXT("error", "%s") "," TEXT("success", "false") "%s", message,
		 about);
	if (as_span)
		post_spans(CLAUDE, span("claude_code.llm_request", 1, 0, 100, attributes), 1);
	else
		post_logs(CLAUDE, record(TEXT("event.name", "api_error"), 100, "", attributes), 1);
	return as_span ? bed_span(&bed, "claude_code.llm_request") : log_record(0);
}

static size_t
length_of(const struct got *g, const char *key)
{
	const char *value = got_value(g, key);

	return value ? strlen(value) : 0;
}

#define ABOUT_CALL "," TEXT("model", "m")

Test(enricher_content, a_message_that_was_shortened_is_not_made_whole_again)
{
	for (unsigned as_span = 0; as_span < 2; as_span++) {
		restart((struct enricher_settings){ 0 }, 7);
		const struct got *g = error_of(1000, as_span, ABOUT_CALL);
		cr_assert_not_null(g);
		cr_expect_eq(length_of(g, "error"), CONTENT_ERROR_MAX);
		cr_expect_leq(length_of(g, "error.message"), CONTENT_ERROR_MAX);
		cr_expect_geq(length_of(g, "error.message"), CONTENT_ERROR_MAX - 10, "nearly all of what is left of it");
		cr_expect(got_is(g, "error.type", "timeout"), "by all of what was said");
	}
}

Test(enricher_content, a_message_that_was_dropped_does_not_come_back)
{
	for (unsigned as_span = 0; as_span < 2; as_span++) {
		restart((struct enricher_settings){ 0 }, 7);
		const struct got *g = error_of(1000, as_span, "");
		cr_assert_not_null(g);
		cr_expect(got_is(g, "error", NULL));
		cr_expect(got_is(g, "error.message", NULL));
		cr_expect(got_is(g, "error.type", "timeout"));
		bed_wait(&bed, 60000);
	}
}

/* Nor in the span of a call, nor in one that is made. */
Test(enricher_content, a_message_that_was_dropped_is_not_remembered)
{
	error_of(100, false, "");
	bed_wait(&bed, 60000);
	cr_assert_not_null(made());
	cr_expect(got_is(made(), "error.message", NULL));
	cr_expect(got_is(made(), "error.type", "timeout"));
}

Test(enricher_content, content_stays_where_it_is_to)
{
	restart((struct enricher_settings){ .keep_content = true }, 7);
	cr_expect_eq(length_of(error_of(400, false, ABOUT_CALL), "error"), 400);
	post_logs(CLAUDE, record(TEXT("event.name", "user_prompt"), 0, "", OF_SESSION TEXT("prompt", "secret")), 1);
	cr_expect(got_is(log_record(1), "prompt", "secret"));
}

Test(enricher_content, content_of_waiting_spans_is_dropped_before_they_wait)
{
	post_spans(CLAUDE, span("claude_code.llm_request", 1, 0, 100, OF_SESSION TEXT("response.model_output", "secret")), 1);
	cr_assert_eq(enricher_held(bed.enricher)->count, 1);
	const struct held_item *item = enricher_held(bed.enricher)->items[0];
	cr_expect_null(memmem(item->bytes, item->len, "secret", 6));
	cr_expect_not_null(memmem(item->bytes, item->len, "llm_request", 11));
}
