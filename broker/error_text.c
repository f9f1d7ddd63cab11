#include "error_text.h"

#include "error_json.h"
#include "secret.h"

#define LOOK_MAX   8192
#define SHOW_MAX   1024 /* of what is found, so much is looked at for secrets, and the rest is left out */
#define NESTED_MAX 3    /* APIs put the error of another one into theirs, as text */
#define TRIES_MAX  8    /* braces that are no JSON are passed over; so many at most */

struct text {
	char bytes[LOOK_MAX];
	size_t len;
};

static void
put(struct text *t, struct str s)
{
	size_t room = sizeof(t->bytes) - t->len, n = s.len < room ? s.len : room;

	if (n)
		memcpy(t->bytes + t->len, s.ptr, n);
	t->len += n;
}

/* The first JSON in s that has a message. */
static bool
find_json(struct str s, struct str *ret_document, struct str *ret_message)
{
	size_t i = 0;

	while (i < s.len) {
		struct str message = { 0 };
		size_t len = 1;

		if (s.ptr[i] == '{' || s.ptr[i] == '[')
			len = error_json_scan((struct str){ s.ptr + i, s.len - i }, &message);
		if (message.len > 0) {
			*ret_document = (struct str){ s.ptr + i, len };
			*ret_message = message;
			return true;
		}
		i += len;
	}
	return false;
}

/* Puts s into t with its JSON replaced by that JSON's message. Returns false, and puts nothing, if it has none. */
static bool
reduce(struct str s, struct text *t)
{
	struct str document, message, behind;

	if (!find_json(s, &document, &message))
		return false;
	behind.ptr = document.ptr + document.len;
	behind.len = (size_t)(s.ptr + s.len - behind.ptr);
	t->len = 0;
	put(t, (struct str){ s.ptr, (size_t)(document.ptr - s.ptr) });
	t->len += error_json_unescape(message, t->bytes + t->len, sizeof(t->bytes) - t->len);
	put(t, behind);
	return true;
}

/* One blank for each run of blanks and control characters, none at the ends. */
static struct str
squeeze(char *bytes, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		const char c = bytes[i];

		if ((unsigned char)c > ' ' && c != 0x7f)
			bytes[n++] = c;
		else if (n > 0 && bytes[n - 1] != ' ')
			bytes[n++] = ' ';
	}
	if (n > 0 && bytes[n - 1] == ' ')
		n--;
	return (struct str){ bytes, n };
}

size_t
error_text(struct str message, char *dst, size_t size)
{
	struct text texts[2];
	struct str now = message;
	size_t turn = 0;

	if (now.len > LOOK_MAX)
		now.len = LOOK_MAX;
	while (turn < NESTED_MAX && reduce(now, &texts[turn % 2])) {
		now = (struct str){ texts[turn % 2].bytes, texts[turn % 2].len };
		turn++;
	}
	texts[turn % 2].len = 0;
	put(&texts[turn % 2], now);
	now = squeeze(texts[turn % 2].bytes, texts[turn % 2].len);
	if (now.len > SHOW_MAX)
		now.len = SHOW_MAX;
	turn++;
	now.len = secret_mask(now, texts[turn % 2].bytes, sizeof(texts[turn % 2].bytes));
	now.ptr = texts[turn % 2].bytes;
	str_copy(dst, size, now);
	return strlen(dst);
}
