/* What is written to stderr while something runs, for tests of what logs. */
#ifndef AGENTBUS_TEST_SAID_H
#define AGENTBUS_TEST_SAID_H

#include <criterion/criterion.h>
#include <fcntl.h>
#include <unistd.h>

#define SAID_MAX 8192

struct said {
	int saved, pipe;
};

/* From here on stderr is kept: at most what a pipe holds. */
static inline struct said
said_begin(void)
{
	struct said s = { .saved = dup(STDERR_FILENO) };
	int ends[2];

	cr_assert_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	cr_assert_geq(dup2(ends[1], STDERR_FILENO), 0);
	close(ends[1]);
	s.pipe = ends[0];
	return s;
}

static inline void
said_end(const struct said *s, char text[SAID_MAX])
{
	cr_assert_geq(dup2(s->saved, STDERR_FILENO), 0);
	close(s->saved);
	const ssize_t n = read(s->pipe, text, SAID_MAX - 1);
	close(s->pipe);
	text[n > 0 ? n : 0] = '\0';
}

#endif
