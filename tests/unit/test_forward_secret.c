#include "forward_secret.h"

#include "said.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct log talking = { .level = LEVEL_ERROR };
static char path[64], said[SAID_MAX];

static void
setup(void)
{
	strcpy(path, "/tmp/agentbus-test-XXXXXX");
	const int fd = mkstemp(path);

	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, "sesame open\nmore\n", 17), 17);
	close(fd);
	setenv("FORWARD_KEY", "sesame", 1);
	setenv("FORWARD_LINES", "sesame\r\nX: y", 1);
	unsetenv("FORWARD_NONE");
}

static void
teardown(void)
{
	unlink(path);
}

TestSuite(forward_secret, .init = setup, .fini = teardown);

static bool
join(void *ctx, const char *header)
{
	char *out = ctx;

	strcat(strcat(out, header), "|");
	return true;
}

static bool
expand(const char *headers, char *out)
{
	struct destination d = { .name = "a" };
	const struct said stderr_text = said_begin();

	*out = '\0';
	strcpy(d.headers, headers);
	const bool ok = forward_secret_headers(&d, join, out, &talking);
	said_end(&stderr_text, said);
	return ok;
}

Test(forward_secret, secrets_are_put_in_their_places)
{
	char out[1000], headers[300];

	snprintf(headers, sizeof(headers), "A: plain\nB: x ${env:FORWARD_KEY}${file:%s} $y {z}\n", path);
	cr_expect(expand(headers, out));
	cr_expect_str_eq(out, "A: plain|B: x sesamesesame open $y {z}|");
	cr_expect(expand("", out));
	cr_expect_str_eq(out, "");
}

Test(forward_secret, what_cannot_be_had_is_told_without_secrets)
{
	static const char *const headers[] = { "A: ${env:FORWARD_NONE}\n", "A: ${env:FORWARD_LINES}\n", "A: ${file:/nowhere}\n",
					       "A: ${other:x}\n", "A: ${env:x\n" };
	char out[1000];

	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		cr_expect_not(expand(headers[i], out), "%s", headers[i]);
		cr_expect_neq(*said, '\0');
		cr_expect_null(strstr(said, "sesame"), "%s", said);
	}
}

Test(forward_secret, a_file_open_to_others_is_refused)
{
	char out[1000], headers[300];

	snprintf(headers, sizeof(headers), "A: ${file:%s}\n", path);
	cr_assert_eq(chmod(path, 0644), 0);
	cr_expect_not(expand(headers, out));
	cr_expect_not_null(strstr(said, "open to others"), "%s", said);
	cr_expect_null(strstr(said, "sesame"));
}
