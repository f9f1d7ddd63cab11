#include "setup_mask.h"

#include "common/text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define STARS "***"

enum { DEPTH_MAX = 64, NAME_MAX_LEN = 128, TOKEN_MIN = 16 };

struct masker {
	const char *text;
	size_t len, at;
	unsigned char *mask;
	unsigned depth;
	unsigned secret_depth; /* all within brackets of this depth is secret; 0: nothing is */
	bool secret_next;      /* the next value is */
	bool secret_table;     /* all keys of this table of TOML are */
};

static const char *const secret_names[] = {
	"token",  "secret",  "passw",   "apikey", "api_key", "api-key", "credential", "authorization",
	"cookie", "private", "headers", "bearer", "_auth",   "auth_",   "signature",
};

static const char *const token_beginnings[] = {
	"sk-", "pk-", "ghp_", "gho_", "ghu_", "ghs_", "github_pat_", "glpat-", "xox", "AIza", "AKIA", "eyJ", "Bearer ", "Basic ",
};

static bool
sounds_secret(const char *name, size_t len)
{
	char lower[NAME_MAX_LEN + 1];

	len = len < NAME_MAX_LEN ? len : NAME_MAX_LEN;
	for (size_t i = 0; i < len; i++)
		lower[i] = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] | 0x20) : name[i] ? name[i] : ' ';
	lower[len] = '\0';
	for (size_t i = 0; i < sizeof(secret_names) / sizeof(secret_names[0]); i++)
		if (strstr(lower, secret_names[i]))
			return true;
	return false;
}

static bool
is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("_-+.", c)) ||
	       (c & 0x80);
}

static void
hide(struct masker *m, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		m->mask[i] = m->text[i] != '\n' && m->text[i] != '\r';
}

/* Words that begin as tokens do, wherever they are. */
static void
hide_tokens(struct masker *m)
{
	for (size_t at = 0; at < m->len; at++) {
		if (at > 0 && is_word(m->text[at - 1]))
			continue;
		for (size_t i = 0; i < sizeof(token_beginnings) / sizeof(token_beginnings[0]); i++) {
			const size_t begin = strlen(token_beginnings[i]);
			size_t end = at + begin;

			if (m->len - at < begin || memcmp(m->text + at, token_beginnings[i], begin) != 0)
				continue;
			while (end < m->len && (is_word(m->text[end]) || strchr("/=", m->text[end])))
				end++;
			if (end - at >= TOKEN_MIN)
				hide(m, at, end);
		}
	}
}

/* User and password in an address. */
static void
hide_users(struct masker *m)
{
	for (size_t at = 0; m->len - at > 3; at++) {
		size_t end = at + 3;

		if (memcmp(m->text + at, "://", 3) != 0)
			continue;
		while (end < m->len && m->text[end] && !strchr("/?# \t\r\n\"'@", m->text[end]))
			end++;
		if (end < m->len && m->text[end] == '@')
			hide(m, at + 3, end);
	}
}

static bool
is_key(const struct masker *m, size_t at)
{
	while (at < m->len && (m->text[at] == ' ' || m->text[at] == '\t'))
		at++;
	return at < m->len &&
	       (m->text[at] == ':' || m->text[at] == '=' || (m->text[at] == '.' && at > 0 && m->text[at - 1] == '"'));
}

/* A string or a word that ends at `end`, and what it says. */
static void
take_token(struct masker *m, size_t end, size_t inner, size_t inner_len)
{
	const bool sounds = sounds_secret(m->text + inner, inner_len);

	if (is_key(m, end)) {
		m->secret_next = sounds || m->secret_table;
		return;
	}
	if (m->secret_next || m->secret_depth > 0)
		hide(m, inner, inner + inner_len);
	/* "TOKEN=…" within a command, and "--token" before its value. */
	else if (sounds && memchr(m->text + inner, '=', inner_len))
		hide(m, inner, inner + inner_len);
	m->secret_next = sounds && inner_len > 1 && m->text[inner] == '-' && !memchr(m->text + inner, '=', inner_len);
}

static void
take_string(struct masker *m)
{
	const size_t begin = m->at;
	const char quote = m->text[begin];
	const bool multi = m->len - begin >= 3 && m->text[begin + 1] == quote && m->text[begin + 2] == quote;
	const size_t quotes = multi ? 3 : 1;
	size_t at = begin + quotes;

	for (; at < m->len; at++) {
		if (m->text[at] == '\\' && quote == '"') {
			at++;
			continue;
		}
		if (!multi && (m->text[at] == quote || m->text[at] == '\n'))
			break;
		if (multi && m->len - at >= 3 && m->text[at] == quote && m->text[at + 1] == quote && m->text[at + 2] == quote)
			break;
	}
	at = at < m->len ? at : m->len;
	m->at = m->len - at > quotes ? at + quotes : m->len;
	take_token(m, m->at, begin + quotes < at ? begin + quotes : at, at > begin + quotes ? at - begin - quotes : 0);
}

static void
take_bracket(struct masker *m)
{
	const char c = m->text[m->at++];

	if (c == '{' || c == '[') {
		m->depth++;
		if (m->secret_next && m->secret_depth == 0)
			m->secret_depth = m->depth;
		m->secret_next = false;
	} else if (m->depth > 0) {
		if (m->depth == m->secret_depth)
			m->secret_depth = 0;
		m->depth--;
	}
}

static bool
begins_line(const struct masker *m)
{
	size_t at = m->at;

	while (at > 0 && (m->text[at - 1] == ' ' || m->text[at - 1] == '\t'))
		at--;
	return at == 0 || m->text[at - 1] == '\n';
}

/* "[model_providers.x.http_headers]" alone on its line, outside of all brackets. */
static bool
take_header(struct masker *m)
{
	const char *line = m->text + m->at, *end = memchr(line, '\n', m->len - m->at);
	const size_t len = end ? (size_t)(end - line) : m->len - m->at;

	if (m->depth > 0 || m->at == 0 || !begins_line(m) || !memchr(line, ']', len))
		return false;
	m->secret_table = sounds_secret(line, len);
	m->at += len;
	return true;
}

static void
take_word(struct masker *m)
{
	const size_t begin = m->at;

	while (m->at < m->len && is_word(m->text[m->at]))
		m->at++;
	take_token(m, m->at, begin, m->at - begin);
}

static void
skip_to_line_end(struct masker *m)
{
	while (m->at < m->len && m->text[m->at] != '\n')
		m->at++;
}

static void
take(struct masker *m)
{
	const char c = m->text[m->at];

	if (c == '"' || c == '\'')
		take_string(m);
	else if (c == '#' || (c == '/' && m->at + 1 < m->len && m->text[m->at + 1] == '/'))
		skip_to_line_end(m);
	else if (c == '[' && take_header(m))
		return;
	else if (c && strchr("{}[]", c))
		take_bracket(m);
	else if (is_word(c))
		take_word(m);
	else
		m->at++;
}

unsigned char *
setup_mask(const char *text, size_t len)
{
	struct masker m = { .text = text, .len = len, .mask = calloc(1, len + 1) };

	if (!m.mask)
		return NULL;
	while (m.at < len)
		take(&m);
	hide_tokens(&m);
	hide_users(&m);
	return m.mask;
}

size_t
setup_mask_rune(const char *text, size_t len, bool *ret_shown)
{
	char piece[5] = "";
	uint32_t rune;

	memcpy(piece, text, len < sizeof(piece) - 1 ? len : sizeof(piece) - 1);
	const size_t n = text_rune(piece, &rune);

	*ret_shown = n > 0 && (rune == '\t' || text_shown(rune));
	return n > 0 ? n : 1;
}

void
setup_mask_show(const char *text, const unsigned char *mask, size_t len, char *out, size_t size)
{
	size_t used = 0, n;
	bool shown;

	for (size_t i = 0; i < len && used + sizeof(STARS) < size; i += n) {
		n = setup_mask_rune(text + i, len - i, &shown);
		if (mask && mask[i]) {
			n = 1;
			if (i > 0 && mask[i - 1])
				continue;
			memcpy(out + used, STARS, strlen(STARS));
			used += strlen(STARS);
		} else {
			memcpy(out + used, shown ? text + i : "?", shown ? n : 1);
			used += shown ? n : 1;
		}
	}
	if (size > 0)
		out[used] = '\0';
}

void
setup_mask_value(const char *key, const char *value, size_t len, char *out, size_t size)
{
	unsigned char *mask = setup_mask(value, len);

	/* Without knowing what is secret, nothing is shown. */
	if (sounds_secret(key, strlen(key)) || !mask)
		setup_mask_show(STARS, NULL, strlen(STARS), out, size);
	else
		setup_mask_show(value, mask, len, out, size);
	free(mask);
}
