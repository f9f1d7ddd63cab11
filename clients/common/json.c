#include "common/json.h"

#include "common/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Makes room for n more bytes and the NUL. */
static bool
reserve(struct json *j, size_t n)
{
	size_t size = j->size ? j->size : 1024;
	char *data;

	if (j->failed)
		return false;
	if (j->len + n + 1 <= j->size)
		return true;
	while (size < j->len + n + 1)
		size *= 2;
	data = realloc(j->data, size);
	if (!data) {
		j->failed = true;
		return false;
	}
	j->data = data;
	j->size = size;
	return true;
}

static void
append(struct json *j, const char *text, size_t len)
{
	if (!reserve(j, len))
		return;
	memcpy(j->data + j->len, text, len);
	j->len += len;
	j->data[j->len] = '\0';
}

static void
append_text(struct json *j, const char *text)
{
	append(j, text, strlen(text));
}

/* How much of the text needs no escape. */
static size_t
plain_run(const char *text)
{
	size_t n = 0;

	while ((unsigned char)text[n] >= 0x20 && (unsigned char)text[n] < 0x7f && text[n] != '"' && text[n] != '\\')
		n++;
	return n;
}

/* The short escape of a character, or 0. */
static char
short_escape(uint32_t rune)
{
	static const char escapes[128] = {
		['"'] = '"', ['\\'] = '\\', ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't',
	};

	return rune < sizeof(escapes) ? escapes[rune] : 0;
}

static void
append_quoted(struct json *j, const char *text)
{
	uint32_t rune;
	size_t n;

	append(j, "\"", 1);
	for (;;) {
		char escape[8];
		size_t run = plain_run(text);

		append(j, text, run);
		text += run;
		n = text_rune(text, &rune);
		if (n == 0)
			break;
		if (short_escape(rune))
			append(j, (char[]){ '\\', short_escape(rune) }, 2);
		else if (rune < 0x20 || rune == 0x7f || rune == 0xfffd)
			append(j, escape, (size_t)snprintf(escape, sizeof(escape), "\\u%04x", (unsigned)rune));
		else
			append(j, text, n);
		text += n;
	}
	append(j, "\"", 1);
}

/* The comma and the key before a value. */
static void
begin_value(struct json *j, const char *key)
{
	if (j->comma)
		append(j, ",", 1);
	if (key) {
		append_quoted(j, key);
		append(j, ":", 1);
	}
	j->comma = true;
}

static void
open_level(struct json *j, const char *key, const char *opener, char closer)
{
	begin_value(j, key);
	if (j->depth == JSON_DEPTH) {
		j->failed = true;
		return;
	}
	append(j, opener, 1);
	j->closers[j->depth++] = closer;
	j->comma = false;
}

void
json_object(struct json *j, const char *key)
{
	open_level(j, key, "{", '}');
}

void
json_array(struct json *j, const char *key)
{
	open_level(j, key, "[", ']');
}

void
json_end(struct json *j)
{
	if (j->depth == 0)
		return;
	append(j, &j->closers[--j->depth], 1);
	j->comma = true;
}

void
json_string(struct json *j, const char *key, const char *text)
{
	begin_value(j, key);
	append_quoted(j, text);
}

void
json_string_or_null(struct json *j, const char *key, const char *text)
{
	if (text && *text)
		json_string(j, key, text);
	else
		json_null(j, key);
}

void
json_uint(struct json *j, const char *key, uint64_t n)
{
	char digits[24];

	snprintf(digits, sizeof(digits), "%" PRIu64, n);
	begin_value(j, key);
	append_text(j, digits);
}

void
json_bool(struct json *j, const char *key, bool b)
{
	begin_value(j, key);
	append_text(j, b ? "true" : "false");
}

void
json_null(struct json *j, const char *key)
{
	begin_value(j, key);
	append_text(j, "null");
}

void
json_usd(struct json *j, const char *key, int64_t pico_dollars)
{
	char digits[TEXT_SIZE];

	begin_value(j, key);
	append_text(j, text_usd_exact(pico_dollars, digits, sizeof(digits)));
}

void
json_hex(struct json *j, const char *key, const uint8_t *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";

	begin_value(j, key);
	append(j, "\"", 1);
	for (size_t i = 0; i < len; i++)
		append(j, (char[]){ digits[bytes[i] >> 4], digits[bytes[i] & 15] }, 2);
	append(j, "\"", 1);
}

void
json_time(struct json *j, const char *key, uint64_t ns)
{
	char text[TEXT_SIZE];

	json_string_or_null(j, key, text_rfc3339(ns, text, sizeof(text)));
}

void
json_plain(struct json *j, const char *text)
{
	append_text(j, text);
}

void
json_newline(struct json *j)
{
	append(j, "\n", 1);
	j->comma = false;
}

const char *
json_text(const struct json *j)
{
	return j->failed ? NULL : j->data ? j->data : "";
}

bool
json_print(const struct json *j, FILE *out)
{
	const char *text = json_text(j);

	return text && fputs(text, out) >= 0;
}

void
json_clear(struct json *j)
{
	*j = (struct json){ .data = j->data, .size = j->size };
	if (j->data)
		j->data[0] = '\0';
}

void
json_finish(struct json *j)
{
	free(j->data);
	*j = (struct json){ 0 };
}
