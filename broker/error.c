#include "error.h"

#define TEXT_MAX 4096 /* what is looked at of a class and of a message */

/*
 * Matched as whole words; what is neither letter nor digit counts as a blank on both sides. In order of how telling they are.
 * Words with capitals are matched as they are: "INTERNAL" is a status of gRPC, "internal" says nothing.
 */
struct word {
	const char *text;
	enum error_class class;
};

static const struct word words[] = {
	/* What programs say to each other: codes of APIs, statuses of gRPC, names of exceptions. */
	{ "authentication error", ERROR_AUTH },
	{ "authenticationerror", ERROR_AUTH },
	{ "permission error", ERROR_AUTH },
	{ "permissiondeniederror", ERROR_AUTH },
	{ "auth error", ERROR_AUTH },
	{ "unauthenticated", ERROR_AUTH },
	{ "PERMISSION_DENIED", ERROR_AUTH },
	{ "oauth org not allowed", ERROR_AUTH },
	{ "rate limit error", ERROR_RATE_LIMIT },
	{ "ratelimiterror", ERROR_RATE_LIMIT },
	{ "ratelimitexceeded", ERROR_RATE_LIMIT },
	{ "throttlingexception", ERROR_RATE_LIMIT },
	{ "resource exhausted", ERROR_RATE_LIMIT },
	{ "insufficient quota", ERROR_RATE_LIMIT },
	{ "usage limit reached", ERROR_RATE_LIMIT },
	{ "usage not included", ERROR_RATE_LIMIT },
	{ "timeout error", ERROR_TIMEOUT },
	{ "timeouterror", ERROR_TIMEOUT },
	{ "apitimeouterror", ERROR_TIMEOUT },
	{ "apiconnectiontimeouterror", ERROR_TIMEOUT },
	{ "etimedout", ERROR_TIMEOUT },
	{ "deadline exceeded", ERROR_TIMEOUT },
	{ "overloaded error", ERROR_SERVER },
	{ "server overload", ERROR_SERVER },
	{ "server is overloaded", ERROR_SERVER },
	{ "capacity off switch", ERROR_SERVER },
	{ "internalservererror", ERROR_SERVER },
	{ "UNAVAILABLE", ERROR_SERVER },
	{ "INTERNAL", ERROR_SERVER },
	{ "DATA_LOSS", ERROR_SERVER },
	{ "invalid request error", ERROR_CLIENT },
	{ "invalidrequesterror", ERROR_CLIENT },
	{ "badrequesterror", ERROR_CLIENT },
	{ "notfounderror", ERROR_CLIENT },
	{ "conflicterror", ERROR_CLIENT },
	{ "unprocessableentityerror", ERROR_CLIENT },
	{ "client error", ERROR_CLIENT },
	{ "billing error", ERROR_CLIENT },
	{ "INVALID_ARGUMENT", ERROR_CLIENT },
	{ "FAILED_PRECONDITION", ERROR_CLIENT },
	{ "OUT_OF_RANGE", ERROR_CLIENT },
	{ "NOT_FOUND", ERROR_CLIENT },
	{ "apiconnectionerror", ERROR_NETWORK },
	{ "econnrefused", ERROR_NETWORK },
	{ "econnreset", ERROR_NETWORK },
	{ "econnaborted", ERROR_NETWORK },
	{ "enotfound", ERROR_NETWORK },
	{ "eai again", ERROR_NETWORK },
	{ "epipe", ERROR_NETWORK },
	{ "ehostunreach", ERROR_NETWORK },
	{ "enetunreach", ERROR_NETWORK },
	{ "ssl cert error", ERROR_NETWORK },
	/* What they say to people. */
	{ "unauthorized", ERROR_AUTH },
	{ "authentication", ERROR_AUTH },
	{ "authorization", ERROR_AUTH },
	{ "api key", ERROR_AUTH },
	{ "token revoked", ERROR_AUTH },
	{ "forbidden", ERROR_AUTH },
	{ "oauth", ERROR_AUTH },
	{ "access denied", ERROR_AUTH },
	{ "not logged in", ERROR_AUTH },
	{ "rate limit", ERROR_RATE_LIMIT },
	{ "rate limits", ERROR_RATE_LIMIT },
	{ "rate limited", ERROR_RATE_LIMIT },
	{ "rate limiting", ERROR_RATE_LIMIT },
	{ "too many requests", ERROR_RATE_LIMIT },
	{ "usage limit", ERROR_RATE_LIMIT },
	{ "usage limits", ERROR_RATE_LIMIT },
	{ "limit reached", ERROR_RATE_LIMIT },
	{ "quota", ERROR_RATE_LIMIT },
	{ "throttled", ERROR_RATE_LIMIT },
	{ "timeout", ERROR_TIMEOUT },
	{ "timed out", ERROR_TIMEOUT },
	{ "overloaded", ERROR_SERVER },
	{ "repeated 529", ERROR_SERVER },
	{ "internal server error", ERROR_SERVER },
	{ "internal error", ERROR_SERVER },
	{ "server error", ERROR_SERVER },
	{ "service unavailable", ERROR_SERVER },
	{ "temporarily unavailable", ERROR_SERVER },
	{ "bad gateway", ERROR_SERVER },
	{ "high demand", ERROR_SERVER },
	{ "at capacity", ERROR_SERVER },
	{ "connection error", ERROR_NETWORK },
	{ "connection refused", ERROR_NETWORK },
	{ "connection reset", ERROR_NETWORK },
	{ "connection closed", ERROR_NETWORK },
	{ "connection failed", ERROR_NETWORK },
	{ "failed to connect", ERROR_NETWORK },
	{ "fetch failed", ERROR_NETWORK },
	{ "failed to fetch", ERROR_NETWORK },
	{ "error sending request", ERROR_NETWORK },
	{ "websocket", ERROR_NETWORK },
	{ "stream disconnected", ERROR_NETWORK },
	{ "socket hang up", ERROR_NETWORK },
	{ "other side closed", ERROR_NETWORK },
	{ "premature close", ERROR_NETWORK },
	{ "broken pipe", ERROR_NETWORK },
	{ "tls handshake", ERROR_NETWORK },
	{ "certificate", ERROR_NETWORK },
	{ "network", ERROR_NETWORK },
	{ "getaddrinfo", ERROR_NETWORK },
	{ "dns", ERROR_NETWORK },
	{ "terminated", ERROR_NETWORK },
	{ "invalid request", ERROR_CLIENT },
	{ "invalid argument", ERROR_CLIENT },
	{ "bad request", ERROR_CLIENT },
	{ "not found", ERROR_CLIENT },
	{ "invalid model", ERROR_CLIENT },
	{ "invalid prompt", ERROR_CLIENT },
	{ "context length", ERROR_CLIENT },
	{ "prompt is too long", ERROR_CLIENT },
	{ "prompt too long", ERROR_CLIENT },
	{ "too large", ERROR_CLIENT },
	{ "tool use mismatch", ERROR_CLIENT },
	{ "content filter", ERROR_CLIENT },
	{ "credit balance", ERROR_CLIENT },
	{ "billing", ERROR_CLIENT },
	{ "empty text block", ERROR_CLIENT },
};

#define WORDS (sizeof(words) / sizeof(words[0]))

static enum error_class
by_status(unsigned status)
{
	switch (status) {
	case 401:
	case 403:
		return ERROR_AUTH;
	case 408:
	case 504:
		return ERROR_TIMEOUT;
	case 429:
		return ERROR_RATE_LIMIT;
	default:
		break;
	}
	if (status >= 500 && status < 600)
		return ERROR_SERVER;
	return status >= 400 && status < 500 ? ERROR_CLIENT : ERROR_NONE;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_capital(char c)
{
	return c >= 'A' && c <= 'Z';
}

/* Letters small, and a blank for what is neither letter nor digit. */
static char
fold(char c)
{
	if (is_capital(c))
		return (char)(c - 'A' + 'a');
	if ((c >= 'a' && c <= 'z') || is_digit(c))
		return c;
	return (unsigned char)c >= 0x80 ? c : ' ';
}

/* Whether a word begins at i, or ends before it. */
static bool
begins(struct str text, size_t i)
{
	return i == 0 || fold(text.ptr[i - 1]) == ' ';
}

static bool
ends(struct str text, size_t i)
{
	return i == text.len || fold(text.ptr[i]) == ' ';
}

static bool
word_at(struct str text, size_t i, const char *word)
{
	size_t n = strlen(word);
	bool exact = is_capital(word[0]);

	if (n > text.len - i)
		return false;
	for (size_t k = 0; k < n; k++)
		if ((exact ? text.ptr[i + k] : fold(text.ptr[i + k])) != word[k])
			return false;
	return ends(text, i + n);
}

/* --- numbers --- */

/* The word that ends before i, numbers of one digit (HTTP/1.1) left out; empty if there is none. */
static struct str
word_before(struct str text, size_t i)
{
	size_t end, begin = i;

	do {
		end = begin;
		while (end > 0 && fold(text.ptr[end - 1]) == ' ')
			end--;
		begin = end;
		while (begin > 0 && fold(text.ptr[begin - 1]) != ' ')
			begin--;
	} while (end - begin == 1 && is_digit(text.ptr[begin]));
	return (struct str){ text.ptr + begin, end - begin };
}

static bool
announces_status(struct str word)
{
	static const char *const announcing[] = { "status", "statuscode", "code", "http", "https", "error" };

	for (size_t i = 0; i < sizeof(announcing) / sizeof(announcing[0]); i++)
		if (word.len == strlen(announcing[i]) && word_at(word, 0, announcing[i]))
			return true;
	return false;
}

/* "401 Incorrect API key", "429 {…", or nothing else: the status comes first. "500 ms" is something else. */
static bool
leads(struct str text, size_t i)
{
	size_t at = i + 3;

	if (word_before(text, i).len > 0)
		return false;
	while (at < text.len && text.ptr[at] != '{' && text.ptr[at] != '"' && fold(text.ptr[at]) == ' ')
		at++;
	return at == text.len || is_capital(text.ptr[at]) || text.ptr[at] == '{' || text.ptr[at] == '"' ||
	       word_at(text, at, "status");
}

/* A status stands by itself: no part of a longer number, of a decimal or of an id. */
static bool
stands_alone(struct str text, size_t i)
{
	size_t end = i + 3;

	if (!begins(text, i) || !ends(text, end) || (i > 1 && text.ptr[i - 1] == '.' && is_digit(text.ptr[i - 2])))
		return false;
	return end + 1 >= text.len || !strchr("-_.,:", text.ptr[end]) || ends(text, end + 1);
}

static enum error_class
by_number(struct str text)
{
	for (size_t i = 0; i + 3 <= text.len; i++) {
		const char *p = text.ptr + i;

		if ((*p != '4' && *p != '5') || !is_digit(p[1]) || !is_digit(p[2]) || !stands_alone(text, i))
			continue;
		if (announces_status(word_before(text, i)) || leads(text, i))
			return by_status((unsigned)(p[0] - '0') * 100 + (unsigned)(p[1] - '0') * 10 + (unsigned)(p[2] - '0'));
	}
	return ERROR_NONE;
}

/* --- words --- */

static enum error_class
by_words(struct str text)
{
	size_t best = WORDS;

	for (size_t i = 0; i < text.len; i++) {
		if (!begins(text, i))
			continue;
		for (size_t w = 0; w < best; w++)
			if (word_at(text, i, words[w].text))
				best = w;
	}
	return best < WORDS ? words[best].class : ERROR_NONE;
}

static enum error_class
by_text(struct str text)
{
	enum error_class c;

	if (text.len > TEXT_MAX)
		text.len = TEXT_MAX;
	c = by_number(text);
	return c == ERROR_NONE ? by_words(text) : c;
}

enum error_class
error_classify(unsigned status, struct str cli_class, struct str message)
{
	enum error_class c = by_status(status);

	if (c == ERROR_NONE)
		c = by_text(cli_class);
	if (c == ERROR_NONE)
		c = by_text(message);
	return c == ERROR_NONE ? ERROR_UNKNOWN : c;
}

const char *
error_class_name(enum error_class c)
{
	static const char *const names[] = {
#define X(name, text) [ERROR_##name] = text,
		ERROR_CLASSES(X)
#undef X
	};

	return c < ERROR_CLASS_COUNT ? names[c] : "unknown";
}
