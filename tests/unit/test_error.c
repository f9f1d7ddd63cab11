#include "error.h"

#include <criterion/criterion.h>

static const struct {
	unsigned status;
	const char *class, *message;
	enum error_class want;
} cases[] = {
	{ 401, "", "", ERROR_AUTH },
	{ 403, "", "", ERROR_AUTH },
	{ 429, "", "invalid x-api-key", ERROR_RATE_LIMIT },
	{ 408, "", "", ERROR_TIMEOUT },
	{ 504, "", "", ERROR_TIMEOUT },
	{ 500, "", "", ERROR_SERVER },
	{ 529, "", "", ERROR_SERVER },
	{ 400, "", "", ERROR_CLIENT },
	{ 404, "", "", ERROR_CLIENT },
	{ 0, "rate_limit", "", ERROR_RATE_LIMIT },
	{ 0, "invalid_api_key", "", ERROR_AUTH },
	{ 0, "AuthenticationError", "", ERROR_AUTH },
	{ 0, "api_timeout", "", ERROR_TIMEOUT },
	{ 0, "connection_error", "", ERROR_NETWORK },
	{ 0, "", "Connection error.", ERROR_NETWORK },
	{ 0, "", "Repeated 529 Overloaded errors", ERROR_SERVER },
	{ 0, "", "Request timed out.", ERROR_TIMEOUT },
	{ 0, "", "exceeded retry limit, last status: 429 Too Many Requests", ERROR_RATE_LIMIT },
	{ 0, "", "stream disconnected before completion: idle timeout waiting for SSE", ERROR_TIMEOUT },
	{ 0, "TypeError", "exception TypeError: fetch failed sending request", ERROR_NETWORK },
	{ 0, "", "unexpected status 503 Service Unavailable: x", ERROR_SERVER },
	{ 0, "", "the author could not generate a separate message", ERROR_UNKNOWN },
	{ 0, "", "", ERROR_UNKNOWN },
	{ 200, "", "", ERROR_UNKNOWN },
	{ 999, "", "quota", ERROR_RATE_LIMIT },
};

Test(error, classes)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_expect_eq(error_classify(cases[i].status, str_from(cases[i].class), str_from(cases[i].message)), cases[i].want,
			     "case %zu: %u \"%s\" \"%s\"", i, cases[i].status, cases[i].class, cases[i].message);
}

Test(error, every_class_has_a_name)
{
	for (int c = ERROR_AUTH; c < ERROR_CLASS_COUNT; c++)
		cr_expect(strlen(error_class_name(c)) > 0);
	cr_expect_str_eq(error_class_name(ERROR_NONE), "");
}
