#include "grpc_text.h"

#include <string.h>
#include <strings.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const char *const names[] = {
	"OK",        "CANCELLED",       "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
	"NOT_FOUND", "ALREADY_EXISTS",  "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
	"ABORTED",   "OUT_OF_RANGE",    "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
	"DATA_LOSS", "UNAUTHENTICATED",
};

void
grpc_prefix(uint8_t out[GRPC_PREFIX], bool compressed, uint32_t len)
{
	out[0] = compressed;
	for (int i = 0; i < 4; i++)
		out[1 + i] = (uint8_t)(len >> (24 - 8 * i));
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool
grpc_header(const char *line, size_t len, const char *name, const char **ret_value, size_t *ret_len)
{
	size_t at = strlen(name);

	if (len <= at || line[at] != ':' || strncasecmp(line, name, at) != 0)
		return false;
	at++;
	while (at < len && is_space(line[at]))
		at++;
	while (len > at && is_space(line[len - 1]))
		len--;
	*ret_value = line + at;
	*ret_len = len - at;
	return true;
}

bool
grpc_status(const char *value, size_t len, unsigned *ret)
{
	unsigned status = 0;

	if (len < 1 || len > 9)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (value[i] < '0' || value[i] > '9')
			return false;
		status = 10 * status + (unsigned)(value[i] - '0');
	}
	*ret = status;
	return true;
}

const char *
grpc_status_name(unsigned status)
{
	return status < COUNT(names) ? names[status] : "?";
}

/* The digit's value, 16 for what is none. */
static unsigned
hex(char c)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	const char *found = c ? strchr(digits, c) : NULL;

	return found ? (unsigned)(found - digits) % 16 : 16;
}

size_t
grpc_message(const char *value, size_t len, char *out, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < len && n + 1 < size; i++) {
		unsigned high = i + 2 < len && value[i] == '%' ? hex(value[i + 1]) : 16;
		unsigned low = high < 16 ? hex(value[i + 2]) : 16;

		out[n++] = low < 16 ? (char)(high << 4 | low) : value[i];
		i += low < 16 ? 2 : 0;
	}
	if (size)
		out[n] = '\0';
	return n;
}
