#include "said.h"
#include "str.h"
#include "token.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define TOKEN        "0123456789abcdef"

static const struct log talking = { .level = LEVEL_ERROR };

static char dir[64], path[128], said[SAID_MAX];

static void
setup(void)
{
	strcpy(dir, "/tmp/agentbus-test-XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/token", dir);
}

static void
teardown(void)
{
	unlink(path);
	rmdir(path);
	rmdir(dir);
}

TestSuite(token, .init = setup, .fini = teardown);

static void
write_file(const void *bytes, size_t len, mode_t mode)
{
	int fd;

	unlink(path);
	fd = open(path, O_CREAT | O_WRONLY | O_EXCL | O_CLOEXEC, 0600);
	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, bytes, len), (ssize_t)len);
	cr_assert_eq(fchmod(fd, mode), 0);
	close(fd);
}

/* Reads the token; what is logged meanwhile goes to `said`. */
static bool
read_token(const char *from, char out[TOKEN_MAX])
{
	const struct said stderr_text = said_begin();
	const bool ok = token_read(from, out, &talking);

	said_end(&stderr_text, said);
	return ok;
}

static void
expect_refusal(const char *from, const char *why)
{
	char out[TOKEN_MAX] = "before";

	cr_assert_not(read_token(from, out), "%s", why);
	cr_assert_str_eq(out, "before");
	cr_assert(strstr(said, from), "%s", said);
	cr_assert(strstr(said, why), "%s: %s", why, said);
	cr_assert_null(strstr(said, "0123456789"), "%s", said);
	cr_assert_eq(strchr(said, '\n'), said + strlen(said) - 1, "%s", said);
}

Test(token, is_the_first_line)
{
	static const char *const files[] = {
		TOKEN, TOKEN "\n", TOKEN "\r\n", " \t" TOKEN " \t\n", TOKEN "\nanother line\n", TOKEN "\n\xff\xfe",
	};
	char out[TOKEN_MAX];

	for (size_t i = 0; i < COUNT(files); i++) {
		write_file(files[i], strlen(files[i]), i % 2 ? 0600 : 0400);
		memset(out, 'x', sizeof(out));
		cr_assert(read_token(path, out), "%zu", i);
		cr_assert_str_eq(out, TOKEN);
		cr_assert_str_empty(said);
	}
}

Test(token, may_be_of_any_printable_characters)
{
	char all[128], out[TOKEN_MAX];
	size_t n = 0;

	for (char c = '!'; c <= '~'; c++)
		all[n++] = c;
	all[n] = '\0';
	write_file(all, n, 0600);
	cr_assert(read_token(path, out));
	cr_assert_str_eq(out, all);
}

Test(token, lengths)
{
	char text[2000], out[TOKEN_MAX];

	memset(text, 'a', sizeof(text));
	for (size_t n = 0; n < sizeof(text); n++) {
		if (n > 40 && n < 500)
			continue;
		write_file(text, n, 0600);
		const bool ok = read_token(path, out);
		cr_assert_eq(ok, n >= 16 && n <= 512, "%zu", n);
		cr_assert_eq(*said == '\0', ok);
		if (ok)
			cr_assert_eq(strlen(out), n);
	}
}

Test(token, refuses_files_without_one)
{
	static const struct {
		struct str text;
		const char *why;
	} cases[] = {
		{ { "", 0 }, "no token" },
		{ { "\n", 1 }, "no token" },
		{ { "  \t\r\n" TOKEN "\n", 6 + 16 }, "no token" },
		{ { TOKEN, 15 }, "16 to 512 characters" },
		{ { TOKEN " " TOKEN, 33 }, "without spaces" },
		{ { TOKEN "\t" TOKEN, 33 }, "without spaces" },
		{ { TOKEN "\0" TOKEN, 33 }, "printable" },
		{ { TOKEN "\x7f", 17 }, "printable" },
		{ { TOKEN "\x1b[0m", 20 }, "printable" },
		{ { TOKEN "\xc3\xa4", 18 }, "printable" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		write_file(cases[i].text.ptr, cases[i].text.len, 0600);
		expect_refusal(path, cases[i].why);
	}
}

Test(token, refuses_files_that_others_can_open)
{
	static const mode_t open_modes[] = { 0640, 0604, 0644, 0620, 0602, 0666, 0777 };

	for (size_t i = 0; i < COUNT(open_modes); i++) {
		write_file(TOKEN, strlen(TOKEN), open_modes[i]);
		expect_refusal(path, "chmod 600");
	}
}

Test(token, refuses_what_is_no_file)
{
	expect_refusal(path, "No such file");
	cr_assert_eq(mkdir(path, 0700), 0);
	expect_refusal(path, "regular file");
	rmdir(path);
	/* Nobody writes to it: to wait for that would be to wait forever. */
	cr_assert_eq(mkfifo(path, 0600), 0);
	expect_refusal(path, "regular file");
	expect_refusal("/dev/null", "regular file");
}
