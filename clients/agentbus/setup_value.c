#include "setup_value.h"

#include <stdio.h>
#include <string.h>

/* What a shell takes as it is. */
static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./+:@%,";

static bool
put(char *out, size_t *at, const char *text, size_t len)
{
	if (len >= SETUP_VALUE_SIZE - *at)
		return false;
	memcpy(out + *at, text, len);
	*at += len;
	out[*at] = '\0';
	return true;
}

static bool
put_text(char *out, size_t *at, const char *text)
{
	return put(out, at, text, strlen(text));
}

/* In double quotes, for JSON and TOML alike. */
static bool
put_quoted(char *out, size_t *at, const char *text)
{
	bool ok = put_text(out, at, "\"");

	for (; *text && ok; text++) {
		char escape[8];

		if ((unsigned char)*text < 0x20) {
			snprintf(escape, sizeof(escape), "\\u%04x", (unsigned)*text);
			ok = put_text(out, at, escape);
			continue;
		}
		if (*text == '"' || *text == '\\')
			ok = put_text(out, at, "\\");
		ok = ok && put(out, at, text, 1);
	}
	return ok && put_text(out, at, "\"");
}

static bool
put_for_shell(char *out, size_t *at, const char *text)
{
	bool ok = true;

	if (*text && text[strspn(text, plain)] == '\0')
		return put_text(out, at, text);
	ok = put_text(out, at, "'");
	for (; *text && ok; text++)
		ok = *text == '\'' ? put_text(out, at, "'\\''") : put(out, at, text, 1);
	return ok && put_text(out, at, "'");
}

bool
setup_command(const struct setup_wish *w, const char *cli, char out[SETUP_VALUE_SIZE])
{
	size_t at = 0;

	/* Claude Code's hooks are known without. */
	const bool named = strcmp(cli, "claude") != 0;

	return put_for_shell(out, &at, w->program) && put_text(out, &at, " emit") &&
	       (!named || (put_text(out, &at, " --provider ") && put_text(out, &at, cli)));
}

static bool
put_notify(const struct setup_wish *w, const char *cli, char *out, size_t *at)
{
	return put_text(out, at, "[") && put_quoted(out, at, w->program) && put_text(out, at, ", \"emit\", \"--provider\", ") &&
	       put_quoted(out, at, cli) && put_text(out, at, "]");
}

bool
setup_value(const struct setup_wish *w, const char *cli, const char *value, char out[SETUP_VALUE_SIZE])
{
	size_t at = 0;
	bool ok = true;

	out[0] = '\0';
	while (*value && ok) {
		const size_t len = strcspn(value, "{") + (*value == '{');

		if (strncmp(value, "{http}", 6) == 0 || strncmp(value, "{grpc}", 6) == 0) {
			ok = put_text(out, &at, value[1] == 'h' ? w->http : w->grpc);
			value += 6;
		} else if (strncmp(value, "{notify}", 8) == 0) {
			ok = put_notify(w, cli, out, &at);
			value += 8;
		} else {
			ok = put(out, &at, value, len);
			value += len;
		}
	}
	return ok;
}

bool
setup_element(const struct setup_wish *w, const char *cli, const struct setup_file *f, const struct setup_hook *h,
	      char out[SETUP_VALUE_SIZE])
{
	char command[SETUP_VALUE_SIZE];
	size_t at = 0;
	bool ok = setup_command(w, cli, command) && put_text(out, &at, "{");

	if (ok && h->matcher)
		ok = put_text(out, &at, "\"matcher\": ") && put_quoted(out, &at, h->matcher) && put_text(out, &at, ", ");
	return ok && put_text(out, &at, "\"hooks\": [{\"type\": \"command\", \"command\": ") && put_quoted(out, &at, command) &&
	       put_text(out, &at, f->hook_options) && put_text(out, &at, "}]}");
}

bool
setup_is_emit(const char *command)
{
	const char *at = command;

	while ((at = strstr(at, "agentbus"))) {
		at += strlen("agentbus");
		const char *verb = at + strspn(at, "\"' \t,");

		if (verb > at && strncmp(verb, "emit", 4) == 0 && strchr(" \t\"',])", verb[4]))
			return true;
	}
	return false;
}

/* What stands between "http://" and the path. False if it is no URL of that kind. */
static bool
authority(const char *url, const char **ret, size_t *ret_len)
{
	if (strncmp(url, "http://", 7) != 0)
		return false;
	*ret = url + 7;
	*ret_len = strcspn(*ret, "/?#");
	return true;
}

static bool
same_authority(const char *a, const char *b)
{
	const char *x, *y;
	size_t x_len, y_len;

	return authority(a, &x, &x_len) && authority(b, &y, &y_len) && x_len == y_len && memcmp(x, y, x_len) == 0;
}

/* Whether both are on this machine, at the same port. */
static bool
same_here(const char *a, const char *b)
{
	static const char *const hosts[] = { "http://127.0.0.1:", "http://localhost:" };
	const char *port[2] = { NULL, NULL };

	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		const size_t len = strlen(hosts[i]);

		if (strncmp(a, hosts[i], len) == 0)
			port[0] = a + len;
		if (strncmp(b, hosts[i], len) == 0)
			port[1] = b + len;
	}
	if (!port[0] || !port[1])
		return false;
	const size_t digits = strspn(port[0], "0123456789");

	return digits > 0 && digits == strspn(port[1], "0123456789") && memcmp(port[0], port[1], digits) == 0 &&
	       strchr("/?#", port[0][digits]);
}

bool
setup_reaches(const struct setup_wish *w, const char *url)
{
	return same_authority(url, w->http) || same_authority(url, w->grpc) || same_here(url, w->http) || same_here(url, w->grpc);
}

static bool
has_word(const char *list, const char *word)
{
	const size_t len = strlen(word);

	for (const char *at = list; (at = strstr(at, word)); at += len)
		if ((at == list || strchr(", ", at[-1])) && strchr(", ", at[len]))
			return true;
	return false;
}

static bool
one_of(const char *value, const char *const *list)
{
	while (*list && strcmp(*list, value) != 0)
		list++;
	return *list;
}

bool
setup_accepts(const struct setup_wish *w, enum setup_accept accept, const char *value, const char *ours)
{
	static const char *const yes[] = { "1", "true", "yes", "on", NULL };
	static const char *const protocols[] = { "grpc", "http", "http/protobuf", "http/json", NULL };

	if (strcmp(value, ours) == 0)
		return true;
	switch (accept) {
	case SETUP_SAME:
		return false;
	case SETUP_ANY:
		return true;
	case SETUP_TRUE:
		return one_of(value, yes);
	case SETUP_WORD:
		return has_word(value, ours);
	case SETUP_PROTOCOL:
		return one_of(value, protocols);
	case SETUP_ENDPOINT:
	case SETUP_EXPORTER:
		return setup_reaches(w, value);
	case SETUP_EMIT:
		return setup_is_emit(value);
	}
	return false;
}
