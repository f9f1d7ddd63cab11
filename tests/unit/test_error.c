#include "error.h"

#include "guard.h"

#include <criterion/criterion.h>

static const struct {
	unsigned status;
	const char *class, *message;
	enum error_class want;
} cases[] = {
	/* The status is told. */
	{ 401, "", "", ERROR_AUTH },
	{ 403, "", "", ERROR_AUTH },
	{ 429, "", "invalid x-api-key", ERROR_RATE_LIMIT },
	{ 408, "", "", ERROR_TIMEOUT },
	{ 504, "", "", ERROR_TIMEOUT },
	{ 500, "", "", ERROR_SERVER },
	{ 529, "", "", ERROR_SERVER },
	{ 400, "", "", ERROR_CLIENT },
	{ 404, "", "", ERROR_CLIENT },
	{ 400, "", "Your credit balance is too low", ERROR_CLIENT },
	{ 200, "", "", ERROR_UNKNOWN },
	{ 999, "", "quota", ERROR_RATE_LIMIT },
	/* Claude Code's classes and messages. */
	{ 0, "rate_limit", "", ERROR_RATE_LIMIT },
	{ 0, "invalid_api_key", "", ERROR_AUTH },
	{ 0, "empty_text_block", "", ERROR_CLIENT },
	{ 0, "credit_balance_low", "", ERROR_CLIENT },
	{ 0, "prompt_too_long", "", ERROR_CLIENT },
	{ 0, "repeated_529", "", ERROR_SERVER },
	{ 0, "server_error", "", ERROR_SERVER },
	{ 0, "server_overload", "", ERROR_SERVER },
	{ 0, "api_timeout", "", ERROR_TIMEOUT },
	{ 0, "connection_error", "", ERROR_NETWORK },
	{ 0, "ssl_cert_error", "", ERROR_NETWORK },
	{ 0, "token_revoked", "", ERROR_AUTH },
	{ 0, "aborted", "", ERROR_UNKNOWN },
	{ 0, "", "Connection error.", ERROR_NETWORK },
	{ 0, "", "Repeated 529 Overloaded errors", ERROR_SERVER },
	{ 0, "", "Request timed out.", ERROR_TIMEOUT },
	{ 0, "", "invalid x-api-key", ERROR_AUTH },
	{ 0, "", "This request would exceed your organization's rate limit of 500 requests per minute.", ERROR_RATE_LIMIT },
	/* Codex. */
	{ 0, "", "http 429", ERROR_RATE_LIMIT },
	{ 0, "", "http 404", ERROR_CLIENT },
	{ 0, "", "error sending request", ERROR_NETWORK },
	{ 0, "", "exceeded retry limit, last status: 429 Too Many Requests", ERROR_RATE_LIMIT },
	{ 0, "", "idle timeout waiting for SSE", ERROR_TIMEOUT },
	{ 0, "", "stream disconnected before completion: idle timeout waiting for SSE", ERROR_TIMEOUT },
	{ 0, "", "stream disconnected before completion: WebSocket protocol error: Connection reset without closing handshake",
	  ERROR_NETWORK },
	{ 0, "", "unexpected status 503 Service Unavailable: x", ERROR_SERVER },
	{ 0, "", "unexpected status 401 Unauthorized: rate limit", ERROR_AUTH },
	{ 0, "", "We\xe2\x80\x99re currently experiencing high demand, which may cause temporary errors.", ERROR_SERVER },
	{ 0, "", "rate limit exceeded: Rate limit reached for gpt-5.5. Please try again in 1s.", ERROR_RATE_LIMIT },
	{ 0, "", "You've hit your usage limit. Try again in 5 days.", ERROR_RATE_LIMIT },
	{ 0, "",
	  "{\"type\":\"response.failed\",\"response\":{\"id\":\"resp_500\",\"created_at\":1763856512,\"status\":\"failed\","
	  "\"error\":{\"code\":\"rate_limit_exceeded\",\"message\":\"Rate limit reached\"}}}",
	  ERROR_RATE_LIMIT },
	{ 0, "", "{\"error\":{\"type\":\"usage_limit_reached\",\"plan_type\":\"plus\"}}", ERROR_RATE_LIMIT },
	{ 0, "", "{\"error\":{\"code\":\"insufficient_quota\",\"message\":\"You exceeded your current plan\"}}",
	  ERROR_RATE_LIMIT },
	{ 0, "", "{\"error\":{\"code\":\"server_is_overloaded\"}}", ERROR_SERVER },
	{ 0, "", "{\"error\":{\"code\":\"context_length_exceeded\"}}", ERROR_CLIENT },
	/* Gemini: gRPC's words, and numbers, in raw JSON. */
	{ 0, "ApiError", "{\"error\":{\"message\":\"x\",\"status\":\"UNAUTHENTICATED\"}}", ERROR_AUTH },
	{ 0, "ApiError", "{\"error\":{\"message\":\"x\",\"status\":\"PERMISSION_DENIED\"}}", ERROR_AUTH },
	{ 0, "ApiError", "{\"error\":{\"message\":\"x\",\"status\":\"RESOURCE_EXHAUSTED\"}}", ERROR_RATE_LIMIT },
	{ 0, "ApiError", "{\"error\":{\"message\":\"x\",\"status\":\"DEADLINE_EXCEEDED\"}}", ERROR_TIMEOUT },
	{ 0, "ApiError", "{\"error\":{\"message\":\"x\",\"status\":\"UNAVAILABLE\"}}", ERROR_SERVER },
	{ 0, "ApiError", "{\"error\":{\"message\":\"x\",\"status\":\"INTERNAL\"}}", ERROR_SERVER },
	{ 0, "ApiError", "{\"error\":{\"message\":\"x\",\"status\":\"INVALID_ARGUMENT\"}}", ERROR_CLIENT },
	{ 0, "ApiError", "{\"error\":{\"message\":\"x\",\"status\":\"NOT_FOUND\"}}", ERROR_CLIENT },
	{ 0, "ApiError", "{\"error\":{\"code\":503,\"message\":\"x\"}}", ERROR_SERVER },
	{ 0, "ApiError", "{\"error\": {\n  \"code\" : 429,\n  \"message\": \"x\"}}", ERROR_RATE_LIMIT },
	{ 0, "ApiError", "{\"message\":\"x\",\"statusCode\":401}", ERROR_AUTH },
	{ 0, "ApiError", "got status: 400 Bad Request. {}", ERROR_CLIENT },
	{ 0, "TypeError", "exception TypeError: fetch failed sending request", ERROR_NETWORK },
	{ 0, "Error", "terminated", ERROR_NETWORK },
	/* Qwen Code: the classes of its client. */
	{ 0, "AuthenticationError", "", ERROR_AUTH },
	{ 0, "PermissionDeniedError", "", ERROR_AUTH },
	{ 0, "RateLimitError", "", ERROR_RATE_LIMIT },
	{ 0, "APIConnectionError", "", ERROR_NETWORK },
	{ 0, "APIConnectionTimeoutError", "", ERROR_TIMEOUT },
	{ 0, "InternalServerError", "", ERROR_SERVER },
	{ 0, "BadRequestError", "", ERROR_CLIENT },
	{ 0, "NotFoundError", "", ERROR_CLIENT },
	{ 0, "UnprocessableEntityError", "", ERROR_CLIENT },
	{ 0, "APIUserAbortError", "", ERROR_UNKNOWN },
	{ 0, "APIError", "401 Incorrect API key provided.", ERROR_AUTH },
	{ 0, "APIError", "429 {\"error\":\"x\"}", ERROR_RATE_LIMIT },
	{ 0, "APIError", "500 status code (no body)", ERROR_SERVER },
	{ 0, "APIError", "503", ERROR_SERVER },
	/* Others. */
	{ 0, "", "connect ECONNREFUSED 127.0.0.1:443", ERROR_NETWORK },
	{ 0, "", "connect ETIMEDOUT 127.0.0.1:443", ERROR_TIMEOUT },
	{ 0, "", "getaddrinfo EAI_AGAIN api.example.com", ERROR_NETWORK },
	{ 0, "", "HTTP/1.1 504 Gateway Timeout", ERROR_TIMEOUT },
	{ 0, "", "HTTP/2 429", ERROR_RATE_LIMIT },
	{ 0, "http_503", "", ERROR_SERVER },
	{ 0, "", "API Error: 400 x", ERROR_CLIENT },
	{ 0, "", "x (status 429).", ERROR_RATE_LIMIT },
	/* False friends. */
	{ 0, "", "the author could not generate a separate message", ERROR_UNKNOWN },
	{ 0, "", "timeouts", ERROR_UNKNOWN },
	{ 0, "", "authority, authored, unlimited, moderate, quotation", ERROR_UNKNOWN },
	{ 0, "", "an internal note is unavailable", ERROR_UNKNOWN },
	{ 0, "", "permission denied, open '/srv/x'", ERROR_UNKNOWN },
	{ 0, "", "req_500", ERROR_UNKNOWN },
	{ 0, "", "req_011CcX429", ERROR_UNKNOWN },
	{ 0, "", "500 ms", ERROR_UNKNOWN },
	{ 0, "", "1500 ms", ERROR_UNKNOWN },
	{ 0, "", "429 tokens", ERROR_UNKNOWN },
	{ 0, "", "after 500 ms", ERROR_UNKNOWN },
	{ 0, "", "id 429-4f7a", ERROR_UNKNOWN },
	{ 0, "", "status 429-4f7a", ERROR_UNKNOWN },
	{ 0, "", "code 429.5", ERROR_UNKNOWN },
	{ 0, "", "code 0.429", ERROR_UNKNOWN },
	{ 0, "", "code 4290", ERROR_UNKNOWN },
	{ 0, "", "line 404", ERROR_UNKNOWN },
	{ 0, "", "/srv/500/x", ERROR_UNKNOWN },
	{ 0, "", "", ERROR_UNKNOWN },
};

Test(error, classes)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_expect_eq(error_classify(cases[i].status, str_from(cases[i].class), str_from(cases[i].message)), cases[i].want,
			     "case %zu: %u \"%s\" \"%s\"", i, cases[i].status, cases[i].class, cases[i].message);
}

Test(error, every_prefix_has_a_class)
{
	struct guard g = guard_create(512);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t n = 0; n <= strlen(cases[i].message); n++) {
			struct str text = { guard_put(&g, cases[i].message, n), n };
			enum error_class c = error_classify(0, (struct str){ 0 }, text);

			cr_expect(c > ERROR_NONE && c < ERROR_CLASS_COUNT);
			cr_expect_eq(error_classify(0, text, (struct str){ 0 }), c);
		}
	guard_destroy(&g);
}

Test(error, a_long_text_is_looked_at_in_part)
{
	static char text[64 << 10];

	memset(text, 'x', sizeof(text));
	memcpy(text, "quota ", 6);
	cr_expect_eq(error_classify(0, (struct str){ 0 }, (struct str){ text, sizeof(text) }), ERROR_RATE_LIMIT);
	memset(text, ' ', sizeof(text));
	memcpy(text + sizeof(text) - 5, "quota", 5);
	cr_expect_eq(error_classify(0, (struct str){ 0 }, (struct str){ text, sizeof(text) }), ERROR_UNKNOWN);
}

Test(error, every_class_has_a_name)
{
	for (int c = ERROR_AUTH; c < ERROR_CLASS_COUNT; c++)
		cr_expect(strlen(error_class_name(c)) > 0);
	cr_expect_str_eq(error_class_name(ERROR_NONE), "");
}
