#include "error.h"

struct word {
	const char *text; /* lower case; matched as whole words, '_' and '-' count as blanks on both sides */
	enum error_class class;
};

/* In order of how telling they are. */
static const struct word words[] = {
	{ "unauthorized", ERROR_AUTH },
	{ "authentication", ERROR_AUTH },
	{ "authenticationerror", ERROR_AUTH },
	{ "permissiondeniederror", ERROR_AUTH },
	{ "invalid api key", ERROR_AUTH },
	{ "invalid x api key", ERROR_AUTH },
	{ "api key", ERROR_AUTH },
	{ "forbidden", ERROR_AUTH },
	{ "oauth", ERROR_AUTH },
	{ "rate limit", ERROR_RATE_LIMIT },
	{ "ratelimiterror", ERROR_RATE_LIMIT },
	{ "rate limited", ERROR_RATE_LIMIT },
	{ "too many requests", ERROR_RATE_LIMIT },
	{ "resource exhausted", ERROR_RATE_LIMIT },
	{ "usage limit", ERROR_RATE_LIMIT },
	{ "usage limit reached", ERROR_RATE_LIMIT },
	{ "quota", ERROR_RATE_LIMIT },
	{ "429", ERROR_RATE_LIMIT },
	{ "timeout", ERROR_TIMEOUT },
	{ "timed out", ERROR_TIMEOUT },
	{ "api timeout", ERROR_TIMEOUT },
	{ "timeouterror", ERROR_TIMEOUT },
	{ "apiconnectiontimeouterror", ERROR_TIMEOUT },
	{ "etimedout", ERROR_TIMEOUT },
	{ "deadline exceeded", ERROR_TIMEOUT },
	{ "overloaded", ERROR_SERVER },
	{ "repeated 529", ERROR_SERVER },
	{ "529", ERROR_SERVER },
	{ "internal server error", ERROR_SERVER },
	{ "internalservererror", ERROR_SERVER },
	{ "server error", ERROR_SERVER },
	{ "service unavailable", ERROR_SERVER },
	{ "bad gateway", ERROR_SERVER },
	{ "high demand", ERROR_SERVER },
	{ "500", ERROR_SERVER },
	{ "502", ERROR_SERVER },
	{ "503", ERROR_SERVER },
	{ "connection error", ERROR_NETWORK },
	{ "apiconnectionerror", ERROR_NETWORK },
	{ "connection refused", ERROR_NETWORK },
	{ "connection reset", ERROR_NETWORK },
	{ "econnrefused", ERROR_NETWORK },
	{ "econnreset", ERROR_NETWORK },
	{ "enotfound", ERROR_NETWORK },
	{ "fetch failed", ERROR_NETWORK },
	{ "error sending request", ERROR_NETWORK },
	{ "websocket protocol error", ERROR_NETWORK },
	{ "stream disconnected", ERROR_NETWORK },
	{ "network", ERROR_NETWORK },
	{ "dns", ERROR_NETWORK },
	{ "terminated", ERROR_NETWORK },
	{ "invalid request", ERROR_CLIENT },
	{ "invalid argument", ERROR_CLIENT },
	{ "bad request", ERROR_CLIENT },
	{ "badrequesterror", ERROR_CLIENT },
	{ "not found", ERROR_CLIENT },
	{ "credit balance", ERROR_CLIENT },
	{ "credit balance low", ERROR_CLIENT },
	{ "empty text block", ERROR_CLIENT },
	{ "400", ERROR_CLIENT },
};

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

static char
fold(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (char)(c - 'A' + 'a');
	if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
		return c;
	return (unsigned char)c >= 0x80 ? c : ' ';
}

static bool
word_at(struct str text, size_t i, const char *word)
{
	size_t n = strlen(word);

	if (i + n > text.len || (i > 0 && fold(text.ptr[i - 1]) != ' '))
		return false;
	for (size_t k = 0; k < n; k++)
		if (fold(text.ptr[i + k]) != word[k])
			return false;
	return i + n == text.len || fold(text.ptr[i + n]) == ' ';
}

static enum error_class
by_words(struct str text)
{
	if (text.len > 4096)
		text.len = 4096;
	for (size_t w = 0; w < sizeof(words) / sizeof(words[0]); w++)
		for (size_t i = 0; i < text.len; i++)
			if (word_at(text, i, words[w].text))
				return words[w].class;
	return ERROR_NONE;
}

enum error_class
error_classify(unsigned status, struct str cli_class, struct str message)
{
	enum error_class c = by_status(status);

	if (c == ERROR_NONE)
		c = by_words(cli_class);
	if (c == ERROR_NONE)
		c = by_words(message);
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
